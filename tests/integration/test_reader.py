"""Reading without a group: begins where it should, ends where it should, and says so when Kafka does not answer."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from bus.kafka import reader, topics
from bus.kafka.client import KafkaAway
from bus.kafka.reader import BEGINNING, END, last, read, since
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import ANSWERED, GATHERED, open_reader
from bus.settings import KafkaSettings

TOPIC = "sms.received.v1"
START_MS = 1_760_000_000_000


async def write(settings, count, *, first=0):
    """Write records 0, 1, 2 … over all partitions, a second apart."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers, acks="all")
    await producer.start()
    try:
        for number in range(first, first + count):
            await producer.send_and_wait(
                settings.topic(TOPIC),
                str(number).encode(),
                key=b"k",
                partition=number % 6,
                timestamp_ms=START_MS + number * 1000,
                headers=[("ce_id", b"id")],
            )
    finally:
        await producer.stop()


async def numbers(records):
    return [int(record.value) async for record in records]


async def test_from_the_beginning_to_the_end_every_record_comes_once(settings):
    await write(settings, 20)

    assert sorted(await numbers(read(settings, TOPIC, start=BEGINNING, follow=False))) == list(range(20))


async def test_a_record_has_all_that_was_written(settings):
    await write(settings, 1)

    [record] = [record async for record in read(settings, TOPIC, start=BEGINNING, follow=False)]

    assert (record.partition, record.offset, record.timestamp_ms) == (0, 0, START_MS)
    assert (record.key, record.value, record.headers) == (b"k", b"0", {"ce_id": b"id"})


async def test_an_empty_topic_ends_at_once(settings):
    assert await numbers(read(settings, TOPIC, start=BEGINNING, follow=False)) == []


async def test_since_a_time_older_records_do_not_come(settings):
    await write(settings, 20)

    found = await numbers(read(settings, TOPIC, start=since(START_MS + 12_000), follow=False))

    assert sorted(found) == list(range(12, 20))


async def test_since_a_time_after_all_of_them_nothing_comes(settings):
    await write(settings, 3)

    assert await numbers(read(settings, TOPIC, start=since(START_MS + 99_000), follow=False)) == []


async def test_the_last_of_each_partition_come_and_no_others(settings):
    await write(settings, 20)

    found = await numbers(read(settings, TOPIC, start=last(1), follow=False))

    assert sorted(found) == list(range(14, 20))


async def test_more_than_there_are_is_all_there_are(settings):
    await write(settings, 4)

    assert sorted(await numbers(read(settings, TOPIC, start=last(100), follow=False))) == [0, 1, 2, 3]


async def test_following_from_the_end_brings_only_what_comes_after(settings, monkeypatch):
    await write(settings, 6)
    placed = asyncio.Event()
    place = reader._place
    monkeypatch.setattr(reader, "_place", lambda *a: (place(*a), placed.set()))
    following = read(settings, TOPIC, start=END, follow=True)
    first = asyncio.ensure_future(anext(following))
    await placed.wait()

    await write(settings, 1, first=6)

    assert (await asyncio.wait_for(first, 20)).value == b"6"
    await following.aclose()


async def test_what_comes_while_reading_is_not_waited_for(settings):
    await write(settings, 6)
    reading = read(settings, TOPIC, start=BEGINNING, follow=False)
    found = [int((await anext(reading)).value)]

    await write(settings, 6, first=6)

    found += await numbers(reading)
    assert set(found) >= set(range(6))  # those after may come, but the end was decided before them


async def test_a_poll_is_merged_by_time_and_each_partition_keeps_its_order(settings):
    await write(settings, 60)

    found = await numbers(read(settings, TOPIC, start=BEGINNING, follow=False))

    for partition in range(6):
        own = [number for number in found if number % 6 == partition]
        assert own == sorted(own)


async def test_reading_leaves_no_consumer_group(settings, kafka):
    await write(settings, 3)
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    before = await client.list_consumer_groups()

    await numbers(read(settings, TOPIC, start=BEGINNING, follow=False))

    assert await client.list_consumer_groups() == before
    await client.close()


async def test_a_missing_topic_is_named_and_not_made(settings):
    elsewhere = settings.model_copy(update={"topic_prefix": settings.topic_prefix + "no."})

    with pytest.raises(TopicsError, match="is missing: run `smsbus topics create`"):
        await numbers(read(elsewhere, TOPIC, start=BEGINNING, follow=False))

    with pytest.raises(TopicsError, match="is missing"):
        await topics.partitions(elsewhere, TOPIC)


async def test_nobody_answering_is_a_sentence(unused_tcp_port):
    nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")

    with pytest.raises(KafkaAway, match="SMSBUS_KAFKA__BOOTSTRAP_SERVERS"):
        await numbers(read(nowhere, TOPIC, start=BEGINNING, follow=False))


async def test_following_ends_when_the_broker_stays_away(settings, kafka, monkeypatch):
    await write(settings, 1)
    following = read(settings, TOPIC, start=BEGINNING, follow=True)
    await anext(following)

    await kafka.kill()
    monkeypatch.setattr(reader, "NO_PROGRESS_SECONDS", 2.0)

    with pytest.raises(KafkaAway, match="SMSBUS_KAFKA__BOOTSTRAP_SERVERS"):
        await asyncio.wait_for(anext(following), 30)


async def test_silence_while_there_is_nothing_to_read_is_no_error(settings, monkeypatch):
    asked = asyncio.Event()
    prove = reader._prove_silence

    async def proved(*arguments):
        monkeypatch.setattr(reader, "NO_PROGRESS_SECONDS", 20.0)  # also how long a busy broker may take
        await prove(*arguments)
        asked.set()

    monkeypatch.setattr(reader, "_prove_silence", proved)
    await write(settings, 1)
    following = read(settings, TOPIC, start=BEGINNING, follow=True)
    await anext(following)
    monkeypatch.setattr(reader, "NO_PROGRESS_SECONDS", 0.5)
    second = asyncio.ensure_future(anext(following))
    await asyncio.wait_for(asked.wait(), 20)

    await write(settings, 1)

    assert (await asyncio.wait_for(second, 20)).value == b"0"
    await following.aclose()


async def test_what_comes_in_numbers_is_fetched_together_and_comes_once_in_order(settings, monkeypatch):
    sent = []
    send = AIOKafkaClient.send

    async def counted(client, node, request, **more):
        sent.append(type(request))
        return await send(client, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", counted)
    async with open_reader(settings, {TOPIC: 6}) as reading:
        reading.place(await reading.ends())
        began = time.monotonic()
        writing = asyncio.create_task(write(settings, 200))
        found = []
        async with asyncio.timeout(60):
            while len(found) < 200:
                found += await reading.fetch()
        seconds = time.monotonic() - began
        await writing

    assert [int(record.value) for part in range(6) for _, record in found if record.partition == part] == [
        number for part in range(6) for number in range(part, 200, 6)
    ]
    assert sent.count(FetchRequest) <= seconds / (GATHERED + ANSWERED) + 2
