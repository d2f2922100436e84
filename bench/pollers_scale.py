"""A hundred thousand watches in one process: memory, duration of a restart, pauses of the loop, CPU of a tick.

`python -m bench.pollers_scale [watches]` starts a separate Kafka, writes commands and states as the shards do, and
restores them twice in a fresh process: the pollers alone, and with the table of all watches.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaProducer

from app import process
from app.local_kafka import local_kafka
from app.wiring import poller_on
from bench.poller_harness import Quiet
from bus.kafka import topics
from bus.kafka.client import options
from bus.kafka_bus import KafkaBus
from bus.record import partition_of
from bus.settings import BusSettings, KafkaSettings
from bus.sharding.state_log import StateLog
from pollers.poller import GROUP
from pollers.scheduling.account import Account
from pollers.settings import PollersSettings
from pollers.tracking.advance import advance, opened
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from pollers.watches.watch_table import WatchTable
from providers.observation import Last, SeenSms
from schemas.topics import WATCH_PARTITIONS, WATCHES

WATCHED = 100_000
A_COMMIT = 2_000
RATE = 500.0  # requests per second of the one account
STEADY = 30.0  # seconds of polling, measured
HOUR_MS = 3_600_000


@dataclass
class Pauses:
    """How late the loop was for a timer of 5 ms."""

    longest: float = 0.0
    over_200ms: int = 0
    _task: asyncio.Task[None] = field(init=False)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            late = time.perf_counter() - began - 0.005
            self.longest = max(self.longest, late)
            self.over_200ms += late > 0.2

    def taken(self) -> tuple[float, int]:
        taken, self.longest, self.over_200ms = (self.longest, self.over_200ms), 0.0, 0
        return taken


def states(count: int) -> list[WatchState]:
    now_ms = time.time_ns() // 1_000_000
    made = []
    for number in range(count):
        request = WatchRequest(account="main", order_id=str(10**15 + number), recipient=f"+1201555{number:06d}")
        watch = request.watch(now_ms).model_copy(update={"expires_at": "2099-01-01T00:00:00.000Z"})
        state = opened(watch, "smsverified", now_ms)
        if number % 2:
            state = advance(state, Last(SeenSms(code=f"{number % 1_000_000:06d}", text=None)), now_ms).state
        made.append(state)
    return made


async def write(kafka: KafkaSettings, count: int) -> None:
    producer = AIOKafkaProducer(**options(kafka), linger_ms=20)
    await producer.start()
    shards: list[dict[str, bytes]] = [{} for _ in range(WATCH_PARTITIONS)]
    for state in states(count):
        key = state.watch.key()
        partition = partition_of(key.encode(), WATCH_PARTITIONS)
        shards[partition][key] = state.to_json()
        await producer.send(kafka.topic(WATCHES), state.watch.to_json(), key.encode(), partition=partition)
    await producer.stop()
    for partition, values in enumerate(shards):
        log = StateLog(kafka, partition, group=kafka.topic(GROUP))
        await log.open()
        items = list(values.items())
        for start in range(0, len(items), A_COMMIT):
            await log.commit(dict(items[start : start + A_COMMIT]))
        await log.close()


def rss() -> float:
    """MiB of memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


async def restore(kafka: KafkaSettings, count: int, *, with_table: bool) -> dict[str, float]:
    pauses = Pauses()
    with tempfile.TemporaryDirectory() as journal:
        bus = KafkaBus(kafka, BusSettings(journal_dir=Path(journal)), instance="bench")
        await bus.start()
        account = Account("main", "smsverified", Quiet(), requests_per_second=RATE, rng=random.Random(1))  # type: ignore[arg-type]
        table = WatchTable(kafka)
        service = poller_on(kafka, bus, {"main": account}, PollersSettings(), table)
        await asyncio.sleep(1)
        process.tune_gc()
        pauses.start()
        empty, began, cpu = rss(), time.perf_counter(), time.process_time()
        service.start()
        follow = asyncio.create_task(table.follow()) if with_table else None
        while len(service.scheduler.plans) < count or (with_table and not table.filled):
            await asyncio.sleep(0.05)
        restored, restore_cpu = time.perf_counter() - began, time.process_time() - cpu
        await asyncio.sleep(5)  # the commands arrive once more, and the polls are spread
        in_restore = pauses.taken()
        looks, cpu = account.outcomes.get("waiting", 0), time.process_time()
        await asyncio.sleep(STEADY)
        in_steady, used = pauses.taken(), time.process_time() - cpu
        figures = {
            "memory over the empty process, MiB": rss() - empty,
            "restore, s": restored,
            "restore, CPU s": restore_cpu,
            "longest pause while restoring, ms": in_restore[0] * 1000,
            "pauses over 200 ms": in_restore[1] + in_steady[1],
            "longest pause afterwards, ms": in_steady[0] * 1000,
            "polls per second": (account.outcomes.get("waiting", 0) - looks) / STEADY,
            "CPU, % of a core": used / STEADY * 100,
        }
        if follow is not None:
            follow.cancel()
        await service.stop()
        await bus.stop(1.0)
    return figures


async def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with local_kafka(Path(directory) / "kafka") as cluster:
            kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
            await topics.create(kafka)
            await write(kafka, count)
            both = [await asyncio.to_thread(in_child, kafka, count, table) for table in ("", "table")]
    print(f"{count} watches".ljust(40) + "pollers".rjust(12) + "with table".rjust(12))
    for name in both[0]:
        print(name.ljust(40) + "".join(f"{figures[name]:12.1f}" for figures in both))


def in_child(kafka: KafkaSettings, count: int, table: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.pollers_scale", str(count), kafka.bootstrap_servers, table]
    figures: dict[str, float] = json.loads(
        subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[-1]
    )
    return figures


if __name__ == "__main__":
    watched = int(sys.argv[1]) if len(sys.argv) > 1 else WATCHED
    if len(sys.argv) > 2:
        there = KafkaSettings(bootstrap_servers=sys.argv[2])
        print(json.dumps(process.run(restore(there, watched, with_table=bool(sys.argv[3])))))
    else:
        process.run(measure(watched))
