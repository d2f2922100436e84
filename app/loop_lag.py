"""How late the event loop is: input waits for so long, and timeouts expire too early."""

import asyncio
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bus.durations import Durations
from bus.health import Alarm

EVERY: Final = 0.5  # seconds between two measurements; shorter blocking is seen in proportion to its length
BOUND: Final = 0.25  # seconds: a callback's p99 must not be worse under attack
SAMPLES: Final = 20  # ten seconds and more: an idle process is late now and then
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
HINT: Final = (
    "too much work for this core, or others use it: more cores, --workers, fewer watches; kafka_away may follow"
)


class LoopLag(Collector):
    """Measures the running loop for as long as the context `measured` lasts."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`now` and `sleep` are in seconds."""
        self._now = now
        self._sleep = sleep
        self._lags = Durations(BUCKETS)
        self._recent: deque[float] = deque(maxlen=SAMPLES)
        self._late = Alarm("event_loop_late")
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        family = HistogramMetricFamily("smsbus_event_loop_lag_seconds", "How late a timer of the loop came")
        self._lags.add_to(family)
        yield family

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reason while the loop is late most of the time, else an empty string."""
        return (self._late.word,) if self._late.holds else ()

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        """Measure until the context ends."""
        task = asyncio.create_task(self._measure())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _measure(self) -> None:
        while True:
            due = self._now() + EVERY
            await self._sleep(EVERY)
            self._add(max(self._now() - due, 0.0))

    def _add(self, lag: float) -> None:
        self._lags.observe(lag)
        self._recent.append(lag)
        late = sum(each > BOUND for each in self._recent)
        if late > SAMPLES / 2 and len(self._recent) == SAMPLES:
            self._late.begin(lag_seconds=round(statistics.median(self._recent), 3), hint=HINT)
        elif late == 0:
            self._late.end()
