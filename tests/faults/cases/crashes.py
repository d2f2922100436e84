"""Processes of ours that die, sleep, or are asked to end."""

import asyncio
import time

from tests.e2e.program import eventually
from tests.faults.load import REFUSED
from tests.faults.process import Part
from tests.faults.stage import Stage

CUT = "a kill met callbacks in flight"
ONE_KIND_SECONDS, BOTH_KINDS_SECONDS = 45, 60  # of kills
MOVED_SECONDS = 60  # the aim is 15; what it took stands in the row
SLEEP_SECONDS = 20.0  # longer than a session of the group: its shards are given to others


async def receiver_killed(stage: Stage) -> None:
    """kill -9 of one receiver after the other, each started again at once."""
    cut = 0
    for receiver in stage.turns(stage.receivers, ONE_KIND_SECONDS):
        await asyncio.sleep(stage.rng.uniform(1, 3))
        cut += await _kill_at_work(stage, receiver)
        await receiver.start()
    stage.met(CUT, cut)


async def poller_killed(stage: Stage) -> None:
    """kill -9 of one poller after the other, each started again when others have its shards."""
    for poller in stage.turns(stage.pollers, ONE_KIND_SECONDS):
        await asyncio.sleep(stage.rng.uniform(1, 3))
        await _has_shards(stage, poller)
        await poller.kill()
        await stage.all_shards_owned(*_others(stage, poller), seconds=MOVED_SECONDS)
        await poller.start()
        await _has_shards(stage, poller)


async def both_killed(stage: Stage) -> None:
    """kill -9 of a receiver and a poller at once, every few seconds for a minute; nobody waits for the shards."""
    cut, pollers = 0, stage.turns(stage.pollers, 600)
    for receiver in stage.turns(stage.receivers, BOTH_KINDS_SECONDS):
        poller = next(pollers)
        await asyncio.sleep(stage.rng.uniform(2, 5))
        killed = asyncio.create_task(poller.kill())
        cut += await _kill_at_work(stage, receiver)
        await killed
        await asyncio.gather(receiver.start(), poller.start())
    stage.met(CUT, cut)


async def receiver_paused(stage: Stage) -> None:
    """SIGSTOP of a receiver, SIGCONT twenty seconds later; its senders wait meanwhile, those of the other do not."""
    sleeper, other = stage.receivers[:2]
    await stage.callbacks.until_in_flight(sleeper, 1, 5)
    began, waiting = time.time(), stage.callbacks.in_flight[sleeper.name]
    await _sleeps(stage, sleeper)
    answered = [post for post in stage.callbacks.posts if post.at > began and post.receiver == other.label]
    stage.met("callbacks waited for the sleeper", waiting)
    stage.met("the other receiver went on", len(answered) > 100 * stage.scale)


async def poller_paused(stage: Stage) -> None:
    """SIGSTOP of a poller until others have its shards, SIGCONT: it must neither act nor take them back."""
    sleeper = stage.pollers[0]
    await _has_shards(stage, sleeper)
    sleeper.pause()
    await stage.all_shards_owned(*_others(stage, sleeper), seconds=MOVED_SECONDS)
    await stage.sleep(SLEEP_SECONDS / 2)
    sleeper.resume()
    await _has_shards(stage, sleeper)


async def sigterm_under_load(stage: Stage) -> None:
    """Deploy twice: each process is asked to end and started again, one after the other."""
    for _ in range(2):
        for part in stage.parts:
            began = time.time()
            code = await part.terminate()
            await part.start()
            if code:
                stage.wrong(f"{part.name} ended with exit code {code} when it was asked to")
            if part in stage.receivers:
                stage.met("the deploy met callbacks", _asked(stage, part, began))
            await stage.sleep(2)
    for post in stage.callbacks.posts:
        if post.status not in (200, 503) and post.failure != REFUSED:
            stage.wrong(f"{post.receiver} was asked to end and cut off {post.nonce}: {post.status} {post.failure}")


async def _kill_at_work(stage: Stage, receiver: Part) -> int:
    """Kill it when callbacks wait for its answer; return how many never got one."""
    label = receiver.label
    await stage.callbacks.until_in_flight(receiver, 2, 2)
    await receiver.kill()
    await asyncio.sleep(0.1)  # the senders notice
    return stage.callbacks.cut(label)


async def _sleeps(stage: Stage, part: Part) -> None:
    part.pause()
    await stage.sleep(SLEEP_SECONDS)
    part.resume()


async def _has_shards(stage: Stage, poller: Part) -> None:
    """Return when the poller was given some, and none is without an owner."""

    async def given() -> bool:
        return await stage.shards(poller) > 0

    await eventually(given, MOVED_SECONDS, f"{poller.name} is given shards")
    await stage.all_shards_owned(seconds=MOVED_SECONDS)


def _others(stage: Stage, poller: Part) -> list[Part]:
    return [each for each in stage.pollers if each is not poller]


def _asked(stage: Stage, part: Part, since: float) -> int:
    return sum(post.at >= since and post.receiver.startswith(f"{part.name}#") for post in stage.callbacks.posts)
