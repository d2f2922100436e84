"""The supervisor's own metrics, read when scraped."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.workers.worker_process import Worker

RESTARTING: Final = "worker_restarting"  # a degraded reason


class WorkerMetrics(Collector):
    """Which workers serve, and how often each was restarted."""

    def __init__(
        self, workers: Sequence[Worker], degraded: Callable[[], tuple[str, ...]], registry: CollectorRegistry
    ) -> None:
        """`degraded` returns the reasons of the supervisor itself."""
        self._workers = workers
        self._degraded = degraded
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        serves = GaugeMetricFamily("smsbus_worker_up", "1 while the worker serves", labels=["worker"])
        again = CounterMetricFamily(
            "smsbus_worker_restarts", "Restarts of workers that ended by themselves", labels=["worker"]
        )
        degraded = GaugeMetricFamily("smsbus_degraded", "1 for each degraded reason", labels=["reason"])
        for worker in self._workers:
            serves.add_metric([worker.name], worker.admin is not None)
            again.add_metric([worker.name], worker.restarts)
        restarting = [RESTARTING] if any(worker.admin is None for worker in self._workers) else []
        for word in (*restarting, *self._degraded()):
            degraded.add_metric([word], 1)
        yield from (serves, again, degraded)
