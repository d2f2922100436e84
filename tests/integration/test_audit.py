"""The audit itself: it finds what is lost while every ledger adds up."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bus.contract import Receipt
from bus.journal.journal import FILE_NAME
from bus.kafka_bus import KafkaBus
from bus.record import Record
from bus.settings import BusSettings, KafkaSettings
from tests.audit import Audit
from tests.messages import rejected, sms

NOWHERE = KafkaSettings(bootstrap_servers="127.0.0.1:1")
planted = pytest.mark.unaudited("it plants a loss, and asks the audit itself")


def bus_of(kafka: KafkaSettings, directory: Path) -> KafkaBus:
    return KafkaBus(kafka, BusSettings(journal_dir=directory, spill_after=0.05), instance="t", rng=random.Random(0))


async def given(bus: KafkaBus, count: int = 5) -> list[Receipt]:
    return await asyncio.gather(*(bus.accept(sms("16470000000", n)) for n in range(count)))


@pytest.fixture
async def bus(settings: KafkaSettings, tmp_path: Path, audit: Audit) -> AsyncIterator[KafkaBus]:
    """On the one broker; it has stopped when the audit looks."""
    bus = bus_of(settings, tmp_path)
    await bus.start()
    await given(bus)
    await bus.drained()
    yield bus
    await bus.stop(5)


def changed(path: Path, statement: str) -> int:
    with closing(sqlite3.connect(next(path.glob(f"*/{FILE_NAME}")))) as connection, connection:
        return connection.execute(statement).rowcount


async def in_journal(directory: Path) -> tuple[KafkaBus, list[Receipt]]:
    """Return a bus that stopped while Kafka was away, and what it promised."""
    bus = bus_of(NOWHERE, directory)
    await bus.start()
    receipts = await given(bus)
    await bus.stop(0)
    return bus, receipts


async def test_what_lies_in_a_topic_or_a_journal_is_not_lost(bus: KafkaBus, tmp_path: Path, audit: Audit) -> None:
    await bus.accept(rejected(b"poison"))
    await in_journal(tmp_path / "away")

    assert await audit.losses() == []
    assert len(audit) == 5 + 1, "the second bus was given the same SMS"


@planted
async def test_a_row_that_was_deleted_unsent_is_found(tmp_path: Path, audit: Audit) -> None:
    bus, receipts = await in_journal(tmp_path)

    assert changed(tmp_path, "DELETE FROM rows WHERE seq = 3") == 1

    [loss] = await audit.losses()
    assert receipts[2].id in loss
    assert bus.ledger.balanced


@planted
async def test_a_row_that_another_process_left_and_this_one_deleted_unsent_is_found(
    tmp_path: Path, audit: Audit
) -> None:
    _, receipts = await in_journal(tmp_path)
    again = Audit()
    again.look_at("127.0.0.1:1", "", tmp_path)
    again.promise_what_lies_in(tmp_path)

    assert changed(tmp_path, "DELETE FROM rows WHERE seq = 3") == 1

    [loss] = await again.losses()
    assert receipts[2].id in loss


@planted
async def test_rows_that_an_index_hides_are_not_lost_and_those_of_a_quarantined_journal_neither(
    tmp_path: Path, audit: Audit
) -> None:
    await in_journal(tmp_path)
    path = next(tmp_path.glob(f"*/{FILE_NAME}"))
    changed(tmp_path, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'").fetchall()
    for (root,) in roots:
        content = content[: (root - 1) * 4096] + bytes(4096) + content[root * 4096 :]
    path.write_bytes(content)
    path.parent.rename(path.parent.with_suffix(".damaged"))

    assert await audit.losses() == []


@planted
async def test_a_record_whose_bytes_changed_is_found(
    bus: KafkaBus, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = next(iter(bus._journals.own.lanes.values()))
    publish = lane._publish

    async def altered(key: tuple[str, int], records: Sequence[Record], via: str) -> None:
        await publish(key, [each._replace(value=each.value.replace(b"code", b"c0de")) for each in records], via)

    monkeypatch.setattr(lane, "_publish", altered)

    receipt = await bus.accept(sms("16470000000", 99, text="your code"))
    await bus.drained()  # a busy machine may write it to the journal first, where it is whole

    [loss] = await audit.losses()
    assert receipt.id in loss
    assert bus.ledger.balanced


@planted
async def test_an_acknowledged_record_that_was_never_sent_is_found(bus: KafkaBus, audit: Audit) -> None:
    async def forgotten(key: tuple[str, int], records: Sequence[Record], via: str) -> None:
        pass

    lane = next(iter(bus._journals.own.lanes.values()))
    lane._publish = forgotten

    receipt = await bus.accept(sms("16470000000", 99))

    [loss] = await audit.losses()
    assert receipt.id in loss
    assert bus.ledger.balanced


@planted
async def test_topics_that_cannot_be_read_are_no_proof(tmp_path: Path, audit: Audit) -> None:
    await in_journal(tmp_path)
    changed(tmp_path, "DELETE FROM rows")

    losses = await audit.losses()

    assert len(losses) == 5
    assert all("nothing could be read" in each for each in losses)
