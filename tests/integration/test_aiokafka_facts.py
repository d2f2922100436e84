"""What aiokafka 0.14 does and its documentation does not say: bus/ is built on each of these.

A red test here is no bug of ours: a new aiokafka behaves differently, so look at what relied on the old way.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    RequestTimedOutError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from tests import mock_cluster
from tests.kafka_fixtures import TestKafka
from tests.mock_cluster import MockCluster

REQUEST_TIMEOUT = 1.0
LONG = 4 * REQUEST_TIMEOUT


@asynccontextmanager
async def producing(bootstrap_servers: str, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    """A producer with a short time-out that is torn down in the way of the second test."""
    timeout_ms = int(REQUEST_TIMEOUT * 1000)
    producer = AIOKafkaProducer(
        **{"bootstrap_servers": bootstrap_servers, "acks": "all", "request_timeout_ms": timeout_ms, **options}
    )
    await producer.start()
    try:
        yield producer
    finally:
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(producer.stop(), 2)
        await abandon(producer)


async def abandon(producer: AIOKafkaProducer) -> None:
    task = producer._sender.sender_task
    task.cancel()
    await asyncio.wait([task])
    await producer.client.close()


async def create(bootstrap_servers: str, topic: str, **configs: str) -> str:
    """Make it, and return when a client sees it: right after another test's pause a broker may not know of itself."""
    async with asyncio.timeout(30):
        while True:
            with suppress(KafkaError, AssertionError):  # aiokafka asserts that there is a broker
                if await _created(bootstrap_servers, NewTopic(topic, 1, 1, topic_configs=configs)):
                    return topic
            await asyncio.sleep(0.2)


async def _created(bootstrap_servers: str, topic: NewTopic) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        await admin.create_topics([topic])
        [found] = await admin.describe_topics([topic.name])
        return not found["error_code"] and all(part["leader"] >= 0 for part in found["partitions"])
    finally:
        await admin.close()


@pytest.fixture
async def topic(kafka: TestKafka, topic_prefix: str) -> str:
    return await create(kafka.bootstrap_servers, f"{topic_prefix}facts")


@pytest.fixture
def mock() -> Iterator[MockCluster]:
    with MockCluster() as cluster:
        cluster.create_topic("facts", 1)
        yield cluster


async def test_an_idempotent_send_outlives_its_time_out_while_the_broker_is_away(kafka: TestKafka, topic: str) -> None:
    async with producing(kafka.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"before")
        await kafka.pause()
        record = await producer.send(topic, b"during")

        finished, _ = await asyncio.wait([record], timeout=LONG)
        await kafka.resume()

        assert not finished
        assert (await asyncio.wait_for(record, 10)).offset == 1


async def test_a_plain_send_times_out_while_the_broker_is_away(kafka: TestKafka, topic: str) -> None:
    async with producing(kafka.bootstrap_servers) as producer:
        await _is_written(producer, topic)
        await kafka.pause()
        record = await producer.send(topic, b"during")

        finished, _ = await asyncio.wait([record], timeout=LONG)
        await kafka.resume()

        assert finished
        assert isinstance(record.exception(), RequestTimedOutError)


async def _is_written(producer: AIOKafkaProducer, topic: str) -> None:
    """Repeat it: a broker that is well may take longer than the time-out here."""
    async with asyncio.timeout(30):
        while True:
            with suppress(RequestTimedOutError):
                await producer.send_and_wait(topic, b"before")
                return


async def test_a_send_that_nobody_waits_for_any_more_is_written_all_the_same(kafka: TestKafka, topic: str) -> None:
    async with producing(kafka.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"before")
        await kafka.pause()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(producer.send_and_wait(topic, b"given up"), 0.5)
        await kafka.resume()

        after = await asyncio.wait_for(producer.send_and_wait(topic, b"after"), 10)

        assert after.offset == 2


async def test_stop_hangs_while_the_broker_is_away_but_cancelling_the_sender_and_closing_the_client_ends_at_once(
    kafka: TestKafka, topic: str
) -> None:
    async with producing(kafka.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"before")
        await kafka.pause()
        record = await producer.send(topic, b"during")

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(producer.stop(), LONG)
        await asyncio.wait_for(abandon(producer), 1)

        assert not record.done()
        await kafka.resume()


