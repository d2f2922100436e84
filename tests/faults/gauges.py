"""What each process holds, looked at every few seconds: from /proc, from its metrics, from its journal's directory."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.faults.checker import percentile
from tests.faults.evidence import grouped
from tests.faults.history import Post
from tests.faults.process import Part
from tests.faults.samples import Samples
from tests.faults.trend import Measure, Series

MIB = 1024 * 1024
Metrics = Mapping[str, float]
WINDOW_SECONDS = 15.0  # of answers
ANSWERS = Measure("answer to a callback, p99", "ms", None)  # as busy as the machine is


def _status(part: Part, field: str) -> float:
    status = Path(f"/proc/{part.replica.process.pid}/status").read_text()
    return float(re.search(rf"^{field}:\s+(\d+)", status, re.MULTILINE)[1])


def _files(part: Part, _: Metrics) -> float:
    return sum(1 for _ in Path(f"/proc/{part.replica.process.pid}/fd").iterdir())


def _journal_size(part: Part, _: Metrics) -> float:
    return sum(file.stat().st_size for file in part.installation.journal_dir.rglob("*") if file.is_file()) / MIB


MEASURES: Mapping[Measure, Callable[[Part, Metrics], float]] = {
    Measure("resident memory", "MiB", 8): lambda part, _: _status(part, "VmRSS") / 1024,
    Measure("open files", "files", 30): _files,  # a pool of connections to providers breathes by some twenty
    Measure("threads", "threads", 2): lambda part, _: _status(part, "Threads"),
    Measure("rows in the journal", "rows", 20): lambda _, metrics: metrics["journal_rows"],
    Measure("journal on disk", "MiB", 4): _journal_size,
    Measure("accepted, not yet published", "SMS", 20): lambda _, metrics: metrics["pending"],
}


class Gauges:
    """Scheduler from `async with` to its end."""

    def __init__(self, parts: Sequence[Part], samples: Samples, every: float) -> None:
        self.series = [Series(measure, defaultdict(list)) for measure in MEASURES]
        self._parts = parts
        self._samples = samples
        self._every = every

    async def __aenter__(self) -> Self:
        self.began = time.time()
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task  # which raises what had ended it before

    async def _go_on(self) -> None:
        while True:
            metrics = (await self._samples.look()).metrics
            for part in self._parts:
                if part.present and part.label in metrics:
                    self._note(part, metrics[part.label])
            await asyncio.sleep(self._every)

    def _note(self, part: Part, metrics: Metrics) -> None:
        with suppress(OSError):  # it has just ended
            values = [read(part, metrics) for read in MEASURES.values()]
            for (_, points), value in zip(self.series, values, strict=True):
                points[part.label].append((time.time() - self.began, value))


def answer_times(posts: Iterable[Post], began: float, seconds: float) -> Series:
    """Return how long answers took, of all receivers together."""
    answered = (post for post in posts if post.status is not None and began <= post.at < began + seconds)
    windows = grouped(answered, lambda post: int((post.at - began) / WINDOW_SECONDS))
    middle = ((number + 0.5) * WINDOW_SECONDS for number in windows)
    values = [percentile(0.99, (post.seconds * 1000 for post in window)) for window in windows.values()]
    return Series(ANSWERS, {"receivers": sorted(zip(middle, values, strict=True))})
