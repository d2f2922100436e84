"""Writing an answer: in full, or in one of the ways in which answers fail to arrive."""

import socket
import struct
from typing import Final

from aiohttp import web

from sandbox.reply import TEXT, Reply
from sandbox.settings import BadDay

MAINTENANCE: Final = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
)
BAD_GATEWAY: Final = "<html><head><title>{status}</title></head><body><center>nginx</center></body></html>"


async def refuse(request: web.Request, day: BadDay) -> web.StreamResponse:
    """Answer without having looked at the question."""
    retry_after = {} if day.retry_after is None else {"Retry-After": str(day.retry_after)}
    status, body, headers = {
        "429": (429, "Too Many Requests", retry_after),
        "html": (200, MAINTENANCE, {}),
        "empty": (200, "", {}),
        "5xx": (day.status, BAD_GATEWAY.format(status=day.status), retry_after),
    }[day.kind]
    response = web.Response(status=status, body=body.encode(), headers={"Content-Type": TEXT} | headers)
    await response.prepare(request)
    await response.write_eof()
    return response


async def write(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Write all of an answer. Raises ConnectionError when whoever asked has left before its end."""
    response = web.Response(body=reply.body.encode(), headers={"Content-Type": reply.content_type})
    await response.prepare(request)
    await response.write_eof()
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError
    return response


async def truncate(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Promise the whole answer, write half of it, and hang up."""
    body = reply.body.encode()
    response = web.StreamResponse(headers={"Content-Type": reply.content_type, "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection instead of an answer."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
        request.transport.abort()
    return web.Response()
