"""Which watches are open, by account and partition, and how many requests a second they want of their account."""

from collections import defaultdict
from collections.abc import Callable
from itertools import chain, islice
from typing import Final, NamedTuple

BY_AGE: Final = ((120_000, 0.45), (300_000, 0.22), (600_000, 0.14))
"""Up to an age in ms, an activation without an SMS wants so many requests/s: what the schedule's intervals come to."""
OLDER, WITH_SMS, RENT = 0.1, 0.033, 0.04  # likewise
KEPT_MS: Final = 2_000
MOST: Final = 2_000
"""Of an account with more open watches so many are weighed, and stand for all: 1 ms, whatever there is."""


class Open(NamedTuple):
    """What a watch's weight depends on."""

    is_rent: bool
    since_ms: int
    """When it began to wait for the SMS that it waits for."""
    rests: bool
    """It has had an SMS, and was not asked for the next one."""

    def weight(self, now_ms: int) -> float:
        """Return how many requests a second such a watch wants."""
        if self.is_rent:
            return RENT
        if self.rests:
            return WITH_SMS
        age_ms = now_ms - self.since_ms
        return next((rate for until_ms, rate in BY_AGE if age_ms < until_ms), OLDER)


class OpenWatches:
    """The open watches of all accounts. Sums are at most `KEPT_MS` old, and so cost nothing to ask for."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._places: dict[str, tuple[str, int]] = {}
        self._open: dict[str, dict[int, dict[str, Open]]] = defaultdict(lambda: defaultdict(dict))
        self._sums: dict[str, tuple[int, dict[int, float]]] = {}

    def put(self, watch_id: str, account: str, partition: int, watch: Open) -> None:
        """Take a watch that is open, or another state of it."""
        if self._places.get(watch_id) != (account, partition):
            self.drop(watch_id)
            self._places[watch_id] = (account, partition)
        self._open[account][partition][watch_id] = watch

    def drop(self, watch_id: str) -> None:
        """Forget a watch; safe for one that is not there."""
        if place := self._places.pop(watch_id, None):
            account, partition = place
            del self._open[account][partition][watch_id]

    def others(self, account: str, mine: frozenset[int]) -> float:
        """Return the weight of the account's open watches on partitions that are not `mine`."""
        return sum(weight for partition, weight in self._weights(account).items() if partition not in mine)

    def _weights(self, account: str) -> dict[int, float]:
        now_ms = self._now_ms()
        at_ms, sums = self._sums.get(account, (0, {}))
        if abs(now_ms - at_ms) >= KEPT_MS:
            sums = weights(self._open.get(account, {}), now_ms)
            self._sums[account] = (now_ms, sums)
        return sums


def weights(shards: dict[int, dict[str, Open]], now_ms: int) -> dict[int, float]:
    """Return the weight of each partition's watches; of more than `MOST` by their average."""
    if sum(map(len, shards.values())) <= MOST:
        return {number: sum(each.weight(now_ms) for each in shard.values()) for number, shard in shards.items()}
    each_a_part = MOST // len(shards) + 1
    weighed = list(chain.from_iterable(islice(shard.values(), each_a_part) for shard in shards.values()))
    average = sum(each.weight(now_ms) for each in weighed) / len(weighed)
    return {number: len(shard) * average for number, shard in shards.items()}
