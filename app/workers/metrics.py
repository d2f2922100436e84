"""The supervisor's own metrics, read when scraped."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.workers.worker_process import Worker


class WorkerMetrics(Collector):
    """Which workers serve, and how often each was restarted."""

    def __init__(self, workers: Sequence[Worker], registry: CollectorRegistry) -> None:
        self._workers = workers
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        serves = GaugeMetricFamily("smsbus_worker_up", "1 while the worker serves", labels=["worker"])
        again = CounterMetricFamily(
            "smsbus_worker_restarts", "Restarts of workers that ended by themselves", labels=["worker"]
        )
        for worker in self._workers:
            serves.add_metric([worker.name], worker.admin is not None)
            again.add_metric([worker.name], worker.restarts)
        yield from (serves, again)
