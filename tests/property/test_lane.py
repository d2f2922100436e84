"""A lane with arbitrary acks, failures, spills, full and failing disks, flipped bits and crashes.

It never loses what it promised, never reorders first occurrences, never forgets who waits, and its ledger adds up.
The journal is real SQLite, which fails when it is told to; Kafka is a list that the commands of Hypothesis accept or
refuse to extend. What has become of a promise is judged by ids and bytes: in that list, or in a file.
"""

import asyncio
import contextlib
import json
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import bus.journal.journal
import bus.publishing
from bus.contract import NotDurable, Outcome, Receipt
from bus.deliveries import Deliveries, PendingRecord
from bus.journal.journal import FILE_NAME, Journal, JournalDamaged, JournalUnwritable, Stored
from bus.lane import Lane
from bus.publishing import BatchRejected, RetryBatch
from bus.record import Record, TopicPartition, build
from bus.settings import BusSettings
from tests.audit import in_files
from tests.fuzz.budget import MINUTES
from tests.messages import sms

KEY: TopicPartition = ("sms.received.v1", 0)
DEAD: TopicPartition = ("sms.rejected.v1", 0)
PAGE = 4096


class FailingDisk(sqlite3.Connection):
    """SQLite's statements fail so many times each, by the first words of the statement."""

    failures: ClassVar[Counter[str]] = Counter()
    KINDS: ClassVar[Mapping[str, Sequence[str]]] = {
        "SELECT seq, id": ("read_fails",),
        "DELETE FROM rows": ("delete_fails",),
        "INSERT INTO rows": ("insert_fails",),
        "COMMIT": ("commit_fails", "commit_holds"),
    }

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        for kind in next((kinds for words, kinds in self.KINDS.items() if sql.startswith(words)), ()):
            if FailingDisk.failures[kind] > 0:
                FailingDisk.failures[kind] -= 1
                self._fail(kind, sql)
        return super().execute(sql, *parameters)

    def _fail(self, kind: str, sql: str) -> None:
        """One more insert than it says goes through; a commit that holds is on the disk though it failed."""
        if kind == "commit_holds":
            super().execute(sql)
        if kind != "insert_fails" or not FailingDisk.failures[kind]:
            message = "disk I/O error"
            raise sqlite3.OperationalError(message)


