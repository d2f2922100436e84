"""The pollers in Prometheus' words, read when scraped. Labels are accounts and machine words, no ids, no numbers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from pollers.poller import Poller


class PollerMetrics(Collector):
    """Everything that the pollers export."""

    def __init__(self, service: "Poller", registry: CollectorRegistry) -> None:
        self._service = service
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the families of this moment."""
        service = self._service
        yield GaugeMetricFamily("smsbus_shards", "Shards that this process owns", len(service.shards))
        yield GaugeMetricFamily("smsbus_watches", "Watches that are being looked at", len(service.scheduler.plans))
        yield self._polls()
        yield from self._accounts()

    def _polls(self) -> Metric:
        family = CounterMetricFamily("smsbus_polls", "Answers to looks", labels=["account", "outcome"])
        for account in self._service.accounts.values():
            for outcome, count in account.outcomes.items():
                family.add_metric([account.name, outcome], count)
        return family

    def _accounts(self) -> Iterator[Metric]:
        open_ = GaugeMetricFamily("smsbus_account_open", "1 while the account may be asked", labels=["account"])
        line = GaugeMetricFamily("smsbus_account_waiting", "Watches due that may not be asked yet", labels=["account"])
        success = GaugeMetricFamily(
            "smsbus_poll_last_success_timestamp_seconds", "When an answer last said something", labels=["account"]
        )
        for account in self._service.accounts.values():
            open_.add_metric([account.name], account.throttle.state == "open")
            line.add_metric([account.name], len(account.queue))
            success.add_metric([account.name], account.answered_at)
        yield from (open_, line, success)
