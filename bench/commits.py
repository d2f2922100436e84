"""The cost of a shard that gets an SMS with every poll, and of its log: transactions on a real Kafka."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from app import process
from bench.poll_clients import IN_FLIGHT, ORDERS, Poll, Turn, account, cpu_us
from bench.poller_harness import Counting, Watching, watches, watching
from bus.settings import KafkaSettings
from bus.sharding.state_log import StateLog
from pollers.settings import PollersSettings

SHARD: Final = 0
# Each watch is due every second, which is more than the budget: it is always used up.
EAGER: Final = PollersSettings(min_interval=1.0, max_interval=1.0, max_concurrent_polls=IN_FLIGHT)
WATCHED: Final = 800
PARTS: Final = (25, 5, 1)  # of the account's budget: 20, 100 and 500 SMS a second
SIZES: Final = (1, 10, 100, 1000)  # of commits, in states
Figures = dict[str, float]


async def news(root: str, bootstrap_servers: str, directory: Path, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure one shard that gets an SMS with every poll, and its log alone."""
    poll = Poll("grizzlysms", "getStatus", "")
    async with AsyncExitStack() as stack:
        asked = await account("news", poll.base_url(f"{root}/news"), poll, stack)
        watched = watches("news", WATCHED, SHARD)
        service = await stack.enter_async_context(watching(bootstrap_servers, directory, asked, watched, EAGER))
        process.tune_gc()
        counting, turns = service.counted(SHARD), [service.turn(part) for part in PARTS]
        found = [[await _shard(turn, counting, service, seconds) for turn in turns] for _ in range(rounds + 1)]
        state = service.service.shards[SHARD].watches[watched[0].key()].packed
    return {"news": _by_load(found), "commits": await commits(bootstrap_servers, state, rounds, seconds / 2)}


async def _shard(turn: Turn, counting: Counting, service: Watching, seconds: float) -> Figures:
    """Poll for so long, and wait until everything seen is committed."""
    turn.before()
    counting.commits = counting.states = 0
    before, began = cpu_us(), time.monotonic()
    sms = await turn.go(seconds)
    while any(kept.revision != kept.committed for kept in service.service.shards[SHARD].watches.values()):
        await asyncio.sleep(0.01)
    used, took = cpu_us() - before, time.monotonic() - began
    return {
        "sms": sms / took,
        "commits": counting.commits / took,
        "states": counting.states / counting.commits,
        "cpu_us": used / sms,
    }


async def commits(bootstrap_servers: str, state: bytes, rounds: int, seconds: float) -> dict[str, list[Figures]]:
    """Measure the log of one shard, one commit after the other."""
    log = StateLog(KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix="news."), SHARD, group="bench")
    await log.open()
    found = [
        [await _log(log, dict.fromkeys(ORDERS[:size], state), seconds) for size in SIZES] for _ in range(rounds + 1)
    ]
    await log.close()
    return dict(zip(map(str, SIZES), _by_load(found), strict=True))


async def _log(log: StateLog, states: dict[str, bytes | None], seconds: float) -> Figures:
    count, before, began = 0, cpu_us(), time.monotonic()
    while time.monotonic() < began + seconds:
        await log.commit(states)
        count += 1
    return {"commits": count / (time.monotonic() - began), "cpu_us": (cpu_us() - before) / count}


def _by_load(rounds: Sequence[Sequence[Figures]]) -> list[list[Figures]]:
    """Return the figures of each load without those of the first round, which warms up."""
    return [list(figures) for figures in zip(*rounds[1:], strict=True)]
