"""Writing an answer: in full, or in one of the ways in which answers fail to arrive."""

import socket
import struct

from aiohttp import web

from sandbox.response import Response


async def write(request: web.Request, response: Response) -> web.StreamResponse:
    """Write all of an answer. Raises ConnectionError when whoever asked has left before its end."""
    stream = web.Response(status=response.status, body=response.body.encode(), headers=response.headers)
    await stream.prepare(request)
    await stream.write_eof()
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError
    return stream


async def truncate(request: web.Request, response: Response) -> web.StreamResponse:
    """Promise the whole answer, write half of it, and hang up."""
    body = response.body.encode()
    stream = web.StreamResponse(headers={**response.headers, "Content-Length": str(len(body))})
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection instead of an answer."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
        request.transport.abort()
    return web.Response()
