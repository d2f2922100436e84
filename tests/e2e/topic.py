"""Reads a topic as any consumer could: no group, explicit offsets, JSON."""

import asyncio
import json
import re

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from tests.e2e.history import Event
from tests.e2e.program import Installation

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


async def events(smsbus: Installation) -> list[Event]:
    """Everything in the topic of received SMS."""
    return [_event(json.loads(record.value)) for record in await records(smsbus)]


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


def _event(sms: dict) -> Event:
    nonce = re.match(r"\[(\w+)\]", sms["text"])
    return Event(sms["id"], nonce[1] if nonce else "", sms["recipient_raw"])
