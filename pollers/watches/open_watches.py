"""The open watches by account and partition, and their demand in requests per second."""

from collections import defaultdict
from collections.abc import Callable
from itertools import chain, islice
from typing import Final, NamedTuple

BY_AGE: Final = ((120_000, 0.45), (300_000, 0.22), (600_000, 0.14))
"""The demand in requests/s of an activation without an SMS up to an age in ms, according to the poll intervals."""
OLDER, WITH_SMS, RENT = 0.1, 0.033, 0.04  # requests/s: older activations, those with an SMS, and rents
CACHED_MS: Final = 2_000
MOST: Final = 2_000
"""For accounts with more open watches, a sample of this size is used: it takes 1 ms."""


class Open(NamedTuple):
    """What the demand of a watch depends on."""

    is_rent: bool
    since_ms: int
    """Since when it waits for its next SMS."""
    rests: bool
    """It has had an SMS, and the next one was not requested."""

    def weight(self, now_ms: int) -> float:
        """Return the demand of such a watch in requests per second."""
        if self.is_rent:
            return RENT
        if self.rests:
            return WITH_SMS
        age_ms = now_ms - self.since_ms
        return next((rate for until_ms, rate in BY_AGE if age_ms < until_ms), OLDER)


class OpenWatches:
    """The open watches of all accounts. Sums are cached for `CACHED_MS`."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._places: dict[str, tuple[str, int]] = {}
        self._open: dict[str, dict[int, dict[str, Open]]] = defaultdict(lambda: defaultdict(dict))
        self._sums: dict[str, tuple[int, dict[int, float]]] = {}

    def put(self, watch_id: str, account: str, partition: int, watch: Open) -> None:
        """Add or update an open watch."""
        if self._places.get(watch_id) != (account, partition):
            self.drop(watch_id)
            self._places[watch_id] = (account, partition)
        self._open[account][partition][watch_id] = watch

    def drop(self, watch_id: str) -> None:
        """Remove a watch, if it is there."""
        if place := self._places.pop(watch_id, None):
            account, partition = place
            del self._open[account][partition][watch_id]

    def others(self, account: str, mine: frozenset[int]) -> float:
        """Return the demand of the account's open watches on partitions that are not `mine`."""
        return sum(weight for partition, weight in self._weights(account).items() if partition not in mine)

    def _weights(self, account: str) -> dict[int, float]:
        now_ms = self._now_ms()
        at_ms, sums = self._sums.get(account, (0, {}))
        if abs(now_ms - at_ms) >= CACHED_MS:
            sums = weights(self._open.get(account, {}), now_ms)
            self._sums[account] = (now_ms, sums)
        return sums


def weights(shards: dict[int, dict[str, Open]], now_ms: int) -> dict[int, float]:
    """Return the demand of each partition's watches; with more than `MOST`, from the average of a sample."""
    if sum(map(len, shards.values())) <= MOST:
        return {number: sum(each.weight(now_ms) for each in shard.values()) for number, shard in shards.items()}
    each_a_part = MOST // len(shards) + 1
    weighed = list(chain.from_iterable(islice(shard.values(), each_a_part) for shard in shards.values()))
    average = sum(each.weight(now_ms) for each in weighed) / len(weighed)
    return {number: len(shard) * average for number, shard in shards.items()}
