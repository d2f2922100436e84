"""The bus on Apache Kafka that dies and comes back: nothing is lost, nothing overtakes, nobody is told "full"."""

import asyncio
import errno
import json
import random
import shutil
import sqlite3
import threading
import traceback
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Literal

import blockbuster
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.producer.sender import Sender
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from structlog.testing import capture_logs

from bus.contract import Receipt
from bus.journal import claim, status
from bus.journal.journal import FILE_NAME, Journal
from bus.kafka import topics
from bus.kafka.client import KafkaAway
from bus.kafka.reader import BEGINNING, ReadRecord, read
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import SmsReceived
from schemas.timestamps import to_epoch_ms, to_text
from tests.kafka_fixtures import TestKafka
from tests.messages import OBSERVED_MS, sms

RECEIVED = SmsReceived.TOPIC
NUMBERS = [f"1647000000{n}" for n in range(8)]  # in all six partitions
NOWHERE = KafkaSettings(bootstrap_servers="127.0.0.1:1")
RECOVERY = 40.0  # seconds from "the broker serves again" to "all is published": 4 measured on an idle machine

Start = Callable[..., Awaitable[KafkaBus]]


@pytest.fixture(autouse=True)
def _housekeeping_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.kafka_bus.PROBE_EVERY", 0.05)


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Make buses over one journal directory; they are stopped in the end."""
    async with AsyncExitStack() as stack:

        async def started(kafka: KafkaSettings, instance: str = "t", *, orphan_scan_interval: float = 30.0) -> KafkaBus:
            # Three brokers on the same disk can hold up a sync for longer than the usual 2 s.
            settings = BusSettings(
                journal_dir=tmp_path, orphan_scan_interval=orphan_scan_interval, accept_deadline=20.0
            )
            bus = KafkaBus(kafka, settings, instance=instance, rng=random.Random(0))
            await bus.start()
            stack.push_async_callback(bus.stop, 1.0)
            return bus

        yield started


async def installed(kafka: TestKafka, prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix)
    async with asyncio.timeout(20):
        while True:
            # Right after another test's pause a broker may not know of itself yet.
            with suppress(KafkaAway, topics.TopicsError):
                await topics.create(settings)
                return settings
            await asyncio.sleep(0.1)


async def until(holds: Callable[[], bool], within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)


async def every_lane_in_memory(bus: KafkaBus) -> None:
    """A broker that does not know yet that it leads a new topic makes a lane spill; wait until none does."""
    for n in count():
        receipts = await asyncio.gather(*(bus.accept(sms(number, n)) for number in NUMBERS))
        if {receipt.via for receipt in receipts} == {"kafka"}:
            return
        await bus.drained()


def journal_directories(parent: Path) -> set[Path]:
    return {path.parent for path in parent.glob(f"*/{FILE_NAME}")}


# ---- a load, and what must be true of it afterwards --------------------------------------------------------------


class Load:
    """SMS for each number, three at a time, the next three when those are answered; what was given, and the answers."""

    def __init__(self, bus: KafkaBus) -> None:
        self.given: dict[str, list[SmsReceived]] = defaultdict(list)
        self.receipts: list[Receipt] = []
        self._bus = bus

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in NUMBERS:
                group.create_task(self._send(number, ended))
            yield
            ended.set()

    async def _send(self, number: str, ended: asyncio.Event) -> None:
        numbers = count()
        while not ended.is_set():
            three = [sms(number, n, observed_ms=OBSERVED_MS + n) for n in (next(numbers) for _ in range(3))]
            self.given[number] += three
            self.receipts += await asyncio.gather(*map(self._bus.accept, three))
            await asyncio.sleep(0.1)

    @property
    def messages(self) -> dict[str, SmsReceived]:
        return {message.id: message for messages in self.given.values() for message in messages}

    async def published(self) -> None:
        ends = await asyncio.wait_for(asyncio.gather(*(receipt.published for receipt in self.receipts)), RECOVERY)
        assert set(ends) == {"published"}


async def check(settings: KafkaSettings, bus: KafkaBus, load: Load) -> list[ReadRecord]:
    """Everything that the bus promises, about everything that was given to it."""
    records = [record async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    given = load.messages
    firsts: dict[str, ReadRecord] = {}
    for record in records:
        firsts.setdefault(record.headers["ce_id"].decode(), record)
    assert firsts.keys() == given.keys()
    for number, messages in load.given.items():
        ids = [message_id for message_id, record in firsts.items() if record.key == number.encode()]
        assert ids == [message.id for message in messages], "overtaken"
    for record in records:
        assert_as_given(record, given[record.headers["ce_id"].decode()])
    assert_ways(records, load.receipts)
    await assert_no_transaction(settings, len(records))
    ledger = bus.ledger
    assert (ledger.accepted, ledger.published, ledger.not_durable) == (len(given), len(given), 0)
    assert (ledger.pending, ledger.balanced) == (0, True)
    assert (bus.condition().journal_rows, bus.condition().journal_bytes) == (0, 0)
    return records


def assert_as_given(record: ReadRecord, message: SmsReceived) -> None:
    """Value, time and CloudEvents attributes, these as the `cloudevents` package reads them."""
    assert record.value == message.to_json()
    assert record.timestamp_ms == to_epoch_ms(message.observed_at)
    event = from_kafka_event(KafkaMessage(record.headers, record.key, record.value))
    assert (event.get_id(), event.get_source(), event.get_type()) == (
        message.id,
        "/smsbus/pingme/shop",
        "smsbus.sms.received.v1",
    )
    assert (event.get_specversion(), event.get_datacontenttype()) == ("1.0", "application/json")
    assert event.get_dataschema() == "urn:smsbus:schema:sms.received.v1"
    moment = event.get_time()
    assert moment is not None
    assert to_text(round(moment.timestamp() * 1000)) == message.observed_at
    assert event.get_data() == json.loads(message.to_json())


def assert_ways(records: list[ReadRecord], receipts: list[Receipt]) -> None:
    """Acknowledged out of memory: it was sent out of memory. What was sent out of the journal had been promised so."""
    promised = {receipt.id: receipt.via for receipt in receipts}
    for record in records:
        sent = record.headers["smsbus_via"].decode()
        assert sent in {"kafka", "journal"}
        assert sent == "kafka" or promised[record.headers["ce_id"].decode()] == "journal"


async def assert_no_transaction(settings: KafkaSettings, records: int) -> None:
    """Offsets are used up by records alone, and a `read_committed` reader sees as far as any other."""
    ends = [await _ends(settings, isolation) for isolation in ("read_committed", "read_uncommitted")]
    assert ends == [records, records]


async def _ends(settings: KafkaSettings, isolation: Literal["read_committed", "read_uncommitted"]) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, isolation_level=isolation)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topic(RECEIVED), number) for number in range(6)]
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


# ---- brokers that die --------------------------------------------------------------------------------------------


@pytest.mark.long  # tests/e2e/test_broker_killed.py kills it, too
async def test_the_only_broker_killed_under_load(
    kafka: TestKafka, topic_prefix: str, start: Start, tmp_path: Path
) -> None:
    settings = await installed(kafka, topic_prefix)
    bus = await start(settings)
    load = Load(bus)

    async with load.running():
        await asyncio.sleep(0.5)
        await kafka.kill()
        await until(lambda: not bus.condition().kafka_connected)
        await asyncio.sleep(1)
        away = bus.condition()
        await kafka.start()
        await until(lambda: bus.condition().degraded == (), RECOVERY)
        await asyncio.sleep(0.5)
    await load.published()

    assert (away.can_accept, "kafka_away" in away.degraded, "messages_in_journal" in away.degraded) == (True,) * 3
    assert away.journal_rows > 100
    records = await check(settings, bus, load)
    assert {record.headers["smsbus_via"] for record in records} == {b"kafka", b"journal"}
    assert {receipt.via for receipt in load.receipts[-24:]} == {"kafka"}, "back to memory"
    assert [journal.rows for journal in status.status(status.journals(tmp_path))] == [0]


async def test_one_of_three_brokers_killed_under_load(kafka3: TestKafka, topic_prefix: str, start: Start) -> None:
    settings = await installed(kafka3, topic_prefix)
    bus = await start(settings)
    load = Load(bus)

    async with load.running():
        await asyncio.sleep(0.5)
        await kafka3.nodes[0].kill()
        await until(lambda: "messages_in_journal" in bus.condition().degraded)
        await until(lambda: bus.condition().degraded == (), RECOVERY)  # two brokers are enough
        await kafka3.nodes[0].start()
        await asyncio.sleep(0.5)
    await load.published()

    await check(settings, bus, load)


async def test_what_came_during_a_request_goes_with_the_next_one_whatever_its_lane(
    kafka: TestKafka, topic_prefix: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that gave its next batch a turn of the loop later would wait for a request of all the others first."""
    bus = await start(await installed(kafka, topic_prefix))
    await every_lane_in_memory(bus)
    requests: list[int] = []  # how many lanes are in each
    meanwhile: list[asyncio.Future[Receipt]] = []
    send = Sender._send_produce_req

    async def counted(sender: Sender, node: int, batches: dict[TopicPartition, object]) -> None:
        requests.append(len(batches))
        if len(requests) == 1:
            meanwhile.extend(bus.submit(sms(number, -2)) for number in NUMBERS)
        await send(sender, node, batches)

    monkeypatch.setattr(Sender, "_send_produce_req", counted)
    await bus.accept(sms(NUMBERS[0], -1))
    await asyncio.gather(*meanwhile)

    assert requests == [1, 6]


