"""What the callback server has at the moment, read when scraped: nothing is counted for it on the hot path."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.server import CallbackServer


class ServerMetrics(Collector):
    """Connections, requests in flight, and what each account has sent."""

    def __init__(self, server: CallbackServer, registry: CollectorRegistry) -> None:
        self._server = server
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        server = self._server
        yield GaugeMetricFamily("smsbus_connections", "Open connections of the receiver", server.open_connections)
        yield GaugeMetricFamily(
            "smsbus_callbacks_in_flight", "Requests being read or waiting to become durable", server.intake.in_flight
        )
        yield self._bytes()
        yield self._last()

    def _bytes(self) -> Metric:
        family = CounterMetricFamily(
            "smsbus_callback_bytes", "Bytes of the callbacks that were parsed, decompressed", labels=["account"]
        )
        for name, allowance in self._server.intake.allowances.items():
            family.add_metric([name], allowance.parsed_bytes)
        return family

    def _last(self) -> Metric:
        family = GaugeMetricFamily(
            "smsbus_callback_last_timestamp_seconds", "When the newest callback came", labels=["account"]
        )
        for account, last_ms in self._server.last_callbacks_ms().items():
            family.add_metric([account], last_ms / 1000)
        return family
