"""Two replicas of the inbox with different memories, and a client that pages through them with its cursor.

Whatever is published, read, forgotten or lost in any order: each event that matches comes once and in the order of its
partition, or the cursor is answered with `Gone`; nothing is skipped silently. A replica that has forgotten the first
of two records with one id may return the second: at least once, under its id.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part, Positions
from inbox import asking
from inbox.asking import Inbox, Page
from inbox.cursor import Cursor, Place
from inbox.filters import Filter
from inbox.settings import InboxSettings
from inbox.tail import Gone, Tail
from schemas.topics import RECEIVED, REJECTED
from tests.inbox_records import NOW_MS, PARTS

USED: Final = (Part(RECEIVED, 0), Part(RECEIVED, 1), Part(REJECTED, 0))
WANTED: Final = (
    Filter(), Filter(recipient="1"), Filter(topics=(RECEIVED, REJECTED)), Filter(topics=(REJECTED,), has_code=True)
)  # fmt: skip


class Loop:
    """The loop of these tests, which wait for nothing but their turn."""

    runner: asyncio.Runner


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    with asyncio.Runner() as Loop.runner:
        yield


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return Loop.runner.run(work)


class Written(NamedTuple):
    record: ReadRecord
    event: dict[str, Any] | None
    is_repeat: bool


@dataclass
class Brokers:
    """What an inbox asks of `Following`."""

    tail: Tail
    world: "World"
    settings: InboxSettings
    cluster: int = 0
    is_blind: bool = False

    async def ends(self) -> Positions:
        return self.world.ends()


@dataclass
class Reading:
    """What the client has since it took a cursor that was no answer to a page."""

    wanted: Filter
    cursor: str
    begins: dict[Part, int]
    found: dict[Part, list[int]] = field(default_factory=lambda: {part: [] for part in PARTS})


class World:
    def __init__(self) -> None:
        self.logs: dict[Part, list[Written]] = {part: [] for part in PARTS}
        self.cluster = 0
        self.now_ms = NOW_MS
        self.replicas = [self._replica(events) for events in (4, 1_000)]
        self.reading: Reading | None = None
        self.has_forgotten = False
        self.gone = self.pages = 0

    def _replica(self, events: int) -> Inbox:
        limits = InboxSettings(events=events, hours=1)
        tail = Tail(limits)
        tail.reset(dict.fromkeys(PARTS, 0))
        return Inbox(Brokers(tail, self, limits), now_ms=lambda: self.now_ms)  # type: ignore[arg-type]

    def ends(self) -> Positions:
        return {part: len(log) for part, log in self.logs.items()}

    def tail(self, number: int) -> Tail:
        return self.replicas[number % 2].following.tail

    # ---- what happens ----------------------------------------------------------------------------------------------

    def publish(self, number: int) -> None:
        """Times go backwards, ids come again, some match and some are junk."""
        part, back_ms = USED[number % 3], (0, 1, 60_000, 3_000_000)[number // 3 % 4]
        kind = number // 12 % 4
        log = self.logs[part]
        ids = [each.event["id"] for each in log if each.event is not None]
        is_repeat = kind == 3 and bool(ids)
        event_id = ids[number % len(ids)] if is_repeat else f"{self.cluster} {part.topic} {part.partition} {len(log)}"
        event = {"id": event_id, "provider": "p", "account": "a", "recipient": "1" if number % 2 else "2"}
        event |= {"code": "4711"} if number % 5 else {}
        value = b"junk" if kind == 2 else json.dumps(event).encode()
        record = ReadRecord(part.partition, len(log), self.now_ms - back_ms, None, value, {})
        log.append(Written(record, None if kind == 2 else event, is_repeat))
        self.now_ms += 1

    def read(self, number: int) -> None:
        """A replica reads on in one partition."""
        tail, part = self.tail(number), USED[number // 2 % 3]
        if self.replicas[number % 2].following.cluster != self.cluster:
            self._begin(number, dict.fromkeys(PARTS, 0))
        for each in self.logs[part][tail.ends[part] :][: 1 + number // 6]:
            tail.add(part, each.record)
        tail.expire(self.now_ms)
        self.has_forgotten |= number % 2 == 0

    def lose(self, number: int) -> None:
        """Kafka deletes what a replica has not read."""
        tail, part = self.tail(number), USED[number // 2 % 3]
        unread = self.logs[part][tail.ends[part] :]
        if len(unread) > 1 and self.replicas[number % 2].following.cluster == self.cluster:
            tail.add(part, unread[-1].record)
            self.has_forgotten = True

    def expire(self, number: int) -> None:
        self.now_ms += 600_000 * (number % 9)
        for replica in self.replicas:
            replica.following.tail.expire(self.now_ms)
        self.has_forgotten = True

    def restart(self, number: int) -> None:
        """A replica begins anywhere."""
        ends = self.ends()
        self._begin(number, {part: max(0, end - number % 4) for part, end in ends.items()})
        self.has_forgotten = True

    def _begin(self, number: int, begins: Positions) -> None:
        self.replicas[number % 2].following.cluster = self.cluster
        self.tail(number).reset(begins)

    def be_another(self, number: int) -> None:
        """Another cluster answers; each replica notices when it reads on."""
        self.cluster += 1
        self.logs = {part: [] for part in PARTS}
        self.has_forgotten = True

    # ---- the client ------------------------------------------------------------------------------------------------

    def start(self, number: int) -> None:
        self.check()
        inbox, wanted = self.replicas[number % 2], WANTED[number // 2 % 4]
        cursor = (
            inbox.since(wanted, 0), inbox.here(wanted), run(inbox.newest(wanted, 2)).cursor,
            inbox.since(wanted, self.now_ms - 60_000),
        )[number // 8 % 4]  # fmt: skip
        self.reading = Reading(wanted, cursor.text(), {part: place.offset for part, place in cursor.places.items()})

    def page(self, number: int) -> None:
        reading, inbox = self.reading, self.replicas[number % 2]
        if reading is None:
            return
        cursor = Cursor.of(reading.cursor, reading.wanted.topics)
        try:
            run(inbox.check(cursor, reading.wanted))
        except Gone:
            assert self.has_forgotten, "nothing was forgotten, and it is gone"
            self.check()
            self.reading = None
            self.gone += 1
            return
        assert cursor.cluster == inbox.following.cluster, "another cluster's"
        page: Page = run(inbox.after(reading.wanted, cursor, 1 + number // 2 % 4))
        reading.cursor = page.cursor.text()
        for item in page.items:
            assert reading.wanted.matches(item)
            reading.found[item.part].append(item.offset)
        self.pages += 1
        self.check()

    def has_all(self) -> bool:
        """Whether the client's cursor is at the end of everything."""
        assert self.reading is not None
        cursor = Cursor.of(self.reading.cursor, self.reading.wanted.topics)
        return all(place.offset == len(self.logs[part]) for part, place in cursor.places.items())

    def check(self) -> None:
        if self.reading is None or Cursor.of(self.reading.cursor, self.reading.wanted.topics).cluster != self.cluster:
            return
        places = Cursor.of(self.reading.cursor, self.reading.wanted.topics).places
        for part, place in places.items():
            found, begin, log = self.reading.found[part], self.reading.begins[part], self.logs[part]
            assert found == sorted(set(found)), "once, and in order"
            assert all(begin <= offset < place.offset for offset in found), "where the cursor says"
            owed = [n for n in range(begin, place.offset) if self._is_owed(log[n], n)]
            assert [n for n in found if not log[n].is_repeat] == owed, "nothing is skipped"

    def _is_owed(self, each: Written, offset: int) -> bool:
        event, wanted = each.event, self.reading.wanted  # type: ignore[union-attr]
        if event is None or each.is_repeat:
            return False
        return wanted.recipient in {None, event["recipient"]} and wanted.has_code in {None, "code" in event}


