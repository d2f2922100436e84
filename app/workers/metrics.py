"""What the supervisor exports itself, read when scraped."""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.workers.worker import Worker

RESTARTING: Final = "worker_restarting"  # a word of /readyz and of `smsbus_degraded`


class WorkerMetrics(Collector):
    """Which workers serve, and how often each was started again."""

    def __init__(self, workers: Sequence[Worker], registry: CollectorRegistry) -> None:
        self._workers = workers
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the families of this moment."""
        serves = GaugeMetricFamily("smsbus_worker_serves", "1 while the worker serves", labels=["worker"])
        again = CounterMetricFamily("smsbus_worker_restarts", "Starts after an end of its own", labels=["worker"])
        degraded = GaugeMetricFamily("smsbus_degraded", "What is wrong, as /readyz has it: 1 each", labels=["reason"])
        for worker in self._workers:
            serves.add_metric([worker.name], worker.admin is not None)
            again.add_metric([worker.name], worker.restarts)
        if any(worker.admin is None for worker in self._workers):
            degraded.add_metric([RESTARTING], 1)
        yield from (serves, again, degraded)
