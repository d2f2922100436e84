"""A target of `serve --role forward` in trouble, or the forwarder itself: it gets all, each number's in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from standardwebhooks import Webhook

from tests.e2e.program import eventually, free_port
from tests.e2e.topic import events
from tests.faults.cases.brokers import drained
from tests.faults.forwarded import from_first, violations
from tests.faults.process import Part
from tests.faults.stage import Stage

SECRET = "whsec_" + "c21zYnVz" * 4
TROUBLE_SECONDS, KILLS_SECONDS = 40.0, 60.0
STOP_SECONDS, CAUGHT_UP_SECONDS = 60, 240
SLOW, HANGS = 2.0, 35.0  # seconds; the second is longer than a forwarder waits
FAILING = (500, 503, 408, 425, 429)


class Target:
    """A webhook of somebody. It notes an event before it answers, as whoever dies in between has handled it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.statuses: tuple[int, ...] = (200,)
        """Of its answers, in turn."""
        self.seconds = 0.0
        """Until it answers."""
        self.asked = 0
        self.handling = 0
        """Requests that it has noted and not answered."""
        self.taken: list[str] = []
        """The ids of events, repeats included."""
        self._runner: web.AppRunner | None = None

    async def up(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def down(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        event = Webhook(SECRET).verify(await request.read(), dict(request.headers))
        status = self.statuses[self.asked % len(self.statuses)]
        self.asked += 1
        self.handling += 1
        try:
            if status == 200:
                self.taken.append(event["id"])
            await asyncio.sleep(self.seconds)
        finally:
            self.handling -= 1
        return web.Response(status=status, headers={"Retry-After": "2"} if status == 429 else {})


async def forward_target_down(stage: Stage) -> None:
    """Nobody listens at the target's port."""
    async with _forwarding(stage) as (target, _), stage.fault("target down"):
        await target.down()
        await stage.sleep(TROUBLE_SECONDS)
        await target.up()


async def forward_target_slow(stage: Stage) -> None:
    """The target takes seconds for each event; then it takes them and answers too late, so that they are repeated."""
    async with _forwarding(stage) as (target, _), stage.fault("target slow"):
        target.seconds = SLOW
        await stage.sleep(TROUBLE_SECONDS)
        target.seconds = HANGS
        await asyncio.sleep(HANGS)
        target.seconds = 0.0
    stage.met("it repeated what was answered too late", len(target.taken) > len({*target.taken}))


async def forward_target_fails(stage: Stage) -> None:
    """The target answers 500 and whatever else may pass, now and then a 200; some of it with `Retry-After`."""
    async with _forwarding(stage) as (target, _), stage.fault("target fails"):
        target.statuses = (*FAILING, 200)
        await stage.sleep(TROUBLE_SECONDS)
        target.statuses = (200,)
    stage.met("it was asked again", target.asked > len(target.taken) + 20)


async def forward_killed(stage: Stage) -> None:
    """kill -9 of the forwarder, again and again, while the target has events that it has not answered."""
    cut = 0
    async with _forwarding(stage) as (target, forwarder), stage.fault("forwarder killed"):
        target.seconds = 0.01
        for part in stage.turns([forwarder], KILLS_SECONDS):
            await asyncio.sleep(stage.rng.uniform(1, 3))
            await eventually(_handles(target), 60, "the target has an event that it has not answered")
            await part.kill()
            cut += 1
            await part.start()
        target.seconds = 0.0
    stage.met("kills came between handling and commit", cut and len(target.taken) > len({*target.taken}))


def _handles(target: Target):
    async def handles() -> bool:
        return target.handling > 0

    return handles


@asynccontextmanager
async def _forwarding(stage: Stage) -> AsyncIterator[tuple[Target, Part]]:
    """Inside, all is forwarded to the target; at the end, what it got is held against the topic."""
    target = Target(free_port())
    await target.up()
    stage.stack.push_async_callback(target.down)
    forwarder = Part("forward", 1, stage.directory, stage.bootstrap_servers, stage.prefix)
    forwarder.settings = {
        "FORWARDS__HOOK__URL": f"http://127.0.0.1:{target.port}/hook",
        "FORWARDS__HOOK__SECRET": SECRET,
        "FORWARDS__HOOK__ALLOW_PRIVATE": "true",
        **stage.settings,
    }
    stage.stack.push_async_callback(forwarder.close)
    await forwarder.start()
    await eventually(lambda: _reached(target, 1), 60, "the target gets events")
    seen = {*target.taken}
    yield target, forwarder
    await _caught_up(stage, target, seen)
    if forwarder.crashed:
        stage.wrong(f"{forwarder.label} ended by itself")


async def _caught_up(stage: Stage, target: Target, seen: set[str]) -> None:
    """End the load, and report what the target lacks of the topic, or got in another order."""
    await stage.callbacks.stop(STOP_SECONDS)
    await drained(stage)
    there = await events(stage.reader)
    with suppress(AssertionError):  # then it is lost
        await eventually(lambda: _has(target, from_first(there, seen)), CAUGHT_UP_SECONDS, "the target has everything")
    for each in violations(there, seen, target.taken):
        stage.wrong(each)


async def _reached(target: Target, count: int) -> bool:
    return len(target.taken) >= count


async def _has(target: Target, wanted: set[str]) -> bool:
    return wanted <= {*target.taken}
