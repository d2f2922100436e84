"""A provider that costs almost nothing: it responds to every GET at once, with prepared bytes. `provider.py PORT`.

In all three formats it responds that there is no SMS yet; below `/news/`, getStatus shows another SMS each time.
"""

import asyncio
import itertools
import sys
from typing import cast

import uvloop


def answer(content_type: bytes, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 03:00:00 GMT\r\nContent-Type: %b\r\n"
        b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n%b" % (content_type, len(body), body)
    )


TEXT, JSON = b"text/html; charset=UTF-8", b"application/json"
NOTHING_YET = {
    b"action=getStatusV2": answer(JSON, b'{"verificationType":0,"sms":null}'),
    b"action=getStatus&": answer(TEXT, b"STATUS_WAIT_CODE"),
    b"get-sms?": answer(
        JSON,
        b'{"request_id":1000000001,"country_id":1,"application_id":2,"number":"12015550123",'
        b'"error_code":"wait_sms","error_msg":"Still waiting..."}',
    ),
}


class Connection(asyncio.Protocol):
    """One client. Each segment is a whole request: a poll's fits, and the client waits for its answer."""

    codes = itertools.count(100_000)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = cast("asyncio.WriteTransport", transport).write  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /news/"):
            self.write(answer(TEXT, b"STATUS_OK:%d" % next(self.codes)))
        else:
            self.write(next(ready for asked, ready in NOTHING_YET.items() if asked in data))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


uvloop.run(main())
