"""Who publishes, what becomes of the brokers, and what is true of it all."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bus.kafka.topics_reader import Part
from inbox.cursor import Cursor, Place
from inbox.item import Item
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED
from tests.inbox_records import PARTS
from tests.simulation.inbox.scenarios import InboxPlan
from tests.simulation.inbox.topics import Topics, Weather, Written
from tests.simulation.loop import Loop

FRESHNESS: Final = ("live", "live", "live", "recovered", "history", "replayed")
ENOUGH: Final = 15
"""Records of a partition before its topic may be made anew: until its ends have passed that again, it is noticed."""

LATE_MS: Final = (0, 10, 300, 300, 2_000, 200_000)
"""How long after its moment an event comes to Kafka. The last was in a journal."""

RECENT: Final = 300.0
"""Seconds in which an event may be published again: what keeps all has not forgotten it by then."""


class Number(NamedTuple):
    """A number, and the partition of its SMS."""

    digits: str
    part: Part


@dataclass
class Watch:
    """An activation."""

    id: str
    number: Number
    count: int = 0
    has_ended: bool = False

    @property
    def part(self) -> Part:
        return self.number.part


class Town:
    """Publishes, and breaks what the inboxes read from."""

    def __init__(self, plan: InboxPlan, loop: Loop, rng: random.Random, *, keeps_all: bool, changes: bool) -> None:
        self.plan = plan
        self.loop = loop
        self.rng = rng
        self.topics = Topics()
        self.weather = Weather(rng, polls=plan.polls)
        self.keeps_all = keeps_all
        """The inboxes forget by age alone, and all of them at the same."""
        self.changes = changes
        """Topics are made anew, and clusters replaced."""
        self.topics_of_all = tuple(sorted({part.topic for part in PARTS}))
        self.numbers = [Number(f"1647000{n:04}", Part(RECEIVED, n % 6)) for n in range(12)]
        self.watches = [Watch(f"w{n}", self.numbers[n]) for n in range(8)]
        self._calm_since = self._changed_at = loop.time()
        self._ids: dict[Part, list[tuple[float, str]]] = {part: [] for part in PARTS}
        self._serial = 0

    def now_ms(self) -> int:
        """Return the wall clock, in milliseconds."""
        return self.loop.wall_ms()

    def calm_for(self) -> float:
        """For how long nothing has been wrong, seconds."""
        return self.loop.time() - self._calm_since if self._is_calm() else 0.0

    @property
    def kept(self) -> float:
        """For how long those keep everything that forget by age alone, seconds."""
        return self.plan.wide["hours"] * 3600

    def making(self) -> tuple[str, int]:
        """Return which making of the topics this is, and of which cluster: no place of another one counts."""
        return self.topics.cluster, sum(self.topics.makings.values())

    def may_be_gone(self, cursor: Cursor) -> bool:
        """Whether an inbox may say that: it forgets by number, or knew another making lately, or something is old."""
        just_changed = self.loop.time() < self._changed_at + 60
        return not self.keeps_all or just_changed or any(self._is_old(*each) for each in cursor.places.items())

    def _is_old(self, part: Part, place: Place) -> bool:
        """Whether something that follows this place may be forgotten, as far as age says."""
        log, old_ms = self.topics.logs[part], self.now_ms() - int((self.kept - 1) * 1000)
        until = log.since(self.loop.time() - self.kept + LATE_MS[-1] / 1000 + 1)
        following = log.written[place.offset : until]
        return place.offset < log.begin or any(each.record.timestamp_ms < old_ms for each in following)

    def has(self, watch: Watch, sequence: int) -> bool:
        """Whether an SMS of this activation is published, with at least this sequence, that nobody has forgotten."""
        log, young_ms = self.topics.logs[watch.part], self.now_ms() - int((self.kept - 60) * 1000)
        return any(
            each.event is not None
            and each.event.get("watch_id") == watch.id
            and each.event["sequence"] >= sequence
            and each.record.timestamp_ms > young_ms
            for each in log.written[max(log.begin, log.since(self.loop.time() - self.kept)) :]
        )

    def firsts(self, part: Part, begin: int, end: int) -> Iterator[tuple[dict[str, Any], Written]]:
        """Yield the events in between that are no repeats of earlier ones."""
        for each in self.topics.logs[part].written[begin:end]:
            if each.event is not None and not each.is_repeat:
                yield each.event, each

    def no_repeats(self, items: list[Item]) -> list[Item]:
        """Return what was just got without repeats whose first an inbox may have forgotten."""
        until = self.loop.time() - (self.kept - LATE_MS[-1] / 1000 - RECENT - 10 if self.keeps_all else 0)

        def is_excused(item: Item) -> bool:
            written = self.topics.logs[item.part].written[item.offset : item.offset + 1]  # none: it was made anew
            return any(each.is_repeat and each.at < until for each in written)

        return [item for item in items if not is_excused(item)]

    # ---- publishing ----------------------------------------------------------------------------------------------

    async def publish(self) -> None:
        """Publish without end, a few records a second."""
        while True:
            await asyncio.sleep(self.rng.expovariate(1 / self.plan.pause))
            if self.topics.away:
                continue
            for _ in range(self.rng.choice([1, 1, 1, 1, 8])):
                self._publish_one()

    def _publish_one(self) -> None:
        what = self.rng.random()
        if what < 0.06:
            self._write(self.rng.choice(PARTS), None)
        elif what < 0.2:
            topic = self.rng.choice([REJECTED, WATCH_ENDED])
            self._write_event(Part(topic, self.rng.randrange(6)), {})
        elif what < 0.45:
            self._publish_of_watch(self.rng.choice(self.watches))
        else:
            number = self.rng.choice(self.numbers)
            self._write_event(number.part, {"recipient": number.digits})

    def _publish_of_watch(self, watch: Watch) -> None:
        if watch.has_ended or self.rng.random() < 0.1:
            watch.has_ended = not watch.has_ended
            return
        more = {
            "recipient": watch.number.digits,
            "watch_id": watch.id,
            "sequence": watch.count,
            "freshness": "recovered",
        }
        self._write_event(watch.part, more, repeats=False)
        watch.count += 1

    def _write_event(self, part: Part, more: dict[str, Any], *, repeats: bool = True) -> None:
        self._serial += 1
        lately = [each for at, each in self._ids[part][-20:] if at > self.loop.time() - RECENT]
        is_repeat = repeats and bool(lately) and self.rng.random() < 0.1
        event_id = self.rng.choice(lately) if is_repeat else f"e{self._serial}"
        if not is_repeat:
            self._ids[part].append((self.loop.time(), event_id))
        event = {
            "id": event_id,
            "provider": "p",
            "account": "a",
            "recipient": None,
            "freshness": self.rng.choice(FRESHNESS),
        }
        self._write(part, event | more, is_repeat=is_repeat)

    def _write(self, part: Part, event: dict[str, Any] | None, *, is_repeat: bool = False) -> None:
        late_ms = self.rng.choice(LATE_MS)
        self.topics.write(part, event, self.now_ms() - late_ms, self.loop.time(), is_repeat=is_repeat)

    # ---- breaking ------------------------------------------------------------------------------------------------

    async def trouble(self) -> None:
        """Let calm and trouble follow each other without end."""
        while True:
            self._calm_since = self.loop.time()
            await asyncio.sleep(self.rng.uniform(*self.plan.calm))
            await self.rng.choice([self._storm, self._outage, self._unreadable, self._slow, self._anew, self._delete])()
            self.weather.fails = self.weather.hangs = self.weather.slow = 0.0
            self.weather.at_once = 1_000
            self.topics.away = self.topics.unreadable = False

    def _is_calm(self) -> bool:
        weather, topics = self.weather, self.topics
        return not (weather.fails or weather.hangs or weather.slow or topics.away or topics.unreadable)

    async def _storm(self) -> None:
        self.weather.fails, self.weather.hangs, self.weather.slow = 0.1, 0.03, self.rng.choice([0.1, 1.0, 4.0])
        await asyncio.sleep(self.rng.uniform(5, 300))

    async def _outage(self) -> None:
        self.topics.away = True
        await asyncio.sleep(self.rng.choice([1, 4, 7, 15, 25, 60, 300]))

    async def _unreadable(self) -> None:
        self.topics.unreadable = True
        await asyncio.sleep(self.rng.choice([2, 15, 60]))

    async def _slow(self) -> None:
        self.weather.at_once, self.weather.slow = 1, 1.5
        await asyncio.sleep(self.rng.uniform(20, 120))

    async def _anew(self) -> None:
        topic = self.rng.choice(self.topics_of_all)
        if not self.changes or max(self.topics.ends()[part] for part in PARTS if part.topic == topic) < ENOUGH:
            return
        self.weather.slow = 0.1
        if self.rng.random() < 0.5:
            self.topics.away = True
            await asyncio.sleep(self.rng.choice([1, 4, 7, 60]))
            self.topics.be_another()
            self._forget(self.topics_of_all)
        else:
            self.topics.make_anew(topic)
            self._forget((topic,))
        self.topics.away = False
        await asyncio.sleep(self.rng.uniform(0, 30))

    def _forget(self, topics: tuple[str, ...]) -> None:
        self._changed_at = self.loop.time()
        for part in PARTS:
            if part.topic in topics:
                self._ids[part] = []

    async def _delete(self) -> None:
        """Retention deletes what was read long ago; after a long outage perhaps all."""
        if not self.keeps_all:
            self.topics.away = True
            await asyncio.sleep(60)
            self.topics.delete(self.loop.time() - self.rng.choice([0, 30]))
        self.topics.delete(self.loop.time() - 1.25 * self.kept)
