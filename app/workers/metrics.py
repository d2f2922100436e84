"""What the supervisor exports itself, read when scraped."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.workers.worker_process import Worker

RESTARTING: Final = "worker_restarting"  # a word of /readyz and of `smsbus_degraded`


class WorkerMetrics(Collector):
    """Which workers serve, and how often each was started again."""

    def __init__(
        self, workers: Sequence[Worker], degraded: Callable[[], tuple[str, ...]], registry: CollectorRegistry
    ) -> None:
        """`degraded` says what is wrong with the supervisor itself."""
        self._workers = workers
        self._degraded = degraded
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the families of this moment."""
        serves = GaugeMetricFamily("smsbus_worker_up", "1 while the worker serves", labels=["worker"])
        again = CounterMetricFamily("smsbus_worker_restarts", "Starts after an end of its own", labels=["worker"])
        degraded = GaugeMetricFamily("smsbus_degraded", "What is wrong, as /readyz has it: 1 each", labels=["reason"])
        for worker in self._workers:
            serves.add_metric([worker.name], worker.admin is not None)
            again.add_metric([worker.name], worker.restarts)
        restarting = [RESTARTING] if any(worker.admin is None for worker in self._workers) else []
        for word in (*restarting, *self._degraded()):
            degraded.add_metric([word], 1)
        yield from (serves, again, degraded)
