"""One bad bit in a journal costs at most one record, which becomes a dead letter, or the file is kept for a person."""

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from bus.deliveries import Deliveries
from bus.journal.journal import FILE_NAME, Journal, JournalDamaged
from bus.kafka_bus import KafkaBus
from bus.lane import Lane
from bus.record import Record, TopicPartition, build
from bus.settings import BusSettings, KafkaSettings
from tests.messages import sms

KEY: TopicPartition = ("sms.received.v1", 0)
ROWS = 60
FLIPS = 150
PAGE = 4096
by_the_test = pytest.mark.unaudited("its Kafka is a function of the test")


def record(n: int) -> Record:
    made = build(sms("16470000000", n, text="your code is 1234 " * 20), topic_prefix="", instance="t")
    return Record(made.id, *KEY, made.key, made.value, made.headers, made.timestamp_ms)


IDS = {record(n).id for n in range(ROWS)}


@pytest.fixture
async def content(tmp_path: Path) -> bytes:
    """A journal of a process that died while Kafka was away."""
    directory = tmp_path / "written"
    directory.mkdir()
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    await journal.append([record(n) for n in range(ROWS)])
    await journal.close()
    with sqlite3.connect(directory / FILE_NAME) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (directory / FILE_NAME).read_bytes()


def flipped(content: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


def index_places(directory: Path, content: bytes) -> list[int]:
    """Return where the index has the topic of a row."""
    with sqlite3.connect(directory / FILE_NAME) as connection:
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows_by_lane'").fetchall()
    places, at = [], (root - 1) * PAGE - 1
    while (at := content.find(KEY[0].encode(), at + 1, root * PAGE)) >= 0:
        places.append(at)
    return places


class Drain:
    """What a process publishes of a journal that it finds."""

    def __init__(self, directory: Path) -> None:
        self.published: list[str] = []
        self.dead: list[str] = []
        self._directory = directory

    async def run(self) -> None:
        """Raises `JournalDamaged`: the file is quarantined."""
        journal = Journal(self._directory, max_bytes=1 << 30)
        try:
            backlog = await journal.open()
            lanes = [self._lane(journal, key) for key in backlog]
            for lane in lanes:
                lane.adopt(backlog[lane.key])
                lane.start()
            async with asyncio.timeout(10):
                while not all(lane.empty for lane in lanes):
                    assert all(lane.alive for lane in lanes)
                    await asyncio.sleep(0)
            for lane in lanes:
                await lane.stop()
        finally:
            await journal.close()

    def _lane(self, journal: Journal, key: TopicPartition) -> Lane:
        return Lane(
            key,
            journal=journal,
            deliveries=Deliveries(remember=1000),
            publish=self._publish,
            dead_letter=self._dead_letter,
            ends_as="published",
            settings=BusSettings(journal_dir=self._directory),
            rng=random.Random(0),
        )

    async def _publish(self, key: TopicPartition, records: Sequence[Record], via: str) -> None:
        self.published += [record.id for record in records]

    async def _dead_letter(self, record: Record, reason: str) -> str:
        self.dead.append(record.id)
        return f"letter of {record.id}"


async def test_wherever_one_bit_is_flipped_every_other_record_is_published_or_the_file_is_kept(
    tmp_path: Path, content: bytes
) -> None:
    rng = random.Random(7)
    kept = 0
    for number in range(FLIPS):
        directory = tmp_path / f"flip-{number}"
        directory.mkdir()
        (directory / FILE_NAME).write_bytes(flipped(content, rng.randrange(PAGE, len(content)), rng.randrange(8)))
        drain = Drain(directory)
        try:
            await drain.run()
        except JournalDamaged:
            kept += 1
            continue
        assert len(IDS & set(drain.published)) + len(drain.dead) == ROWS
        assert len(drain.dead) <= 1
    assert kept < FLIPS / 20


async def test_a_journal_whose_rows_can_be_read_and_not_deleted_is_quarantined(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    await journal.append([record(n) for n in range(4)])
    await journal.close()
    [(root,)] = sqlite3.connect(journal.path).execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows'")
    content = journal.path.read_bytes()
    journal.path.write_bytes(flipped(content, (root - 1) * PAGE + 5, 7))  # where the page's cells begin

    with pytest.raises(JournalDamaged):
        await Drain(tmp_path).run()


async def test_an_index_that_hides_rows_is_made_anew(tmp_path: Path, content: bytes) -> None:
    rng = random.Random(5)
    places = index_places(tmp_path / "written", content)
    for number in range(20):
        directory = tmp_path / f"index-{number}"
        directory.mkdir()
        at = rng.choice(places) + rng.randrange(len(KEY[0]))
        (directory / FILE_NAME).write_bytes(flipped(content, at, rng.randrange(7)))
        drain = Drain(directory)

        await drain.run()

        assert set(drain.published) == IDS


async def test_rows_that_a_damaged_index_hides_from_a_running_lane_are_found(tmp_path: Path) -> None:
    drain = Drain(tmp_path)
    journal = Journal(tmp_path, max_bytes=1 << 30)
    await journal.open()
    await journal.append([record(n) for n in range(3)])
    hidden = journal.read
    looks = iter([[]])

    async def read(lane: TopicPartition, *, after: int, max_bytes: int) -> object:
        return next(looks, None) or await hidden(lane, after=after, max_bytes=max_bytes)

    journal.read = read  # type: ignore[assignment]
    lane = drain._lane(journal, KEY)
    lane.adopt(3)
    lane.start()
    async with asyncio.timeout(10):
        while not lane.empty:
            await asyncio.sleep(0.01)

    assert drain.published == [record(n).id for n in range(3)]
    assert lane.lost == 0
    await lane.stop()
    await journal.close()


async def orphan_drained_by_a_bus(parent: Path, content: bytes) -> Path:
    """Return the directory of an orphan after a bus has published all that it found in it."""
    (parent / ("a" * 12)).mkdir(parents=True)  # the bus's own
    orphan = parent / "zz"
    orphan.mkdir()
    (orphan / FILE_NAME).write_bytes(content)
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    bus = KafkaBus(nowhere, BusSettings(journal_dir=parent), instance="t", rng=random.Random(0))

    async def publish(key: TopicPartition, records: Sequence[Record], via: str) -> None:
        pass

    bus._producer.publish = publish  # type: ignore[method-assign]
    await bus.start()
    async with asyncio.timeout(10):
        while orphan.exists():
            await asyncio.sleep(0.02)
    await bus.stop(0)
    return orphan


@by_the_test
async def test_an_orphan_whose_rows_are_all_published_is_removed(tmp_path: Path, content: bytes) -> None:
    orphan = await orphan_drained_by_a_bus(tmp_path / "journal", content)

    assert not orphan.with_name("zz.damaged").exists()


@by_the_test
async def test_an_orphan_that_holds_what_cannot_be_explained_is_kept(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rows_left(_: Journal) -> int:
        return 1

    monkeypatch.setattr(Journal, "rows_left", rows_left)

    orphan = await orphan_drained_by_a_bus(tmp_path / "journal", content)

    assert (orphan.with_name("zz.damaged") / FILE_NAME).exists()