class FakeKafka:
    """A partition, and one for dead letters. Each batch in flight waits until the test says how it ends."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.dead: list[str] = []
        self.values: dict[str, bytes] = {}  # what was published, by its id
        self.flights: list[tuple[list[Record], asyncio.Future[None]]] = []
        self.refused: set[str] = set()

    async def publish(self, key: TopicPartition, records: Sequence[Record], via: str) -> None:
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
                landing.set_exception(BatchRejected("invalid_record"))
                return
            if how in {"ack", "lost_ack"}:
                topic = self.log if records[0].topic == KEY[0] else self.dead
                topic += [record.id for record in records]
                self.values |= {record.id: record.value for record in records}
            if how == "ack":
                landing.set_result(None)
            else:
                landing.set_exception(RetryBatch())
            return


class World:
    """A lane, and the one of its dead letters, of one process after another over the same journal directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kafka = FakeKafka()
        self.given_values: dict[str, bytes] = {}
        self.flips = 0
        self.quarantined = 0
        self.sent: list[str] = []  # ids in the order in which they were first given to the bus
        self.waiting: dict[int, asyncio.Task[Receipt]] = {}
        self.promised: set[str] = set()
        self.given = 0
        self.broken = False
        self.is_reachable = False
        self.writes: list[asyncio.Future[bool]] = []

    @property
    def dead_letters(self) -> set[str]:
        """The ids of the records whose dead letters are in their topic; by their bytes, for an id may be damaged."""
        return {self._identity(letter_id.removeprefix("letter of ")) for letter_id in self.kafka.dead}

    def _identity(self, record_id: str) -> str:
        """Return whose dead letter it is. One bit may have changed, in the id or in the bytes that say it again."""
        if record_id in self.given_values:
            return record_id
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return str(json.loads(self.kafka.values[f"letter of {record_id}"])["id"])
        return record_id

    @property
    def on_disk(self) -> set[str]:
        """The ids of what lies in files, in the journal and in quarantined ones, with its bytes."""
        files = in_files([self.directory])
        there = {each.id for each in files.found if self.given_values.get(each.id) == each.value}
        return there | {
            each for each, value in self.given_values.items() if any(value in one for one in files.contents)
        }

    def write(self, succeeds: bool) -> None:
        """The oldest write to the journal that is under way ends."""
        while self.writes:
            gate = self.writes.pop(0)
            if not gate.done():
                gate.set_result(succeeds)
                return

    async def start(self) -> None:
        FailingDisk.failures.clear()
        backlog = await self._opened()
        append, delete = self.journal.append, self.journal.delete

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

        self.journal.append, self.journal.delete = gated_append, failing_delete  # type: ignore[method-assign]
        self.deliveries = Deliveries(remember=1000)
        self.lane, self.letters = self._new_lane(KEY, "published"), self._new_lane(DEAD, "rejected")
        damaged = [self._new_lane(key, "published") for key in backlog.keys() - {KEY, DEAD}]
        self.lanes = [self.lane, self.letters, *damaged]
        for lane in self.lanes:
            if lane.key in backlog:
                lane.adopt(backlog[lane.key])
            lane.start()

    async def _opened(self) -> dict[TopicPartition, int]:
        """Open the journal; a damaged one is quarantined and replaced, as a bus does."""
        own = self.directory / "own"
        while True:
            own.mkdir(exist_ok=True)
            self.journal = Journal(own, max_bytes=1 << 30)
            try:
                return await self.journal.open()
            except JournalDamaged:
                await self.journal.close()
                self.quarantined += 1
                own.rename(own.with_name(f"{self.quarantined}.damaged"))

    def _flip(self, amount: int) -> None:
        """Of a journal that nobody has open, one bit: where rows or an index of them begin, or in what they hold."""
        path = self.directory / "own" / FILE_NAME
        with contextlib.closing(sqlite3.connect(path)) as connection:
            roots = connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'rows' ORDER BY 1"
            ).fetchall()
        rng = random.Random(amount)
        content = bytearray(path.read_bytes())
        page = content[((root := rng.choice(roots)[0]) - 1) * PAGE : root * PAGE]
        at = rng.choice([place for place, octet in enumerate(page) if octet])
        content[(root - 1) * PAGE + at] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        self.flips += 1

    def _new_lane(self, key: TopicPartition, ends_as: Outcome) -> Lane:
        return Lane(
            key,
            journal=self.journal,
            deliveries=self.deliveries,
            publish=self.kafka.publish,
            dead_letter=self._dead_letter,
            ends_as=ends_as,
            settings=BusSettings(journal_dir=self.directory, spill_after=1000, accept_deadline=10_000),
            rng=random.Random(0),
            reachable=lambda: self.is_reachable,
        )

    async def _dead_letter(self, record: Record, reason: str) -> str:
        if self.broken:
            raise NotDurable("no room")
        letter = Record(f"letter of {record.id}", *DEAD, record.key, record.value, (), record.timestamp_ms)
        known = self._given(letter, self.letters, is_handoff=True)
        if not isinstance(known, Receipt):
            await known
        return letter.id

    async def accept(self, n: int) -> Receipt:
        record = build(sms("16470000000", n), topic_prefix="", instance="t")
        record = Record(record.id, *KEY, record.key, record.value, record.headers, record.timestamp_ms)
        self.given_values[record.id] = record.value
        known = self._given(record, self.lane)
        if record.id not in self.sent:
            self.sent.append(record.id)
        return known if isinstance(known, Receipt) else await known

    def _given(self, record: Record, lane: Lane, *, is_handoff: bool = False) -> asyncio.Future[Receipt] | Receipt:
        known = self.deliveries.known(record.id)
        if known is None:
            entry = PendingRecord(record, asyncio.get_running_loop().time(), is_handoff=is_handoff)
            lane.append(entry)
            self.deliveries.opened(entry)
            known = entry.wait()
        return known

    async def settle(self) -> None:
        """Let everything that can happen without Kafka happen; the ledger adds up in every turn of the loop."""
        for turn in range(24):
            await asyncio.sleep(0)
            assert self.deliveries.ledger.balanced, self.deliveries.ledger
            for lane in self.lanes:
                is_consistent(lane)
            if turn % 6 == 5:
                with contextlib.suppress(JournalUnwritable):
                    await self.journal.rows_left()  # what was asked of the journal before has been answered
            if turn == 12 and self.journal.unwritable:  # as the bus does
                await self.journal.probe()
        for n, task in list(self.waiting.items()):
            if task.done():
                del self.waiting[n]
                with contextlib.suppress(NotDurable, asyncio.CancelledError):
                    self.promised.add(task.result().id)

    async def crash(self) -> None:
        """kill -9: what is only in memory is gone, those who waited get nothing."""
        for lane in self.lanes:
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
        elif name in FAILURES:
            FailingDisk.failures[name] = amount
        elif name == "disk":
            self.broken = amount % 2 == 0
        elif name == "refuse" and self.given:
            fresh = build(sms("16470000000", self.given), topic_prefix="", instance="t").id
            if fresh not in self.kafka.log:
                self.kafka.refused.add(fresh)
        elif name in {"crash", "flip"}:
            await self.crash()
            if name == "flip":
                self._flip(amount)
            await self.start()
        else:
            self.kafka.land(name)

    async def _heal(self) -> None:
        self.broken = False
        FailingDisk.failures.clear()
        for _ in range(4000):
            self.kafka.land("ack")
            self.write(succeeds=True)
            await self.settle()
            if self.journal.damaged:  # only a restart sets it aside
                await self.crash()
                await self.start()
            if all(lane.empty and not lane._ended for lane in self.lanes):
                break
        assert all(lane.empty for lane in self.lanes)
        assert self.journal.rows == 0
        assert not self.waiting, "somebody was forgotten"
        assert self.deliveries.ledger.balanced, self.deliveries.ledger
        for lane in self.lanes:
            await lane.stop()
        await self.journal.close()
        self.kept = self.on_disk