async def test_a_send_waits_for_ever_once_the_sender_task_was_cancelled(mock: MockCluster) -> None:
    async with producing(mock.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait("facts", b"before")
        producer._sender.sender_task.cancel()
        record = await producer.send("facts", b"after")

        finished, _ = await asyncio.wait([record], timeout=LONG)

        assert not finished


@pytest.mark.parametrize("idempotent", [True, False])
async def test_order_survives_retries(mock: MockCluster, *, idempotent: bool) -> None:
    retriable = (mock_cluster.NOT_LEADER_OR_FOLLOWER, mock_cluster.NOT_ENOUGH_REPLICAS, mock_cluster.REQUEST_TIMED_OUT)
    options = {"enable_idempotence": idempotent, "max_batch_size": 200, "request_timeout_ms": 10_000}
    async with producing(mock.bootstrap_servers, **options) as producer:
        await producer.send_and_wait("facts", b"before")
        mock.push_errors(mock_cluster.PRODUCE, *(retriable * 6))

        records = [await producer.send("facts", b"%090d" % number) for number in range(30)]
        offsets = [record.offset for record in await asyncio.gather(*records)]

        assert offsets == list(range(1, 31))


async def test_a_commit_succeeds_although_a_record_of_its_transaction_was_refused(
    kafka: TestKafka, topic: str, topic_prefix: str
) -> None:
    narrow = await create(kafka.bootstrap_servers, f"{topic_prefix}narrow", **{"max.message.bytes": "1000"})
    # Time enough: a fresh broker first makes its __transaction_state.
    async with producing(
        kafka.bootstrap_servers, transactional_id=f"{topic_prefix}id", request_timeout_ms=15_000
    ) as producer:
        await producer.begin_transaction()
        good = await producer.send(topic, b"good")
        refused = await producer.send(narrow, b"x" * 5_000)

        await producer.commit_transaction()

        assert good.exception() is None
        assert isinstance(refused.exception(), MessageSizeTooLargeError)
    assert await committed(kafka.bootstrap_servers, topic) == [b"good"]
    assert await committed(kafka.bootstrap_servers, narrow) == []


async def test_a_refused_batch_has_used_up_its_sequence_numbers_and_every_later_one_is_refused(
    kafka: TestKafka, topic_prefix: str
) -> None:
    narrow = await create(kafka.bootstrap_servers, f"{topic_prefix}narrow", **{"max.message.bytes": "1000"})
    async with producing(kafka.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait(narrow, b"before")
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(narrow, b"x" * 5_000)

        with pytest.raises(OutOfOrderSequenceNumber):
            await producer.send_and_wait(narrow, b"after")


@asynccontextmanager
async def consuming(bootstrap_servers: str, isolation: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, isolation_level=isolation, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def committed(bootstrap_servers: str, topic: str) -> list[bytes | None]:
    partition, found = TopicPartition(topic, 0), list[bytes | None]()
    async with (
        asyncio.timeout(60),
        consuming(bootstrap_servers, "read_committed") as consumer,
        consuming(bootstrap_servers, "read_uncommitted") as other,
    ):
        while True:  # a commit is acknowledged before its markers are in the partitions
            end = (await consumer.end_offsets([partition]))[partition]
            if end == (await other.end_offsets([partition]))[partition]:
                break
        consumer.assign([partition])
        consumer.seek(partition, 0)
        while await consumer.position(partition) < end:
            got = await consumer.getmany(partition, timeout_ms=1_000)
            found += [record.value for record in got.get(partition, [])]
    return found


async def test_an_idempotent_batch_to_a_partition_without_a_leader_fails_in_time_and_has_used_up_its_sequence_numbers(
    mock: MockCluster,
) -> None:
    async with producing(mock.bootstrap_servers, enable_idempotence=True) as producer:
        await producer.send_and_wait("facts", b"before")
        mock.lose_leader("facts", 0)
        await producer.client.force_metadata_update()

        sent = await producer.send_batch(batch_of(producer, 3), "facts", partition=0)
        finished, _ = await asyncio.wait([sent], timeout=LONG)

        assert finished
        assert isinstance(sent.exception(), LeaderNotAvailableError)
        assert producer._txn_manager.sequence_number(TopicPartition("facts", 0)) == 4


def batch_of(producer: AIOKafkaProducer, records: int) -> BatchBuilder:
    batch = producer.create_batch()
    for _ in range(records):
        batch.append(key=None, value=b"x", timestamp=None)
    return batch
