"""The supervisor's admin listener: asks each worker's listener, and responds for all of them.

The watches are the pollers', what came is the inbox's; each other worker has a journal of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, NamedTuple

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, generate_latest
from yarl import URL

from app.admin import callbacks
from app.admin.inbox import PING_EVERY
from app.admin.inbox_query import LONGEST_WAIT
from app.admin.inbox_view import refusal
from app.admin.journals import ROWS, SKIP
from app.admin.limited import metrics_of
from app.admin.listener import Listener, exposition
from app.admin.problems import problem
from app.admin.rejected import REPLAY
from app.admin.token import LOOPBACK, accounts_of
from app.settings.sections import AdminSettings
from app.workers.joint_journals import joined
from app.workers.merge_metrics import merged
from app.workers.metrics import WorkerMetrics
from app.workers.worker_process import Worker
from inbox.lasting import MOST, Closing, Lasting, TooMany
from receiver.strangers import client_of

ASK_SECONDS: Final = 1.0  # less than a probe's timeout; a worker responds in milliseconds, also under load
PASS_ON_SECONDS: Final = 30.0  # a command waits for Kafka
SILENT_SECONDS: Final = 60.0  # twice the longest restart delay: by then it should be serving again
SUPERVISOR: Final = "supervisor"  # the `process` label of the supervisor's own metrics
WAIT_SECONDS: Final = LONGEST_WAIT + PASS_ON_SECONDS  # the inbox asks Kafka before it waits
QUIET_SECONDS: Final = 4 * PING_EVERY  # of a stream: by then its inbox is gone
INBOX: Final = ("/v1/sms", "/v1/sms/{id}", "/v1/cursor", REPLAY)
WAIT: Final = "/v1/wait"
STREAM: Final = "/v1/stream"
PASSED_ON: Final = ("Authorization", "Content-Type", "Accept", "Last-Event-ID")
PASSED_BACK: Final = ("Content-Type", "Retry-After", "Allow", "Cache-Control", "X-Accel-Buffering")
RESTARTING: Final = "worker_restarting"  # a degraded reason
AWAY: Final = "A worker ({}) is being restarted, or did not respond. Try again."

NOT_PASSED_ON: Final = (aiohttp.ClientError, ConnectionError, TimeoutError, Closing, TooMany)
STREAMED: Final = aiohttp.ClientTimeout(total=None, sock_connect=PASS_ON_SECONDS, sock_read=QUIET_SECONDS)


class WorkerResponse(NamedTuple):
    """A worker's response."""

    status: int
    text: str


@dataclass(frozen=True)
class Together:
    """The readiness of all workers: an `app.admin.listener.Readiness`."""

    can_accept: bool
    degraded: tuple[str, ...]
    starting: bool = False


def together(
    receivers: Sequence[WorkerResponse | None],
    others: Sequence[WorkerResponse | None],
    own: tuple[str, ...] = (),
    *,
    later: Sequence[WorkerResponse | None] = (),
) -> Together:
    """Combine each worker's /readyz (None: no response) and our own reasons. One ready receiver can accept.

    `later`: of those whose start nobody has to wait for.
    """
    awaited, afterwards = ([json.loads(each.text) for each in part if each] for part in ([*receivers, *others], later))
    words = [word for each in (*awaited, *afterwards) for word in each["degraded"]] + [*own]
    if None in (*receivers, *others, *later):
        words.append(RESTARTING)
    can_accept = any(each is not None and each.status == 200 for each in receivers)
    starting = any(each["status"] == "starting" for each in awaited)
    return Together(can_accept, tuple(dict.fromkeys(words)), starting)


