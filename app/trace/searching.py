"""Finding what is traced in the topics, newest first, within a limited time.

Kafka finds a time by binary search, and nothing else. So the last two hours are read, then the last twelve, then more,
until there is enough; each round reads a few times as much as the one before, so reading what is newer again is cheap.
"""

import time
from collections.abc import Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.progress import Progress
from app.trace.target import Target
from bus.kafka import reader
from bus.kafka.group_progress import GroupProgress
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from bus.settings import KafkaSettings
from inbox.item import Item
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

HOUR_MS: Final = 3_600_000
SPANS_MS: Final = (2 * HOUR_MS, 12 * HOUR_MS, 72 * HOUR_MS)
"""Then everything that Kafka has."""
TOPICS: Final = (RECEIVED, REJECTED, WATCH_ENDED)


class Place(NamedTuple):
    """One record of an event."""

    partition: int
    offset: int
    timestamp_ms: int
    via: str
    instance: str

    @classmethod
    def of(cls, record: ReadRecord) -> "Place":
        """Return a record's place; what its headers do not say is empty."""
        via, instance = (record.headers.get(f"smsbus_{name}", b"") or b"" for name in ("via", "instance"))
        return cls(record.partition, record.offset, record.timestamp_ms, _text(via), _text(instance))


@dataclass
class Event:
    """One event with all of its records, the first one first; the others are repeats."""

    item: Item
    places: list[Place] = field(default_factory=list)
    forwards: dict[str, bool] | None = None
    """For each target whether it has passed it; None: not known."""


@dataclass
class Round:
    """What was found since a moment; None: in everything that Kafka has."""

    since_ms: int | None
    events: dict[tuple[str, str], Event] = field(default_factory=dict)
    """By topic and id, in the order of each topic."""
    whole: bool = False
    """Whether all of it was read: time did not run out."""

    def of(self, topic: str) -> list[Event]:
        """Return the events of a topic."""
        return [event for (name, _), event in self.events.items() if name == topic]

    def add(self, topic: str, item: Item, record: ReadRecord) -> None:
        """Add a record."""
        self.events.setdefault((topic, item.id), Event(item)).places.append(Place.of(record))


class Search:
    """One search. `seconds`: when it gives up reading further.

    `best` is what was found so far: by the last round that was read whole, before that by the one that is being read.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        target: Target,
        progress: Progress,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kafka = kafka
        self._target = target
        self._progress = progress
        self._clock = clock
        self._deadline = clock() + seconds
        self.best = Round(None)

    async def since(self, since_ms: int | None) -> Round:
        """Return what came since then. Raises `TopicsError` and `KafkaAway`."""
        found = Round(since_ms)
        if not self.best.whole:
            self.best = found
        start = reader.BEGINNING if since_ms is None else reader.since(since_ms)
        for topic in TOPICS:
            records = reader.read(self._kafka, topic, start=start, follow=False, only=self._target.partitions(topic))
            async with aclosing(records):
                async for record in records:
                    if self._clock() > self._deadline:
                        return found
                    self._progress.read(record)
                    self._take(found, topic, record)
        found.whole = True
        self.best = found
        return found

    async def note_forwards(self, found: Round) -> None:
        """Ask Kafka which targets have passed each event: the offsets that their groups have committed."""
        progress = GroupProgress(self._kafka)
        for (topic, _), event in found.events.items():
            first = event.places[0]
            event.forwards = await progress.passed(Part(topic, first.partition), first.offset)
            if event.forwards is None:  # nobody can say now, and each further question would take seconds
                return

    async def newest(self, now_ms: int, enough: int) -> Round:
        """Return so many SMS of a number, or the event of an id; if time runs out, what was found until then."""
        for since_ms in (*(now_ms - span_ms for span_ms in SPANS_MS), None):
            found = await self.since(since_ms)
            if not found.whole or self._suffices(found, enough):
                break
        return self.best

    def _take(self, found: Round, topic: str, record: ReadRecord) -> None:
        if topic == RECEIVED:
            is_wanted = self._target.is_sms(record)
        else:
            is_wanted = topic == WATCH_ENDED or self._target.is_letter(record)
        item = Item.of(Part(topic, record.partition), record) if is_wanted else None
        if item is not None and (topic != WATCH_ENDED or self._target.is_end(item, _watches(found))):
            found.add(topic, item, record)

    def _suffices(self, found: Round, enough: int) -> bool:
        """Tell whether it is pointless to read further back: of an id repeats may be up to an hour older."""
        if self._target.number:
            return len(found.of(RECEIVED)) >= enough
        times = [place.timestamp_ms for event in found.events.values() for place in event.places]
        return bool(times) and min(times) - (found.since_ms or 0) >= HOUR_MS


def _watches(found: Round) -> Collection[str]:
    return {event.item.watch_id for event in found.of(RECEIVED) if event.item.watch_id}


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
