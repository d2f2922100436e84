"""One TCP connection with limits: on the size of a head, on pipelined requests, and on responses that are not read.

All use of aiohttp's private attributes is in this file; tests/integration/test_aiohttp_facts.py pins them.

aiohttp responds to malformed HTTP with its parser's message, which quotes the sender, and logs a stack trace with it.
Here it is counted, the response is one of our problem documents, and the connection is closed.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from aiohttp import EMPTY_PAYLOAD, StreamReader
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, RequestHandler, RequestPayloadError, Server, StreamResponse
from aiohttp.web_protocol import _ErrInfo

from receiver.answers import Response
from receiver.connections import Connections

OnError = Callable[[BaseException | None], StreamResponse]
MOST_FIELD_BYTES: Final = 4096  # of one header field
MOST_FIELDS: Final = 64
MOST_HEAD_BYTES: Final = 16 * 1024  # of a whole head; the two limits above alone would allow 256 KiB
END: Final = b"\r\n\r\n"  # of a head
# Bytes that are parsed at once, and on to the next END: one large head, and some small ones. Not fewer: what aiohttp is
# given together with bytes that it refuses is refused as a whole, as a request must be whose length is too short.
PIECE: Final = 1024
MOST_HEADS: Final = 4  # in a piece; only tiny requests without a body are more in 1 KiB, and parsing 40 takes 0.3 ms
MOST_HELD_BYTES: Final = 16 * 1024  # pipelined behind a request in progress, before reading is paused
MOST_HELD: Final = 32  # the same, in segments
TAKE: Final = 30.0  # seconds for which a sender may leave a response unread, once its receive buffer is full
LINGER: Final = 2.0  # seconds for which an unread body is drained, so that the sender gets our response and not a reset


class HeadLate(HttpProcessingError):
    """The rest of a head did not arrive in time."""


class Connection(RequestHandler):
    """aiohttp's protocol, with `on_error` in place of its error pages and its log, and with the limits above.

    Bytes are parsed (`_feed`) up to one whole request, whose turn it is until its response is written. What follows is
    held, unparsed, and then parsed as if it had just arrived (`_go_on`). An incomplete head has a limit in bytes and a
    deadline; an incomplete body is its reader's to limit. After `_refuse` nothing is parsed any more.
    """

    __slots__ = (
        *("_answered", "_at_eof", "_body", "_body_deadline", "_connections", "_head_bytes", "_head_deadline", "_held"),
        *("_line", "_on_error", "_refused", "_take_deadline"),
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
        """`body_deadline`: seconds for a head, and again for a body."""
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
        self._body: StreamReader = EMPTY_PAYLOAD  # of the newest request; once it is whole, what follows is a head
        self._head_bytes = 0  # received of an incomplete head; 0: none has begun
        self._head_deadline: asyncio.TimerHandle | None = None  # set while a head is incomplete
        self._answered = 0  # requests of aiohttp's `_request_count` whose response is written
        self._held: list[bytes] = []  # segments behind a whole request, not yet parsed
        self._line: asyncio.WriteTransport  # aiohttp's `transport` is None once it has begun to close
        self._take_deadline: asyncio.TimerHandle | None = None
        self._refused = False  # malformed or late: the error response is queued, and nothing more is parsed
        self._at_eof = False  # the sender has closed its side
        self.late = False
        """The request being read has used up its deadline already."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with `Connections`, which may close another one for it."""
        super().connection_made(transport)
        self._line = cast("asyncio.WriteTransport", transport)
        self._line.set_write_buffer_limits(0)  # writing is paused as soon as the kernel takes no more
        self._connections.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Deregister, and cancel the timers."""
        self._connections.discard(self)
        self._head_ends()
        self._take_ends()
        if self._refused:
            self._body.feed_eof()  # nothing is left to drain
        if self._waiter is not None and self._waiter.done() and self._task_handler is not None:
            self._task_handler.cancel()  # aiohttp would begin a request that arrived just before, and fail at it
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The sender does not read a response: start its deadline, also where the connection closes after it."""
        super().pause_writing()
        self._take_deadline = self._loop.call_later(TAKE, self._line.abort)

    def resume_writing(self) -> None:
        """The sender has read everything."""
        super().resume_writing()
        self._take_ends()

    def _take_ends(self) -> None:
        if self._take_deadline is not None:
            self._take_deadline.cancel()
            self._take_deadline = None

    def idle_since(self) -> float | None:
        """Return a time to compare idle connections by: the longer idle, the earlier. None: a request is in progress.

        A sender that does not read its responses counts as idle.
        """
        is_asked = self._current_request is not None or (self._unanswered() and not self._paused)
        return None if is_asked or self.is_occupied() else self._next_keepalive_close_time

    def in_progress(self) -> BaseRequest | None:
        """Return the request that a handler is at work on."""
        return self._current_request

    def is_occupied(self) -> bool:
        """Tell whether a request is in progress that aiohttp does not know of."""
        return False

    def is_free(self) -> bool:
        """Tell whether no request is in progress and the sender reads its responses."""
        waits = self._waiter is not None and not self._waiter.done()
        return (waits or not self._request_count) and not self._paused

    def occupy(self) -> None:
        """Make aiohttp's shutdown wait for a request that it does not know of."""
        self._request_in_progress = True

    def release(self) -> None:
        """That request is over, or aiohttp has it now."""
        self._request_in_progress = False

    def was_cut(self) -> bool:
        """Tell whether we closed it, and not the sender."""
        return self._force_close

    def reply(self, answer: Response) -> None:
        """Write the response to a request that aiohttp does not know of; then keep or close, as it would."""
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        if self.transport is None:
            return
        if self.is_over() or not self.may_stay():
            answer.force_close()
        self.transport.write(answer.rendered())
        if self._close or self._force_close or not answer.keep_alive:
            self.close()
            self.transport.close()
        else:
            self._stay()

    def _stay(self) -> None:
        """Wait for the next request, which may have arrived already."""
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)
        self._go_on()

    def _process_keepalive(self) -> None:
        """Keep a connection open that only looks idle to aiohttp."""
        if self.is_occupied():
            self._keepalive_handle = None  # `_stay` makes the next one
        else:
            super()._process_keepalive()

    def may_stay(self) -> bool:
        """Note that a valid token was shown, and tell whether the connection may be kept alive after the response.

        Where too many are kept already, the response closes it, unless further requests have arrived on it.
        """
        return self._connections.keep(self) or self.has_more()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio reads it, aiohttp returns nothing
        """Keep a half-closed connection open until a whole request has its response."""
        super().eof_received()
        self._at_eof = True
        return self.is_waiting()

    def is_waiting(self) -> bool:
        """Tell whether a whole request waits for its response."""
        return self._must_wait()

    def is_over(self) -> bool:
        """Tell whether the response in progress is the last one, since the sender has closed its side."""
        return self._at_eof and not self.has_more()

    def has_more(self) -> bool:
        """Tell whether requests have arrived behind the one in progress."""
        return bool(self._held) or self._unanswered() > 1

    def abort(self) -> None:
        """Close it at once."""
        self.force_close()
        self._line.abort()

    def data_received(self, data: bytes) -> None:
        """Parse bytes piece by piece up to one whole request; what follows is held until the response is written."""
        if not data:
            self._feed(data)  # aiohttp asks itself whether anything is left to parse
        at = 0
        while at < len(data) and not self._refused and not self._must_wait():
            end = _end_of_piece(data, at)
            self._feed(data[at:end])
            at = end
        if at < len(data) and not self._refused:
            self.hold(data[at:])

    def _unanswered(self) -> int:
        return self._request_count - self._answered

    def _must_wait(self) -> bool:
        """Tell whether a whole request waits for its response."""
        number = self._unanswered()
        return number > 1 or (number == 1 and (self._upgraded or self._newest_body().is_eof()))

    def hold(self, data: bytes) -> None:
        """Keep a segment until the response is written, and pause reading at the limit. Segments are not joined."""
        self._held.append(data)
        if self._holds_enough():
            self._pause_reading_for_buffer()

    def _holds_enough(self) -> bool:
        return len(self._held) >= MOST_HELD or sum(map(len, self._held)) >= MOST_HELD_BYTES

    def _go_on(self) -> None:
        """Parse what was held, as if it had just arrived, up to the next whole request."""
        if not self._held:
            return
        held, self._held = self._held, []
        for data in held:
            self.data_received(data)
        if self._buffer_paused:
            self._resume_reading_for_buffer()

    def _resume_reading_for_buffer(self) -> None:
        """Resume reading, for us or for aiohttp, unless too much is held."""
        if not self._holds_enough():
            super()._resume_reading_for_buffer()

    async def finish_response(
        self, request: BaseRequest, resp: StreamResponse, start_time: float | None
    ) -> tuple[StreamResponse, bool]:
        """Write a response, wait until it is sent, and go on with what was held."""
        done = await super().finish_response(request, resp, start_time)
        self._answered += 1
        if resp.keep_alive:
            self._go_on()
        return done

    def _feed(self, data: bytes) -> None:
        """Let aiohttp parse it, and see what it was: the rest of a body, whole heads, a part of the next head."""
        if self._refused:
            return
        requests, body = self._request_count, self._newest_body()
        received = body.total_bytes
        super().data_received(data)
        if new := self._request_count - requests:
            # aiohttp 3.14 only queues the error, and the reader would wait for its deadline.
            if not body.is_eof() and isinstance(self._messages[-1][0], _ErrInfo):
                body.set_exception(RequestPayloadError())
            self._head_ends()
            self._check_heads(new)
            body, received, data = self._newest_body(), 0, data[data.rfind(END) + len(END) :]
        if body.is_eof() and not self._upgraded and not self._refused:
            self._head_begins(data[body.total_bytes - received :])

    def _newest_body(self) -> StreamReader:
        """Return the body of the newest request."""
        if self._messages:
            self._body = self._messages[-1][1]
        elif self._current_request is not None:
            self._body = self._current_request.content
        return self._body

    def _check_heads(self, new: int) -> None:
        """Keep the newest `new` requests up to the first whose head is too long, and refuse that one."""
        newest = [self._messages.pop() for _ in range(new)]
        while newest and _length_of_head(newest[-1][0]) <= MOST_HEAD_BYTES:
            self._messages.append(newest.pop())
        if newest:
            self._refuse(HttpProcessingError())

    def _head_begins(self, part: bytes) -> None:
        """These bytes follow a whole request: they are part of a head, unless they are the end of a chunked body.

        A body's last chunk may arrive in pieces, and empty lines before a request are ignored (RFC 9112, 2.2).
        """
        if part.endswith(END) or not (self._head_bytes or part.strip(b"\r\n")):
            return
        self._head_bytes += len(part)
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
        elif not self._refused:  # the requests before it have no response yet
            self._head_deadline = self._loop.call_later(self._body_deadline, self._head_is_late)

    def _refuse(self, error: HttpProcessingError) -> None:
        """Queue an error response behind those that are due, drain what still arrives, and close."""
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
        """Return the response to bytes that aiohttp's parser refused."""
        return self._on_error(exc)

    def log_exception(
        self,
        *args: object,  # noqa: ARG002 - aiohttp's signature
        exc_info: BaseException | None = None,
        **kw: object,  # noqa: ARG002
    ) -> None:
        """Report an error inside aiohttp, except a broken rest of a body whose request has its response already."""
        if not isinstance(exc_info, RequestPayloadError):
            self._on_error(exc_info)


def replace_body(request: BaseRequest, body: bytes) -> None:
    """Let `request.read()` return this from now on."""
    request._read_bytes = body  # noqa: SLF001 - aiohttp has no other way


def _end_of_piece(data: bytes, at: int) -> int:
    """Return where the piece ends that begins `at`, which is to be parsed at once."""
    end = data.find(END, at + PIECE)
    end = len(data) if end < 0 else end + len(END)
    if data.count(END, at, end) > MOST_HEADS:
        end = at
        for _ in range(MOST_HEADS):
            end = data.index(END, end) + len(END)
    return end


def _length_of_head(message: object) -> int:
    """Return the approximate length of a request's head."""
    if not isinstance(message, RawRequestMessage):
        return 0
    return len(message.path) + sum(len(name) + len(value) + 4 for name, value in message.raw_headers)
