"""A lane with arbitrary acks, failures, spills, full disks and crashes.

It never loses what it promised, never reorders first occurrences, never forgets who waits, and its ledger adds up.
The journal is real SQLite; Kafka is a list that the commands of Hypothesis accept or refuse to extend.
"""

import asyncio
import contextlib
import random
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import bus.lane
from bus.book import Book, Entry
from bus.contract import BusFull, Outcome, Receipt
from bus.journal import Journal, JournalUnwritable, LaneKey, Stored
from bus.lane import Lane, NotNow, Refused
from bus.record import Record, build
from bus.settings import BusSettings
from tests.messages import sms

KEY: LaneKey = ("sms.received.v1", 0)
DEAD: LaneKey = ("sms.rejected.v1", 0)


class FakeKafka:
    """A partition, and one for dead letters. Each batch in flight waits until the test says how it ends."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.dead: list[str] = []
        self.flights: list[tuple[list[Record], asyncio.Future[None]]] = []
        self.refused: set[str] = set()

    async def publish(self, key: LaneKey, records: Sequence[Record], via: str) -> None:
        assert {(record.topic, record.partition) for record in records} == {key}
        landing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.flights.append((list(records), landing))
        await landing

    def land(self, how: str) -> None:
        while self.flights:
            records, landing = self.flights.pop(0)
            if landing.done():
                continue
            if self.refused & {record.id for record in records}:
                landing.set_exception(Refused("invalid_record"))
                return
            if how in {"ack", "lost_ack"}:
                topic = self.log if records[0].topic == KEY[0] else self.dead
                topic += [record.id for record in records]
            if how == "ack":
                landing.set_result(None)
            else:
                landing.set_exception(NotNow())
            return


class World:
    """A lane, and the one of its dead letters, of one process after another over the same journal directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kafka = FakeKafka()
        self.sent: list[str] = []  # ids in the order in which they were first given to the bus
        self.waiting: dict[int, asyncio.Task[Receipt]] = {}
        self.promised: set[str] = set()
        self.given = 0
        self.broken = False
        self.is_reachable = False
        self.writes: list[asyncio.Future[bool]] = []

    @property
    def dead_letters(self) -> set[str]:
        """The ids of the records whose dead letters are in their topic."""
        return {letter_id.removeprefix("letter of ") for letter_id in self.kafka.dead}

    def write(self, succeeds: bool) -> None:
        """The oldest write to the journal that is under way ends."""
        while self.writes:
            gate = self.writes.pop(0)
            if not gate.done():
                gate.set_result(succeeds)
                return

    async def start(self) -> None:
        self.journal = Journal(self.directory, max_bytes=1 << 30)
        backlog = await self.journal.open()
        append, delete, work = self.journal.append, self.journal.delete, self.journal._read
        self.reads_fail = 0

        async def gated_append(records: Sequence[Record]) -> list[Stored]:
            gate: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self.writes.append(gate)
            if not await gate:
                raise JournalUnwritable("disk full")
            return await append(records)

        async def failing_delete(seqs: Sequence[int]) -> None:
            if self.broken:
                raise JournalUnwritable("disk full")
            await delete(seqs)

        def failing_read(connection: sqlite3.Connection, job: Any) -> Any:
            if self.reads_fail:
                self.reads_fail -= 1
                return self.journal._failed(connection, sqlite3.OperationalError("disk I/O error"), [job])[job]
            return work(connection, job)

        self.journal._read = failing_read  # type: ignore[method-assign]
        self.journal.append, self.journal.delete = gated_append, failing_delete  # type: ignore[method-assign]
        self.book = Book(remember=1000)
        self.lane, self.letters = self._new_lane(KEY, "published"), self._new_lane(DEAD, "rejected")
        for key, lane in ((KEY, self.lane), (DEAD, self.letters)):
            if key in backlog:
                lane.adopt(backlog[key])
            lane.start()

    def _new_lane(self, key: LaneKey, ends_as: Outcome) -> Lane:
        return Lane(
            key,
            journal=self.journal,
            book=self.book,
            publish=self.kafka.publish,
            dead_letter=self._dead_letter,
            ends_as=ends_as,
            settings=BusSettings(journal_dir=self.directory, spill_after=1000, accept_deadline=10_000),
            rng=random.Random(0),
            reachable=lambda: self.is_reachable,
        )

    async def _dead_letter(self, record: Record, reason: str) -> str:
        if self.broken:
            raise BusFull("no room")
        letter = Record(f"letter of {record.id}", *DEAD, record.key, record.value, (), record.timestamp_ms)
        known = self._given(letter, self.letters, continues=True)
        if not isinstance(known, Receipt):
            await known
        return letter.id

    async def accept(self, n: int) -> Receipt:
        record = build(sms("16470000000", n), topic_prefix="", instance="t")
        record = Record(record.id, *KEY, record.key, record.value, record.headers, record.timestamp_ms)
        known = self._given(record, self.lane)
        if record.id not in self.sent:
            self.sent.append(record.id)
        return known if isinstance(known, Receipt) else await known

    def _given(self, record: Record, lane: Lane, *, continues: bool = False) -> asyncio.Future[Receipt] | Receipt:
        known = self.book.known(record.id)
        if known is None:
            entry = Entry(record, asyncio.get_running_loop().time(), continues=continues)
            lane.append(entry)
            self.book.opened(entry)
            known = entry.wait()
        return known

    async def settle(self) -> None:
        """Let everything that can happen without Kafka happen; the ledger adds up in every turn of the loop."""
        for turn in range(24):
            await asyncio.sleep(0)
            assert self.book.ledger.balanced, self.book.ledger
            if turn == 12:
                await self.journal.probe()
        for n, task in list(self.waiting.items()):
            if task.done():
                del self.waiting[n]
                with contextlib.suppress(BusFull, asyncio.CancelledError):
                    self.promised.add(task.result().id)

    async def crash(self) -> None:
        """kill -9: what is only in memory is gone, those who waited get nothing."""
        for lane in (self.lane, self.letters):
            for running in (lane._task, lane._writer, lane._timer):
                if running:
                    running.cancel()
        for task in self.waiting.values():
            task.cancel()
        await asyncio.sleep(0)
        self.waiting.clear()
        for _, landing in self.kafka.flights:
            landing.cancel()
        self.kafka.flights.clear()
        self.writes.clear()
        await self.journal.close()

    async def run(self, commands: list[tuple[str, int]]) -> None:
        await self.start()
        for name, amount in commands:
            await self._one(name, amount)
            await self.settle()
        await self._heal()

    async def _one(self, name: str, amount: int) -> None:
        if name == "accept":
            for _ in range(amount):
                self.given += 1
                self.waiting[self.given] = asyncio.create_task(self.accept(self.given))
        elif name == "repeat" and self.given:
            n = 1 + amount % self.given
            task = asyncio.create_task(self.accept(n))
            self.waiting[-len(self.waiting) - 1000 * amount - self.given] = task
        elif name == "cancel" and self.waiting:
            list(self.waiting.values())[amount % len(self.waiting)].cancel()
        elif name == "spill":
            self.lane.spill()
            self.letters.spill()
        elif name == "expire":
            self.lane._expire(asyncio.get_running_loop().time() + 1)
        elif name in {"write", "write_fails"}:
            self.write(name == "write")
        elif name == "reachable":
            self.is_reachable = amount % 2 == 0
        elif name == "read_fails":
            self.reads_fail = amount
        elif name == "disk":
            self.broken = amount % 2 == 0
        elif name == "refuse" and self.given:
            fresh = build(sms("16470000000", self.given), topic_prefix="", instance="t").id
            if fresh not in self.kafka.log:
                self.kafka.refused.add(fresh)
        elif name == "crash":
            await self.crash()
            await self.start()
        else:
            self.kafka.land(name)

    async def _heal(self) -> None:
        self.broken, self.reads_fail = False, 0
        for _ in range(4000):
            self.kafka.land("ack")
            self.write(succeeds=True)
            await self.settle()
            if self.lane.empty and self.letters.empty and not (self.lane._ended or self.letters._ended):
                break
        assert self.lane.empty
        assert self.letters.empty
        assert self.journal.rows == 0
        assert not self.waiting, "somebody was forgotten"
        assert self.book.ledger.balanced, self.book.ledger
        await self.lane.stop()
        await self.letters.stop()
        await self.journal.close()