async def test_a_broker_frozen_for_a_while_under_load(kafka: TestKafka, topic_prefix: str, start: Start) -> None:
    settings = await installed(kafka, topic_prefix)
    bus = await start(settings)
    load = Load(bus)

    async with load.running():
        await asyncio.sleep(0.5)
        await kafka.pause()
        await until(lambda: bus.condition().journal_rows > 100)
        await kafka.resume()
        await until(lambda: bus.condition().degraded == (), RECOVERY)
    await load.published()

    await check(settings, bus, load)


async def test_a_broker_that_hangs_before_the_first_sms_is_no_missing_topic(
    kafka: TestKafka, topic_prefix: str, start: Start
) -> None:
    settings = await installed(kafka, topic_prefix)
    bus = await start(settings)
    await until(lambda: bus.condition().kafka_connected)
    said = set[str]()
    with capture_logs() as lines:
        await kafka.pause()
        bus._producer._inner.client.cluster._partitions.clear()  # type: ignore[union-attr] # as before its first request
        accepted = await bus.accept(sms("4915112345678", 1))
        async with asyncio.timeout(60):
            while not bus._producer.failures:
                said |= {*bus.condition().degraded}
                await asyncio.sleep(0.05)
            for _ in range(40):
                said |= {*bus.condition().degraded}
                await asyncio.sleep(0.05)
        await kafka.resume()
    await until(lambda: bus.condition().degraded == (), RECOVERY)

    assert accepted.via == "journal"
    assert said == {"kafka_away", "messages_in_journal"}
    assert {line["error"] for line in lines if line["event"] == "kafka_away"} == {"unreachable"}
    assert {*bus.producer_failures} == {"unreachable"}


