"""Members of a target's group on a broker: who reads what, where a new one begins, and what Kafka has deleted."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from bus.kafka import topics
from bus.kafka.group_progress import FORWARD_GROUPS, GroupProgress
from bus.kafka.group_reader import GroupReader, Place, Share
from bus.kafka.topics_reader import Part
from bus.settings import KafkaSettings
from schemas.topics import RECEIVED, REJECTED

PARTITIONS = 6


class Member:
    """It handles what it reads at once, unless it is told to hold a partition."""

    def __init__(self, settings: KafkaSettings, **more: Any) -> None:
        self.got: list[tuple[int, bytes]] = []
        self.held: set[int] = set()
        self.places: list[Mapping[Part, Place]] = []
        self.reader = GroupReader(
            settings, [RECEIVED], group=settings.topic(FORWARD_GROUPS + "hook"), on_placed=self.places.append, **more
        )
        self.task = asyncio.create_task(self.reader.run(self.work))

    async def work(self, share: Share) -> None:
        while True:
            for record in await share.read():
                while record.partition in self.held:
                    await asyncio.sleep(0.05)
                self.got.append((record.partition, record.value or b""))
                share.done()

    @property
    def partitions(self) -> int:
        return len(self.reader.shares)

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.fixture
async def publish(settings: KafkaSettings):
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    await producer.start()

    async def put(partition: int, *values: bytes) -> None:
        for value in values:
            await producer.send_and_wait(settings.topic(RECEIVED), value, partition=partition)

    yield put
    await producer.stop()


Put = Callable[..., Awaitable[None]]


async def committed(settings: KafkaSettings, partition: int) -> int | None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        group_id=settings.topic(FORWARD_GROUPS + "hook"),
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        return await consumer.committed(TopicPartition(settings.topic(RECEIVED), partition))
    finally:
        await consumer.stop()


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_a_new_group_begins_now_and_says_so_once_it_is_committed(settings: KafkaSettings, publish: Put):
    await publish(1, b"before")
    member = Member(settings)
    await until(lambda: bool(member.places))
    assert await committed(settings, 1) == 1
    assert {place.is_new for place in member.places[0].values()} == {True}
    member.task.cancel()  # it has read nothing
    await asyncio.wait([member.task])
    await publish(1, b"after")
    again = Member(settings)
    await until(lambda: again.got == [(1, b"after")])
    assert {place.is_new for place in again.places[0].values()} == {False}
    await again.leave()
    assert await committed(settings, 1) == 2


async def test_a_partition_that_waits_holds_up_no_other_and_a_survivor_takes_over(
    settings: KafkaSettings, publish: Put
):
    members = [Member(settings), Member(settings)]
    await until(lambda: [member.partitions for member in members] == [3, 3])
    owner, other = sorted(members, key=lambda member: Part(RECEIVED, 0) not in member.reader.shares)
    owner.held = {0}
    values = [b"%d" % n for n in range(300)]
    for partition in range(PARTITIONS):
        await publish(partition, *values)
    others = [(partition, value) for partition in range(1, PARTITIONS) for value in values]
    await until(lambda: sorted(owner.got + other.got) == sorted(others))
    assert await committed(settings, 0) == 0

    owner.reader._consumer._coordinator._maybe_leave_group = nothing  # without a word, as after `kill -9`
    await owner.leave()
    await until(lambda: other.partitions == PARTITIONS)
    await until(lambda: [value for partition, value in other.got if partition == 0] == values)
    for partition in range(PARTITIONS):
        got = [value for member in members for number, value in member.got if number == partition]
        assert list(dict.fromkeys(got)) == values
    await other.leave()


async def test_progress_that_kafka_has_deleted_goes_on_with_the_oldest_that_is_left(
    settings: KafkaSettings, publish: Put
):
    member = Member(settings)
    await until(lambda: bool(member.places))
    await member.leave()
    await publish(2, *(b"%d" % n for n in range(10)))
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(settings.topic(RECEIVED), 2): RecordsToDelete(before_offset=7)})
    await admin.close()
    member = Member(settings)
    await until(lambda: len(member.got) == 3)

    assert member.places[0][Part(RECEIVED, 2)] == Place(7, lost=7)
    assert member.got == [(2, b"7"), (2, b"8"), (2, b"9")]
    await member.leave()


async def test_a_group_may_begin_at_a_time(settings: KafkaSettings, publish: Put):
    await publish(3, b"early")
    await asyncio.sleep(0.05)
    since = int(time.time() * 1000)
    await publish(3, b"late")
    member = Member(settings, since_ms=since)
    await until(lambda: bool(member.got))
    await member.leave()

    assert member.got == [(3, b"late")]
    assert await committed(settings, 3) == 2


async def test_who_looks_at_an_event_sees_which_targets_have_passed_it(settings: KafkaSettings, publish: Put):
    member = Member(settings)
    await until(lambda: bool(member.places))
    member.held = {1}
    await publish(0, b"sent")
    await publish(1, b"waits")
    await until(lambda: member.got == [(0, b"sent")])
    progress = GroupProgress(settings)
    async with asyncio.timeout(30):
        while await progress.passed(Part(RECEIVED, 0), 0) != {"hook": True}:
            await asyncio.sleep(0.2)

    assert await progress.passed(Part(RECEIVED, 1), 0) == {"hook": False}
    assert await progress.passed(Part(REJECTED, 0), 0) == {}
    await member.leave()
    assert await GroupProgress(KafkaSettings(bootstrap_servers="127.0.0.1:1")).passed(Part(RECEIVED, 0), 0) is None


async def test_a_broker_that_goes_and_comes_back_loses_nothing(own_kafka, topic_prefix: str):
    settings = KafkaSettings(bootstrap_servers=own_kafka.bootstrap_servers, topic_prefix=topic_prefix)
    await topics.create(settings)
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    await producer.start()
    member = Member(settings)
    await until(lambda: bool(member.places))
    for n in range(20):
        await producer.send_and_wait(settings.topic(RECEIVED), b"%d" % n, partition=0)
    await own_kafka.kill()
    await asyncio.sleep(2)
    await own_kafka.start()
    await own_kafka.led()
    for n in range(20, 40):
        await producer.send_and_wait(settings.topic(RECEIVED), b"%d" % n, partition=0)
    await until(lambda: (0, b"39") in member.got, 60)

    assert list(dict.fromkeys(value for _, value in member.got)) == [b"%d" % n for n in range(40)]
    await member.leave()
    await producer.stop()


async def nothing() -> None:
    pass


async def test_without_a_broker_it_waits_and_can_be_ended():
    member = Member(KafkaSettings(bootstrap_servers="127.0.0.1:1"))
    await asyncio.sleep(1)
    assert not member.task.done()
    async with asyncio.timeout(10):
        await member.leave()
    assert member.task.cancelled()
