"""Writing an answer: in full, or in one of the ways in which answers fail to arrive."""

import socket
import struct

from aiohttp import web

from sandbox.response import Reply


async def write(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Write all of an answer. Raises ConnectionError when whoever asked has left before its end."""
    response = web.Response(status=reply.status, body=reply.body.encode(), headers=reply.headers)
    await response.prepare(request)
    await response.write_eof()
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError
    return response


async def truncate(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Promise the whole answer, write half of it, and hang up."""
    body = reply.body.encode()
    response = web.StreamResponse(headers={**reply.headers, "Content-Length": str(len(body))})
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
