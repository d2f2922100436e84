"""The client's side of one keep-alive connection: raw bytes out, and minimal parsing of the response."""

import asyncio
from collections.abc import Callable
from functools import lru_cache

Answered = Callable[["Wire", bytes], None]


class Wire(asyncio.Protocol):
    """One request at a time. `answered` is called with each whole response, `lost` when the server closes."""

    def __init__(self, answered: Answered, lost: Callable[[], None]) -> None:
        self._answered = answered
        self._lost = lost
        self.due = 0.0
        """The scheduled time of the request, for the open loop."""
        self._part = b""
        self._closing = False

    def opened(self, transport: asyncio.Transport) -> "Wire":
        """Set the transport; asyncio and uvloop call `connection_made` at different times."""
        self._transport = transport
        self.send = transport.write
        return self

    def data_received(self, data: bytes) -> None:
        answer = self._part + data if self._part else data
        if is_whole(answer):
            self._part = b""
            self._answered(self, answer)
        else:
            self._part = answer

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self._closing:
            self._lost()

    def close(self) -> None:
        self._closing = True
        self._transport.close()


def is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = body_length(head)
    return body.endswith(b"0\r\n\r\n") if length is None else len(body) >= length


@lru_cache(maxsize=4096)  # a server's heads are the same for a second, except for their lengths
def body_length(head: bytes) -> int | None:
    """Return the length of the body that follows; None: it is chunked."""
    lines = head.lower().split(b"\r\n")
    lengths = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
    if not lengths and any(line.startswith(b"transfer-encoding:") for line in lines):
        return None
    return lengths[0] if lengths else 0


def is_success(answer: bytes) -> bool:
    return answer[9:10] == b"2"


def status_line(answer: bytes) -> str:
    return answer.partition(b"\r\n")[0].decode(errors="replace")


async def connect(port: int, count: int, answered: Answered, lost: Callable[[], None]) -> list[Wire]:
    """Open so many connections to a server on loopback."""
    loop = asyncio.get_running_loop()
    made = (loop.create_connection(lambda: Wire(answered, lost), "127.0.0.1", port) for _ in range(count))
    return [wire.opened(transport) for transport, wire in await asyncio.gather(*made)]