# ---- journals that outlive their process -------------------------------------------------------------------------


async def test_a_restart_publishes_what_the_journal_holds_before_anything_newer(
    kafka: TestKafka, topic_prefix: str, start: Start, tmp_path: Path
) -> None:
    settings = await installed(kafka, topic_prefix)
    nowhere = NOWHERE.model_copy(update={"topic_prefix": topic_prefix})
    number = NUMBERS[0]
    first = await start(nowhere, "first")
    await asyncio.gather(*(first.accept(sms(number, n)) for n in range(100)))
    await first.stop(0)
    [directory] = journal_directories(tmp_path)

    second = await start(settings, "second")
    await (await second.accept(sms(number, 100))).published
    await asyncio.wait_for(second.drained(), RECOVERY)

    assert (first.ledger.accepted, first.ledger.pending, first.ledger.balanced) == (100, 100, True)
    assert (second.ledger.adopted, second.ledger.accepted, second.ledger.published) == (100, 1, 101)
    assert second.ledger.balanced
    records = [record async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    assert [record.headers["ce_id"].decode() for record in records] == [sms(number, n).id for n in range(101)]
    assert {record.headers["smsbus_instance"] for record in records[:100]} == {b"first"}
    assert {record.headers["smsbus_via"] for record in records[:100]} == {b"journal"}
    assert journal_directories(tmp_path) == {directory}


async def test_the_journal_of_a_dead_process_is_drained_and_removed_and_that_of_a_living_one_is_left_alone(
    kafka: TestKafka, topic_prefix: str, start: Start, tmp_path: Path
) -> None:
    settings = await installed(kafka, topic_prefix)
    nowhere = NOWHERE.model_copy(update={"topic_prefix": topic_prefix})
    dead, living = await start(nowhere, "dead"), await start(nowhere, "living")
    await asyncio.gather(*(dead.accept(sms(NUMBERS[0], n)) for n in range(100)))
    await asyncio.gather(*(living.accept(sms(NUMBERS[1], n)) for n in range(7)))
    drainer = await start(settings, "drainer", orphan_scan_interval=0.1)
    await asyncio.sleep(0.5)  # five rounds of looking for orphans
    before = (drainer.ledger.adopted, len(journal_directories(tmp_path)))

    await dead.stop(0)
    await until(lambda: drainer.ledger.published == 100, RECOVERY)
    await until(lambda: len(list(tmp_path.iterdir())) == 2)  # the drained directory goes, lock and all

    assert before == (0, 3)
    assert len(journal_directories(tmp_path)) == 2
    assert (living.ledger.pending, living.condition().journal_rows, living.alive()) == (7, 7, True)
    assert (drainer.ledger.adopted, drainer.ledger.pending, drainer.ledger.balanced) == (100, 0, True)
    records = [record async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    assert [record.headers["ce_id"].decode() for record in records] == [sms(NUMBERS[0], n).id for n in range(100)]


async def test_a_journal_that_cannot_be_opened_disturbs_nobody_and_costs_no_thread_a_round(
    kafka: TestKafka, topic_prefix: str, start: Start, tmp_path: Path
) -> None:
    bus = await start(await installed(kafka, topic_prefix), orphan_scan_interval=0.05)
    (tmp_path / "unreadable" / FILE_NAME).mkdir(parents=True)  # a directory where the file should be
    with capture_logs() as logs:
        await until(lambda: [entry["event"] for entry in logs].count("orphan_unreadable") >= 4)

    receipt = await bus.accept(sms())

    assert await receipt.published == "published"
    assert [thread.name for thread in threading.enumerate()].count("journal unreadable") <= 1
    assert bus.alive()


async def test_a_damaged_orphan_is_quarantined_and_said_until_somebody_has_looked(start: Start, tmp_path: Path) -> None:
    bus = await start(NOWHERE, orphan_scan_interval=0.05)
    orphan = tmp_path / "orphan"
    orphan.mkdir()
    (orphan / FILE_NAME).write_bytes(b"no journal " * 1000)

    with capture_logs() as logs:
        await until(lambda: "journal_quarantined" in bus.condition().degraded)
        aside = tmp_path / "orphan.damaged"
        kept = (aside / FILE_NAME).read_bytes()
        shutil.rmtree(aside)
        await until(lambda: "journal_quarantined" not in bus.condition().degraded)

    [said] = [line for line in logs if line["event"] == "journal_quarantined"]
    assert said["directories"] == [str(aside)]
    assert kept == b"no journal " * 1000
    assert bus.alive()


async def test_a_bus_whose_own_journal_is_damaged_asks_for_a_restart(start: Start) -> None:
    bus = await start(NOWHERE)
    alive = bus.alive()

    bus._journals.own.journal.damaged = True

    assert (alive, bus.alive()) == (True, False)


async def test_a_bus_whose_housekeeping_has_died_says_that_it_is_not_alive(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = await start(NOWHERE, orphan_scan_interval=0.05)
    assert bus.alive()

    monkeypatch.setattr("bus.journal.claim.orphans", lambda _: 1 / 0)

    await until(lambda: not bus.alive())
    assert bus._housekeeper is not None
    # Retrieved: asyncio logs it else at some collection of garbage, which fails an `ast.parse` of Python 3.11.
    assert isinstance(bus._housekeeper.exception(), ZeroDivisionError)


async def test_the_housekeeping_outlives_a_time_without_descriptors(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up(_: Path) -> list[claim.Claim]:
        raise OSError(errno.EMFILE, "Too many open files")

    bus = await start(NOWHERE, orphan_scan_interval=0.05)
    with monkeypatch.context() as patched:
        patched.setattr("bus.journal.claim.orphans", used_up)
        await until(lambda: "journal_directory_unreadable" in bus.condition().degraded)

    await until(lambda: "journal_directory_unreadable" not in bus.condition().degraded)
    assert bus.alive()


# ---- the event loop ----------------------------------------------------------------------------------------------


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the event loop was blocked inside `watched`; collected, since code may swallow the exception."""
    places: list[str] = []

    class Noted(blockbuster.BlockingError):
        def __init__(self, function: str) -> None:
            super().__init__(function)
            frames = [frame for frame in traceback.extract_stack()[:-2] if "blockbuster" not in frame.filename]
            places.append(f"{function} at {frames[-1].filename}:{frames[-1].lineno}")

    monkeypatch.setattr("blockbuster.blockbuster.BlockingError", Noted)
    return places


@contextmanager
def watched() -> Iterator[None]:
    with blockbuster.blockbuster_ctx() as guard:
        # Log lines are written where they arise: one a transition, to a pipe or a file that the page cache takes.
        for write in ("io.TextIOWrapper.write", "io.BufferedWriter.write"):
            guard.functions[write].can_block_in("logging/__init__.py", {"emit", "flush"})
        yield


async def test_neither_sqlite_nor_anything_else_ever_blocks_the_event_loop(
    kafka: TestKafka, topic_prefix: str, start: Start, blocked: list[str]
) -> None:
    settings = await installed(kafka, topic_prefix)
    orphan = await start(NOWHERE.model_copy(update={"topic_prefix": topic_prefix}), "orphan")
    await asyncio.gather(*(orphan.accept(sms("4915112345678", n)) for n in range(50)))
    bus = await start(settings, orphan_scan_interval=0.1)
    load = Load(bus)

    with watched():
        async with load.running():
            await asyncio.sleep(0.3)
            await kafka.pause()
            await until(lambda: bus.condition().journal_rows > 100)
            await kafka.resume()
            await until(lambda: bus.condition().degraded == (), RECOVERY)
        await load.published()
        await orphan.stop(0)
        await until(lambda: bus.ledger.adopted == 50, RECOVERY)
        await until(lambda: bus.ledger.pending == 0 and not bus._journals.orphans, RECOVERY)
        await bus.stop(5)

    assert blocked == []
    assert (bus.ledger.pending, bus.ledger.balanced) == (0, True)


async def test_sqlite_on_the_event_loop_would_be_seen(
    tmp_path: Path, blocked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, max_bytes=1 << 20)

    async def on_the_loop(work: Callable[[sqlite3.Connection], object], *, writes: bool) -> object:
        return work(sqlite3.connect(journal.path))

    monkeypatch.setattr(journal, "_ask", on_the_loop)

    with watched(), suppress(blockbuster.BlockingError):
        await journal.delete([1])

    assert [place.split(" at ")[0] for place in blocked] == ["sqlite3.Connection.execute"]