def check(world: World) -> None:
    ended = set(world.kafka.log) | world.dead_letters
    assert world.promised <= ended, "lost"
    assert not set(world.kafka.log) & world.dead_letters, "both published and dead"
    assert world.dead_letters <= world.kafka.refused, "an innocent record was dead-lettered"


def first_occurrences(log: list[str]) -> list[str]:
    return list(dict.fromkeys(log))


OTHERS = (
    *("ack", "ack", "lost_ack", "fail", "spill", "spill", "write", "write", "write_fails"),
    *("repeat", "cancel", "expire", "disk", "refuse", "crash", "read_fails", "reachable"),
)
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.integers(1, 6)),
        st.tuples(
            st.sampled_from(OTHERS),
            st.integers(0, 9),
        ),
    ),
    max_size=40,
)


def without(*names: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    return COMMANDS.map(lambda commands: [command for command in commands if command[0] not in names])


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus.lane, "RETRY_FIRST", 0.0)


def _play(commands: list[tuple[str, int]]) -> World:
    async def play() -> World:
        with tempfile.TemporaryDirectory() as directory:
            world = World(Path(directory))
            await world.run(commands)
        return world

    return asyncio.run(play())


RELAXED: Any = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@RELAXED
@given(COMMANDS)
@example([("accept", 3), ("spill", 0), ("lost_ack", 0), ("crash", 0), ("ack", 0)])
@example([("accept", 3), ("disk", 0), ("spill", 0), ("ack", 0), ("accept", 2), ("disk", 1), ("spill", 0)])
@example([("accept", 2), ("accept", 2), ("spill", 0), ("write_fails", 0), ("accept", 2), ("spill", 0), ("write", 0)])
@example([("accept", 1), ("accept", 1), ("spill", 0), ("write_fails", 0), ("repeat", 1), ("ack", 0)])
@example([("reachable", 0), ("accept", 2), ("accept", 2), ("spill", 0), ("ack", 0), ("write_fails", 0), ("ack", 0)])
def test_what_a_lane_promised_arrives_through_failures_full_disks_and_crashes(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    check(world)


@RELAXED
@given(without("crash", "disk", "write_fails"))
@example([("accept", 4), ("spill", 0), ("accept", 4), ("lost_ack", 0), ("accept", 1), ("fail", 0)])
@example([("accept", 2), ("spill", 0), ("accept", 2), ("ack", 0), ("write", 0), ("accept", 1), ("write", 0)])
def test_first_occurrences_come_in_the_order_in_which_the_process_saw_them(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    alive = [record_id for record_id in world.sent if record_id not in world.dead_letters]
    assert first_occurrences(world.kafka.log) == alive


@RELAXED
@given(without("crash", "disk", "repeat"))
@example([("accept", 2), ("spill", 0), ("write_fails", 0), ("fail", 0), ("ack", 0)])
def test_what_a_full_disk_drops_leaves_the_others_in_order(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    arrived = first_occurrences(world.kafka.log)
    assert arrived == [record_id for record_id in world.sent if record_id in set(arrived)]


@RELAXED
@given(without("crash", "lost_ack", "disk"))
@example([("accept", 3), ("accept", 3), ("spill", 0), ("ack", 0), ("write", 0)])
@example([("accept", 3), ("spill", 0), ("write", 0), ("ack", 0)])
@example([("accept", 1), ("spill", 0), ("write_fails", 0), ("repeat", 0), ("ack", 0)])
def test_nothing_is_sent_twice_while_every_ack_is_seen(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    assert len(world.kafka.log) == len(set(world.kafka.log))


@RELAXED
@given(without("crash", "expire", "disk", "write_fails", "cancel"))
def test_everybody_who_waits_gets_a_receipt_when_nothing_is_dropped(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    assert world.promised == set(world.sent)
