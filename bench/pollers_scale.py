"""A hundred thousand watches in one, two and three processes: memory, restart, pauses of the loop, CPU of the polls.

`python -m bench.pollers_scale [watches]` starts a separate Kafka, writes commands and states as the shards do, and
restores them in fresh processes: one without the table of all watches, then one, two and three with it.
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
from subprocess import PIPE

import structlog
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
SETTLE = 15.0
STEADY = 30.0  # seconds of polling, measured
ALL = 0.95  # of a process's even share: keys are spread by chance
SUMMED = {"watches", "restore, CPU s", "pauses over 200 ms", "polls per second", "CPU, % of a core"}
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


async def restore(kafka: KafkaSettings, count: int, *, with_table: bool) -> None:
    """Restore `count` watches, poll for a while, and print what was measured; stop when stdin ends."""
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
        while len(service.scheduler.plans) < count * ALL or (with_table and not table.filled):
            await asyncio.sleep(0.05)
        restored, restore_cpu = time.perf_counter() - began, time.process_time() - cpu
        await asyncio.sleep(SETTLE)  # the commands arrive once more, the polls are spread, others have restored theirs
        in_restore = pauses.taken()
        looks, cpu = account.outcomes.get("waiting", 0), time.process_time()
        await asyncio.sleep(STEADY)
        in_steady, used = pauses.taken(), time.process_time() - cpu
        figures = {
            "watches": float(len(service.scheduler.plans)),
            "memory over the empty process, MiB": rss() - empty,
            "restore, s": restored,
            "restore, CPU s": restore_cpu,
            "longest pause while restoring, ms": in_restore[0] * 1000,
            "pauses over 200 ms": in_restore[1] + in_steady[1],
            "longest pause afterwards, ms": in_steady[0] * 1000,
            "polls per second": (account.outcomes.get("waiting", 0) - looks) / STEADY,
            "CPU, % of a core": used / STEADY * 100,
        }
        print(json.dumps(figures), flush=True)
        await asyncio.to_thread(sys.stdin.read)  # its shards would move to the others
        if follow is not None:
            follow.cancel()
        await service.stop()
        await bus.stop(1.0)


async def measure(count: int) -> None:
    columns = [("alone", 1), ("table", 1), ("table", 2), ("table", 3)]
    with tempfile.TemporaryDirectory() as directory:
        async with local_kafka(Path(directory) / "kafka") as cluster:
            kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
            await topics.create(kafka)
            await write(kafka, count)
            found = [await asyncio.to_thread(together, kafka, count, *column) for column in columns]
    print(f"{count} watches".ljust(40) + "".join(f"{processes} × {kind}".rjust(12) for kind, processes in columns))
    for name in found[0]:
        print(name.ljust(40) + "".join(f"{figures[name]:12.1f}" for figures in found))


def together(kafka: KafkaSettings, count: int, kind: str, processes: int) -> dict[str, float]:
    """Return the figures of so many processes that share the watches: sums, and of memory and times the highest."""
    share = count // processes
    command = [sys.executable, "-m", "bench.pollers_scale", str(share), kafka.bootstrap_servers, kind]
    children = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(processes)]
    lines = [child.stdout.readline() for child in children if child.stdout is not None]
    for child in children:
        child.communicate("")
    each = [json.loads(line) for line in lines]
    return {name: (sum if name in SUMMED else max)(figures[name] for figures in each) for name in each[0]}


if __name__ == "__main__":
    watched = int(sys.argv[1]) if len(sys.argv) > 1 else WATCHED
    if len(sys.argv) > 2:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is for the figures
        there = KafkaSettings(bootstrap_servers=sys.argv[2])
        process.run(restore(there, watched, with_table=sys.argv[3] == "table"))
    else:
        process.run(measure(watched))
