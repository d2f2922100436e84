"""The metrics of the bus, read from the ledger when scraped: nothing is counted on the hot path."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bus.kafka_bus import KafkaBus


class BusMetrics(Collector):
    """All metrics of the bus; no label contains a number, an id or a text."""

    def __init__(self, bus: KafkaBus, registry: CollectorRegistry) -> None:
        self._bus = bus
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        ledger = self._bus.ledger
        yield CounterMetricFamily("smsbus_accepted", "Messages that became durable here", ledger.accepted)
        yield CounterMetricFamily("smsbus_adopted", "Messages found in a journal at start", ledger.adopted)
        yield CounterMetricFamily("smsbus_published", "Messages acknowledged by Kafka", ledger.published)
        yield CounterMetricFamily("smsbus_rejected", "Messages that ended in the dead-letter topic", ledger.rejected)
        yield CounterMetricFamily("smsbus_skipped", "Messages that an operator removed", ledger.skipped)
        yield CounterMetricFamily("smsbus_duplicates", "Repeats that were not published again", ledger.duplicates)
        yield GaugeMetricFamily("smsbus_pending", "Accepted, not yet acknowledged by Kafka", ledger.pending)
        yield self._not_durable()
        yield self._failures()
        yield self._over_share()
        yield from self._condition()
        acks = HistogramMetricFamily("smsbus_kafka_ack_seconds", "From sending a batch to its acknowledgement")
        self._bus.acks.add_to(acks)
        yield acks

    def _not_durable(self) -> Metric:
        family = CounterMetricFamily("smsbus_not_durable", "Messages that could not be made durable", labels=["cause"])
        for cause, count in self._bus.not_durable.items():
            family.add_metric([cause], count)
        return family

    def _failures(self) -> Metric:
        family = CounterMetricFamily("smsbus_publish_failures", "Failed batches and connections", labels=["kind"])
        for kind, count in self._bus.producer_failures.items():
            family.add_metric([kind], count)
        return family

    def _over_share(self) -> Metric:
        family = CounterMetricFamily(
            "smsbus_over_share", "Callbacks refused because their account fills the journal", labels=["account"]
        )
        for account, count in self._bus.over_share.items():
            family.add_metric([account], count)
        return family

    def _condition(self) -> Iterator[Metric]:
        now = self._bus.condition()
        yield GaugeMetricFamily("smsbus_can_accept", "1 while messages can be made durable", now.can_accept)
        yield GaugeMetricFamily("smsbus_kafka_connected", "1 while Kafka accepts messages", now.kafka_connected)
        yield GaugeMetricFamily("smsbus_journal_rows", "Messages in the journals", now.journal_rows)
        yield GaugeMetricFamily("smsbus_journal_bytes", "Bytes of the messages in the journals", now.journal_bytes)
        yield GaugeMetricFamily(
            "smsbus_journal_oldest_seconds", "Age of the oldest message in a journal", now.journal_oldest_seconds
        )
        yield GaugeMetricFamily(
            "smsbus_journal_max_bytes", "Limit of this process's own journal", self._bus.journal_max_bytes
        )
        if (free := self._bus.journal_disk_free_bytes) is not None:
            yield GaugeMetricFamily("smsbus_journal_disk_free_bytes", "Free on the journals' disk", free)
