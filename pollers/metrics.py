"""The pollers' metrics, collected when scraped. Labels are account names and codes, never ids or numbers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from pollers.poller import Poller


class PollerMetrics(Collector):
    """All metrics of the pollers."""

    def __init__(self, poller: "Poller", registry: CollectorRegistry) -> None:
        self._poller = poller
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current metric families."""
        poller = self._poller
        running = [shard for shard in poller.shards.values() if shard.running]
        yield GaugeMetricFamily("smsbus_shards", "Shards that this process runs", len(running))
        yield GaugeMetricFamily("smsbus_watches", "Watches that are polled", len(poller.scheduler.plans))
        yield GaugeMetricFamily(
            "smsbus_polls_oldest_due_seconds", "How long the oldest due poll has been waiting", poller.oldest_due()
        )
        yield from self._unreadable()
        yield self._polls()
        yield from self._accounts()

    def _unreadable(self) -> Iterator[Metric]:
        states = sum(len(shard.states.unreadable) for shard in self._poller.shards.values())
        yield GaugeMetricFamily("smsbus_unreadable_states", "Watches whose state cannot be read", states)
        commands = self._poller.unreadable_commands
        yield CounterMetricFamily("smsbus_unreadable_commands", "Watch records that became dead letters", commands)

    def _polls(self) -> Metric:
        family = CounterMetricFamily(
            "smsbus_polls", "Requests to providers except actions, by their outcome", labels=["account", "outcome"]
        )
        for account in self._poller.accounts.values():
            for outcome, count in account.outcomes.items():
                family.add_metric([account.name, outcome], count)
        return family

    def _accounts(self) -> Iterator[Metric]:
        def family(name: str, meaning: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(name, meaning, labels=["account"])

        open_ = family("smsbus_account_open", "1 while the account may be polled")
        queue = family("smsbus_polls_queued", "Due polls that wait for the account's throttle")
        stretch = family(
            "smsbus_account_stretch",
            "Factor by which poll intervals are longer than planned, to fit the budget: 1 or more",
        )
        budget = family("smsbus_account_budget", "Requests per second that this process may send: its share")
        success = family("smsbus_poll_last_success_timestamp_seconds", "When a request last succeeded")
        for account in self._poller.accounts.values():
            labels = [account.name]
            open_.add_metric(labels, account.throttle.state == "open")
            queue.add_metric(labels, len(account.queue))
            stretch.add_metric(labels, account.throttle.stretch())
            budget.add_metric(labels, account.throttle.rate)
            success.add_metric(labels, account.answered_at)
        yield from (open_, queue, stretch, budget, success)