OFTEN = ("publish", "read", "page") * 4 + ("start", "start")
NAMES = (*OFTEN, "lose", "expire", "restart", "be_another")
COMMANDS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 47)), min_size=25, max_size=70)
QUIET_COMMANDS = st.lists(st.tuples(st.sampled_from(OFTEN), st.integers(0, 47)), min_size=25, max_size=70)
MORE: Any = settings(max_examples=150, deadline=None)
# The rarest break needs 145 examples on average: of so many, some find it.
QUICKLY: Any = settings(max_examples=3_000, deadline=None, database=None, phases=[Phase.generate])


def play(commands: list[tuple[str, int]]) -> World:
    world = World()
    for name, number in commands:
        getattr(world, name)(number)
    for number in (1, 3, 5):  # the one that forgets little has read everything: what is owed comes
        world.read(number + 600)
    while world.reading is not None and not world.has_all():
        world.page(7)
    return world


LIMITED = [*[("publish", n) for n in (0, 0, 1, 1, 3, 4)], *[("read", n) for n in (13, 15)], ("start", 1)]
TRIMMED = [*[("publish", 0)] * 3, ("read", 13), ("read", 12), ("start", 1), *[("publish", 0)] * 4, ("read", 36)]
HISTORIES = {
    "pages of one event": [*LIMITED, *[("page", 1)] * 3],
    "one that forgets much": [*TRIMMED, *[("publish", 0)] * 4, ("read", 36), ("page", 0)],
    "lost unread": [("publish", 0), ("read", 1), ("start", 9), *[("publish", 0)] * 3, ("lose", 1), ("page", 1)],
    "another cluster": [
        *[("publish", 24)] * 2, ("read", 13), ("start", 9), ("be_another", 0), *[("publish", 0)] * 5,
        ("read", 37), ("page", 1),
    ],
}  # fmt: skip


