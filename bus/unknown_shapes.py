"""Tell that a provider changed its protocol: count what has an unknown shape, and publish one sample of each a day."""

import json
from asyncio import Future
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from bus.contract import Bus, Receipt
from schemas.dead_letter import rejected
from schemas.fields import PROVIDERS
from schemas.timestamps import to_text

STAGE: Final = "shape"
REASON: Final = "unknown_shape"
MOST: Final = 50  # samples of one account in a day: whoever knows a callback URL can send any number of shapes
MOST_OF_PROVIDER: Final = 500  # in a day, whatever the number of its accounts
DAY_MS: Final = 24 * 3600 * 1000

Sample = Mapping[str, object]


class UnknownShapes(Collector):
    """What this process saw. A sample has names, types and unknown tokens, and no value of any message.

    The same sample of the same day has the same id, whichever process publishes it.
    """

    def __init__(self, bus: Bus, registry: CollectorRegistry, *, now_ms: Callable[[], int]) -> None:
        self._bus = bus
        self._now_ms = now_ms
        self._counts = dict.fromkeys(PROVIDERS, 0)
        self._day = 0
        self._seen: dict[str, set[Hashable]] = {}  # by provider: a shape of several accounts is one sample
        self._taken = Counter[tuple[str, str]]()  # of them by provider and account
        registry.register(self)

    def saw(
        self, provider: str, account: str, received_via: str, shape: Hashable, sample: Callable[[], Sample]
    ) -> None:
        """Count it, and publish its sample if it is the first of this `shape` today. Waits for nothing.

        A sample that cannot be made durable is lost, and the day's next one of its shape is not taken: that Kafka and
        the disk are away is the greater problem.
        """
        self._counts[provider] = self._counts.get(provider, 0) + 1
        now_ms = self._now_ms()
        if now_ms // DAY_MS != self._day:
            self._day, self._seen = now_ms // DAY_MS, {}
            self._taken.clear()
        seen = self._seen.setdefault(provider, set())
        if shape not in seen and self._taken[provider, account] < MOST and len(seen) < MOST_OF_PROVIDER:
            seen.add(shape)
            self._taken[provider, account] += 1
            self._publish(provider, account, received_via, sample(), now_ms)

    def _publish(self, provider: str, account: str, received_via: str, sample: Sample, now_ms: int) -> None:
        letter = rejected(
            json.dumps({"day": to_text(now_ms)[:10], **sample}).encode(),
            provider=provider,
            account=account,
            received_via=received_via,
            stage=STAGE,
            reason=REASON,
            facts={},
            observed_ms=now_ms,
        )
        self._bus.submit(letter).add_done_callback(_forget)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        family = CounterMetricFamily(
            "smsbus_unknown_shapes", "Answers and callbacks of a shape that nobody knew", labels=["provider"]
        )
        for provider, count in self._counts.items():
            family.add_metric([provider], count)
        yield family


def _forget(future: Future[Receipt]) -> None:
    """Take the result, whatever it is, so that asyncio does not complain of an error that nobody took."""
    if not future.cancelled():
        future.exception()
