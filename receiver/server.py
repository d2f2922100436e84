"""The public listener: the edge around the pure stages.

`aiohttp.web.Server` instead of `Application`: three routes need no router, and without one a callback costs a
fifth less (57 µs against 71, measured with a bare handler).
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic, perf_counter
from typing import Final, NamedTuple, cast

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, Server, StreamResponse

from bus.contract import Bus
from bus.unknown_shapes import UnknownShapes
from receiver import answers
from receiver.allowance import MOST_PLAIN, Allowance, Limited, is_plain
from receiver.answers import Response
from receiver.auth import Caller, RawRequest, Tokens, fingerprint
from receiver.body import Unreadable, is_packed, read_body, unpacked
from receiver.connection import Connection, HeadLate
from receiver.connections import Connections
from receiver.fast_lane import FastConnection
from receiver.intake import RETRY_AFTER, Intake
from receiver.metrics import STRANGER, ReceiverMetrics
from receiver.request_head import PINGME, Heads
from receiver.settings import PingMeAccount, ReceiverSettings
from receiver.strangers import Strangers

BACKLOG: Final = 4096  # connections that wait to be accepted: a burst of callbacks must not be refused
KERNEL_BYTES: Final = 32 * 1024  # socket buffers of a connection, each way (the kernel doubles it), read at once
HAND_OVER: Final = 1.0  # seconds in which kept connections are used once more; a sender's next one is another process's
FAREWELL: Final = 0.5  # seconds in which the next callback on a kept connection gets `Connection: close`, not a reset
CUT_OFF: Final = 0.1  # seconds; handlers that are left after the grace period are cancelled


PASTED: Final = "/ \t\r\n"
"""What may stand behind a callback URL where it was pasted, decoded."""


class TokenUse(NamedTuple):
    """A valid callback token, by its fingerprint."""

    account: str
    fingerprint: str
    newest: bool
    """It is the account's first, the one to register with PingMe."""
    last_used_ms: int | None
    """When a callback last used it, milliseconds since 1970 by the present clock; None: not since the start."""


