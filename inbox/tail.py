"""The newest events of the topics in memory, bounded, by partition; and who waits for the next ones. Pure."""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part, Positions
from inbox.cursor import Place, mark_of
from inbox.filters import Filter
from inbox.item import Item
from inbox.settings import MIB, InboxSettings

HOUR_MS: Final = 3_600_000


class MadeAnew(Exception):
    """A topic has records at offsets where others were: forget everything and read it again."""


class Gone(Exception):
    """What follows a place is not in the inbox any more, or never was at these brokers."""


class Subscription(NamedTuple):
    """Who is told of each new event that matches."""

    wanted: Filter
    take: Callable[[Item], None]


class _Kept(NamedTuple):
    """One partition. `begin`: the first offset that can be read here, `end`: that of its next record."""

    items: list[Item]
    begin: int
    end: int


class Tail:
    """What was published lately. `reset`, then `add` each record in the order of its partition."""

    def __init__(self, settings: InboxSettings) -> None:
        self.bytes = 0
        self.resets = 0
        """How often it was reset: no place from before means anything since."""
        self._settings = settings
        self._kept: dict[Part, _Kept] = {}
        self._by_id: dict[str, Item] = {}
        self._named: dict[str, list[Item]] = {}  # by number and by watch, in the order in which they came
        # By the one field that a wait names, so that an event asks few of a thousand.
        self._subscribed: dict[str | None, list[Subscription]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def subscribers(self) -> int:
        """How many are told of new events."""
        return sum(map(len, self._subscribed.values()))

    @property
    def ends(self) -> Positions:
        """The offset of each partition's next record."""
        return {part: kept.end for part, kept in self._kept.items()}

    def reset(self, begins: Positions) -> None:
        """Forget everything, and expect these offsets next."""
        self.bytes, self._by_id, self._named, self.resets = 0, {}, {}, self.resets + 1
        self._kept = {part: _Kept([], offset, offset) for part, offset in begins.items()}

    # ---- taking ------------------------------------------------------------------------------------------------

    def add(self, part: Part, record: ReadRecord) -> None:
        """Take the next record of a partition. Raises `MadeAnew` if its place was passed already."""
        kept = self._kept[part]
        if record.offset < kept.end:
            raise MadeAnew(part)
        if record.offset > kept.end:  # Kafka has deleted what was in between: nobody can go on from before it
            self._drop(part, len(kept.items))
            kept = self._kept[part]._replace(begin=record.offset)
        self._kept[part] = kept._replace(end=record.offset + 1)
        item = Item.of(part, record)
        if item is not None and item.id not in self._by_id:  # a repeat is no news
            self._keep(item)

    def expire(self, now_ms: int) -> None:
        """Drop the oldest events until every limit is kept."""
        oldest_ms = now_ms - int(self._settings.hours * HOUR_MS)
        while (part := self._oldest()) is not None and self._is_too_much(part, oldest_ms):
            self._drop(part, 1)

    def _keep(self, item: Item) -> None:
        self._by_id[item.id] = item
        self._kept[item.part].items.append(item)
        self.bytes += item.size
        names = _names(item)
        for name in names:
            self._named.setdefault(name, []).append(item)
        for key in (*names, None):
            for subscription in self._subscribed.get(key, ()):
                if subscription.wanted.matches(item):
                    subscription.take(item)

    def _oldest(self) -> Part | None:
        heads = ((kept.items[0].time_ms, part) for part, kept in self._kept.items() if kept.items)
        return min(heads, default=(0, None))[1]

    def _is_too_much(self, part: Part, oldest_ms: int) -> bool:
        limits = self._settings
        return (
            len(self) > limits.events
            or self.bytes > limits.megabytes * MIB
            or self._kept[part].items[0].time_ms < oldest_ms
        )

    def _drop(self, part: Part, count: int) -> None:
        kept = self._kept[part]
        for item in kept.items[:count]:
            del self._by_id[item.id]
            self._forget_names(item)
            self.bytes -= item.size
            kept = kept._replace(begin=item.offset + 1)
        del kept.items[:count]
        self._kept[part] = kept

    def _forget_names(self, item: Item) -> None:
        for key in _names(item):
            self._named[key].remove(item)
            if not self._named[key]:
                del self._named[key]

    # ---- asking ------------------------------------------------------------------------------------------------

    def get(self, event_id: str) -> Item | None:
        """Return an event; None: it is not here."""
        return self._by_id.get(event_id)

    @contextmanager
    def subscribed(self, wanted: Filter, take: Callable[[Item], None]) -> Iterator[None]:
        """Call `take` with each event that matches and is added from now on; it must not wait, or (un)subscribe."""
        key = wanted.recipient or wanted.watch_id
        subscription, among = Subscription(wanted, take), self._subscribed.setdefault(key, [])
        among.append(subscription)
        try:
            yield
        finally:
            among.remove(subscription)
            if not among and self._subscribed.get(key) is among:
                del self._subscribed[key]

    def place(self, part: Part, offset: int) -> Place:
        """Return the place at this offset, with the mark of the record before it if that is here."""
        before = self._at(part, offset - 1)
        return Place(offset, mark_of(before.id) if before else 0)

    def check(self, places: Mapping[Part, Place]) -> None:
        """Raise `Gone` unless reading can go on from there; a place that is not reached yet is right."""
        for part, (offset, mark) in places.items():
            before = self._at(part, offset - 1)
            if offset < self._kept[part].begin or (mark and before is not None and mark_of(before.id) != mark):
                raise Gone(part)

    def begins(self, since_ms: int = 0) -> dict[Part, Place]:
        """Return the place of each partition's first event that is here and not older."""
        return {part: self.place(part, _first(kept, since_ms)) for part, kept in self._kept.items()}

    def items(self, wanted: Filter, places: Mapping[Part, Place]) -> Iterator[Item]:
        """Yield what is here from these places on and has the filter's topics: by time, partitions in their order.

        If it names a number or a watch: its events alone. What is added or dropped meanwhile changes nothing.
        """
        parts = (
            items[bisect_left(items, places[part].offset, key=_offset) :]
            for part, items in self._among(wanted).items()
            if part.topic in wanted.topics
        )
        return heapq.merge(*parts, key=_order)

    def _among(self, wanted: Filter) -> dict[Part, list[Item]]:
        if (key := wanted.recipient or wanted.watch_id) is None:
            return {part: kept.items for part, kept in self._kept.items()}
        found: dict[Part, list[Item]] = {}
        for item in self._named.get(key, ()):
            found.setdefault(item.part, []).append(item)
        return found

    def _at(self, part: Part, offset: int) -> Item | None:
        items = self._kept[part].items
        index = bisect_left(items, offset, key=_offset)
        return items[index] if index < len(items) and items[index].offset == offset else None


def _first(kept: _Kept, since_ms: int) -> int:
    return next((item.offset for item in kept.items if item.time_ms >= since_ms), kept.end)


def _names(item: Item) -> list[str]:
    return [name for name in dict.fromkeys((item.recipient, item.watch_id)) if name is not None]


def _offset(item: Item) -> int:
    return item.offset


def _order(item: Item) -> tuple[int, Part, int]:
    return item.time_ms, item.part, item.offset
