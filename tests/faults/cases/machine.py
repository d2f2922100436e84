"""The machine below us: a disk that fails, stalls or fills up, and a clock that jumps."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from tests.e2e.disks import DISKS
from tests.e2e.program import eventually
from tests.faults import tools
from tests.faults.history import Fault, Post
from tests.faults.process import Part
from tests.faults.stage import Stage

HOUR = 3600
STEPS = (+HOUR, -HOUR, -HOUR, +HOUR, +HOUR, -HOUR)  # Kafka refuses what is stamped more than an hour ahead of it
SLOW_FSYNC, STALLED_FSYNC = 0.5, 5.0  # seconds: less and more than ANSWER_SECONDS
ANSWER_SECONDS = 2.0  # after which nobody is kept waiting any longer
FULL_SECONDS = 60
STEPPED_LIFETIME = 60.0  # seconds of an order whose last polls a clock may have put off until after its end
AGAIN_SECONDS = 10  # after a disk's return; a journal is tried every second
UNWRITABLE = "journal_unwritable"


async def fsync_errors(stage: Stage) -> None:
    """Every fsync of every process fails, while Kafka is there, then while it is away, then no more."""
    if lacks_tools(stage):
        return
    async with _injected(stage, tools.FSYNC_FAILS):
        began = time.time()
        await stage.sleep(10)
        refused, answered = len(posts(stage, 503, began)), len(posts(stage, 200, began))
        if refused > answered / 5:  # on a busy machine Kafka is now and then slower than the spill
            stage.wrong(f"{refused} callbacks were refused though Kafka was there, and {answered} accepted")
    with kafka_silent(stage):
        await stage.sleep(10)
        async with _injected(stage, tools.FSYNC_FAILS):
            await _all_say_unwritable(stage)
            began = time.time()
            await stage.sleep(20)
            stage.met("callbacks were refused", posts(stage, 503, began))
        await accepts_again(stage)


async def fsync_stalls(stage: Stage) -> None:
    """While Kafka is away every fsync takes half a second, then five: longer than an answer may take."""
    if lacks_tools(stage):
        return
    with kafka_silent(stage):
        await stage.sleep(5)
        for seconds, status in ((SLOW_FSYNC, 200), (STALLED_FSYNC, 503)):
            async with _injected(stage, tools.fsync_stalls(seconds)):
                began = time.time()
                await asyncio.sleep(max(20 * stage.scale, seconds + ANSWER_SECONDS))
                slow = [post for post in posts(stage, status, began) if post.seconds >= SLOW_FSYNC]
                stage.met(f"callbacks met an fsync of {seconds} s", slow)
        await accepts_again(stage)


async def under_a_clock(stage: Stage) -> None:
    """Let all processes have a time of day that a case can move."""
    if not tools.missing():
        for part in stage.parts:
            part.wrapper = tools.Clock(stage.directory).wrapper
    stage.orders.lifetime = STEPPED_LIFETIME


async def clock_steps(stage: Stage) -> None:
    """The time of day jumps an hour ahead and back, and an hour back and ahead, in all processes at once."""
    if lacks_tools(stage):
        return
    clock, began = tools.Clock(stage.directory), time.time()
    for step in STEPS:
        await clock.step(step)
        stepped = time.time()
        await stage.sleep(10)
        stage.met("callbacks were answered under each clock", posts(stage, 200, stepped))
    stage.faults.append(Fault("clock_steps", began, time.time(), clock=HOUR))


class OnSmallDisks:
    """The journal of each receiver lies on a disk of its own that can be filled."""

    async def prepare(self, stage: Stage) -> None:
        self._disks = {}
        for receiver in stage.receivers:
            self._disks[receiver] = disk = DISKS[-1](receiver.installation.journal_dir)
            receiver.wrapper = disk.wrapper
            stage.stack.callback(disk.close)


class DiskFull(OnSmallDisks):
    """Kafka is away until the receivers' disks are full; then there is room again."""

    async def run(self, stage: Stage) -> None:
        with kafka_silent(stage):
            await _all_say_unwritable(stage)
            began = time.time()
            await stage.sleep(15)
            stage.met("callbacks were refused", posts(stage, 503, began))
            for receiver, disk in self._disks.items():
                disk.make_room(receiver.replica)
            await accepts_again(stage)


@contextmanager
def kafka_silent(stage: Stage) -> Iterator[None]:
    """No broker answers inside the block, and none closes a connection."""
    for proxy in stage.kafka.proxies:
        proxy.freeze()
    try:
        yield
    finally:
        for proxy in stage.kafka.proxies:
            proxy.heal()


@asynccontextmanager
async def _injected(stage: Stage, fault: str) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for part in stage.parts:
            await stack.enter_async_context(tools.injected(part.replica.process.pid, fault))
        yield


def lacks_tools(stage: Stage) -> bool:
    words = tools.missing()
    stage.met(words or "", words is None)
    return words is not None


async def _all_say_unwritable(stage: Stage) -> None:
    """Return when every receiver says that its journal takes nothing; as the load goes on, that is soon."""

    async def all_say() -> bool:
        return all([await _says_unwritable(receiver) for receiver in stage.receivers])

    await eventually(all_say, FULL_SECONDS, f"every receiver says {UNWRITABLE}")


async def accepts_again(stage: Stage) -> None:
    """Return when every receiver has answered 200 to a callback from now on and has nothing to say of its disk."""
    since = time.time()

    async def accepts() -> bool:
        answered = {post.receiver for post in posts(stage, 200, since)}
        quiet = [not await _says_unwritable(receiver) for receiver in stage.receivers]
        return all(quiet) and answered >= {receiver.label for receiver in stage.receivers}

    try:
        await eventually(accepts, AGAIN_SECONDS, "callbacks are accepted again")
    except AssertionError as error:
        stage.wrong(f"the disk is well, and {error}")


async def _says_unwritable(receiver: Part) -> bool:
    _, body = await receiver.replica.get("/readyz")
    return UNWRITABLE in json.loads(body)["degraded"]


def posts(stage: Stage, status: int, since: float) -> list[Post]:
    return [post for post in stage.callbacks.posts if post.status == status and post.at >= since]
