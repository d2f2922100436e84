"""Reads a topic as any consumer could: no group, explicit offsets, JSON."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from tests.e2e.program import Installation
from tests.faults.checker import violations
from tests.faults.history import History, Post, Record
from tests.faults.reading import received

PARTITIONS = 6  # of every message topic, by contract
READ_SECONDS = 30


async def records(smsbus: Installation, name: str = "sms.received.v1") -> list[ConsumerRecord]:
    """Everything in a topic, each partition in its order."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=smsbus.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(consumer, [TopicPartition(smsbus.topic_prefix + name, p) for p in range(PARTITIONS)])
    finally:
        await consumer.stop()


async def events(smsbus: Installation) -> list[Record]:
    """Everything in the topic of received SMS."""
    return [received(record) for record in await records(smsbus)]


def problems(posts: Sequence[Post], events: Sequence[Record], *, one_process: bool = True) -> list[str]:
    """Return what breaks the promise, one sentence each; what became of tries without a 200 is the test's to judge.

    Order is promised within one process.
    """
    history = History(posts=tuple(posts), records=tuple(events))
    rules = ("lost", "ids", "shared_id", "invented", *(("order",) if one_process else ()))
    return [found.words for found in violations(history, rules)]


async def _read(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> list[ConsumerRecord]:
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    found = {partition: [] for partition in partitions}
    while any(len(found[partition]) < ends[partition] for partition in partitions):
        for partition, batch in (await consumer.getmany(timeout_ms=500)).items():
            found[partition] += batch
    assert all(each[0].offset == 0 for each in found.values() if each), "the reader did not begin at the beginning"
    return [record for partition in partitions for record in found[partition]]
