"""`python -m tests.faults.soak`: a steady load for long, a fault now and then. Does anything grow?

Exit code 1: something does, or a promise was broken.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

from tests.faults.environment import circumstances
from tests.faults.figures import Row, table
from tests.faults.gauges import Gauges, answer_times
from tests.faults.history import History
from tests.faults.progress import Progress
from tests.faults.run import run
from tests.faults.soak_plot import plot
from tests.faults.soak_report import Band, Report
from tests.faults.stage import Case, Stage
from tests.faults.trend import RULE, Series
from tests.kafka_fixtures import running_kafka

EVERY = 5.0  # seconds between two looks
CALM_SECONDS = 60.0  # between two faults
RATE, ORDERS = 80.0, 0.5  # a second; of an order that is over, a poller keeps 2 KiB for a week
REMEMBERED = "2000"  # ids of repeats: else that memory, which has a bound, fills for half an hour


class Soak:
    """The case: `run` it for so many seconds."""

    def __init__(self, minutes: float) -> None:
        self.seconds = minutes * 60
        self.series: Sequence[Series] = ()
        self.began = 0.0

    @property
    def case(self) -> Case:
        return Case(self._run, 3_000, receivers=2, pollers=2, rate=RATE, orders=ORDERS, prepare=_remember_little)

    async def _run(self, stage: Stage) -> None:
        async with Gauges(stage.parts, stage.samples, EVERY) as gauges:
            self.series, self.began = gauges.series, gauges.began
            for name, fault in cycle(FAULTS.items()):
                left = self.began + self.seconds - time.time()
                await asyncio.sleep(min(CALM_SECONDS, left))
                if left <= CALM_SECONDS:
                    return
                async with stage.fault(name):
                    await fault(stage)


async def _receiver_killed(stage: Stage) -> None:
    receiver = stage.receivers[-1]  # the others live all the time
    await receiver.kill()
    await receiver.start()


async def _broker_paused(stage: Stage) -> None:
    node = stage.rng.choice(stage.kafka.nodes)
    await node.pause()
    await asyncio.sleep(5)
    await node.resume()


async def _throttled(stage: Stage) -> None:
    await stage.sandbox.bad_day(kind="429", retry_after=2, until=10)
    await asyncio.sleep(10)


FAULTS = {"receiver killed": _receiver_killed, "broker paused": _broker_paused, "429": _throttled}


async def _remember_little(stage: Stage) -> None:
    stage.settings["BUS__DEDUP_CACHE_SIZE"] = REMEMBERED


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    soak = Soak(asked.minutes)
    with tempfile.TemporaryDirectory(prefix="smsbus-soak-") as scratch:
        row, history = asyncio.run(_run(soak, Path(scratch), asked))
    answers = answer_times(history.posts, soak.began, soak.seconds)
    report = Report(soak.seconds, [*soak.series, answers], _bands(history, soak.began))
    print(table([row]), "", report.table(), "", RULE, sep="\n")
    for path in filter(None, (asked.json, asked.plot)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if asked.json:
        facts = circumstances(asked.seed, asked.minutes) | {"minutes": asked.minutes, "row": asdict(row)}
        asked.json.write_text(json.dumps(facts | report.results(), indent=1) + "\n", "utf-8")
    if asked.plot:
        plot(report, asked.plot)
    return 0 if row.good and not report.growing else 1


async def _run(soak: Soak, directory: Path, asked: argparse.Namespace) -> tuple[Row, History]:
    progress = Progress(1)
    with running_kafka(directory / "kafka", 3) as kafka:
        async with progress.of("soak"):
            return await run(
                "soak", soak.case, kafka, directory / "soak", scale=asked.minutes, seed=asked.seed, say=progress.say
            )


def _bands(history: History, began: float) -> list[Band]:
    """Return when something was wrong, in seconds since the start."""
    return [Band(fault.name, fault.at - began, fault.until - began) for fault in history.faults if not fault.parts]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a PNG")
    return parser


if __name__ == "__main__":
    sys.exit(main())
