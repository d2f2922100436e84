"""A hundred starts: at the first 200 of /readyz five orders with SMS are POSTed. Are they polled?

`python -m bench.starts --runs 100 --busy 2` keeps two busy loops running next to it. One Kafka and one sandbox serve
all runs; earlier runs' watches stay open, and every tenth run begins with new topics. A start fails when a POST is
not answered 201 or an order is not polled within ten seconds; then its tasks' stacks and its log's tail are printed.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from app import process
from app.local_kafka import local_kafka
from bench.figures import Cells, aligned
from bench.kafka import scratch
from bench.latency_figures import percentile
from bench.machine import available, circumstances, together
from bench.readme_tables import keep
from bench.starting import Order, Sandbox, Service, busy, sandbox
from bus.kafka import topics
from bus.settings import KafkaSettings

ORDERS: Final = ("grizzlysms", "smsverified", "smsman", "grizzlysms", "smsverified")
FRESH_EVERY: Final = 10  # runs, then other topics: empty topics are another case than used ones
POLLED_WITHIN: Final = 10.0  # seconds from the POST
ASK_EVERY: Final = 0.1  # seconds between two reads of the sandbox's record
READY_SECONDS: Final = 60.0
LAST_LINES: Final = 600  # of the log of a start that failed: two hundred tasks' stacks, and what came before


@dataclass
class Start:
    """The result of one start, in seconds."""

    ready: float
    """From its start to the first 200 of /readyz."""
    statuses: list[int] = field(default_factory=list)
    polled: list[float] = field(default_factory=list)
    """From an order's POST to the end of the first response with its SMS, for those polled in time."""

    @property
    def accepted(self) -> int:
        return self.statuses.count(201)

    @property
    def failed(self) -> bool:
        return self.accepted < len(ORDERS) or len(self.polled) < len(ORDERS)


async def one(service: Service, providers: Sandbox, orders: Sequence[Order]) -> Start:
    """Wait until it is ready, request the watches, and measure when each is polled."""
    began = time.monotonic()
    async with asyncio.timeout(READY_SECONDS):
        await service.until_ready()
    start = Start(time.monotonic() - began)
    posted = time.time()
    answers = await asyncio.gather(*map(service.watch, orders))
    start.statuses = [status for status, _ in answers]
    start.polled = await _polled(providers, orders, posted)
    if start.failed:
        print(*(f"refused: {words}" for status, words in answers if status != 201), sep="\n")
        await _explain(service)
    return start


async def _polled(providers: Sandbox, orders: Sequence[Order], posted: float) -> list[float]:
    """Return the seconds until each order's SMS was shown; those that were not shown in time are missing."""
    names = {order.name for order in orders}
    while True:
        late = time.time() > posted + POLLED_WITHIN
        shown = {name: at - posted for name, at in (await providers.shown()).items() if name in names}
        if late or len(shown) == len(names):
            return [seconds for seconds in shown.values() if seconds <= POLLED_WITHIN]
        await asyncio.sleep(ASK_EVERY)


async def _explain(service: Service) -> None:
    await service.show_tasks()
    print(*(line for line in (await service.metrics()).splitlines() if line.startswith("smsbus_")), sep="\n")
    print(*service.last_words().splitlines()[-LAST_LINES:], sep="\n", flush=True)


async def run(runs: int, loops: int) -> list[Start]:
    """Run so many starts."""
    with scratch() as directory, ExitStack() as stack:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            providers = stack.enter_context(sandbox(directory, session))
            async with local_kafka(directory / "kafka", fast=False) as cluster:
                stack.enter_context(busy(loops))
                return [
                    await _nth(number, cluster.bootstrap_servers, directory, providers, session)
                    for number in range(runs)
                ]


async def _nth(
    number: int, bootstrap_servers: str, directory: Path, providers: Sandbox, session: aiohttp.ClientSession
) -> Start:
    prefix = f"starts{number // FRESH_EVERY}."
    if number % FRESH_EVERY == 0:
        await topics.create(KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=prefix))
    orders = await asyncio.gather(*map(providers.order, ORDERS))
    settings = {
        "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
        "SMSBUS_KAFKA__TOPIC_PREFIX": prefix,
        **providers.settings,
    }
    own = directory / f"run-{number}"
    own.mkdir()
    service = Service(own, settings, session)
    try:
        start = await one(service, providers, orders)
    finally:
        await service.stop()
    _say(number, start)
    return start


def _say(number: int, start: Start) -> None:
    polled = " ".join(f"{seconds:.2f}" for seconds in sorted(start.polled))
    word = "FAILED" if start.failed else "ok"
    print(f"{number + 1:4} {word}: ready {start.ready:.2f} s, accepted {start.accepted}, polled {polled}", flush=True)


def starts_table(starts: Sequence[Start]) -> Cells:
    """Return the cells of the table, its head first."""
    ready = sorted(start.ready for start in starts)
    polled = sorted(seconds for start in starts for seconds in start.polled)
    orders = len(ORDERS) * len(starts)
    head = ["starts", "failed", "accepted", "polled", "ready p50 s", "max s", "POST to poll p50 s", "p99 s", "max s"]
    times = [*_quantiles(ready, 0.5, 1.0), *_quantiles(polled, 0.5, 0.99, 1.0)]
    failed = sum(start.failed for start in starts)
    accepted = sum(start.accepted for start in starts)
    return [head, [str(len(starts)), str(failed), f"{accepted}/{orders}", f"{len(polled)}/{orders}", *times]]


def _quantiles(ordered: Sequence[float], *parts: float) -> list[str]:
    return [f"{percentile(ordered, part):.2f}" if ordered else "" for part in parts]


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    run_of = circumstances(together(available()))
    starts = process.run(run(asked.runs, asked.busy))
    print(aligned(starts_table(starts)))
    if asked.keep:
        keep("starts", _kept(starts, run_of, asked.busy))
    return int(any(start.failed for start in starts))


def _kept(starts: Sequence[Start], run_of: dict[str, Any], loops: int) -> dict[str, Any]:
    return {"run": run_of, "busy": loops, "starts": [asdict(start) for start in starts]}


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.starts", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--busy", type=int, default=0, help="number of busy loops next to it")
    parser.add_argument("--keep", action="store_true", help="save as bench/results/starts.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
