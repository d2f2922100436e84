"""Where a member of a group begins to read, and what it takes for handled."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from structlog.testing import capture_logs

from bus.kafka import client
from bus.kafka.group_reader import GroupReader, Place, Share, place
from bus.settings import KafkaSettings
from schemas.topics import RECEIVED
from tests.forwarding_part import Partition
from tests.virtual_time import VirtualLoop


@pytest.mark.parametrize(
    ("committed", "since", "expected"),
    [
        (None, None, Place(90, is_new=True)),
        (None, 50, Place(50, is_new=True)),
        (None, 5, Place(10, is_new=True)),
        (40, None, Place(40)),
        (40, 60, Place(40)),
        (10, None, Place(10)),
        (90, None, Place(90)),
        (7, None, Place(10, lost=3)),
        (7, 30, Place(30, lost=23)),
        (7, 3, Place(10, lost=3)),
        (91, None, Place(10, is_anew=True)),
        (91, 30, Place(30, is_anew=True)),
    ],
    ids=[
        "new", "new-since", "new-since-before", "continues", "continues-despite-since", "at-the-oldest", "at-the-end",
        "expired", "expired-since", "expired-since-before", "made-anew", "made-anew-since",
    ],
)  # fmt: skip
def test_a_reading_begins_at_the_progress_and_else_where_it_was_asked_to(
    committed: int | None, since: int | None, expected: Place
):
    assert place(committed, 10, 90, since) == expected


async def test_a_record_is_handled_when_that_is_said():
    partition = Partition()
    partition.publish(3)
    share = partition.share()

    records = await share.read()
    before = (share.next, share.waiting_since_ms)
    share.done()

    assert [record.offset for record in records] == [0, 1, 2]
    assert before == (0, records[0].timestamp_ms)
    assert (share.next, share.waiting_since_ms) == (1, records[1].timestamp_ms)
    share.done()
    share.done()
    assert (share.next, share.waiting_since_ms) == (3, None)


async def test_records_that_kafka_deleted_meanwhile_are_counted():
    partition = Partition()
    partition.publish(5)
    share = partition.share()
    partition.position = 3  # the oldest that is left

    with capture_logs() as log:
        records = await share.read()

    assert [record.offset for record in records] == [3, 4]
    assert [(line["event"], line["records"]) for line in log] == [("forward_lost", 3)]


# ---- membership, with a consumer in memory -------------------------------------------------------------------------


class Consumer:
    """It is assigned one partition when it starts; `calls` are those of all consumers, in order."""

    _coordinator = SimpleNamespace(check_errors=lambda: None)
    _fetcher = SimpleNamespace(_fetch_task=SimpleNamespace(done=lambda: False))
    calls: ClassVar[list[Any]] = []
    options: ClassVar[dict[str, Any]] = {}
    committed_there: ClassVar[dict[TopicPartition, int]] = {}
    partition = Partition()
    refuses = False

    def __init__(self, **options: Any) -> None:
        Consumer.options = options

    def subscribe(self, topics: list[str], listener: Any) -> None:
        self.listener = listener

    async def start(self) -> None:
        self.calls.append("start")
        self.listener.on_partitions_assigned({self.partition.full})

    async def stop(self) -> None:
        self.calls.append("stop")

    async def committed(self, full: TopicPartition) -> int | None:
        return self.committed_there.get(full)

    async def beginning_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, len(self.partition.records))

    def seek(self, full: TopicPartition, offset: int) -> None:
        self.partition.position = offset

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.refuses:
            raise KafkaError
        self.calls.append(*offsets.values())
        self.committed_there.update(offsets)

    async def getmany(self, full: TopicPartition, **how: Any) -> dict[Any, Any]:
        return await self.partition.getmany(full, **how)


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> type[Consumer]:
    class Fresh(Consumer):
        calls: ClassVar[list[Any]] = []
        committed_there: ClassVar[dict[TopicPartition, int]] = {}
        partition = Partition()

    async def nothing(_: GroupReader) -> None: ...

    monkeypatch.setattr(client, "AIOKafkaConsumer", Fresh)
    monkeypatch.setattr(GroupReader, "_ask_retention", nothing)
    return Fresh


def in_virtual_time(test: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(test)


async def handle_all(share: Share) -> None:
    while True:
        for _ in await share.read():
            share.done()


def reader(**more: Any) -> GroupReader:
    return GroupReader(KafkaSettings(), [RECEIVED], group="g", **more)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def test_a_new_group_commits_where_it_begins_before_anybody_is_told(consumer: type[Consumer]):
    async def test() -> None:
        consumer.partition.publish(7)
        group = reader(on_placed=consumer.calls.append)
        running = asyncio.ensure_future(group.run(handle_all))
        await asyncio.sleep(1)
        consumer.partition.publish(2)
        await asyncio.sleep(1)
        await ended(running)

        assert consumer.calls == ["start", 7, {consumer.partition.part: Place(7, is_new=True)}, 9, "stop"]

    in_virtual_time(test())


def test_what_is_revoked_is_ended_and_its_progress_is_committed_before(consumer: type[Consumer]):
    async def test() -> None:
        consumer.committed_there[consumer.partition.full] = 0
        consumer.partition.publish(3)
        group = reader()
        running = asyncio.ensure_future(group.run(handle_all))
        await asyncio.sleep(0.1)  # not a tick later
        assert len(group.shares) == 1
        await group.on_partitions_revoked(set())
        assert (consumer.calls[-1], group.shares) == (3, {})
        await ended(running)

    in_virtual_time(test())


def test_brokers_that_take_their_time_for_each_answer_are_no_reason_to_leave(consumer: type[Consumer], monkeypatch):
    def slow(ask: Any) -> Any:
        async def asked(*arguments: Any) -> Any:
            await asyncio.sleep(2)
            return await ask(*arguments)

        return asked

    for name in ("committed", "beginning_offsets", "end_offsets", "commit"):
        monkeypatch.setattr(consumer, name, slow(getattr(consumer, name)))

    async def test() -> None:
        consumer.committed_there[consumer.partition.full] = 0
        consumer.partition.publish(5)
        running = asyncio.ensure_future(reader().run(handle_all))
        await asyncio.sleep(15)
        await ended(running)

        assert consumer.committed_there == {consumer.partition.full: 5}

    in_virtual_time(test())


def test_a_topic_that_is_made_anew_while_it_is_read_is_read_from_its_beginning(consumer: type[Consumer]):
    """Kafka's client then begins at the oldest record, whose offset is one that was handled."""
    handled: list[int] = []

    async def handle(share: Share) -> None:
        while True:
            for record in await share.read():
                handled.append(record.offset)
                share.done()

    async def test() -> None:
        consumer.committed_there[consumer.partition.full] = 0
        consumer.partition.publish(5)
        running = asyncio.ensure_future(reader().run(handle))
        await asyncio.sleep(1)
        consumer.partition.records.clear()
        consumer.partition.position = 0
        consumer.partition.publish(2)
        await asyncio.sleep(20)
        await ended(running)

        assert handled == [0, 1, 2, 3, 4, 0, 1]
        assert consumer.committed_there == {consumer.partition.full: 2}

    in_virtual_time(test())


def test_a_session_that_fails_at_once_is_said_once_and_is_no_answer(consumer: type[Consumer]):
    async def test() -> None:
        consumer.refuses = True
        group = reader()
        began = asyncio.get_running_loop().time()
        running = asyncio.ensure_future(group.run(handle_all))
        with capture_logs() as log:
            await asyncio.sleep(60)
        await ended(running)

        assert consumer.calls.count("start") > 20
        assert [(line["event"], line["error"]) for line in log] == [("group_left", "KafkaError")]
        assert group.heard_at == began

    in_virtual_time(test())


def test_a_member_that_waits_for_days_without_reading_stays_one(consumer: type[Consumer]):
    async def waits(share: Share) -> None:
        await asyncio.sleep(8 * 24 * 3600)

    async def test() -> None:
        group = reader()
        running = asyncio.ensure_future(group.run(waits))
        await asyncio.sleep(600)
        heard = asyncio.get_running_loop().time() - group.heard_at
        await ended(running)

        assert consumer.options["max_poll_interval_ms"] > 7 * 24 * 3_600_000
        assert consumer.options["enable_auto_commit"] is False
        assert consumer.calls == ["start", 0, "stop"]
        assert heard <= 6

    in_virtual_time(test())
