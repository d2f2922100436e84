"""Front door 1: webhooks come in, and are answered once their SMS are durable.

The way of a callback: verify (`auth`) → read (`body`) → parse, normalize (`pingme`) → accept (`intake`, the bus).
`server` is the edge that walks it, with `connection` for what is no HTTP and `answers` for what goes back. `fast_lane`
walks it for the easy case, before aiohttp builds a request; `request_head` says what is easy, `heads` remembers it.
Between reading and accepting everything is pure.
"""
