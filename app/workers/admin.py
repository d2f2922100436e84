"""The supervisor's admin listener: asks each worker's listener, and responds for all of them.

The watches are the pollers'; each worker has a journal of its own.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from yarl import URL

from app.admin import callbacks
from app.admin.journals import ROWS, SKIP
from app.admin.listener import Listener, livez
from app.admin.problems import problem
from app.admin.token import LOOPBACK
from app.settings.sections import AdminSettings
from app.workers.joint_journals import joined
from app.workers.merge_metrics import merged
from app.workers.metrics import RESTARTING, WorkerMetrics
from app.workers.worker_process import Worker
from receiver.strangers import client_of

ASK_SECONDS: Final = 1.0  # less than a probe's timeout; a worker responds in milliseconds, also under load
PASS_ON_SECONDS: Final = 30.0  # a command waits for Kafka
SILENT_SECONDS: Final = 60.0  # twice the longest restart delay: by then it should be serving again
SUPERVISOR: Final = "supervisor"  # the `process` label of the supervisor's own metrics
PASSED_ON: Final = ("Authorization", "Content-Type")
PASSED_BACK: Final = ("Content-Type", "Retry-After", "Allow")


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
    receivers: Sequence[WorkerResponse | None], others: Sequence[WorkerResponse | None], own: tuple[str, ...] = ()
) -> Together:
    """Combine each worker's /readyz (None: no response) and our own reasons. One ready receiver can accept."""
    answers = [*receivers, *others]
    said = [json.loads(answer.text) for answer in answers if answer]
    words = [word for each in said for word in each["degraded"]] + [*own]
    if None in answers:
        words.append(RESTARTING)
    can_accept = any(each is not None and each.status == 200 for each in receivers)
    starting = any(each["status"] == "starting" for each in said)
    return Together(can_accept, tuple(dict.fromkeys(words)), starting)


class JointAdmin(Listener):
    """Health, metrics and callback tokens of all workers."""

    def __init__(
        self,
        settings: AdminSettings,
        receivers: Sequence[Worker],
        pollers: Worker | None,
        registry: CollectorRegistry,
        *,
        degraded: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`registry` has this process's own metrics, `degraded` returns its own reasons."""
        super().__init__(settings, self._add_routes)
        self._receivers = receivers
        self._pollers = pollers
        self._others = [pollers] if pollers else []
        self._registry = registry
        self._degraded = degraded
        self._session: aiohttp.ClientSession | None = None
        WorkerMetrics([*receivers, *self._others], lambda: (*degraded(), *self.degraded()), registry)

    async def stop(self) -> None:
        """Stop listening; safe to call when it never started."""
        await super().stop()
        if self._session is not None:
            await self._session.close()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/livez", self._livez)
        router.add_get("/healthz", self._livez)
        router.add_get("/readyz", self._readyz)
        router.add_get("/metrics", self._metrics)
        router.add_get(ROWS, self._journals, allow_head=False)
        router.add_post(SKIP, self._journals)
        router.add_get(callbacks.PATH, self._callbacks)
        router.add_route("*", "/{path:.*}", self._pass_on)

    async def _livez(self, _: web.Request) -> web.Response:
        """Respond 503 if a worker does, or if one does not respond for too long; a restart is not too long."""
        workers = [*self._receivers, *self._others]
        answers = await self._ask(workers, "/livez")
        lives = [
            answer.status == 200 if answer else worker.silent_seconds() < SILENT_SECONDS
            for worker, answer in zip(workers, answers, strict=True)
        ]
        return livez(alive=all(lives))

    async def _readyz(self, _: web.Request) -> web.Response:
        receivers, others = await asyncio.gather(
            self._ask(self._receivers, "/readyz"), self._ask(self._others, "/readyz")
        )
        all_of_them = together(receivers, others, self._degraded())
        return self.answer_readyz(all_of_them, starting=all_of_them.starting)

    async def _metrics(self, _: web.Request) -> web.Response:
        workers = [*self._receivers, *self._others]
        answers = await self._ask(workers, "/metrics")
        parts = {worker.name: answer.text for worker, answer in zip(workers, answers, strict=True) if answer}
        parts[SUPERVISOR] = generate_latest(self._registry).decode()
        return web.Response(text=merged(parts), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _callbacks(self, request: web.Request) -> web.Response:
        """Respond for all receivers or with 503: the uses that a missing one has recorded are unknown."""
        answers = await self._ask(self._receivers, request.path, {"Authorization": request.headers["Authorization"]})
        said = [answer.text for answer in answers if answer and answer.status == 200]
        if len(said) < len(self._receivers):
            return problem(503, "not_ready", "A receiver is being restarted. Try again.")
        return web.json_response(callbacks.together(said))

    async def _pass_on(self, request: web.Request) -> web.Response:
        if self._pollers is None:
            raise web.HTTPNotFound
        if self._pollers.admin is None:
            return problem(503, "not_ready", "The pollers are being restarted. Try again.")
        try:
            return await self._passed_on(request, URL(self._pollers.admin + request.rel_url.raw_path_qs, encoded=True))
        except (aiohttp.ClientError, TimeoutError):
            return problem(503, "not_ready", "The pollers did not respond. Try again.")

    async def _journals(self, request: web.Request) -> web.Response:
        """Ask every worker: the one that holds the journal responds."""
        answers = await asyncio.gather(
            *(self._of_journal(worker, request) for worker in [*self._receivers, *self._others])
        )
        return joined(answers, request.query.get("journal"))

    async def _of_journal(self, worker: Worker, request: web.Request) -> web.Response | None:
        if worker.admin is None:
            return None
        try:
            return await self._passed_on(request, URL(worker.admin + request.rel_url.raw_path_qs, encoded=True))
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _passed_on(self, request: web.Request, url: URL) -> web.Response:
        async with self._asking().request(
            request.method,
            url,
            data=await request.read(),
            headers={name: request.headers[name] for name in PASSED_ON if name in request.headers}
            | {"X-Forwarded-For": client_of(request, LOOPBACK)},
            timeout=aiohttp.ClientTimeout(total=PASS_ON_SECONDS),
            allow_redirects=False,
        ) as answer:
            headers = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)

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
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=patience)
        return self._session
