"""A lane and its journal on a real disk, Kafka played by the test."""

import asyncio
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bus.contract import NotDurable, Receipt
from bus.deliveries import Deliveries, PendingRecord
from bus.journal import journal as journals
from bus.journal.journal import FILE_NAME, Journal, JournalDamaged, JournalUnwritable, Row, Stored
from bus.kafka_bus import KafkaBus
from bus.lane import Lane
from bus.publishing import RetryBatch
from bus.record import Record, build
from bus.settings import BusSettings, KafkaSettings
from tests.messages import sms

KEY = ("sms.received.v1", 0)


def record(n: int, *, text: str | None = None) -> Record:
    made = build(sms("16470000000", n, text=text), topic_prefix="", instance="t")
    return Record(made.id, *KEY, made.key, made.value, made.headers, made.timestamp_ms)


class LaneSetup:
    """A lane whose Kafka takes nothing until `open` is set."""

    def __init__(self, directory: Path, **bounds: float) -> None:
        self.settings = BusSettings.model_validate({"journal_dir": directory, "spill_after": 0.05, **bounds})
        self.journal = Journal(directory, max_bytes=self.settings.journal_max_bytes)
        self.deliveries = Deliveries(remember=100)
        self.open = asyncio.Event()
        self.is_reachable = False
        self.topic: list[str] = []
        self.dead: list[tuple[str, str]] = []
        self.lane = Lane(
            KEY,
            journal=self.journal,
            deliveries=self.deliveries,
            publish=self._publish,
            dead_letter=self._dead_letter,
            ends_as="published",
            settings=self.settings,
            rng=random.Random(0),
            reachable=lambda: self.is_reachable,
        )

    async def start(self) -> None:
        backlog = await self.journal.open()
        self.lane.adopt(backlog.get(KEY, 0))
        self.lane.start()

    async def _publish(self, key: tuple[str, int], records: Sequence[Record], via: str) -> None:
        await self.open.wait()
        self.topic += [f"{via}:{record.id}" for record in records]

    async def _dead_letter(self, record: Record, reason: str) -> str:
        self.dead.append((record.id, reason))
        return f"letter of {record.id}"

    def accept(self, made: Record) -> asyncio.Future[Receipt]:
        entry = PendingRecord(made, asyncio.get_running_loop().time())
        self.lane.append(entry)
        self.deliveries.opened(entry)
        return entry.wait()

    async def drain(self) -> None:
        self.open.set()
        async with asyncio.timeout(10):
            while not self.lane.empty:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self.lane.stop()
        await self.journal.close()


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[LaneSetup]:
    setup = LaneSetup(tmp_path)
    await setup.start()
    yield setup
    await setup.stop()


