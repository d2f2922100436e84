"""Writing a response: completely, or with a fault of delivery."""

import socket
import struct

from aiohttp import web

from sandbox.response import Response


async def write(request: web.Request, response: Response) -> web.StreamResponse:
    """Write a complete response. Raises ConnectionError if the client has disconnected."""
    stream = web.Response(status=response.status, body=response.body.encode(), headers=response.headers)
    await stream.prepare(request)
    await stream.write_eof()
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError
    return stream


async def truncate(request: web.Request, response: Response) -> web.StreamResponse:
    """Announce the whole response, write half of it, and close the connection."""
    body = response.body.encode()
    stream = web.StreamResponse(headers={**response.headers, "Content-Length": str(len(body))})
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection instead of responding."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
        request.transport.abort()
    return web.Response()
