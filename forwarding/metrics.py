"""Metrics of forwarding, one set for each target."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forwarding.forward import Forward


class ForwardMetrics(Collector):
    """What was sent to each target, and what waits for it."""

    def __init__(self, forwards: Sequence[Forward], registry: CollectorRegistry) -> None:
        self._forwards = forwards
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current families."""
        of = ["forward"]
        sent = CounterMetricFamily("smsbus_forward_sent", "Events that the target took", labels=of)
        refused = CounterMetricFamily("smsbus_forward_refused", "Events that became dead letters", labels=of)
        skipped = CounterMetricFamily("smsbus_forward_skipped", "Records that are not events", labels=of)
        failures = CounterMetricFamily(
            "smsbus_forward_failures", "Requests that are tried again", labels=["forward", "reason"]
        )
        lag = GaugeMetricFamily("smsbus_forward_lag_records", "Records that are not handled yet", labels=of)
        left = GaugeMetricFamily(
            "smsbus_forward_deleted_in_seconds", "Until Kafka deletes the oldest event that waits", labels=of
        )
        last = GaugeMetricFamily(
            "smsbus_forward_last_sent_timestamp_seconds", "When the target last took an event", labels=of
        )
        for each in self._forwards:
            sent.add_metric([each.name], each.sent)
            refused.add_metric([each.name], each.refused)
            skipped.add_metric([each.name], each.skipped)
            lag.add_metric([each.name], each.lag)
            for reason, count in each.failures.items():
                failures.add_metric([each.name, reason], count)
            if (ms := each.ms_until_deleted) is not None:
                left.add_metric([each.name], ms / 1000)
            if each.sent_at is not None:
                last.add_metric([each.name], each.sent_at)
        yield from (sent, refused, skipped, failures, lag, left, last)