@MORE
@given(COMMANDS)
def test_every_event_comes_once_and_in_order_or_the_cursor_is_gone(commands):
    play(commands)


@MORE
@given(QUIET_COMMANDS)
def test_what_is_not_forgotten_is_never_gone(commands):
    play([(name, number | 1 if name in {"read", "page", "start"} else number) for name, number in commands])


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_goes_right(name):
    world = play(HISTORIES[name])

    assert world.pages + world.gone


def nothing_is_gone(self: Tail, places: object) -> None:
    return None


def forgets_unawares(self: Tail, part: Part, count: int) -> None:
    for item in self._kept[part].items[:count]:
        del self._by_id[item.id]
    del self._kept[part].items[:count]


def passes_gaps(self: Tail, part: Part, record: ReadRecord) -> None:
    self._kept[part] = self._kept[part]._replace(end=record.offset)
    ADD(self, part, record)


def one_cluster(self: Inbox, cursor: Cursor) -> None:
    self._tail.check(cursor.places)


def moves_others(cursor: Cursor, item: Any) -> Cursor:
    moved = {part: Place(place.offset + 1) for part, place in cursor.places.items()}
    return PAST(cursor._replace(places={**moved, item.part: cursor.places[item.part]}), item)


def stays(cursor: Cursor, item: Any) -> Cursor:
    return cursor.moved(item.part, Place(item.offset))


def out_of_order(self: Tail, wanted: Filter, places: Any) -> Any:
    return sorted(ITEMS(self, wanted, places), key=lambda item: item.time_ms)


ADD, PAST, ITEMS = Tail.add, asking._past, Tail.items
BREAKS: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("one that forgets much", Tail, "check", nothing_is_gone),
    ("one that forgets much", Tail, "_drop", forgets_unawares),
    ("lost unread", Tail, "add", passes_gaps),
    ("another cluster", Inbox, "_check", one_cluster),
    ("pages of one event", asking, "_past", moves_others),
    ("pages of one event", asking, "_past", stays),
]


@pytest.mark.parametrize(("name", "owner", "function", "broken"), BREAKS)
def test_a_planted_break_is_found(name, owner, function, broken, monkeypatch):
    monkeypatch.setattr(owner, function, broken)

    with pytest.raises((AssertionError, IndexError)):
        play(HISTORIES[name])


@pytest.mark.parametrize(
    ("owner", "function", "broken"), [break_[1:] for break_ in BREAKS] + [(Tail, "items", out_of_order)]
)
def test_a_planted_break_is_found_among_the_generated_histories(owner, function, broken, monkeypatch):
    monkeypatch.setattr(owner, function, broken)

    with pytest.raises((AssertionError, IndexError, ExceptionGroup)):
        QUICKLY(given(COMMANDS)(lambda commands: play(commands) and None))()