class JointAdmin(Listener):
    """Health, metrics and callback tokens of all workers."""

    def __init__(
        self,
        settings: AdminSettings,
        receivers: Sequence[Worker],
        pollers: Worker | None,
        inbox: Worker | None,
        registry: CollectorRegistry,
        *,
        degraded: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`registry` has this process's own metrics, `degraded` returns its own reasons."""
        self._receivers = receivers
        self._pollers = pollers
        self._inbox = inbox
        self.lasting = Lasting()
        """The waits and streams that are passed on: they end before the inbox does."""
        self._others = [worker for worker in (pollers, inbox) if worker is not None]
        self._journaling = [*receivers, pollers] if pollers is not None else receivers
        super().__init__(
            settings,
            self._add_routes,
            registry,
            reasons=lambda: (*self._restarting(), *degraded()),
            lasting=MOST if inbox is not None else 0,
        )
        self._registry = registry
        self._degraded = degraded
        self._session: aiohttp.ClientSession | None = None
        WorkerMetrics([*receivers, *self._others], registry)

    async def stop(self) -> None:
        """Stop listening; safe to call when it never started."""
        await super().stop()
        if self._session is not None:
            await self._session.close()

    def _restarting(self) -> tuple[str, ...]:
        return (RESTARTING,) if any(worker.admin is None for worker in [*self._receivers, *self._others]) else ()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/metrics", self._metrics)
        router.add_get(ROWS, self._journals, allow_head=False)
        router.add_post(SKIP, self._journals)
        router.add_get(callbacks.PATH, self._callbacks)
        for first in self._receivers[:1]:  # all hear the same port
            router.add_post(callbacks.TEST, self._pass_to(first, PASS_ON_SECONDS))
        if self._inbox is not None:
            for path in INBOX:
                router.add_route("*", path, self._pass_to(self._inbox, PASS_ON_SECONDS))
            router.add_route("*", WAIT, self._pass_to(self._inbox, WAIT_SECONDS, lasts=True))
            router.add_route("*", STREAM, self._streamed_from(self._inbox))
        if self._pollers is not None:
            router.add_route("*", "/{path:.*}", self._pass_to(self._pollers, PASS_ON_SECONDS))

    async def lives(self) -> bool:
        """Return False if a worker says so of itself, or does not respond for too long; a restart is not too long."""
        workers = [*self._receivers, *self._others]
        answers = await self._ask(workers, "/livez")
        return all(
            answer.status == 200 if answer else worker.silent_seconds() < SILENT_SECONDS
            for worker, answer in zip(workers, answers, strict=True)
        )

    async def readiness(self) -> tuple[Together, bool]:
        """Return the readiness of all workers, and whether one that must be waited for is starting."""
        groups = (self._receivers, [*filter(None, [self._pollers])], [*filter(None, [self._inbox])])
        receivers, pollers, inbox = await asyncio.gather(*(self._ask(group, "/readyz") for group in groups))
        all_of_them = together(receivers, pollers, self._degraded(), later=inbox)
        return all_of_them, all_of_them.starting

    async def _metrics(self, request: web.Request) -> web.Response:
        workers = [*self._receivers, *self._others]
        answers = await self._ask(workers, "/metrics")
        parts = {worker.name: answer.text for worker, answer in zip(workers, answers, strict=True) if answer}
        parts[SUPERVISOR] = generate_latest(self._registry).decode()
        return exposition(metrics_of(merged(parts), accounts_of(request)))

    async def _callbacks(self, request: web.Request) -> web.Response:
        """Respond for all receivers or with 503: the uses that a missing one has recorded are unknown."""
        answers = await self._ask(self._receivers, request.path, {"Authorization": request.headers["Authorization"]})
        said = [answer.text for answer in answers if answer and answer.status == 200]
        if len(said) < len(self._receivers):
            return problem(503, "not_ready", "A receiver is being restarted. Try again.")
        return web.json_response(callbacks.together(said))

    def _pass_to(self, worker: Worker, seconds: float, *, lasts: bool = False) -> Handler:
        async def passed(request: web.Request) -> web.StreamResponse:
            try:
                async with self.lasting.one() if lasts else nullcontext():
                    return await self._passed_on(request, worker, seconds)
            except NOT_PASSED_ON as error:
                return not_passed_on(worker, error)

        return passed

    def _streamed_from(self, worker: Worker) -> Handler:
        """Pass a response on as it comes, until either side ends it; a client then goes on from its last event."""

        async def streamed(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            try:
                async with self.lasting.one(), self._request(request, worker, STREAMED) as answer:
                    response.set_status(answer.status)
                    response.headers.update(passed_back(answer))
                    await response.prepare(request)
                    async for part in answer.content.iter_any():
                        await response.write(part)
            except NOT_PASSED_ON as error:
                return response if response.prepared else not_passed_on(worker, error)
            return response

        return streamed

    async def _journals(self, request: web.Request) -> web.Response:
        """Ask every worker: the one that holds the journal responds."""
        answers = await asyncio.gather(*(self._of_journal(worker, request) for worker in self._journaling))
        return joined(answers, request.query.get("journal"))

    async def _of_journal(self, worker: Worker, request: web.Request) -> web.Response | None:
        try:
            return await self._passed_on(request, worker, PASS_ON_SECONDS)
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _passed_on(self, request: web.Request, worker: Worker, seconds: float) -> web.Response:
        async with self._request(request, worker, aiohttp.ClientTimeout(total=seconds)) as answer:
            return web.Response(status=answer.status, body=await answer.read(), headers=passed_back(answer))

    @asynccontextmanager
    async def _request(
        self, request: web.Request, worker: Worker, patience: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request on to a worker. Raises `aiohttp.ClientError`, also while it does not serve."""
        if worker.admin is None:
            raise aiohttp.ClientConnectionError
        async with self._asking().request(
            request.method,
            URL(worker.admin + request.rel_url.raw_path_qs, encoded=True),
            data=await request.read(),
            headers={name: request.headers[name] for name in PASSED_ON if name in request.headers}
            | {"X-Forwarded-For": client_of(request, LOOPBACK)},
            timeout=patience,
            allow_redirects=False,
        ) as answer:
            yield answer

    async def _ask(
        self, workers: Sequence[Worker], path: str, headers: Mapping[str, str] | None = None
    ) -> list[WorkerResponse | None]:
        return await asyncio.gather(*(self._ask_one(worker, path, headers) for worker in workers))

    async def _ask_one(
        self, worker: Worker, path: str, headers: Mapping[str, str] | None = None
    ) -> WorkerResponse | None:
        """Return the response of its listener; None if it does not serve, or does not respond within ASK_SECONDS."""
        answer = None
        if worker.admin is not None:
            try:
                async with self._asking().get(worker.admin + path, headers=headers) as said:
                    answer = WorkerResponse(said.status, await said.text())
            except (aiohttp.ClientError, TimeoutError):
                pass
        worker.heard(answered=answer is not None)
        return answer

    def _asking(self) -> aiohttp.ClientSession:
        if self._session is None:  # made where the loop runs
            patience = aiohttp.ClientTimeout(total=ASK_SECONDS)
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=patience,
                connector=aiohttp.TCPConnector(limit=0),  # our own listener has the limit
            )
        return self._session


def passed_back(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the headers of a worker's response that are its client's."""
    return {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}


def not_passed_on(worker: Worker, error: Exception) -> web.Response:
    """The response for a worker that is being restarted, and for a request that lasts longer than this process."""
    if isinstance(error, Closing | TooMany):
        return refusal(error)
    return problem(503, "not_ready", AWAY.format(worker.name))