def is_consistent(lane: Lane) -> None:
    """What `Lane` says of itself."""
    assert 0 <= lane._flying <= len(lane._fresh), "the batch in flight is no prefix"
    assert 0 <= lane._writing <= len(lane._fresh), "the write is no prefix"
    assert lane._fresh_bytes == sum(entry.size for entry in lane._fresh)
    assert lane._on_disk or lane.rows <= 0, "rows that nobody reads"
    assert all(seq <= lane._through for seq in lane._ended), "an acknowledged row would be read again"


def check(world: World) -> None:
    published = {each for each in world.kafka.log if world.kafka.values[each] == world.given_values[each]}
    assert published == set(world.kafka.log), "published with other bytes"
    missing = world.promised - published - world.dead_letters - world.kept
    garbled = world.dead_letters - world.given_values.keys()  # one bit where a row says how long its columns are
    aside = (world.flips - 1) * bool(world.quarantined)  # one bit quarantines a file, any other may hit a record in it
    assert len(missing) <= len(garbled) + aside, "lost"
    if not world.flips:
        assert not world.kept, "left behind"
        assert not set(world.kafka.log) & world.dead_letters, "both published and dead"
    assert len(world.dead_letters - world.kafka.refused) <= world.flips, "an innocent record was dead-lettered"


def first_occurrences(log: list[str]) -> list[str]:
    return list(dict.fromkeys(log))


