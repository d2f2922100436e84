"""The admin listener: health, readiness and metrics. Not for the internet.

Without credentials: /livez, /healthz, /readyz, /metrics, the page (`app.page`), /openapi.json and /asyncapi.json;
everything else needs the token.
What needs no credentials shows no number, no text, no token.
"""

import asyncio
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from app import page
from app.admin import documents
from app.admin.limited import metrics_of, reasons_of
from app.admin.problems import problem
from app.admin.token import ABOUT, accounts_of, answer_token, guard
from app.degraded import DegradedReasons
from app.settings.sections import AdminSettings
from bus.health import Alarm
from providers import encoding
from receiver.connection import Connection, HeadLate, replace_body
from receiver.connections import Connections

SHUTDOWN_SECONDS: Final = 1.0  # for a scrape in flight; aiohttp's default of 60 s would outlast any grace period
SERVER: Final = "smsbus"
# Probes, a scraper and some commands keep one each; `app.serve.OTHER_FILES` counts on this limit.
MOST_CONNECTIONS: Final = 64
LASTING: Final = frozenset({"/v1/wait", "/v1/stream"})
"""Requests that last, and are nothing to anybody once their client has gone."""
DEADLINE: Final = 10.0  # seconds for a head, and again for a body: the default of receiver.body_deadline
KEEPALIVE_SECONDS: Final = 75.0  # the default of receiver.keepalive_timeout
HINT: Final = (
    "{} connections to the admin listener are open, so the longest idle one is closed for each new "
    "one: look who reaches its port"
)
REFUSED: Final = {
    404: ("not_found", "Nothing is served here."),
    405: ("method_not_allowed", "See the Allow header."),
    413: ("too_large", "The body is too large."),
}


class Readiness(Protocol):
    """What /readyz needs to know; `bus.health.Condition` implements it."""

    @property
    def can_accept(self) -> bool:
        """Whether a message could be made durable now."""

    @property
    def degraded(self) -> tuple[str, ...]:
        """The reasons for being degraded, as machine-readable names."""


class Health(NamedTuple):
    """What /readyz says."""

    status: str
    """`ready`, `starting`, `full` or `stopping`."""
    degraded: tuple[str, ...]


class _Connection(Connection):
    """Ends a request that lasts as soon as its client has closed the connection, even if only its own half of it."""

    __slots__ = ()

    def eof_received(self) -> bool:  # type: ignore[override]  # as in `Connection`
        self._end_lasting()
        return super().eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end_lasting()
        super().connection_lost(exc)

    def has_left(self) -> bool:
        """Tell whether the client has closed the connection, or its own half of it."""
        return self._at_eof or self.transport is None

    def _end_lasting(self) -> None:
        request = self.in_progress()
        if request is not None and request.path in LASTING:
            request.task.cancel()


class _Server(web.Server):
    """aiohttp's server of an application, with the receiver's limited connections."""

    open_ones: Connections

    def __call__(self) -> Connection:
        return _Connection(
            self,
            on_error=_on_error,
            keepalive_timeout=KEEPALIVE_SECONDS,
            body_deadline=DEADLINE,
            connections=self.open_ones,
        )


