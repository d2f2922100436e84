"""Metrics of the callback endpoint. Labels are bounded: account names, and the closed sets below."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.answers import PROBLEMS

STRANGER: Final = ""  # the account of a request without a valid token; Prometheus treats it as no label
OUTCOMES: Final = ("accepted", "duplicate", "rejected", "ready", "disconnected", *PROBLEMS)
# From a memory bus (0.2 ms) to one accept deadline after another (seconds).
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ReceiverMetrics(Collector):
    """Plain numbers of one event loop, converted to Prometheus' families when scraped."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._callbacks: dict[str, dict[str, int]] = {}
        self._rejected: dict[str, int] = {}
        self._durations = [0] * (len(BUCKETS) + 1)  # by bucket; the last one has no bound
        self._seconds = 0.0
        self._fast = 0
        self._evicted = 0
        registry.register(self)

    def outcomes(self, account: str) -> dict[str, int]:
        """Return the account's counts by outcome, all present from the start; the caller increments them."""
        return self._callbacks.setdefault(account, dict.fromkeys(OUTCOMES, 0))

    def reasons(self, reasons: tuple[str, ...]) -> dict[str, int]:
        """Return the counts of dead letters by reason, all present from the start; the caller increments them."""
        self._rejected.update(dict.fromkeys(reasons, 0))
        return self._rejected

    def observe_latency(self, seconds: float, *, fast: bool = False) -> None:
        """Record the seconds from a callback's last byte to its response."""
        self._fast += fast
        self._durations[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def connection_evicted(self) -> None:
        """Count one closed because `receiver.max_connections` were open."""
        self._evicted += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the current families."""
        callbacks = CounterMetricFamily(
            "smsbus_callbacks",
            "Callbacks by what became of them; each element of an array counts.",
            labels=("account", "outcome"),
        )
        for account, outcomes in self._callbacks.items():
            for outcome, count in outcomes.items():
                callbacks.add_metric((account, outcome), count)
        yield callbacks
        rejected = CounterMetricFamily(
            "smsbus_callbacks_rejected", "Rejected callbacks, by reason.", labels=("reason",)
        )
        for reason, count in self._rejected.items():
            rejected.add_metric((reason,), count)
        yield rejected
        yield CounterMetricFamily(
            "smsbus_callbacks_fast_lane", "Callbacks that never reached aiohttp: of plain ones nearly all.", self._fast
        )
        yield CounterMetricFamily(
            "smsbus_connections_evicted", "Connections closed to make room for new ones.", self._evicted
        )
        bounds = (*map(str, BUCKETS), "+Inf")
        yield HistogramMetricFamily(
            "smsbus_callback_seconds",
            "From the last byte of a callback to its answer.",
            buckets=list(zip(bounds, accumulate(self._durations), strict=True)),
            sum_value=self._seconds,
        )