class CallbackServer:
    """The callback endpoint: what it answers with 200 is durable, as an SMS or as a dead letter."""

    def __init__(
        self,
        bus: Bus,
        accounts: Sequence[PingMeAccount],
        settings: ReceiverSettings,
        *,
        clock_ms: Callable[[], int],
        metrics: ReceiverMetrics,
        shared: bool = False,
        listening: socket.socket | None = None,
        monotonic: Callable[[], float] = monotonic,
        unknown_shapes: UnknownShapes | None = None,
    ) -> None:
        """Bind nothing yet. Raises `ValueError` when two accounts share a token.

        `shared`: other processes of this user listen on the same port, and the kernel distributes the connections.
        `listening`: a socket to accept from instead, which others keep open. What waits there when we stop is not lost.
        """
        self.intake = Intake(
            bus,
            accounts,
            settings,
            clock_ms=clock_ms,
            metrics=metrics,
            monotonic=monotonic,
            unknown_shapes=unknown_shapes,
        )
        self._settings = settings
        self._shared = shared
        self._inherited = listening
        self._accounts = accounts
        self._tokens = Tokens(accounts)
        self._heads = Heads(self._tokens, max_body=settings.max_body)
        self._connections = Connections(settings.max_connections, evicted=metrics.connection_evicted)
        self._one_per_turn = asyncio.Lock()
        self._strangers = Strangers("unknown_callback_token", settings.trusted_proxies)
        self._server: Server | None = None
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; when it returns, `port` is bound. Raises `OSError` when it cannot be."""
        settings = self._settings
        server = self._server = Server(self._answer)
        kind: Callable[..., Connection] = Connection
        if settings.fast_lane:
            kind = partial(FastConnection, heads=self._heads, intake=self.intake)
        connection = partial(
            kind,
            server,
            on_error=self._on_error,
            keepalive_timeout=settings.keepalive_timeout,
            body_deadline=settings.body_deadline,
            connections=self._connections,
        )
        self._listener = await self._bound(connection)
        for listening in self._listener.sockets:  # its connections inherit it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        await self._listener.start_serving()

    async def _bound(self, connection: Callable[[], Connection]) -> asyncio.Server:
        loop, settings = asyncio.get_running_loop(), self._settings
        if self._inherited is not None:
            return await loop.create_server(connection, sock=self._inherited, backlog=BACKLOG, start_serving=False)
        return await loop.create_server(
            connection, settings.host, settings.port, backlog=BACKLOG, reuse_port=self._shared, start_serving=False
        )

    @property
    def port(self) -> int:
        """The port that is bound."""
        if self._listener is None or not self._listener.sockets:
            message = "the callback server is not listening: call start() first"
            raise RuntimeError(message)
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def take_accounts(self, accounts: Sequence[PingMeAccount]) -> None:
        """Accept these accounts' tokens and no others from the next request on; open connections stay.

        Raises `ValueError` when two accounts share a token; then nothing has changed.
        """
        tokens = Tokens(accounts)  # it may raise; nothing below does
        self._accounts, self._tokens = accounts, tokens
        self._heads.take_tokens(tokens)
        self.intake.take_accounts(accounts)

    def token_uses(self) -> Iterator[TokenUse]:
        """Yield every valid token, each account's newest first."""
        for account in self._accounts:
            for place, token in enumerate(account.tokens):
                name = fingerprint(token.get_secret_value())
                yield TokenUse(account.name, name, place == 0, self.intake.last_used_ms(name))

    @property
    def open_connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def last_callbacks_ms(self) -> dict[str, int]:
        """Return when a valid token of each account was last used by a callback; only accounts that were."""
        last: dict[str, int] = {}
        for use in self.token_uses():
            if use.last_used_ms is not None:
                last[use.account] = max(use.last_used_ms, last.get(use.account, 0))
        return last

    def uses_since_ms(self) -> int:
        """Return since when it notes uses, milliseconds since 1970."""
        return self.intake.since_ms()

    def degraded(self) -> tuple[str, ...]:
        """Return degraded reasons: those of `Intake.degraded`, and `connections_full`."""
        full = ("connections_full",) if self._connections.is_full() else ()
        return (*self.intake.degraded(), *full)

    def say_goodbye(self) -> None:
        """Lame duck: take callbacks as before, and close each connection after its next response."""
        self.intake.leaving = True

    async def stop(self, grace: float) -> None:
        """Accept no connections, finish what is in flight for at most `grace` seconds, then close all connections."""
        self.intake.leaving = True
        if self._listener is None or self._server is None:
            self.intake.closing = True
            return
        self._listener.close()
        if self._inherited is not None:
            await self._until_left(self._server, min(HAND_OVER, grace))
        self.intake.closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.intake.idle()
                await self._until_left(self._server, FAREWELL)
        self._server.pre_shutdown()
        await self._server.shutdown(CUT_OFF)
        self._listener = self._server = None

    async def _until_left(self, server: Server, seconds: float) -> None:
        """Wait until no connection is open, for so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while server.connections:  # noqa: ASYNC110 - aiohttp sets no event when one ends
                    await asyncio.sleep(0.01)

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        self.intake.begin()
        is_last = self.intake.leaving
        try:
            answer = await self._route(request)
            if not answer.is_ok or request.method != "POST":
                await self._after_others()
            if is_last or _waits_to_go_on(request) or cast("Connection", request.protocol).is_over():
                answer.force_close()
            return answer
        except Exception as error:  # noqa: BLE001 - see `failed`
            return self.intake.failed(error)
        finally:
            self.intake.end()

    async def _after_others(self) -> None:
        """Let the event loop serve everybody else first: per turn, it responds to one request that stores nothing.

        Otherwise thousands of pipelined requests, which need no token, would be answered before anyone else's.
        """
        async with self._one_per_turn:
            await asyncio.sleep(0)

    async def _route(self, request: BaseRequest) -> Response:
        if self.intake.closing and not cast("Connection", request.protocol).late:
            return self.intake.problem(STRANGER, "closing", retry_after=RETRY_AFTER)
        path = request.path
        if path.startswith(PINGME):
            return await self._pingme(
                request, RawRequest(path[len(PINGME) :].rstrip(PASTED), request.headers.get("Content-Type", ""))
            )
        if path != "/livez":
            return self.intake.problem(STRANGER, "not_found")
        if request.method not in {"GET", "HEAD"}:
            return self.intake.problem(STRANGER, "method_not_allowed", allow="GET, HEAD")
        return answers.status("alive")

    async def _pingme(self, request: BaseRequest, raw: RawRequest) -> Response:
        caller = self._tokens.verify(raw)
        if caller is None:
            self._strangers.refused(request)
            return self.intake.problem(STRANGER, "unknown_token")
        answer = await self._known(request, raw, caller)
        if not cast("Connection", request.protocol).may_stay():
            answer.force_close()
        return answer

    async def _known(self, request: BaseRequest, raw: RawRequest, caller: Caller) -> Response:
        if request.method == "POST":
            return await self._callback(request, raw, caller)
        if request.method not in {"GET", "HEAD"}:
            return self.intake.problem(caller.account, "method_not_allowed", allow="GET, HEAD, POST")
        self.intake.count(caller.account, "ready")
        return answers.status("ready")

    async def _callback(self, request: BaseRequest, raw: RawRequest, caller: Caller) -> Response:
        self.intake.comes_from(caller)
        allowance = self.intake.allowances[caller.account]
        allowance.begin()
        try:
            allowance.check()
            return await self._receive(request, raw, caller, allowance)
        except Limited as limited:
            return self.intake.limited(allowance, limited.problem)
        except Unreadable as unreadable:
            return self._unreadable(caller.account, unreadable)
        finally:
            allowance.end()

    async def _receive(self, request: BaseRequest, raw: RawRequest, caller: Caller, allowance: Allowance) -> Response:
        """Read the body and take it: a plain SMS at once, anything else in the account's turn."""
        settings = self._settings
        deadline = 0.0 if cast("Connection", request.protocol).late else settings.body_deadline
        body = await read_body(request, limit=settings.max_body, deadline=deadline, allowance=allowance)
        began = perf_counter()
        is_pipelined = cast("Connection", request.protocol).has_more()
        if not (is_pipelined or is_packed(request) or allowance.is_busy()) and is_plain(body):
            return await self._take(raw, caller, allowance, body, began)
        async with allowance.turn(settings.body_deadline):
            allowance.check()
            whole = unpacked(request, body, settings.max_body)
            allowance.pay(len(whole), len(body))
            return await self._take(raw, caller, allowance, whole, began)

    async def _take(self, raw: RawRequest, caller: Caller, allowance: Allowance, body: bytes, began: float) -> Response:
        try:
            if len(body) > MOST_PLAIN:
                callbacks = await self.intake.callbacks_aside(allowance, caller, raw.content_type, body)
            else:
                callbacks = self.intake.callbacks(allowance, caller, raw.content_type, body)
            receipts = self.intake.submit(callbacks.messages)
            with contextlib.suppress(Exception):  # the response says so
                await receipts
        finally:
            self.intake.observe_latency(perf_counter() - began)
        return self.intake.response(callbacks, receipts)

    def _unreadable(self, account: str, unreadable: Unreadable) -> Response:
        if unreadable.problem != "disconnected":
            return self.intake.problem(account, unreadable.problem)
        self.intake.count(account, "disconnected")
        return answers.problem("bad_request")  # the sender has gone

    def _on_error(self, error: BaseException | None) -> StreamResponse:
        if isinstance(error, HeadLate):
            return self.intake.problem(STRANGER, "timeout")
        if isinstance(error, HttpProcessingError):
            return self.intake.problem(STRANGER, "bad_request")
        return self.intake.failed(error, "connection_failed")


def _waits_to_go_on(request: BaseRequest) -> bool:
    """Tell whether the sender still waits for `100 Continue`: what arrives next may be its body or another request."""
    return "Expect" in request.headers and not request.content.is_eof()
