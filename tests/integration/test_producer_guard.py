"""The producer guard: what a broker's error does to a batch, when the producer is replaced, and that stopping ends.

Errors are injected by librdkafka's mock cluster, which answers a whole batch with one code; what needs a broker that
looks into a batch, or a broker that is frozen or killed, runs on Apache Kafka.
"""

import asyncio
import base64
import gc
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Self
from unittest.mock import AsyncMock

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from structlog.testing import capture_logs

from bus.contract import Receipt
from bus.kafka import brokers, topics
from bus.kafka.client import PRODUCER_STOP_TIMEOUT, KafkaAway, discard
from bus.kafka.producer import LOOK, Producer
from bus.kafka.reader import BEGINNING, read
from bus.kafka_bus import KafkaBus
from bus.record import partition_of
from bus.settings import BusSettings, KafkaSettings
from schemas.dead_letter import PREFIX_BYTES
from schemas.messages import Message, SmsReceived, SmsRejected
from tests.kafka_fixtures import TestKafka
from tests.messages import rejected, sms
from tests.mock_cluster import (
    INIT_PRODUCER_ID,
    LEADER_NOT_AVAILABLE,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    OUT_OF_ORDER_SEQUENCE_NUMBER,
    PRODUCE,
    REQUEST_TIMED_OUT,
    MockCluster,
)

RECEIVED, REJECTED = SmsReceived.TOPIC, SmsRejected.TOPIC
NUMBER = "16470000000"
UNKNOWN, CORRUPT, TOPIC_AUTHORIZATION, CLUSTER_AUTHORIZATION, STORAGE = -1, 2, 29, 31, 56
INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID = 47, 59
TOO_LARGE, LIST_TOO_LARGE, INVALID_TIMESTAMP, INVALID_RECORD = 10, 18, 32, 87
# Seconds for the producer alone: flush, close, the sender task, and a busy machine.
SLOW = {"silent", "unreachable"}  # why Kafka is away, where no broker has refused anything
STOP_BOUND = 2 * PRODUCER_STOP_TIMEOUT + 2.0

Connect = Callable[[KafkaSettings | str], Awaitable[KafkaBus]]