async def test_a_cancellation_that_is_swallowed_holds_up_no_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.ending.AGAIN", 0.01)
    setup, swallowed = LaneSetup(tmp_path), list[str]()

    async def publish(*_: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if swallowed:
                raise
            swallowed.append("by the client")
        raise RetryBatch

    monkeypatch.setattr(setup.lane, "_publish", publish)
    await setup.start()
    await setup.accept(record(0))

    async with asyncio.timeout(10):
        await setup.stop()

    assert swallowed == ["by the client"]


async def test_without_kafka_the_first_answer_waits_for_the_spill(setup: LaneSetup) -> None:
    receipt = await setup.accept(record(0))

    assert receipt.via == "journal"
    assert setup.lane.rows == setup.journal.rows == 1
    assert not setup.topic


async def test_a_spilled_lane_accepts_into_the_journal_without_waiting_for_another_spill(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path, spill_after=60, accept_deadline=61)
    await setup.start()
    first = setup.accept(record(0))
    setup.lane.spill()
    during_the_write = [setup.accept(record(n)) for n in range(1, 100)]
    await first
    await asyncio.gather(*during_the_write)

    receipts = await asyncio.gather(*(setup.accept(record(n)) for n in range(100, 200)))

    assert {receipt.via for receipt in receipts} == {"journal"}
    assert setup.lane.rows == 200
    await setup.stop()


async def test_a_drained_lane_publishes_without_the_disk_again(setup: LaneSetup) -> None:
    for n in range(3):
        await setup.accept(record(n))
    await setup.drain()

    receipt = await setup.accept(record(3))

    assert receipt.via == "kafka"
    assert [line.partition(":")[2] for line in setup.topic] == [record(n).id for n in range(4)]
    assert setup.journal.rows == 0
    assert setup.deliveries.ledger.balanced


async def test_a_full_lane_refuses_when_the_journal_does_not_keep_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = LaneSetup(tmp_path, lane_max_records=5)
    await setup.start()
    monkeypatch.setattr(setup.journal, "append", _never)

    waiting = [setup.accept(record(n)) for n in range(10)]
    with pytest.raises(NotDurable, match="full"):
        setup.accept(record(10))

    assert len(waiting) == 10
    setup.lane._task and setup.lane._task.cancel()
    setup.lane._writer and setup.lane._writer.cancel()


async def test_a_journal_that_stalls_ends_the_wait_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = LaneSetup(tmp_path, accept_deadline=0.2)
    await setup.start()
    monkeypatch.setattr(setup.journal, "append", _never)

    with pytest.raises(NotDurable, match="in time"):
        await asyncio.wait_for(setup.accept(record(0)), 5)

    assert setup.deliveries.ledger.not_durable == 1
    setup.lane._task and setup.lane._task.cancel()
    setup.lane._writer and setup.lane._writer.cancel()


async def _never(records: Sequence[Record]) -> list[int | None]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_stopping_puts_what_is_in_memory_into_the_journal(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path, spill_after=60, accept_deadline=61)
    await setup.start()
    waiting = [setup.accept(record(n)) for n in range(5)]

    await setup.stop()

    assert [(await waiter).via for waiter in waiting] == ["journal"] * 5
    again = LaneSetup(tmp_path)
    await again.start()
    await again.drain()
    assert again.topic == [f"journal:{record(n).id}" for n in range(5)]
    assert (again.deliveries.ledger.adopted, again.deliveries.ledger.published, again.deliveries.ledger.balanced) == (
        5,
        5,
        True,
    )
    await again.stop()


async def test_a_damaged_row_becomes_a_dead_letter_and_holds_up_nobody(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    for n in range(3):
        await setup.accept(record(n))
    await setup.stop()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE rows SET value = replace(value, '1647', '1648') WHERE id = ?", (record(1).id,))

    again = LaneSetup(tmp_path)
    await again.start()
    await again.drain()

    assert again.topic == [f"journal:{record(n).id}" for n in (0, 2)]
    assert again.dead == [(record(1).id, "journal_row_damaged")]
    assert again.deliveries.ledger.balanced
    await again.stop()


async def test_a_journal_at_its_limit_refuses_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path, journal_max_bytes=20_000)
    await setup.start()
    accepted = 0
    with pytest.raises(NotDurable, match="limit of 20000 bytes"):  # noqa: PT012 - which one is refused depends on sizes
        for n in range(100):
            await setup.accept(record(n))
            accepted += 1
    assert not await setup.journal.probe(), "a little would fit, what was refused does not"
    assert setup.journal.unwritable
    assert accepted > 5

    await setup.drain()

    assert (await setup.accept(record(100))).id
    assert await setup.journal.probe()
    assert setup.journal.unwritable is None
    assert setup.deliveries.ledger.balanced
    await setup.stop()


@pytest.mark.parametrize("name", ["", FILE_NAME, f"{FILE_NAME}-wal"], ids=["directory", "file", "log"])
@pytest.mark.parametrize("made_anew", [False, True])
async def test_a_deleted_journal_takes_nothing_more_and_what_it_has_is_published(
    tmp_path: Path, name: str, *, made_anew: bool
) -> None:
    directory = tmp_path / "one"
    directory.mkdir()
    setup = LaneSetup(directory)
    await setup.start()
    await setup.accept(record(0))
    shutil.rmtree(directory) if not name else (directory / name).unlink()
    if made_anew:
        directory.mkdir(exist_ok=True)
        (directory / (name or FILE_NAME)).touch()
    what = "was replaced" if made_anew else "was deleted or moved"

    await setup.journal.look()
    seen = setup.journal.unwritable
    for n in range(2):
        with pytest.raises(NotDurable, match=f"{what} while it was in use"):
            await setup.accept(record(n))
    assert not await setup.journal.probe()
    setup.open.set()
    await setup.drain()
    with capture_logs() as lines:
        await setup.stop()

    assert seen == setup.journal.unwritable
    assert [line.partition(":")[2] for line in setup.topic] == [record(0).id]
    assert setup.deliveries.ledger.balanced
    assert lines == []


async def test_rows_that_end_with_a_deleted_journal_are_said_at_the_stop(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    await setup.accept(record(0))
    (tmp_path / FILE_NAME).unlink()

    with capture_logs() as lines:
        await setup.stop()

    assert [(line["event"], line["rows"]) for line in lines] == [("journal_not_in_place", 1)]


@pytest.mark.parametrize("name", [FILE_NAME, f"{FILE_NAME}-wal"], ids=["file", "log"])
async def test_a_journal_that_was_overwritten_takes_nothing_more(tmp_path: Path, name: str) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    await setup.accept(record(0))
    os.truncate(tmp_path / name, 0)

    for n in range(1, 3):
        with pytest.raises(NotDurable, match="was overwritten while it was in use"):
            await setup.accept(record(n))
        with suppress(JournalUnwritable):
            await setup.journal.delete([99])  # a write that makes it longer again
    await setup.stop()


async def test_an_older_copy_over_a_journal_in_use_is_noticed(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path / "one")
    (tmp_path / "one").mkdir()
    await setup.start()
    await setup.accept(record(0))
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    await setup.accept(record(1))
    shutil.copytree(tmp_path / "copy", tmp_path / "one", dirs_exist_ok=True)

    with pytest.raises(NotDurable, match="was overwritten while it was in use"):
        await setup.accept(record(2))
    await setup.stop()


async def test_what_was_done_to_a_journal_and_undone_is_over(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    await setup.accept(record(0))
    (tmp_path / FILE_NAME).rename(tmp_path / "away")
    with pytest.raises(NotDurable, match="was deleted or moved"):
        await setup.accept(record(1))
    (tmp_path / "away").rename(tmp_path / FILE_NAME)

    assert await setup.journal.probe()
    assert (await setup.accept(record(1))).via == "journal"
    await setup.drain()
    await setup.stop()


def cut_main(directory: Path) -> None:
    os.truncate(directory / FILE_NAME, 0)


def cut_log(directory: Path) -> None:
    os.truncate(directory / f"{FILE_NAME}-wal", 0)


@pytest.mark.parametrize("harm", [shutil.rmtree, cut_main, cut_log])
@pytest.mark.parametrize("rows", [3, 1500], ids=["log", "both"])
async def test_a_directory_that_was_put_back_as_it_was_is_used_after_a_restart_and_no_stop_spoils_it(
    tmp_path: Path, harm: Callable[[Path], None], rows: int
) -> None:
    directory = tmp_path / "one"
    directory.mkdir()
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    for n in range(rows):
        await journal.append([record(n)])
    shutil.copytree(directory, tmp_path / "copy")
    harm(directory)
    with pytest.raises(JournalUnwritable) as refused:
        await journal.append([record(rows)])
    shutil.copytree(tmp_path / "copy", directory, dirs_exist_ok=True)
    with pytest.raises(JournalUnwritable):
        await journal.append([record(rows)])
    await journal.close()

    again = Journal(directory, max_bytes=1 << 30)

    assert await again.open() == {KEY: rows}
    await again.close()
    assert ("move the files themselves back" in refused.value.reason) == (harm is shutil.rmtree)
    assert ("put its whole directory back as it was" in refused.value.reason) == (harm is not shutil.rmtree)


async def test_a_journal_gets_shorter_by_itself_only_where_it_is_empty(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    for n in range(3):
        setup.open.clear()
        for each in range(20):
            await setup.accept(record(20 * n + each, text="x" * 50_000))
        await setup.drain()
        async with asyncio.timeout(10):
            while setup.journal.rows:
                await asyncio.sleep(0.01)

    assert setup.journal.unwritable is None
    assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size == 0
    await setup.stop()


@pytest.mark.parametrize("names", [[FILE_NAME], [FILE_NAME, f"{FILE_NAME}-wal"]], ids=["file", "both"])
async def test_a_journal_that_was_emptied_while_nobody_had_it_is_said_and_a_new_one_is_not(
    tmp_path: Path, names: list[str]
) -> None:
    said = []
    for turn in range(2):
        with capture_logs() as lines:
            journal = Journal(tmp_path, max_bytes=1 << 20)
            await journal.open()
            await journal.close()
        said.append([line["event"] for line in lines])
        for name in names if not turn else ():
            (tmp_path / name).write_bytes(b"")

    assert said == [[], ["journal_emptied"]]


async def test_a_journal_without_its_log_still_has_its_tables(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 20)
    await journal.open()
    tables = sqlite3.connect(f"file:{tmp_path / FILE_NAME}?immutable=1", uri=True).execute("SELECT * FROM rows")

    assert tables.fetchall() == []
    await journal.close()


async def test_an_id_that_is_a_row_already_is_not_written_twice(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    await setup.accept(record(0))
    await setup.stop()
    again = LaneSetup(tmp_path)
    await again.start()

    receipt = await again.accept(record(0))
    await again.accept(record(1))
    await again.drain()

    assert receipt.via == "journal"
    assert again.topic == [f"journal:{record(n).id}" for n in range(2)]
    assert again.deliveries.ledger.balanced
    await again.stop()


async def test_many_appends_at_once_share_commits(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    commits = 0
    write = journal._run_writes

    def counted(*arguments: object) -> object:
        nonlocal commits
        commits += 1
        return write(*arguments)  # type: ignore[arg-type]

    journal._run_writes = counted  # type: ignore[assignment, method-assign]
    await asyncio.gather(*(journal.append([record(n)]) for n in range(500)))

    assert commits < 250
    assert journal.rows == 500
    await journal.close()


async def test_a_write_that_sqlite_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON rows BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )

    with pytest.raises(JournalUnwritable, match="disk is full"):
        await journal.append([record(0), record(1)])
    assert (journal.rows, journal.bytes) == (0, 0)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("DROP TRIGGER full")

    assert await journal.append([record(0)]) == [(1, True)]
    assert await journal.probe()
    assert journal.unwritable is None
    await journal.close()


class Lying(sqlite3.Connection):
    """Commits, and says so many times that it did not: a disk whose fsync fails behind the write."""

    lies = 0

    def execute(self, sql, *parameters):
        cursor = super().execute(sql, *parameters)
        if sql == "COMMIT" and Lying.lies:
            Lying.lies -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


@pytest.fixture
def _lying_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, factory=Lying, **options))


async def committed(path: Path) -> list[str]:
    with sqlite3.connect(path / FILE_NAME) as connection:
        return [each for (each,) in connection.execute("SELECT id FROM rows ORDER BY seq")]


@pytest.mark.usefixtures("_lying_disk")
async def test_a_row_of_a_failed_write_that_is_there_all_the_same_is_no_row(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    await journal.append([record(0)])
    Lying.lies = 1

    with pytest.raises(JournalUnwritable):
        await journal.append([record(1)])
    rows_of_the_repeat = await journal.append([record(1), record(2)])

    assert None not in rows_of_the_repeat
    assert journal.rows == 3
    assert [row.record.id for row in await journal.read(KEY, after=0, max_bytes=1 << 20)] == [
        record(n).id for n in range(3)
    ]
    await journal.close()


@pytest.mark.usefixtures("_lying_disk")
async def test_after_a_failed_delete_the_journal_counts_what_is_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    (first, _), _ = await journal.append([record(0), record(1)])
    Lying.lies = 1

    with pytest.raises(JournalUnwritable):
        await journal.delete([first])
    await journal.append([record(2)])

    assert await committed(tmp_path) == [record(1).id, record(2).id]
    assert journal.rows == 2
    assert journal.bytes == record(1).size + record(2).size
    await journal.close()


class Unreadable(sqlite3.Connection):
    """Cannot read rows, so many times: one bad page that is not in the cache."""

    failures = 0

    def execute(self, sql, *parameters):
        if sql.startswith("SELECT seq, id") and Unreadable.failures:
            Unreadable.failures -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


@pytest.fixture
def _unreadable_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, factory=Unreadable, **options))


@pytest.mark.usefixtures("_unreadable_pages")
async def test_a_read_that_fails_takes_back_nothing_that_was_committed_with_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    Unreadable.failures = 1
    busy = threading.Event()
    held = asyncio.ensure_future(journal._ask(lambda _: busy.wait(), writes=False))
    await asyncio.sleep(0)
    appended = asyncio.ensure_future(journal.append([record(0)]))
    read = asyncio.ensure_future(journal.read(KEY, after=0, max_bytes=1 << 20))
    await asyncio.sleep(0)
    busy.set()

    assert await held
    assert await appended == [(1, True)]
    with pytest.raises(JournalUnwritable):
        await read
    assert [row.record.id for row in await journal.read(KEY, after=0, max_bytes=1 << 20)] == [record(0).id]
    assert journal.rows == 1
    await journal.close()


async def test_a_lane_goes_back_to_memory_only_when_its_journal_has_shown_nothing(setup: LaneSetup) -> None:
    for n in range(3):
        await setup.accept(record(n))
    setup.lane.rows = 1  # miscounted, whatever the reason

    await setup.drain()

    assert [line.partition(":")[2] for line in setup.topic] == [record(n).id for n in range(3)]
    assert setup.journal.rows == 0


async def test_only_the_rows_that_are_named_are_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    seqs = [seq for seq, _ in await journal.append([record(n) for n in range(1200)])]

    await journal.delete([seq for seq in seqs if seq and seq % 2])

    assert await committed(tmp_path) == [record(n).id for n in range(1, 1200, 2)]
    assert journal.rows == 600
    await journal.close()


async def test_a_file_that_is_no_journal_any_longer_is_said_to_be_damaged(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    await journal.append([record(n) for n in range(500)])
    journal._jobs.put(None)
    await asyncio.to_thread(journal._thread.join)  # its pages leave the cache with the connection
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (tmp_path / FILE_NAME).write_bytes(content)
    again = Journal(tmp_path, max_bytes=1 << 30)

    with pytest.raises(JournalDamaged):
        await again.open()

    assert again.damaged
    assert not journal.damaged
    await again.close()


async def test_a_page_that_the_disk_did_not_give_once_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says "malformed" of it (SQLITE_IOERR_CORRUPTFS): the process would have asked for a restart."""
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    await journal.append([record(0)])
    select = journals._select

    def fails(*_: object) -> list[Row]:
        monkeypatch.setattr(journals, "_select", select)
        message = "database disk image is malformed"
        raise sqlite3.DatabaseError(message)

    monkeypatch.setattr(journals, "_select", fails)
    with pytest.raises(JournalUnwritable):
        await journal.read(KEY, after=0, max_bytes=1000)

    assert not journal.damaged
    assert [row.record.id for row in await journal.read(KEY, after=0, max_bytes=1000)] == [record(0).id]
    await journal.close()


async def test_a_repeat_of_a_row_that_is_acknowledged_while_it_is_written_has_ended(tmp_path: Path) -> None:
    before = LaneSetup(tmp_path)
    await before.start()
    await before.accept(record(0))
    await before.stop()
    setup = LaneSetup(tmp_path)  # knows nothing of the row but that there is one
    await setup.start()
    append, delete = setup.journal.append, setup.journal.delete

    async def late(records: Sequence[Record]) -> list[Stored]:
        setup.open.set()
        async with asyncio.timeout(10):
            while setup.lane.rows:
                await asyncio.sleep(0.01)
        return await append(records)

    async def refused(_: Sequence[int]) -> None:
        raise JournalUnwritable("full")

    setup.journal.append, setup.journal.delete = late, refused
    receipt = await setup.accept(record(0))
    setup.journal.delete = delete

    async with asyncio.timeout(5):
        assert await receipt.delivery.ended() == "published"
    await setup.stop()


@pytest.mark.parametrize("change", ["PRAGMA user_version = 2", "ALTER TABLE rows RENAME COLUMN headers TO heads"])
async def test_a_journal_of_another_version_is_quarantined_with_words(tmp_path: Path, change: str) -> None:
    journal = Journal(tmp_path, max_bytes=10**6)
    await journal.open()
    await journal.append([record(0)])
    await journal.close()
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.execute(change)
        connection.commit()

    again = Journal(tmp_path, max_bytes=10**6)
    with pytest.raises(JournalDamaged, match="publish it with the version that wrote it"):
        await again.open()
    await again.close()


async def test_what_was_published_is_not_on_the_disk_any_longer(setup: LaneSetup) -> None:
    for n in range(50):
        await setup.accept(record(n, text=f"your code is 4711-{n}"))
    files = [setup.journal.path, setup.journal.path.with_name(f"{FILE_NAME}-wal")]
    assert any(b"4711" in file.read_bytes() for file in files)

    await setup.drain()
    async with asyncio.timeout(10):
        while setup.journal.rows or any(b"4711" in file.read_bytes() for file in files):
            await asyncio.sleep(0.01)


async def full(_: Sequence[Record]) -> list[Stored]:
    raise JournalUnwritable("database or disk is full")


async def test_a_disk_that_takes_nothing_refuses_nobody_whom_a_slow_kafka_serves_in_time(setup: LaneSetup) -> None:
    published: list[str] = []

    async def slowly(_: object, records: Sequence[Record], __: str) -> None:
        await asyncio.sleep(0.2)  # four times `spill_after`
        published.extend(record.id for record in records)

    setup.is_reachable, setup.lane._publish, setup.journal.append = True, slowly, full
    answers = []
    for n in range(40):
        answers.append(setup.accept(record(n)))
        await asyncio.sleep(0.02)

    assert {receipt.via for receipt in await asyncio.gather(*answers)} == {"kafka"}
    assert published == [record(n).id for n in range(40)]


async def test_a_disk_and_a_kafka_that_take_nothing_refuse_at_the_deadline(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path, accept_deadline=0.3)
    await setup.start()
    setup.is_reachable, setup.journal.append = True, full
    waiting = setup.accept(record(0))

    with pytest.raises(NotDurable, match="neither Kafka nor the journal"):
        async with asyncio.timeout(5):
            await waiting

    setup.open.set()
    async with asyncio.timeout(5):
        while not setup.topic:
            await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await setup.stop()


async def test_stopping_ends_though_nothing_takes_what_waits(tmp_path: Path) -> None:
    setup = LaneSetup(tmp_path)
    await setup.start()
    setup.is_reachable, setup.journal.append = True, full
    waiting = setup.accept(record(0))

    async with asyncio.timeout(5):
        await setup.stop()

    with pytest.raises(NotDurable):
        await waiting


async def test_a_row_that_kafka_took_while_another_delete_was_under_way_is_deleted_too(setup: LaneSetup) -> None:
    await setup.accept(record(0))
    setup.lane._work.set()
    delete = setup.journal.delete

    async def meanwhile(seqs: Sequence[int]) -> None:
        setup.journal.delete = delete
        [(seq, _)] = await setup.journal.append([record(1)])  # acknowledged by Kafka while it was being written
        setup.lane._through = seq
        setup.lane._ended.append(seq)
        await delete(seqs)

    setup.journal.delete = meanwhile
    setup.open.set()

    async with asyncio.timeout(10):
        while setup.journal.rows:
            await asyncio.sleep(0.01)


async def test_a_lane_survives_kafka_saying_not_now(setup: LaneSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([RetryBatch(), RetryBatch()])
    publish = setup.lane._publish

    async def sometimes(*arguments: object) -> None:
        if error := next(answers, None):
            raise error
        await publish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(setup.lane, "_publish", sometimes)
    setup.open.set()

    receipt = await setup.accept(record(0))
    await receipt.published

    assert [line.partition(":")[2] for line in setup.topic] == [record(0).id]


async def test_a_damaged_journal_file_is_quarantined_and_the_bus_starts(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / FILE_NAME).write_bytes(b"this is no database" * 1000)
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:9")
    bus = KafkaBus(settings, BusSettings(journal_dir=tmp_path, spill_after=0.05), instance="t")

    await bus.start()

    assert (await bus.accept(sms())).via == "journal"
    assert (tmp_path / "old.damaged" / FILE_NAME).read_bytes().startswith(b"this is no database")
    assert "kafka_away" in bus.condition().degraded
    await bus.stop(1)
