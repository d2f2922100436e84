"""What the parts said of themselves during a run, twice a second: their ledgers, and how a backlog drains."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple, Self

import aiohttp

from tests.faults.history import Ledger
from tests.faults.process import Part

EVERY, ANSWER_SECONDS = 0.5, 0.5
BACKLOG = 10_000  # rows in the journals from which on draining has a rate worth naming
COUNTS = ("accepted", "adopted", "published", "pending", "rejected", "skipped")


class Round(NamedTuple):
    """One look at every part that is present."""

    at: float
    """Seconds since 1970."""
    metrics: dict[str, dict[str, float]]
    """By the label of the process, without `smsbus_` and `_total`; those that did not answer are missing."""
    complete: bool
    """Every part is present and answered."""

    @property
    def rows(self) -> float:
        """What waits in journals."""
        return sum(each.get("journal_rows", 0.0) for each in self.metrics.values())


class Samples:
    """Scheduler at the parts from `async with` to its end."""

    def __init__(self, parts: Callable[[], Sequence[Part]]) -> None:
        self.rounds: list[Round] = []
        self._parts = parts

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._session.close()

    async def look(self) -> Round:
        """Look now."""
        parts, metrics = list(self._parts()), {}
        await asyncio.gather(*(self._ask(part, metrics) for part in parts if part.present))
        latest = Round(time.time(), metrics, complete=len(metrics) == len(parts))
        self.rounds.append(latest)
        return latest

    async def _go_on(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def _ask(self, part: Part, metrics: dict[str, dict[str, float]]) -> None:
        label = part.label
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._session.get(f"{part.admin}/metrics") as answer:
                metrics[label] = _read(await answer.text())


def ledgers(rounds: Sequence[Round]) -> Iterator[Ledger]:
    """Yield every ledger that was read."""
    for each in rounds:
        for label, metrics in each.metrics.items():
            yield Ledger(label, *(int(metrics[name]) for name in COUNTS))


def drained_in(rounds: Sequence[Round], since: float) -> float | None:
    """Return how many seconds after `since` no journal held anything any longer; None: not in these rounds."""
    for each in rounds:
        if each.at >= since and each.complete and not each.rows:
            return each.at - since
    return None


def drain_rate(rounds: Sequence[Round], since: float) -> float | None:
    """Return the records a second that were published from then on while the backlog was large; None: it was not."""
    published = seconds = 0.0
    for before, after in pairwise(each for each in rounds if each.at >= since):
        if min(before.rows, after.rows) > BACKLOG:
            seconds += after.at - before.at
            both = before.metrics.keys() & after.metrics.keys()
            published += sum(after.metrics[each]["published"] - before.metrics[each]["published"] for each in both)
    return published / seconds if seconds else None


def in_fast_lane(rounds: Sequence[Round]) -> int:
    """Return how many callbacks never reached aiohttp, by the last that each process said of it."""
    latest = {
        label: metrics.get("callbacks_fast_lane", 0.0) for each in rounds for label, metrics in each.metrics.items()
    }
    return int(sum(latest.values()))


def _read(text: str) -> dict[str, float]:
    found = re.findall(r"^smsbus_(\w+?)(?:_total)? (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}
