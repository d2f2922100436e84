"""Front door 1: webhooks come in, and are answered once their SMS are durable.

The way of a callback: read (`body`) → verify (`stages`) → parse, normalize (`pingme`) → accept (the bus).
`server` is the edge that walks it, with `connection` for what is no HTTP and `answers` for what goes back.
Between reading and accepting everything is pure.
"""
