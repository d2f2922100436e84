"""The pollers' metrics, collected when scraped. Labels are account names and codes, never ids or numbers."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from pollers.poller import OVERDUE, Poller


class PollerMetrics(Collector):
    """All metrics of the pollers."""

    def __init__(self, poller: Poller, registry: CollectorRegistry) -> None:
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
        commits = HistogramMetricFamily("smsbus_state_commit_seconds", "How long Kafka took to store states")
        poller.commits.add_to(commits)
        yield commits

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
        yield from self._gauges()
        yield from self._moments()
        responses = _histogram("smsbus_provider_response_seconds", "From a request to its response, or to its failure")
        delays = _histogram("smsbus_poll_delay_seconds", "How long polls waited once they were due")
        for account in self._poller.accounts.values():
            account.responses.add_to(responses, account.name)
            account.delays.add_to(delays, account.name)
        yield from (responses, delays)

    def _gauges(self) -> Iterator[Metric]:
        open_ = _gauge("smsbus_account_open", "1 while the account may be polled")
        queue = _gauge("smsbus_polls_queued", "Due polls that wait for the account's throttle")
        overdue = _gauge("smsbus_polls_overdue", "Polls that have been due for more than a minute")
        stretch = _gauge(
            "smsbus_account_stretch",
            "Factor by which poll intervals are longer than planned, to fit the budget: 1 or more",
        )
        budget = _gauge("smsbus_account_budget", "Requests per second that this process may send: its share")
        for account in self._poller.accounts.values():
            labels = [account.name]
            open_.add_metric(labels, account.throttle.state == "open")
            queue.add_metric(labels, len(account.queue))
            overdue.add_metric(labels, account.overdue(OVERDUE))
            stretch.add_metric(labels, account.throttle.stretch())
            budget.add_metric(labels, account.throttle.rate)
        yield from (open_, queue, overdue, stretch, budget)

    def _moments(self) -> Iterator[Metric]:
        """Yield when something last happened; what never did has no sample, and not one of 1970."""
        success = _gauge("smsbus_poll_last_success_timestamp_seconds", "When a request last succeeded")
        found = _gauge("smsbus_poll_last_sms_timestamp_seconds", "When a poll last found an SMS")
        for account in self._poller.accounts.values():
            for family, at in ((success, account.answered_at), (found, account.found_at)):
                if at is not None:
                    family.add_metric([account.name], at)
        yield from (success, found)


def _gauge(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=["account"])


def _histogram(name: str, meaning: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, meaning, labels=["account"])
