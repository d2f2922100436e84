"""Rows that Kafka never takes are taken out by a person: bytes first, whoever dies when, and everybody goes on."""

import asyncio
import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from bus.contract import Ledger
from bus.journal import skipped
from bus.journal.rows import RowName, Which
from bus.journal.store import Journal, JournalUnwritable
from bus.kafka import topics
from bus.kafka.brokers import admin
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import SmsRejected
from tests.kafka_fixtures import TestKafka
from tests.messages import rejected, sms
from tests.stuck_bus import POISON, House, poisoned

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    request.applymarker(pytest.mark.unaudited("its Kafka is played"))
    house = House(tmp_path)
    house.hangs.set()
    await house.bus.start()
    yield house
    house.hangs.set()
    await house.bus.stop(0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_refused_dead_letter_is_taken_out_its_bytes_kept_and_the_lane_goes_on_at_once(house: House) -> None:
    stuck, behind = await poisoned(house)
    await asyncio.sleep(1.5)  # the pause between two tries is long by now
    name = next(name for name in await house.rows() if name.id == stuck.id)

    outcome = await house.bus.skip(name)
    ends = [await asyncio.wait_for(receipt.published, 0.4) for receipt in (stuck, behind)]

    [kept] = house.kept()
    assert (outcome, ends) == ("skipped", ["skipped", "rejected"])
    assert (kept["id"], kept["journal"], kept["seq"], kept["intact"]) == (stuck.id, name.journal, name.seq, True)
    assert json.loads(base64.b64decode(kept["value_base64"])) == rejected(POISON).model_dump(mode="json")
    assert base64.b64decode(kept["key_base64"]) == b"one"
    await until(lambda: house.on_disk() == [])
    assert house.bus.ledger == Ledger(accepted=2, rejected=1, skipped=1)
    assert house.bus.ledger.balanced
    assert (house.directory / skipped.FILE).stat().st_mode & 0o777 == 0o600


async def test_the_bytes_are_on_the_disk_before_the_row_is_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, _ = await poisoned(house)
    seen: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        kept = [line["id"] for line in house.kept()]
        seen.append((stuck.id in kept, stuck.id in house.on_disk()))
        fsync(descriptor)

    monkeypatch.setattr("bus.journal.skipped.os.fsync", watched)
    await house.bus.skip((await house.rows())[0])

    assert seen == [(True, True), (True, True)], "of the file and of its directory, while the row is still there"
    assert stuck.id not in house.on_disk()


@pytest.mark.parametrize("fails", ["fsync", "write"])
async def test_bytes_that_cannot_be_kept_delete_nothing_and_leave_no_half_line(
    house: House, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    stuck, behind = await poisoned(house)
    write = os.write

    def full(descriptor: int, octets: bytes = b"") -> None:
        if fails == "write":
            write(descriptor, bytes(octets[:20]))
        raise OSError(28, "No space left on device")

    name = (await house.rows())[0]
    with monkeypatch.context() as patched:
        patched.setattr(f"bus.journal.skipped.os.{fails}", full)
        outcome = await house.bus.skip(name)

    assert outcome == "unwritable"
    assert house.kept() == []
    assert stuck.id in house.on_disk()
    assert house.bus.ledger.balanced
    assert await house.bus.skip(name) == "skipped"
    assert await asyncio.wait_for(behind.published, 5) == "rejected"


async def test_a_half_line_of_somebody_who_died_spoils_only_itself(house: House) -> None:
    (house.directory / skipped.FILE).write_text('{"half')
    stuck, _ = await poisoned(house)

    await house.bus.skip((await house.rows())[0])

    half, whole = (house.directory / skipped.FILE).read_text().splitlines()
    assert (half, json.loads(whole)["id"]) == ('{"half', stuck.id)


async def test_a_row_whose_delete_fails_is_still_there_and_may_be_skipped_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, _ = await poisoned(house)
    name = (await house.rows())[0]

    async def failing(self: Journal, seqs: Sequence[int]) -> None:
        raise JournalUnwritable("full")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "delete", failing)
        outcome = await house.bus.skip(name)
        ledger = house.bus.ledger.skipped

    assert (outcome, ledger, await house.bus.skip(name)) == ("unwritable", 0, "skipped")
    assert [line["id"] for line in house.kept()] == [stuck.id, stuck.id]


async def test_a_delete_that_holds_although_it_failed_counts(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await poisoned(house)
    delete = Journal.delete

    async def lying(self: Journal, seqs: Sequence[int]) -> None:
        await delete(self, seqs)
        raise JournalUnwritable("failing")

    monkeypatch.setattr(Journal, "delete", lying)

    assert await house.bus.skip((await house.rows())[0]) == "skipped"
    assert house.bus.ledger.skipped == 1


async def test_what_is_on_its_way_to_kafka_cannot_be_called_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.lane.MOMENT", 0.1)
    receipt = await house.bus.accept(sms())
    house.hangs.clear()
    house.is_open = True
    await house.flying.wait()

    under_way = await house.bus.skip((await house.rows())[0])
    house.hangs.set()

    assert under_way == "under_way"
    assert await asyncio.wait_for(receipt.published, 5) == "published"
    assert house.topic == [receipt.id]
    assert (house.kept(), house.bus.ledger.skipped) == ([], 0)


async def test_an_acknowledged_row_is_not_skipped_and_said_to_be_in_kafka(house: House) -> None:
    receipt = await house.bus.accept(sms())
    name = (await house.rows())[0]
    house.is_open = True
    await receipt.published

    assert await house.bus.skip(name) == "acknowledged"
    assert house.kept() == []


async def test_an_acknowledged_row_that_is_not_deleted_yet_is_not_skipped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(self: Journal, seqs: Sequence[int]) -> None:
        raise JournalUnwritable("full")

    receipt = await house.bus.accept(sms())
    name = (await house.rows())[0]
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "delete", failing)
        house.is_open = True
        await receipt.published
        outcome = await house.bus.skip(name)

    assert outcome == "acknowledged"
    assert house.kept() == []


async def test_unknown_rows_and_journals_are_said_to_be_so(house: House) -> None:
    stuck, _ = await poisoned(house)
    name = (await house.rows())[0]

    assert await house.bus.skip(name._replace(seq=name.seq + 10)) == "unknown"
    assert await house.bus.skip(name._replace(id="another")) == "unknown"
    assert await house.bus.skip(name._replace(journal="nobodyof")) == "elsewhere"
    assert await house.bus.skip(name) == "skipped"
    assert await house.bus.skip(name) == "unknown"
    assert [line["id"] for line in house.kept()] == [stuck.id]


async def test_two_who_skip_one_row_at_once_skip_it_once(house: House) -> None:
    await poisoned(house)
    name = (await house.rows())[0]

    outcomes = await asyncio.gather(house.bus.skip(name), house.bus.skip(name))

    assert sorted(outcomes) == ["skipped", "unknown"]
    assert len(house.kept()) == 1
    assert house.bus.ledger.balanced


async def test_rows_skipped_while_others_arrive_and_are_published_lose_nothing(house: House) -> None:
    letters = [rejected(b"%d" % n if n % 5 else POISON + b"  " * n) for n in range(40)]
    receipts = []
    for n, letter in enumerate(letters):
        receipts.append(await house.bus.accept(letter, key="one"))
        house.is_open = n >= 10
    names = await house.rows()
    stuck = {receipts[n].id for n in range(0, 40, 5)}

    outcomes = [await house.bus.skip(name) for name in names if name.id in stuck]
    rest = [name for name in await house.rows() if name.id in stuck]
    outcomes += [await house.bus.skip(name) for name in rest]
    ends = await asyncio.wait_for(asyncio.gather(*(receipt.published for receipt in receipts)), 10)

    assert outcomes.count("skipped") == 8
    assert house.topic == [receipt.id for receipt in receipts if receipt.id not in stuck]
    assert {receipts[n].id for n, end in enumerate(ends) if end == "skipped"} == stuck
    assert house.bus.ledger == Ledger(accepted=40, rejected=32, skipped=8)


async def test_a_stop_waits_for_a_skip_that_has_begun(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, _ = await poisoned(house)
    began, may_go_on, keep = threading.Event(), threading.Event(), skipped.keep

    def slow(*arguments: Any) -> None:
        began.set()
        may_go_on.wait(10)
        keep(*arguments)

    monkeypatch.setattr("bus.journal.skipped.keep", slow)
    skip = asyncio.create_task(house.bus.skip((await house.rows())[0]))
    await until(began.is_set)
    stop = asyncio.create_task(house.bus.stop(0))
    await asyncio.sleep(0.1)
    assert not stop.done()

    may_go_on.set()
    await stop

    assert await skip == "skipped"
    assert [line["id"] for line in house.kept()] == [stuck.id]
    assert house.bus.ledger.balanced


# ---- kill -9 between the two steps ---------------------------------------------------------------------------------

DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from bus.journal.store import Journal
from bus.kafka_bus import KafkaBus
from bus.journal.rows import RowName, Which
from bus.settings import BusSettings, KafkaSettings
from tests.messages import rejected

async def main():
    nowhere, settings = KafkaSettings(bootstrap_servers="127.0.0.1:1"), BusSettings(journal_dir=Path(sys.argv[1]))
    bus = KafkaBus(nowhere, settings, instance="a")
    await bus.start()
    await bus.accept(rejected(b"poison"))
    async def die(self, seqs):
        os.kill(os.getpid(), signal.SIGKILL)
    Journal.delete = die
    async def kafka_is_away(*_):
        from bus.lane import RetryBatch
        raise RetryBatch
    [journal] = bus.journals
    [row] = await bus.rows(journal, Which(), 1000)
    for lane in bus._own.lanes.values():
        lane._publish = kafka_is_away
    bus._producer._ready.set()
    await bus.skip(RowName(journal, row.seq, row.id))

asyncio.run(main())
"""


async def test_a_process_that_dies_between_the_two_steps_leaves_both_with_one_id(tmp_path: Path) -> None:
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
    )
    house = House(tmp_path)
    await house.bus.start()
    [name] = await house.rows()

    assert ended.returncode == -signal.SIGKILL
    assert [line["id"] for line in house.kept()] == house.on_disk() == [rejected(POISON).id]
    assert await house.bus.skip(name) == "skipped"
    assert house.bus.ledger == Ledger(adopted=1, skipped=1)
    await house.bus.stop(0)


# ---- a real broker -------------------------------------------------------------------------------------------------


async def test_a_dead_letter_that_the_broker_refuses_for_its_size_is_taken_out_and_the_next_one_arrives(
    kafka: TestKafka, topic_prefix: str, tmp_path: Path
) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    small = NewTopic(settings.topic(SmsRejected.TOPIC), 6, 1, topic_configs={"max.message.bytes": "3000"})
    async with admin(settings) as client:
        await client.create_topics([small])
    await topics.create(settings)
    bus = KafkaBus(settings, BusSettings(journal_dir=tmp_path), instance="t", rng=random.Random(0))
    await bus.start()
    stuck = await bus.accept(rejected(b"x" * 4000), key="one")
    behind = await bus.accept(rejected(b"fine"), key="one")
    [journal] = bus.journals
    async with asyncio.timeout(30):
        while not (row := await bus.rows(journal, Which(name=stuck.id), 1 << 20)):
            await asyncio.sleep(0.05)

    outcome = await bus.skip(RowName(journal, row[0].seq, stuck.id))
    ends = [await asyncio.wait_for(receipt.published, 20) for receipt in (stuck, behind)]
    await bus.stop(2)

    assert (outcome, ends) == ("skipped", ["skipped", "rejected"])
    assert (bus.ledger.skipped, bus.ledger.rejected, bus.ledger.balanced) == (1, 1, True)
