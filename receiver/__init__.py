"""The callback endpoint: webhooks come in, and are answered once their SMS are durable.

The path of a callback: verify (`auth`) → read (`body`) → parse, normalize (`pingme`) → accept (`intake`, the bus).
`server` is the edge, with `connection` for what is not HTTP and `answers` for responses. `fast_lane` handles the common
case before aiohttp builds a request; `request_head` says what that is, and its `Heads` remembers it.
Between reading and accepting everything is pure.
"""
