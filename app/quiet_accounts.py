"""After how long a quiet account is worth an alert, as a metric: deploy/prometheus/alerts.yaml compares with it."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.settings.load import Settings
from app.wiring import Role, accounts_of


class QuietAccounts(Collector):
    """`accounts.<name>.quiet_after` of the accounts that this role serves; absent where it is not set."""

    def __init__(self, present: Callable[[], Settings], role: Role, registry: CollectorRegistry) -> None:
        self._present = present
        self._role: Role = role
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        settings = self._present()
        family = GaugeMetricFamily(
            "smsbus_account_quiet_after_seconds", "So long without an SMS is worth an alert", labels=["account"]
        )
        for name in sorted(accounts_of(settings, self._role)):
            if (seconds := settings.accounts[name].quiet_after) is not None:
                family.add_metric([name], seconds)
        yield family