class _Runner(web.AppRunner):
    def __init__(self, application: web.Application, connections: Connections) -> None:
        super().__init__(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self._connections = connections

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = _Server(made.request_handler, request_factory=made.request_factory)
        server.open_ones = self._connections
        return server


def _on_error(error: BaseException | None) -> web.StreamResponse:
    """Respond to malformed HTTP, and to an exception in one of our handlers; the latter is logged."""
    if isinstance(error, HeadLate):
        answer = _late()
    elif isinstance(error, HttpProcessingError):
        answer = problem(400, "bad_request", "This is not valid HTTP/1.1.")
    else:
        server_logger.error("Error handling request", exc_info=error)
        answer = problem(500, "internal", "Internal error; see the log.")
    answer.headers["Server"] = SERVER
    answer.force_close()
    return answer


async def _sign(_: web.Request, answer: web.StreamResponse) -> None:
    """Send our name instead of aiohttp's name and version."""
    answer.headers["Server"] = SERVER


class Listener(ABC):
    """The admin listener: health, and the routes it is given. `start` binds the port, `stop` releases it."""

    def __init__(
        self,
        settings: AdminSettings,
        add_routes: Callable[[web.UrlDispatcher], None],
        registry: CollectorRegistry,
        *,
        reasons: Callable[[], tuple[str, ...]] = tuple,
        lasting: int = 0,
    ) -> None:
        """`reasons` returns the degraded ones besides the listener's own; they are exported.

        `lasting`: how many of `LASTING` there may be; `MOST_CONNECTIONS` are left for all others.
        """
        self.ready = False
        """Set once everything listens, cleared when stopping begins: load balancers then send nothing more."""
        self._has_started = False
        self._settings = settings
        alarm = Alarm("admin_connections_full")
        self._most = MOST_CONNECTIONS + lasting
        self._connections = Connections(self._most, alarm=alarm, hint=HINT.format(self._most))
        self._reasons = DegradedReasons(lambda: (*reasons(), *self.degraded()), registry)
        application = web.Application(middlewares=[_in_our_words, _guard(settings), _whole_body, _for_somebody])
        page.add_to(application.router)
        documents.add_to(application.router)
        application.router.add_get(ABOUT, answer_token)
        for path, handler in (("/livez", self._livez), ("/healthz", self._livez), ("/readyz", self._readyz)):
            application.router.add_get(path, handler)
        add_routes(application.router)
        application.on_response_prepare.append(_sign)
        self._runner = _Runner(application, self._connections)

    async def start(self) -> None:
        """Start listening. Raises `OSError` when the address cannot be bound."""
        await self._runner.setup()
        host, port = self._settings.host, self._settings.port
        await web.TCPSite(self._runner, host, port, backlog=self._most).start()
        self._reasons.start()

    @property
    def port(self) -> int:
        """The bound port."""
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stop listening; safe to call when it never started."""
        await self._reasons.stop()
        await self._runner.cleanup()

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reasons that are the listener's own."""
        return ("admin_connections_full",) if self._connections.is_full() else ()

    @abstractmethod
    async def readiness(self) -> tuple[Readiness, bool]:
        """Return whether messages can be accepted, and whether what is needed for that is still missing."""

    @abstractmethod
    async def lives(self) -> bool:
        """Return whether the process should be left running."""

    async def health(self) -> Health:
        """Return what /readyz says. A process that was once ready never reports `starting` again."""
        condition, starting = await self.readiness()
        self._has_started = self._has_started or (self.ready and not starting)
        degraded = dict.fromkeys((*condition.degraded, *self.degraded()))  # a worker may say the same of its own
        return Health(self._status(condition), tuple(degraded))

    async def _readyz(self, request: web.Request) -> web.Response:
        """Respond 503 only when nothing can be accepted, and while starting.

        Any other problem must not stop callbacks from coming in.
        """
        health = await self.health()
        answer = {"status": health.status, "degraded": reasons_of(health.degraded, accounts_of(request))}
        return web.json_response(answer, status=200 if health.status == "ready" else 503)

    async def _livez(self, _: web.Request) -> web.Response:
        """Respond 200 if the process should be left running, else 503."""
        lives = await self.lives()
        return web.json_response({"status": "alive" if lives else "dead"}, status=200 if lives else 503)

    def _status(self, condition: Readiness) -> str:
        if not self.ready:
            return "stopping"
        if not self._has_started:
            return "starting"
        return "ready" if condition.can_accept else "full"


def _guard(settings: AdminSettings) -> Middleware:
    return guard(settings.token, settings.read_token, settings.read_accounts)


class Admin(Listener):
    """Health and metrics of this process over HTTP."""

    def __init__(
        self,
        settings: AdminSettings,
        *,
        alive: Callable[[], bool],
        condition: Callable[[], Readiness],
        registry: CollectorRegistry,
        extend: Callable[[web.UrlDispatcher], None] = lambda _: None,
        starting: Callable[[], bool] = lambda: False,
        lasting: int = 0,
    ) -> None:
        """`extend` adds more routes. `starting`: whether what they need is still missing. `lasting`: as above."""

        def add_routes(router: web.UrlDispatcher) -> None:
            extend(router)
            router.add_get("/metrics", _metrics(registry))

        super().__init__(settings, add_routes, registry, reasons=lambda: condition().degraded, lasting=lasting)
        self._alive = alive
        self._condition = condition
        self._starting = starting

    async def lives(self) -> bool:
        """Return whether the lanes do; not whether Kafka does: a restart would not bring it back."""
        return self._alive()

    async def readiness(self) -> tuple[Readiness, bool]:
        """Return the condition of the parts, and whether one of them is starting."""
        return self._condition(), self._starting()


def _metrics(registry: CollectorRegistry) -> Handler:
    everything = make_aiohttp_handler(registry)

    async def metrics(request: web.Request) -> web.StreamResponse:
        if (among := accounts_of(request)) is None:
            return await everything(request)
        return exposition(metrics_of(generate_latest(registry).decode(), among))

    return metrics


def exposition(text: str) -> web.Response:
    """Return the response of these metrics."""
    return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


@web.middleware
async def _whole_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body within the deadline, and unpack it, before the handler asks for it."""
    if request.can_read_body:
        try:
            async with asyncio.timeout(DEADLINE):
                replace_body(request, _unpacked(request, await request.read()))
        except TimeoutError:
            answer = _late()
            answer.force_close()
            return answer
    return await handler(request)


@web.middleware
async def _for_somebody(request: web.Request, handler: Handler) -> web.StreamResponse:
    """End a request that lasts, as `_Connection` does, if its client left before it began."""
    if request.path in LASTING and isinstance(request.protocol, _Connection) and request.protocol.has_left():
        request.task.cancel()
    return await handler(request)


def _unpacked(request: web.Request, body: bytes) -> bytes:
    """Return what the handler is to read; `Connection` unpacks nothing. Raises what aiohttp would have raised."""
    window = encoding.WINDOWS.get(request.headers.get("Content-Encoding", "").strip().lower(), 0)
    if not window:
        return body
    try:
        inflated = encoding.inflate(body, window, request.client_max_size)
    except encoding.TooLarge:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size) from None
    except zlib.error:
        raise web.RequestPayloadError from None
    if not inflated.is_whole:
        raise web.RequestPayloadError
    return inflated.content


def _late() -> web.Response:
    return problem(408, "timeout", "The request did not arrive in time.")


@web.middleware
async def _in_our_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn aiohttp's own error responses into problem documents."""
    try:
        return await handler(request)
    except web.RequestPayloadError:
        return problem(400, "bad_request", "The body does not match its headers.")
    except web.HTTPClientError as refused:
        if refused.status not in REFUSED:
            raise
        answer = problem(refused.status, *REFUSED[refused.status])
        if "Allow" in refused.headers:
            answer.headers["Allow"] = refused.headers["Allow"]
        return answer
