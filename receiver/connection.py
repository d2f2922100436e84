"""One TCP connection: what aiohttp does with bytes that are no HTTP, and how long and how slow a head may be.

aiohttp answers the former with its parser's message, which quotes the sender, and logs a stack trace with it. Here they
are reported, answered with a problem document of ours, and the connection ends.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import EMPTY_PAYLOAD, StreamReader
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, RequestHandler, RequestPayloadError, Server, StreamResponse
from aiohttp.web_protocol import _ErrInfo

from receiver.connections import Connections

OnError = Callable[[BaseException | None], StreamResponse]
MOST_FIELD_BYTES: Final = 4096  # of one header field; a proxy adds some, and cookies have no business here
MOST_FIELDS: Final = 64
MOST_HEAD_BYTES: Final = 16 * 1024  # of a whole head, where the two above would let 256 KiB pass
END: Final = b"\r\n\r\n"  # of a head
LINGER: Final = 2.0  # seconds for which an unread body is drained, so that the sender sees our answer and not a reset


class HeadLate(HttpProcessingError):
    """A head has begun, and its end did not come in time."""


class Connection(RequestHandler):
    """aiohttp's protocol, with `on_error` in place of its error pages and its log, and bounds for a head."""

    __slots__ = (
        *("_body", "_body_deadline", "_connections", "_head_bytes", "_head_deadline", "_on_error", "_refused"),
        "late",
    )

    def __init__(
        self,
        server: Server,
        *,
        on_error: OnError,
        keepalive_timeout: float,
        body_deadline: float,
        connections: Connections,
    ) -> None:
        """`body_deadline` is in seconds, for a head and for a body."""
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # documented for "none", and tested for by aiohttp
            auto_decompress=False,  # `body` does it, within our limit
            keepalive_timeout=keepalive_timeout,
            lingering_time=LINGER,
            max_field_size=MOST_FIELD_BYTES,
            max_headers=MOST_FIELDS,
        )
        self._on_error = on_error
        self._body_deadline = body_deadline
        self._connections = connections
        self._body: StreamReader = EMPTY_PAYLOAD  # of the last request
        self._head_bytes = 0  # that came of a head without its end
        self._head_deadline: asyncio.TimerHandle | None = None
        self._refused = False
        self.late = False
        """The request that it reads has used up its deadline already."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be one of so many."""
        super().connection_made(transport)
        self._connections.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room."""
        self._connections.discard(self)
        self._head_ends()
        if self._refused:
            self._body.feed_eof()  # nothing is left to drain
        super().connection_lost(exc)

    def idle_since(self) -> float | None:
        """Return a time that is the earlier, the longer nothing was asked here that is not answered; None: it was.

        Whoever does not read the answers asks nothing.
        """
        is_asked = self._current_request is not None or (self._messages and not self._paused)
        return None if is_asked else self._next_keepalive_close_time

    def abort(self) -> None:
        """End it now."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes. Where they break a body that is being read, its reader learns it at once.

        aiohttp 3.14 only queues the error behind the request, whose reader would wait for its deadline.
        """
        if self._refused:
            return
        requests, body = self._request_count, self._last_body()
        of_body = body.total_bytes
        super().data_received(data)
        if self._request_count > requests:
            self._whole_heads(self._request_count - requests)
            body, of_body = self._body, 0
            data = data[data.rfind(END) + len(END) :]
        if body.is_eof() and not self._upgraded and not self._refused:
            rest = len(data) - (body.total_bytes - of_body)
            self._behind(data[len(data) - rest :] if rest > 0 else b"")
        request = self._current_request
        if request is None or not self._messages or isinstance(self._messages[-1][0], RawRequestMessage):
            return
        if not request.content.is_eof():
            request.content.set_exception(RequestPayloadError())

    def _last_body(self) -> StreamReader:
        """Return the body that comes, or came last."""
        if self._messages:
            self._body = self._messages[-1][1]
        elif self._current_request is not None:
            self._body = self._current_request.content
        return self._body

    def _whole_heads(self, number: int) -> None:
        """So many requests have come, of which aiohttp has answered none yet: refuse the first with too long a head."""
        self._head_ends()
        self._last_body()
        if all(_head_bytes(self._messages[-place][0]) <= MOST_HEAD_BYTES for place in range(1, number + 1)):
            return
        new = [self._messages.pop() for _ in range(number)]
        while _head_bytes(new[-1][0]) <= MOST_HEAD_BYTES:
            self._messages.append(new.pop())
        self._refuse(HttpProcessingError())

    def _behind(self, rest: bytes) -> None:
        """These have come behind what is payload of the last request: they begin a head unless they end a body.

        A body's last chunk may come in pieces; and line ends before a request are nothing (RFC 9112, 2.2).
        """
        if rest.endswith(END) or not (self._head_bytes or rest.strip(b"\r\n")):
            return
        self._head_bytes += len(rest)
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(HttpProcessingError())
        elif self._head_deadline is None:
            self._head_deadline = self._loop.call_later(self._body_deadline, self._head_is_late)

    def _head_ends(self) -> None:
        self._head_bytes = 0
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _head_is_late(self) -> None:
        self._head_deadline = None
        if self._waiter is not None and not self._waiter.done():
            self._refuse(HeadLate())
        elif not self._refused:  # what came before it is not answered yet
            self._head_deadline = self._loop.call_later(self._body_deadline, self._head_is_late)

    def _refuse(self, error: HttpProcessingError) -> None:
        """Answer with an error, behind what is to be answered, drain what comes still, and end."""
        self._refused = True
        self._head_ends()
        self._body = StreamReader(self, 2**16, loop=self._loop)
        self._messages.append((_ErrInfo(status=400, exc=error, message=""), self._body))
        self._request_count += 1
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def handle_error(
        self,
        request: BaseRequest,  # noqa: ARG002 - aiohttp's signature
        status: int = 500,  # noqa: ARG002
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the sender
    ) -> StreamResponse:
        """Answer bytes that aiohttp's parser refused."""
        return self._on_error(exc)

    def log_exception(
        self,
        *args: object,  # noqa: ARG002 - aiohttp's signature
        exc_info: BaseException | None = None,
        **kw: object,  # noqa: ARG002
    ) -> None:
        """Report what broke in aiohttp itself; a broken rest of a body whose request is answered is nothing new."""
        if not isinstance(exc_info, RequestPayloadError):
            self._on_error(exc_info)


def _head_bytes(message: object) -> int:
    """Return the length of a request's head, about."""
    if not isinstance(message, RawRequestMessage):
        return 0
    return len(message.path) + sum(len(name) + len(value) + 4 for name, value in message.raw_headers)