FAILURES = ("read_fails", "delete_fails", "insert_fails", "commit_fails", "commit_holds")
WRITES_FAIL = ("write_fails", "insert_fails", "commit_fails", "commit_holds")
OTHERS = (
    *("ack", "ack", "lost_ack", "fail", "spill", "spill", "write", "write", "write_fails"),
    *("repeat", "cancel", "expire", "disk", "refuse", "crash", "reachable", "flip"),
    *FAILURES,
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
    monkeypatch.setattr(bus.publishing, "RETRY_FIRST", 0.0)
    connect = sqlite3.connect
    monkeypatch.setattr(
        bus.journal.journal.sqlite3, "connect", lambda *args, **more: connect(*args, factory=FailingDisk, **more)
    )


def _play(commands: list[tuple[str, int]]) -> World:
    async def play() -> World:
        with tempfile.TemporaryDirectory() as directory:
            world = World(Path(directory))
            await world.run(commands)
        return world

    return asyncio.run(play())


RELAXED: Any = settings(
    max_examples=int(100 * max(1.0, MINUTES)),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
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


IN_JOURNAL = [("accept", 4), ("spill", 0), ("write", 0)]


@RELAXED
@given(st.lists(st.tuples(st.just("flip"), st.integers(0, 10_000)), min_size=1, max_size=2), COMMANDS)
def test_what_lies_in_a_journal_arrives_or_is_kept_wherever_a_bit_is_flipped(
    flips: list[tuple[str, int]], commands: list[tuple[str, int]]
) -> None:
    world = _play([*IN_JOURNAL, *flips, *commands])

    assert len(world.promised) >= 4
    check(world)


@RELAXED
@given(st.sampled_from(FAILURES), st.integers(1, 3), COMMANDS)
def test_what_lies_in_a_journal_arrives_whichever_statement_fails(
    failure: str, times: int, commands: list[tuple[str, int]]
) -> None:
    world = _play([*IN_JOURNAL, ("accept", 3), ("spill", 0), (failure, times), ("write", 0), ("ack", 0), *commands])

    check(world)


@RELAXED
@given(without("crash", "flip", "disk", *WRITES_FAIL))
@example([("accept", 4), ("spill", 0), ("accept", 4), ("lost_ack", 0), ("accept", 1), ("fail", 0)])
@example([("accept", 2), ("spill", 0), ("accept", 2), ("ack", 0), ("write", 0), ("accept", 1), ("write", 0)])
def test_first_occurrences_come_in_the_order_in_which_the_process_saw_them(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    alive = [record_id for record_id in world.sent if record_id not in world.dead_letters]
    assert first_occurrences(world.kafka.log) == alive


@RELAXED
@given(without("crash", "flip", "disk", "repeat"))
@example([("accept", 2), ("spill", 0), ("write_fails", 0), ("fail", 0), ("ack", 0)])
def test_what_a_full_disk_drops_leaves_the_others_in_order(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    arrived = first_occurrences(world.kafka.log)
    assert arrived == [record_id for record_id in world.sent if record_id in set(arrived)]


@RELAXED
@given(without("crash", "flip", "lost_ack", "disk"))
@example([("accept", 3), ("accept", 3), ("spill", 0), ("ack", 0), ("write", 0)])
@example([("accept", 3), ("spill", 0), ("write", 0), ("ack", 0)])
@example([("accept", 1), ("spill", 0), ("write_fails", 0), ("repeat", 0), ("ack", 0)])
def test_nothing_is_sent_twice_while_every_ack_is_seen(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    assert len(world.kafka.log) == len(set(world.kafka.log))


@RELAXED
@given(without("crash", "flip", "expire", "disk", "cancel", *WRITES_FAIL))
def test_everybody_who_waits_gets_a_receipt_when_nothing_is_dropped(commands: list[tuple[str, int]]) -> None:
    world = _play(commands)

    assert world.promised == set(world.sent)
