"""The internal listener: is it alive, can it accept, and how much of everything. Not for the internet.

Open on it: /livez, /healthz, /readyz, /metrics; whatever else is mounted needs the admin token.
What is open shows no number, no text, no token.
"""

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.admin.problems import problem
from app.admin.token import guard
from app.settings.sections import AdminSettings

SHUTDOWN_SECONDS: Final = 1.0  # for a scrape in flight; aiohttp's default of 60 s would outlast any grace period
SERVER: Final = "smsbus"
REFUSED: Final = {
    404: ("not_found", "Nothing is served here."),
    405: ("method_not_allowed", "See the Allow header."),
    413: ("too_large", "The body is larger than we accept."),
}


class Readiness(Protocol):
    """What /readyz needs to know; `bus.health.Condition` is one."""

    @property
    def can_accept(self) -> bool:
        """A message could be made durable now."""

    @property
    def degraded(self) -> tuple[str, ...]:
        """Machine words for what is wrong besides."""


class _Degraded(Collector):
    """The same words as metrics, for alerts."""

    def __init__(self, condition: Callable[[], Readiness]) -> None:
        self._condition = condition

    def collect(self) -> Iterator[Metric]:
        """Yield the family of this moment."""
        family = GaugeMetricFamily("smsbus_degraded", "What is wrong, as /readyz has it: 1 each", labels=["reason"])
        for word in self._condition().degraded:
            family.add_metric([word], 1)
        yield family


class _Connection(web.RequestHandler):
    """aiohttp's protocol, with a problem in place of its error pages, which quote the sender."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the sender
    ) -> web.StreamResponse:
        """Answer bytes that are no HTTP, and what broke in a handler of ours; the latter is logged."""
        if status >= 500:
            super().handle_error(request, status, exc)
            answer = problem(500, "internal", "Something broke; the log says what.")
        else:
            answer = problem(400, "bad_request", "This is no HTTP that we understand.")
        answer.headers["Server"] = SERVER
        answer.force_close()
        return answer


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)  # noqa: SLF001


async def _sign(_: web.Request, answer: web.StreamResponse) -> None:
    """Say no versions to strangers."""
    answer.headers["Server"] = SERVER


class Listener:
    """The internal listener, whatever is served on it. `start` binds, `stop` lets go."""

    def __init__(self, settings: AdminSettings, add_routes: Callable[[web.UrlDispatcher], None]) -> None:
        self.ready = False
        """Set when the doors are open, cleared when stopping begins: balancers then send nothing more."""
        self._has_started = False
        self._settings = settings
        application = web.Application(middlewares=[_in_our_words, guard(settings.token)])
        add_routes(application.router)
        application.on_response_prepare.append(_sign)
        self._runner = _Runner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)

    async def start(self) -> None:
        """Listen. Raises `OSError` when the address cannot be bound."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()

    @property
    def port(self) -> int:
        """The port that is bound."""
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stop listening; safe to call when it never started."""
        await self._runner.cleanup()

    def answer_readyz(self, condition: Readiness, *, starting: bool) -> web.Response:
        """Answer 503 only when nothing can be accepted; whatever else is wrong must not close the door.

        And while it is still starting: once it has said that it has started, it never says otherwise.
        """
        self._has_started = self._has_started or (self.ready and not starting)
        status = self._status(condition)
        answer = {"status": status, "degraded": list(condition.degraded)}
        return web.json_response(answer, status=200 if status == "ready" else 503)

    def _status(self, condition: Readiness) -> str:
        if not self.ready:
            return "stopping"
        if not self._has_started:
            return "starting"
        return "ready" if condition.can_accept else "full"


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
    ) -> None:
        """`extend` adds routes of its own. `starting`: what they need is not there yet."""

        def add_routes(router: web.UrlDispatcher) -> None:
            extend(router)
            router.add_get("/livez", self._livez)
            router.add_get("/healthz", self._livez)
            router.add_get("/readyz", self._readyz)
            router.add_get("/metrics", make_aiohttp_handler(registry))

        super().__init__(settings, add_routes)
        self._alive = alive
        self._condition = condition
        self._starting = starting
        registry.register(_Degraded(condition))

    async def _livez(self, _: web.Request) -> web.Response:
        """Answer for the loop (by answering) and the lanes. No dependencies: a restart does not bring Kafka back."""
        return livez(alive=self._alive())

    async def _readyz(self, _: web.Request) -> web.Response:
        return self.answer_readyz(self._condition(), starting=self._starting())


def livez(*, alive: bool) -> web.Response:
    """Answer whether to leave it running."""
    return web.json_response({"status": "alive" if alive else "dead"}, status=200 if alive else 503)


@web.middleware
async def _in_our_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what aiohttp refuses with a problem, too; its own words are no JSON."""
    try:
        return await handler(request)
    except web.RequestPayloadError:
        return problem(400, "bad_request", "The body is not what its head says.")
    except web.HTTPClientError as refused:
        if refused.status not in REFUSED:
            raise
        answer = problem(refused.status, *REFUSED[refused.status])
        if "Allow" in refused.headers:
            answer.headers["Allow"] = refused.headers["Allow"]
        return answer