@pytest.fixture(autouse=True)
async def _nothing_is_left_behind(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Whatever happened: no task survives `stop`, and asyncio has no failure to complain of that nobody took."""
    before = asyncio.all_tasks()
    caplog.set_level(logging.WARNING, logger="asyncio")

    yield

    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == {asyncio.current_task()}
    complaints = caplog.get_records("call") + caplog.get_records("teardown")
    assert not [record.getMessage() for record in complaints if record.name == "asyncio"]


@pytest.fixture
def mock() -> Iterator[MockCluster]:
    with MockCluster() as cluster:
        for name in (RECEIVED, REJECTED):
            cluster.create_topic(name, 6)
        yield cluster


async def installed(kafka: TestKafka, prefix: str, *, limit: int | None = None) -> KafkaSettings:
    """Our topics on Apache Kafka, the one for SMS with batches of at most `limit` bytes."""
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix)
    configs = {"max.message.bytes": str(limit)} if limit else {}
    async with asyncio.timeout(20):
        while True:
            # Right after another test's pause a broker may not know of itself yet.
            with suppress(KafkaAway, topics.TopicsError):
                async with brokers.admin(settings) as admin:
                    await admin.create_topics([NewTopic(settings.topic(RECEIVED), 6, 1, topic_configs=configs)])
                await topics.create(settings)
                return settings
            await asyncio.sleep(0.1)


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Make buses that have started, and stop them in the end."""
    async with AsyncExitStack() as stack:

        async def started(kafka: KafkaSettings | str) -> KafkaBus:
            if isinstance(kafka, str):
                kafka = KafkaSettings(bootstrap_servers=kafka)
            bus = KafkaBus(kafka, BusSettings(journal_dir=tmp_path), instance="t", rng=random.Random(0))
            await bus.start()
            stack.push_async_callback(bus.stop, 1.0)
            return bus

        yield started


async def accept_all(bus: KafkaBus, messages: Sequence[Message]) -> list[Receipt]:
    return await asyncio.gather(*map(bus.accept, messages))


async def outcomes(receipts: Sequence[Receipt], within: float = 15) -> list[str]:
    return await asyncio.wait_for(asyncio.gather(*(receipt.published for receipt in receipts)), within)


async def in_mock(mock: MockCluster, topic: str, key: str) -> list[bytes]:
    """The values in the key's partition, in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=mock.bootstrap_servers, check_crcs=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, partition_of(key.encode()))
        consumer.assign([partition])
        consumer.seek(partition, 0)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while await consumer.position(partition) < end:
            found = await consumer.getmany(partition, timeout_ms=500)
            values += [record.value or b"" for record in found.get(partition, [])]
        return values
    finally:
        await consumer.stop()


async def texts_in_mock(mock: MockCluster) -> list[str | None]:
    return [SmsReceived.model_validate_json(value).text for value in await in_mock(mock, RECEIVED, NUMBER)]


async def until(holds: Callable[[], bool], within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)


# ---- what an error does to a batch ------------------------------------------------------------------------------


@pytest.mark.mock_cluster
@pytest.mark.parametrize(
    "code", [LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS, STORAGE]
)
async def test_an_error_that_passes_is_retried_in_order_by_the_same_producer(
    mock: MockCluster, connect: Connect, code: int
) -> None:
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    producer = bus._producer._inner
    mock.push_errors(PRODUCE, code, code)

    waves = [await accept_all(bus, [sms(NUMBER, n) for n in range(start, start + 20)]) for start in (1, 21)]
    await outcomes([receipt for wave in waves for receipt in wave])

    assert bus._producer._inner is producer
    assert not bus.producer_failures
    assert await texts_in_mock(mock) == [f"{NUMBER}/{n}" for n in range(41)]
    assert (bus.ledger.accepted, bus.ledger.published, bus.ledger.balanced) == (41, 41, True)


@pytest.mark.mock_cluster
@pytest.mark.parametrize(
    "code",
    [
        OUT_OF_ORDER_SEQUENCE_NUMBER,
        INVALID_PRODUCER_EPOCH,
        UNKNOWN_PRODUCER_ID,
        UNKNOWN,
        CORRUPT,
        TOPIC_AUTHORIZATION,
        CLUSTER_AUTHORIZATION,
    ],
)
async def test_an_error_that_stays_replaces_the_producer_and_loses_and_reorders_nothing(
    mock: MockCluster, connect: Connect, code: int
) -> None:
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    producer = bus._producer._inner
    mock.push_errors(PRODUCE, code)

    with capture_logs() as logs:
        receipts = await accept_all(bus, [sms(NUMBER, n) for n in range(1, 31)])
        await outcomes(receipts)
        await until(lambda: bus._producer._inner not in {producer, None})

    assert [entry["event"] for entry in logs].count("producer_replaced") == 1
    assert sum(bus.producer_failures.values()) == 1
    assert await texts_in_mock(mock) == [f"{NUMBER}/{n}" for n in range(31)]
    assert (bus.ledger.accepted, bus.ledger.published, bus.ledger.balanced) == (31, 31, True)
    assert bus.condition().kafka_connected


@pytest.mark.mock_cluster
@pytest.mark.parametrize(
    ("code", "is_away"), [(TOPIC_AUTHORIZATION, False), (CLUSTER_AUTHORIZATION, True)], ids=["topic", "cluster"]
)
async def test_a_user_who_may_not_write_is_told_so_once_and_not_with_every_try(
    mock: MockCluster, connect: Connect, monkeypatch: pytest.MonkeyPatch, code: int, *, is_away: bool
) -> None:
    monkeypatch.setattr("bus.kafka_bus.PROBE_EVERY", 0.02)
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    mock.push_errors(PRODUCE, *[code] * 4)

    with capture_logs() as logs:
        receipt = await bus.accept(sms(NUMBER, 1))
        await until(lambda: "topics_misconfigured" in bus.condition().degraded)
        assert ("kafka_away" in bus.condition().degraded) == is_away
        await outcomes([receipt])
        await until(lambda: bus.condition().degraded == ())

    said = [entry["event"] for entry in logs if entry["event"].split("_")[0] in {"producer", "topics"}]
    away = [entry["event"] for entry in logs if entry["event"] in {"kafka_away", "kafka_away_no_more"}]
    [wrong] = [entry for entry in logs if entry["event"] == "topics_misconfigured"]
    assert sorted(said) == ["producer_replaced", "topics_misconfigured", "topics_misconfigured_no_more"]
    assert away == ["kafka_away", "kafka_away_no_more"] * is_away  # else brokers say which topic they refuse
    assert "give this user Write" in wrong["problems"][0]
    assert sum(bus.producer_failures.values()) == 4


def is_away_by_an_error(bus: KafkaBus) -> bool:
    """Whether Kafka is said to be away, and not only because a busy machine makes it slow."""
    return "kafka_away" in bus.condition().degraded and bus._producer.away_reason not in SLOW


@pytest.mark.mock_cluster
@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (3, "UnknownTopicOrPartitionError", "is missing"),
        (TOPIC_AUTHORIZATION, "TopicAuthorizationFailedError", "give this user Write"),
    ],
)
async def test_one_topic_that_takes_nothing_is_named_though_others_are_well(
    mock: MockCluster, connect: Connect, monkeypatch: pytest.MonkeyPatch, code: int, error: str, words: str
) -> None:
    async def check(*_: object) -> list[str]:
        return [f"topic {REJECTED} is missing: run `smsbus topics create`"]

    monkeypatch.setattr("bus.kafka_bus.PROBE_EVERY", 0.02)
    monkeypatch.setattr("bus.kafka_bus.check", check)
    mock.topic_error(REJECTED, code)
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    n = 0

    with capture_logs() as logs:
        letter = await bus.accept(rejected(b"poison"))
        said_at = None
        while said_at is None or time.monotonic() < said_at + 3:
            n += 1
            await asyncio.wait_for(bus.accept(sms(NUMBER, n)), 10)
            await asyncio.sleep(0.02)
            assert n < 1000
            if said_at is None and "topics_misconfigured" in bus.condition().degraded:
                said_at = time.monotonic()
            assert said_at is None or not is_away_by_an_error(bus), "SMS arrive meanwhile"
        assert "topics_misconfigured" in bus.condition().degraded
        assert f"takes_nothing:{REJECTED}:{error}" in bus.condition().degraded
        mock.topic_error(REJECTED, 0)
        await outcomes([letter])
        await until(lambda: "topics_misconfigured" not in bus.condition().degraded)

    [wrong] = [entry for entry in logs if entry["event"] == "topics_misconfigured"]
    events = [entry["event"] for entry in logs]
    assert REJECTED in wrong["problems"][0]
    assert words in wrong["problems"][0]
    assert events.count("producer_replaced") <= 1
    assert events.count("kafka_connected") <= 1
    away = [entry for entry in logs if entry["event"] == "kafka_away" and entry["error"] not in SLOW]
    assert len(away) <= (code == 3)  # until it is known that it is the topic
    assert not {"_NotSent", "_Gone"} & bus.producer_failures.keys()


@pytest.mark.mock_cluster
async def test_a_poisoned_producer_is_given_no_further_batch(
    mock: MockCluster, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.lane.Lane._pause", AsyncMock())  # it tries again at once
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    poisoned = bus._producer._inner
    assert poisoned is not None
    given, send_batch = [], poisoned.send_batch
    poisoned.send_batch = lambda *batch, **options: given.append(batch) or send_batch(*batch, **options)
    mock.push_errors(PRODUCE, OUT_OF_ORDER_SEQUENCE_NUMBER)

    await outcomes(await accept_all(bus, [sms(NUMBER, n) for n in range(1, 9)]))

    assert len(given) == 1
    assert await texts_in_mock(mock) == [f"{NUMBER}/{n}" for n in range(9)]


@pytest.mark.mock_cluster
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (TOO_LARGE, "too_large_for_the_topic"),
        (LIST_TOO_LARGE, "too_large_for_the_topic"),
        (INVALID_RECORD, "invalid_record"),
    ],
)
async def test_a_record_that_is_refused_alone_ends_as_a_dead_letter(
    mock: MockCluster, connect: Connect, code: int, reason: str
) -> None:
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    producer, message = bus._producer._inner, sms(NUMBER, 1)
    mock.push_errors(PRODUCE, code)

    receipt = await bus.accept(message)

    assert bus._producer._inner is producer
    assert await outcomes([receipt, await bus.accept(sms(NUMBER, 2))]) == ["rejected", "published"]
    await bus.drained()
    [letter] = [SmsRejected.model_validate_json(value) for value in await in_mock(mock, REJECTED, "shop")]
    assert (letter.stage, letter.reason) == ("publish", reason)
    assert letter.facts == {"refused_id": message.id, "refused_topic": RECEIVED}
    assert base64.b64decode(letter.body_base64 or "") == message.to_json()
    assert await texts_in_mock(mock) == [f"{NUMBER}/0", f"{NUMBER}/2"]
    assert (bus.ledger.accepted, bus.ledger.published, bus.ledger.rejected, bus.ledger.balanced) == (3, 2, 1, True)
    again = await bus.accept(message)  # meanwhile somebody has raised the limit
    assert (again.duplicate, await outcomes([again])) == (False, ["published"])
    assert bus.ledger.balanced


@pytest.mark.mock_cluster
async def test_a_clock_that_kafka_does_not_believe_delays_and_refuses_nothing(
    mock: MockCluster, connect: Connect
) -> None:
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    mock.push_errors(PRODUCE, INVALID_TIMESTAMP, INVALID_TIMESTAMP)

    ends = await outcomes(await accept_all(bus, [sms(NUMBER, 1), sms(NUMBER, 2)]))

    assert ends == ["published"] * 2
    assert await texts_in_mock(mock) == [f"{NUMBER}/{n}" for n in range(3)]


async def test_what_was_accepted_while_the_clock_was_hours_ahead_is_taken_when_it_is_right_again(
    kafka: TestKafka, topic_prefix: str, connect: Connect
) -> None:
    settings = await installed(kafka, topic_prefix)
    bus = await connect(settings)
    now_ms = time.time_ns() // 1_000_000

    ends = await outcomes([await bus.accept(sms(NUMBER, 1, observed_ms=now_ms + 7_200_000))])

    [record] = [record async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    assert ends == ["published"]
    assert now_ms <= record.timestamp_ms <= time.time_ns() // 1_000_000


@pytest.mark.mock_cluster
async def test_a_refused_dead_letter_stays_in_the_queue_and_is_not_a_dead_letter_of_a_dead_letter(
    mock: MockCluster, connect: Connect
) -> None:
    bus = await connect(mock.bootstrap_servers)
    mock.push_errors(PRODUCE, TOO_LARGE, TOO_LARGE)

    receipt = await bus.accept(rejected(b"poison"))

    assert await outcomes([receipt]) == ["rejected"]
    assert len(await in_mock(mock, REJECTED, "shop")) == 1
    assert (bus.ledger.accepted, bus.ledger.rejected, bus.ledger.balanced) == (1, 1, True)


async def test_one_oversized_record_among_fifty_is_found_and_the_others_arrive_in_order(
    kafka: TestKafka, topic_prefix: str, connect: Connect
) -> None:
    limit = 100_000
    settings = await installed(kafka, topic_prefix, limit=limit)
    bus = await connect(settings)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    producer = bus._producer._inner
    messages = [sms(NUMBER, n, text="x" * 2 * limit if n == 33 else None) for n in range(1, 51)]

    ends = await outcomes(await accept_all(bus, messages))
    await bus.drained()

    assert bus._producer._inner is producer

    assert ends == ["rejected" if n == 33 else "published" for n in range(1, 51)]
    received = [record.value or b"" async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    assert [SmsReceived.model_validate_json(value).text for value in received] == [
        f"{NUMBER}/{n}" for n in range(51) if n != 33
    ]
    [letter] = [
        SmsRejected.model_validate_json(record.value or b"")
        async for record in read(settings, REJECTED, start=BEGINNING, follow=False)
    ]
    value = messages[32].to_json()
    assert base64.b64decode(letter.body_base64 or "") == value[:PREFIX_BYTES]
    assert (letter.body_bytes, letter.body_sha256) == (len(value), sha256(value).hexdigest())
    assert (letter.body_complete, letter.facts["refused_id"]) == (False, messages[32].id)
    assert (bus.ledger.accepted, bus.ledger.published, bus.ledger.rejected, bus.ledger.balanced) == (51, 50, 1, True)


async def test_refused_records_cost_no_lane_its_connection_and_each_keeps_its_order(
    kafka: TestKafka, topic_prefix: str, connect: Connect
) -> None:
    limit = 20_000
    settings = await installed(kafka, topic_prefix, limit=limit)
    bus = await connect(settings)
    numbers = ["16470000000", "16470000001", "79001234567"]  # of three partitions
    await outcomes([await bus.accept(sms(number, 0)) for number in numbers])
    producer = bus._producer._inner

    with capture_logs() as logs:
        receipts: list[Receipt] = []
        for n in range(1, 41):
            large = sms(numbers[n % 2], 100 + n, text="x" * 2 * limit)
            receipts += await accept_all(bus, [large, *(sms(number, n) for number in numbers)])
        ends = await outcomes(receipts)
        await bus.drained()

    assert ends == ["rejected", "published", "published", "published"] * 40
    assert bus._producer._inner is producer
    assert bus.producer_failures.keys() == {"MessageSizeTooLargeError"}
    assert not {"producer_replaced", "kafka_connected", "kafka_away"} & {line["event"] for line in logs}
    found = [record.value or b"" async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    texts = [SmsReceived.model_validate_json(value).text or "" for value in found]
    for number in numbers:
        assert [text for text in texts if text.startswith(number)] == [f"{number}/{n}" for n in range(41)]
    assert (bus.ledger.published, bus.ledger.rejected, bus.ledger.balanced) == (123, 40, True)


# ---- when the producer is replaced ------------------------------------------------------------------------------


@pytest.mark.mock_cluster
@pytest.mark.parametrize("task", ["sender", "metadata"])
async def test_a_task_of_the_producer_that_has_ended_is_noticed_and_its_producer_replaced(
    mock: MockCluster, connect: Connect, task: str
) -> None:
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    producer = bus._producer._inner
    assert producer is not None
    (producer._sender.sender_task if task == "sender" else producer.client._sync_task).cancel()

    receipt = await bus.accept(sms(NUMBER, 1))  # no error tells of it: aiokafka would wait for ever
    await until(lambda: bus._producer._inner not in {producer, None})

    assert await outcomes([receipt], within=LOOK + PRODUCER_STOP_TIMEOUT + 8) == ["published"]
    assert bus._producer._inner is not producer
    assert await texts_in_mock(mock) == [f"{NUMBER}/0", f"{NUMBER}/1"]


@pytest.mark.mock_cluster
class Address:
    """A bootstrap address behind which brokers change."""

    def __init__(self) -> None:
        self.target = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.name = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            host, port = self.target.rsplit(":", 1)
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))
        except OSError:
            pass
        finally:
            writer.close()
            self._tasks.discard(task)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.mark.mock_cluster
async def test_brokers_that_come_back_under_new_addresses_are_found_once_their_topics_are_right(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = ["topic sms.received.v1 is missing"]

    async def check(*_: object) -> list[str]:
        return list(problems)

    monkeypatch.setattr("bus.kafka_bus.check", check)
    for name in ("LOST", "ASK", "LOOK"):
        monkeypatch.setattr(f"bus.kafka.producer.{name}", 0.1)
    async with Address() as address:
        with MockCluster() as one:
            one.create_topic(RECEIVED, 6)
            address.target = one.bootstrap_servers
            bus = await connect(address.name)
            await outcomes(await accept_all(bus, [sms(NUMBER, 0)]))
        with MockCluster() as two, capture_logs() as logs:
            two.create_topic(RECEIVED, 6)
            address.target = two.bootstrap_servers
            receipts = await accept_all(bus, [sms(NUMBER, n) for n in range(1, 20)])
            await until(lambda: any(each["event"] == "kafka_moved_and_differs" for each in logs), within=20)
            assert not await texts_in_mock(two)

            problems.clear()
            assert set(await outcomes(receipts, within=30)) == {"published"}

            assert await texts_in_mock(two) == [sms(NUMBER, n).text for n in range(1, 20)]
            assert [each["event"] for each in logs].count("kafka_moved_and_differs") == 1
            await bus.stop(1.0)


@pytest.mark.mock_cluster
async def test_a_start_that_fails_for_a_while_connects_by_itself_when_the_broker_comes(
    mock: MockCluster, connect: Connect
) -> None:
    mock.broker_down(1)
    bus = await connect(mock.bootstrap_servers)
    receipt = await bus.accept(sms(NUMBER, 0))
    await until(lambda: sum(bus.producer_failures.values()) >= 2)
    assert (receipt.via, bus.condition().kafka_connected, bus.condition().can_accept) == ("journal", False, True)

    mock.broker_up(1)

    assert await outcomes([receipt]) == ["published"]
    assert bus.condition().kafka_connected
    assert bus.condition().degraded == ()


@pytest.mark.mock_cluster
async def test_a_start_that_the_broker_refuses_is_tried_again(mock: MockCluster, connect: Connect) -> None:
    mock.push_errors(INIT_PRODUCER_ID, CLUSTER_AUTHORIZATION, CLUSTER_AUTHORIZATION, CLUSTER_AUTHORIZATION)
    bus = await connect(mock.bootstrap_servers)

    receipt = await bus.accept(sms(NUMBER, 0))

    assert await outcomes([receipt]) == ["published"]
    assert bus.producer_failures == {"ClusterAuthorizationFailedError": 3}


@pytest.mark.mock_cluster
async def test_a_partition_without_a_leader_replaces_the_producer_and_harms_no_other_partition(
    mock: MockCluster, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.kafka.producer.REQUEST_TIMEOUT", 1.0)
    other = next(
        f"1647000000{n}"
        for n in range(10)
        if partition_of(b"1647000000%d" % n) != partition_of(b"%b" % NUMBER.encode())
    )
    bus = await connect(mock.bootstrap_servers)
    await outcomes(await accept_all(bus, [sms(NUMBER, 0), sms(other, 0)]))
    mock.lose_leader(RECEIVED, partition_of(NUMBER.encode()))

    stuck = await bus.accept(sms(NUMBER, 1))
    await until(lambda: sum(bus.producer_failures.values()) >= 1)
    healthy = await bus.accept(sms(other, 1))

    assert stuck.via == "journal"
    assert await outcomes([healthy]) == ["published"]
    assert bus.ledger.balanced


# ---- stop ends --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def timed(bound: float) -> AsyncIterator[None]:
    started = time.monotonic()
    async with asyncio.timeout(bound):
        yield
    assert time.monotonic() - started < bound


@pytest.mark.parametrize("fate", ["paused", "killed"])
async def test_stop_ends_while_batches_are_in_flight_to_a_broker_that_is_gone(
    kafka: TestKafka, topic_prefix: str, connect: Connect, fate: str
) -> None:
    bus = await connect(await installed(kafka, topic_prefix))
    await outcomes(await accept_all(bus, [sms(f"1647000000{n}") for n in range(10)]))
    await (kafka.pause() if fate == "paused" else kafka.kill())
    receipts = await accept_all(bus, [sms(f"1647000000{n}", 1) for n in range(10)])

    async with timed(1.0 + STOP_BOUND):
        await bus.stop(1.0)

    assert {receipt.via for receipt in receipts} == {"journal"}
    assert (bus.ledger.pending, bus.ledger.balanced) == (10, True)


@pytest.mark.mock_cluster
async def test_stop_ends_while_batches_are_in_flight_to_a_mock_broker_that_is_down(
    mock: MockCluster, connect: Connect
) -> None:
    bus = await connect(mock.bootstrap_servers)
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    mock.broker_down(1)
    await bus.accept(sms(NUMBER, 1))

    async with timed(1.0 + STOP_BOUND):
        await bus.stop(1.0)

    assert (bus.ledger.pending, bus.ledger.balanced) == (1, True)


async def test_stop_ends_while_start_waits_for_a_broker_that_accepts_and_says_nothing(connect: Connect) -> None:
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    bus = await connect(f"127.0.0.1:{silent.sockets[0].getsockname()[1]}")
    receipt = await bus.accept(sms(NUMBER, 0))

    async with timed(1.0 + STOP_BOUND):
        await bus.stop(1.0)

    assert receipt.via == "journal"
    silent.close()


@pytest.mark.mock_cluster
async def test_stop_ends_while_start_is_tried_again_and_again(mock: MockCluster, connect: Connect) -> None:
    mock.broker_down(1)
    bus = await connect(mock.bootstrap_servers)
    await until(lambda: sum(bus.producer_failures.values()) >= 2)

    async with timed(1.0 + STOP_BOUND):
        await bus.stop(1.0)

    assert not bus.alive()


async def test_stop_ends_while_the_producer_is_being_replaced(
    kafka: TestKafka, topic_prefix: str, connect: Connect
) -> None:
    bus = await connect(await installed(kafka, topic_prefix))
    await outcomes([await bus.accept(sms(NUMBER, 0))])
    await kafka.pause()
    await bus.accept(sms(NUMBER, 1))
    assert bus._producer._inner is not None
    bus._producer._poisoned.set()
    await until(lambda: not bus._producer._ready.is_set())  # it now waits for the batches in flight

    async with timed(1.0 + STOP_BOUND):
        await bus.stop(1.0)

    assert (bus.ledger.pending, bus.ledger.balanced) == (1, True)


@pytest.mark.mock_cluster
async def test_whoever_asks_a_discarded_producer_for_metadata_is_told_that_there_is_none(mock: MockCluster) -> None:
    inner = AIOKafkaProducer(bootstrap_servers=mock.bootstrap_servers)
    await inner.start()
    await discard(inner)

    async with asyncio.timeout(1):  # a lane whose topic is missing asks again and again
        assert not await inner.client.force_metadata_update()


async def test_a_producer_that_never_started_stops_at_once() -> None:
    producer = Producer(KafkaSettings(), client_id="t", rng=random.Random(0), now_ms=lambda: 0)

    async with timed(1.0):
        await producer.stop()

    assert not producer.alive
