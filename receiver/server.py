"""The public listener: the edge around the pure stages.

`aiohttp.web.Server` instead of `Application`: three routes need no router, and without one a callback costs a
fifth less (57 µs against 71, measured with a bare handler).
"""

import asyncio
import contextlib
import traceback
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, Server, StreamResponse

from bus.contract import Bus, BusFull
from receiver import answers, pingme
from receiver.body import Unreadable, read_body
from receiver.connection import Connection
from receiver.metrics import STRANGER, ReceiverMetrics
from receiver.settings import PingMeAccount, ReceiverSettings
from receiver.stages import Callbacks, Caller, RawRequest, Refused, Tokens, VerifiedRequest, dead_letter
from schemas.messages import SmsReceived, SmsRejected

PINGME: Final = "/v1/pingme/"
RETRY_AFTER: Final = 5  # seconds: a restart, or a moment for us to recover
BACKLOG: Final = 1024  # connections that wait while we are busy: a burst of callbacks must not be refused
FAREWELL: Final = 0.5  # seconds: a kept connection's next callback is told to go elsewhere, not cut off on its way
CUT_OFF: Final = 0.1  # seconds: what is left after the grace is cancelled

_log = structlog.get_logger("receiver")


class Door:
    """Front door 1: what it answers with 200 is durable, as an SMS or as a dead letter."""

    def __init__(
        self,
        bus: Bus,
        accounts: Sequence[PingMeAccount],
        settings: ReceiverSettings,
        *,
        clock_ms: Callable[[], int],
        metrics: ReceiverMetrics,
    ) -> None:
        """Bind nothing yet. Raises `ValueError` when two accounts share a token."""
        self.closing = False
        """Set it to send senders away (503) while what is in flight is finished."""
        self._bus = bus
        self._settings = settings
        self._clock_ms = clock_ms
        self._tokens = Tokens(accounts)
        self._seconds = metrics.seconds
        self._counted = {name: metrics.outcomes(name) for name in (STRANGER, *(account.name for account in accounts))}
        self._rejected = metrics.reasons(pingme.REASONS)
        self._server: Server | None = None
        self._listener: asyncio.Server | None = None
        self._in_flight = 0
        self._idle = asyncio.Event()

    async def start(self) -> None:
        """Listen; when it returns, `port` is bound. Raises `OSError` when it cannot be."""
        loop = asyncio.get_running_loop()
        server = self._server = Server(self._answer)

        def connection() -> Connection:
            return Connection(server, on_error=self._on_error, keepalive_timeout=self._settings.keepalive_timeout)

        self._listener = await loop.create_server(connection, self._settings.host, self._settings.port, backlog=BACKLOG)

    @property
    def port(self) -> int:
        """The port that is bound."""
        if self._listener is None or not self._listener.sockets:
            message = "the door is not open: start() it first"
            raise RuntimeError(message)
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def stop(self, grace: float) -> None:
        """Accept no connections, finish what is in flight for at most `grace` seconds, then close all connections."""
        self.closing = True
        if self._listener is None or self._server is None:
            return
        self._listener.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._in_flight:
                    self._idle.clear()
                    await self._idle.wait()
                async with asyncio.timeout(FAREWELL):
                    while self._server.connections:  # noqa: ASYNC110 - aiohttp sets no event when one ends
                        await asyncio.sleep(0.01)
        self._server.pre_shutdown()
        await self._server.shutdown(CUT_OFF)
        self._listener = self._server = None

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        self._in_flight += 1
        try:
            return await self._route(request)
        except Exception as error:  # noqa: BLE001 - the last resort: nothing is promised, nothing is shown
            self._count(STRANGER, "internal_error")
            _log.error("request_failed", **_where(error))
            return answers.problem("internal_error", retry_after=RETRY_AFTER)
        finally:
            self._in_flight -= 1
            if self.closing and not self._in_flight:
                self._idle.set()

    async def _route(self, request: BaseRequest) -> StreamResponse:
        if self.closing:
            return self._problem(STRANGER, "closing", retry_after=RETRY_AFTER)
        path = request.path
        if path.startswith(PINGME):
            return await self._pingme(request, RawRequest(path[len(PINGME) :], request.headers.get("Content-Type", "")))
        if path != "/livez":
            return self._problem(STRANGER, "not_found")
        if request.method not in {"GET", "HEAD"}:
            return self._problem(STRANGER, "method_not_allowed", allow="GET, HEAD")
        return answers.status("alive")

    async def _pingme(self, request: BaseRequest, raw: RawRequest) -> StreamResponse:
        caller = self._tokens.verify(raw)
        if caller is None:
            return self._problem(STRANGER, "unknown_token")
        if request.method == "POST":
            return await self._callback(request, raw, caller)
        if request.method not in {"GET", "HEAD"}:
            return self._problem(caller.account, "method_not_allowed", allow="GET, HEAD, POST")
        self._count(caller.account, "ready")
        return answers.status("ready")

    async def _callback(self, request: BaseRequest, raw: RawRequest, caller: Caller) -> StreamResponse:
        settings = self._settings
        try:
            body = await read_body(request, limit=settings.max_body, deadline=settings.body_deadline)
        except Unreadable as unreadable:
            return self._unreadable(caller.account, unreadable)
        with self._seconds.time():
            verified = VerifiedRequest(pingme.PROVIDER, caller, raw.content_type, body, self._clock_ms())
            callbacks = self._messages(verified)
            try:
                results = await self._accept_all(callbacks.messages)
            except BusFull as full:
                return self._problem(caller.account, "not_durable", retry_after=full.retry_after)
        return answers.several(results) if callbacks.is_array else answers.one(results[0])

    def _messages(self, request: VerifiedRequest) -> Callbacks:
        try:
            return pingme.messages(request)
        except Exception as error:  # noqa: BLE001 - it would fail on every repeat too: keep the bytes, end the repeats
            _log.error("callback_failed", account=request.caller.account, **_where(error))
            return Callbacks([dead_letter(request, Refused("normalize", "internal_error"))], is_array=False)

    async def _accept_all(self, messages: Sequence[SmsReceived | SmsRejected]) -> list[answers.Result]:
        """Give them to the bus in their order, which it keeps, and wait for all: they share its fsyncs and batches."""
        if len(messages) == 1:
            return [await self._accept(messages[0])]
        return await asyncio.gather(*map(self._accept, messages))

    async def _accept(self, message: SmsReceived | SmsRejected) -> answers.Result:
        """Make one message durable and count it; raises `BusFull`."""
        receipt = await self._bus.accept(message)
        if isinstance(message, SmsRejected):
            self._count(message.account, "rejected")
            self._rejected[message.reason].inc()
            return answers.Result("rejected", message.reason)
        outcome = "duplicate" if receipt.duplicate else "accepted"
        self._count(message.account, outcome)
        return answers.Result(outcome, receipt.id)

    def _count(self, account: str, outcome: str) -> None:
        self._counted[account][outcome].inc()

    def _problem(
        self, account: str, reason: str, *, retry_after: int | None = None, allow: str | None = None
    ) -> StreamResponse:
        self._count(account, reason)
        return answers.problem(reason, retry_after=retry_after, allow=allow)

    def _unreadable(self, account: str, unreadable: Unreadable) -> StreamResponse:
        if unreadable.problem != "disconnected":
            return self._problem(account, unreadable.problem)
        self._count(account, "disconnected")
        return answers.problem("bad_request")  # nobody is there to read it

    def _on_error(self, error: BaseException | None) -> StreamResponse:
        if isinstance(error, HttpProcessingError):
            return self._problem(STRANGER, "bad_request")
        _log.error("connection_failed", **_where(error))
        return self._problem(STRANGER, "internal_error", retry_after=RETRY_AFTER)


def _where(error: BaseException | None) -> dict[str, str]:
    """Return what may be logged of an exception: its type and the line of code. Its message may quote an SMS."""
    frames = list(traceback.walk_tb(error.__traceback__ if error else None))
    place = f"{frames[-1][0].f_globals.get('__name__')}:{frames[-1][1]}" if frames else "unknown"
    return {"error": type(error).__name__, "at": place}
