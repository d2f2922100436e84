"""Metrics of the inbox."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from inbox.asking import Inbox


class InboxMetrics(Collector):
    """What it holds, and how far behind it is."""

    def __init__(self, inbox: Inbox, registry: CollectorRegistry) -> None:
        self._following = inbox.following
        self._waits = inbox.waits
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current families."""
        tail = self._following.tail
        yield GaugeMetricFamily("smsbus_inbox_events", "Events that the inbox holds", value=len(tail))
        yield GaugeMetricFamily("smsbus_inbox_bytes", "Memory that they take, about", value=tail.bytes)
        yield GaugeMetricFamily("smsbus_inbox_subscribers", "Waits and streams that are open", value=tail.subscribers)
        yield GaugeMetricFamily(
            "smsbus_inbox_behind_seconds",
            "For how long it has been more than a second behind what is published",
            value=self._following.behind_seconds,
        )
        yield GaugeMetricFamily(
            "smsbus_inbox_behind_records",
            "Records that it has still to read, of those that were published a second ago",
            value=self._following.behind_records,
        )
        waits = HistogramMetricFamily("smsbus_inbox_wait_seconds", "How long waits lasted that ended with an SMS")
        self._waits.add_to(waits)
        yield waits
