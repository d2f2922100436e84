"""A URL outside that is told something: one request at a time, within ten seconds, and nothing else depends on it."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import SecretStr
from yarl import URL

from providers.http_client import FetchFailed, Requester

TOTAL_SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024  # of a response, which nobody reads

_log = structlog.get_logger("notify")


class Channel:
    """Sends requests to a URL, which is secret; counts them, and logs the first failure of several in a row."""

    def __init__(self, kind: Literal["notify", "heartbeat"], url: SecretStr, client: Requester) -> None:
        """`kind`: the section of the settings that has the URL."""
        self._kind = kind
        self._url = URL(url.get_secret_value())
        self._client = client
        self.results = {"sent": 0, "failed": 0}
        self._is_failing = False

    async def send(self, method: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> bool:
        """Send one request, and return whether the service took it. Raises nothing, and repeats nothing."""
        try:
            status = (await self._client.request(method, self._url, headers=headers, body=body)).status
            problem = None if 200 <= status < 300 else f"http_{status}"
        except FetchFailed as failed:
            problem = failed.code
        self.results["failed" if problem else "sent"] += 1
        if problem and not self._is_failing:
            hint = "nothing else is affected; is the URL right, and can it be reached from here?"
            _log.warning("notify_failed", setting=f"{self._kind}.url", reason=problem, hint=hint)
        self._is_failing = problem is not None
        return not problem


class ChannelMetrics(Collector):
    """The results of both kinds of channels."""

    def __init__(self, notify: Channel | None, heartbeat: Channel | None, registry: CollectorRegistry) -> None:
        self._notify = notify
        self._heartbeat = heartbeat
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        notifications = CounterMetricFamily("smsbus_notifications", "Requests to notify.url", labels=["result"])
        heartbeats = CounterMetricFamily("smsbus_heartbeats", "Requests to heartbeat.url", labels=["result"])
        for channel, family in ((self._notify, notifications), (self._heartbeat, heartbeats)):
            for result, count in channel.results.items() if channel else ():
                family.add_metric([result], count)
        yield from (notifications, heartbeats)
