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
from bus.journal.journal import Journal, JournalUnwritable
from bus.journal.rows import RowName, Which
from bus.kafka import topics
from bus.kafka.brokers import admin
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import SmsRejected
from tests.kafka_fixtures import TestKafka
from tests.messages import rejected, sms
from tests.stuck_bus import POISON, StuckBus, poisoned

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def stuck_bus(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[StuckBus]:
    request.applymarker(pytest.mark.unaudited("its Kafka is played"))
    stuck_bus = StuckBus(tmp_path)
    stuck_bus.hangs.set()
    await stuck_bus.bus.start()
    yield stuck_bus
    stuck_bus.hangs.set()
    await stuck_bus.bus.stop(0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_refused_dead_letter_is_taken_out_its_bytes_kept_and_the_lane_goes_on_at_once(
    stuck_bus: StuckBus,
) -> None:
    stuck, behind = await poisoned(stuck_bus)
    await asyncio.sleep(1.5)  # the pause between two tries is long by now
    name = next(name for name in await stuck_bus.rows() if name.id == stuck.id)

    outcome = await stuck_bus.bus.skip(name)
    ends = [await asyncio.wait_for(receipt.published, 0.4) for receipt in (stuck, behind)]

    [kept] = stuck_bus.kept()
    assert (outcome, ends) == ("skipped", ["skipped", "rejected"])
    assert (kept["id"], kept["journal"], kept["seq"], kept["intact"]) == (stuck.id, name.journal, name.seq, True)
    assert json.loads(base64.b64decode(kept["value_base64"])) == rejected(POISON).model_dump(mode="json")
    assert base64.b64decode(kept["key_base64"]) == b"one"
    await until(lambda: stuck_bus.on_disk() == [])
    assert stuck_bus.bus.ledger == Ledger(accepted=2, rejected=1, skipped=1)
    assert stuck_bus.bus.ledger.balanced
    assert (stuck_bus.directory / skipped.FILE).stat().st_mode & 0o777 == 0o600


async def test_the_bytes_are_on_the_disk_before_the_row_is_deleted(
    stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, _ = await poisoned(stuck_bus)
    seen: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        kept = [line["id"] for line in stuck_bus.kept()]
        seen.append((stuck.id in kept, stuck.id in stuck_bus.on_disk()))
        fsync(descriptor)

    monkeypatch.setattr("bus.journal.skipped.os.fsync", watched)
    await stuck_bus.bus.skip((await stuck_bus.rows())[0])

    assert seen == [(True, True), (True, True)], "of the file and of its directory, while the row is still there"
    assert stuck.id not in stuck_bus.on_disk()


@pytest.mark.parametrize("fails", ["fsync", "write"])
async def test_bytes_that_cannot_be_kept_delete_nothing_and_leave_no_half_line(
    stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    stuck, behind = await poisoned(stuck_bus)
    write = os.write

    def full(descriptor: int, octets: bytes = b"") -> None:
        if fails == "write":
            write(descriptor, bytes(octets[:20]))
        raise OSError(28, "No space left on device")

    name = (await stuck_bus.rows())[0]
    with monkeypatch.context() as patched:
        patched.setattr(f"bus.journal.skipped.os.{fails}", full)
        outcome = await stuck_bus.bus.skip(name)

    assert outcome == "unwritable"
    assert stuck_bus.kept() == []
    assert stuck.id in stuck_bus.on_disk()
    assert stuck_bus.bus.ledger.balanced
    assert await stuck_bus.bus.skip(name) == "skipped"
    assert await asyncio.wait_for(behind.published, 5) == "rejected"


async def test_a_half_line_of_somebody_who_died_spoils_only_itself(stuck_bus: StuckBus) -> None:
    (stuck_bus.directory / skipped.FILE).write_text('{"half')
    stuck, _ = await poisoned(stuck_bus)

    await stuck_bus.bus.skip((await stuck_bus.rows())[0])

    half, whole = (stuck_bus.directory / skipped.FILE).read_text().splitlines()
    assert (half, json.loads(whole)["id"]) == ('{"half', stuck.id)


async def test_a_row_whose_delete_fails_is_still_there_and_may_be_skipped_again(
    stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, _ = await poisoned(stuck_bus)
    name = (await stuck_bus.rows())[0]

    async def failing(self: Journal, seqs: Sequence[int]) -> None:
        raise JournalUnwritable("full")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "delete", failing)
        outcome = await stuck_bus.bus.skip(name)
        ledger = stuck_bus.bus.ledger.skipped

    assert (outcome, ledger, await stuck_bus.bus.skip(name)) == ("unwritable", 0, "skipped")
    assert [line["id"] for line in stuck_bus.kept()] == [stuck.id, stuck.id]


async def test_a_delete_that_holds_although_it_failed_counts(
    stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await poisoned(stuck_bus)
    delete = Journal.delete

    async def lying(self: Journal, seqs: Sequence[int]) -> None:
        await delete(self, seqs)
        raise JournalUnwritable("failing")

    monkeypatch.setattr(Journal, "delete", lying)

    assert await stuck_bus.bus.skip((await stuck_bus.rows())[0]) == "skipped"
    assert stuck_bus.bus.ledger.skipped == 1


async def test_what_is_on_its_way_to_kafka_cannot_be_called_back(
    stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.lane.MOMENT", 0.1)
    receipt = await stuck_bus.bus.accept(sms())
    stuck_bus.hangs.clear()
    stuck_bus.is_open = True
    await stuck_bus.flying.wait()

    under_way = await stuck_bus.bus.skip((await stuck_bus.rows())[0])
    stuck_bus.hangs.set()

    assert under_way == "under_way"
    assert await asyncio.wait_for(receipt.published, 5) == "published"
    assert stuck_bus.topic == [receipt.id]
    assert (stuck_bus.kept(), stuck_bus.bus.ledger.skipped) == ([], 0)


async def test_an_acknowledged_row_is_not_skipped_and_said_to_be_in_kafka(stuck_bus: StuckBus) -> None:
    receipt = await stuck_bus.bus.accept(sms())
    name = (await stuck_bus.rows())[0]
    stuck_bus.is_open = True
    await receipt.published

    assert await stuck_bus.bus.skip(name) == "acknowledged"
    assert stuck_bus.kept() == []


async def test_an_acknowledged_row_that_is_not_deleted_yet_is_not_skipped(
    stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(self: Journal, seqs: Sequence[int]) -> None:
        raise JournalUnwritable("full")

    receipt = await stuck_bus.bus.accept(sms())
    name = (await stuck_bus.rows())[0]
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "delete", failing)
        stuck_bus.is_open = True
        await receipt.published
        outcome = await stuck_bus.bus.skip(name)

    assert outcome == "acknowledged"
    assert stuck_bus.kept() == []


async def test_unknown_rows_and_journals_are_said_to_be_so(stuck_bus: StuckBus) -> None:
    stuck, _ = await poisoned(stuck_bus)
    name = (await stuck_bus.rows())[0]

    assert await stuck_bus.bus.skip(name._replace(seq=name.seq + 10)) == "unknown"
    assert await stuck_bus.bus.skip(name._replace(id="another")) == "unknown"
    assert await stuck_bus.bus.skip(name._replace(journal="nobodyof")) == "elsewhere"
    assert await stuck_bus.bus.skip(name) == "skipped"
    assert await stuck_bus.bus.skip(name) == "unknown"
    assert [line["id"] for line in stuck_bus.kept()] == [stuck.id]


async def test_two_who_skip_one_row_at_once_skip_it_once(stuck_bus: StuckBus) -> None:
    await poisoned(stuck_bus)
    name = (await stuck_bus.rows())[0]

    outcomes = await asyncio.gather(stuck_bus.bus.skip(name), stuck_bus.bus.skip(name))

    assert sorted(outcomes) == ["skipped", "unknown"]
    assert len(stuck_bus.kept()) == 1
    assert stuck_bus.bus.ledger.balanced


async def test_rows_skipped_while_others_arrive_and_are_published_lose_nothing(stuck_bus: StuckBus) -> None:
    letters = [rejected(b"%d" % n if n % 5 else POISON + b"  " * n) for n in range(40)]
    receipts = []
    for n, letter in enumerate(letters):
        receipts.append(await stuck_bus.bus.accept(letter, key="one"))
        stuck_bus.is_open = n >= 10
    names = await stuck_bus.rows()
    stuck = {receipts[n].id for n in range(0, 40, 5)}

    outcomes = [await stuck_bus.bus.skip(name) for name in names if name.id in stuck]
    rest = [name for name in await stuck_bus.rows() if name.id in stuck]
    outcomes += [await stuck_bus.bus.skip(name) for name in rest]
    ends = await asyncio.wait_for(asyncio.gather(*(receipt.published for receipt in receipts)), 10)

    assert outcomes.count("skipped") == 8
    assert stuck_bus.topic == [receipt.id for receipt in receipts if receipt.id not in stuck]
    assert {receipts[n].id for n, end in enumerate(ends) if end == "skipped"} == stuck
    assert stuck_bus.bus.ledger == Ledger(accepted=40, rejected=32, skipped=8)


async def test_a_stop_waits_for_a_skip_that_has_begun(stuck_bus: StuckBus, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, _ = await poisoned(stuck_bus)
    began, may_go_on, keep = threading.Event(), threading.Event(), skipped.keep

    def slow(*arguments: Any) -> None:
        began.set()
        may_go_on.wait(10)
        keep(*arguments)

    monkeypatch.setattr("bus.journal.skipped.keep", slow)
    skip = asyncio.create_task(stuck_bus.bus.skip((await stuck_bus.rows())[0]))
    await until(began.is_set)
    stop = asyncio.create_task(stuck_bus.bus.stop(0))
    await asyncio.sleep(0.1)
    assert not stop.done()

    may_go_on.set()
    await stop

    assert await skip == "skipped"
    assert [line["id"] for line in stuck_bus.kept()] == [stuck.id]
    assert stuck_bus.bus.ledger.balanced


# ---- kill -9 between the two steps ---------------------------------------------------------------------------------

DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from bus.journal.journal import Journal
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
        from bus.publishing import RetryBatch
        raise RetryBatch
    [journal] = bus.journals
    [row] = await bus.rows(journal, Which(), 1000)
    for lane in bus._journals.own.lanes.values():
        lane._publish = kafka_is_away
    bus._producer._ready.set()
    await bus.skip(RowName(journal, row.seq, row.id))

asyncio.run(main())
"""


async def test_a_process_that_dies_between_the_two_steps_leaves_both_with_one_id(tmp_path: Path) -> None:
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
    )
    stuck_bus = StuckBus(tmp_path)
    await stuck_bus.bus.start()
    [name] = await stuck_bus.rows()

    assert ended.returncode == -signal.SIGKILL
    assert [line["id"] for line in stuck_bus.kept()] == stuck_bus.on_disk() == [rejected(POISON).id]
    assert await stuck_bus.bus.skip(name) == "skipped"
    assert stuck_bus.bus.ledger == Ledger(adopted=1, skipped=1)
    await stuck_bus.bus.stop(0)


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
