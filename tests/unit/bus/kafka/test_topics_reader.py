"""Fetching from whole topics: what comes alone comes at once, what comes in numbers gathers."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from bus.kafka import reader, topics_reader
from bus.kafka.granted import Right
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import ANSWERED, GATHERED, Part, TopicsReader
from bus.settings import KafkaSettings
from tests.simulation.loop import Driver

PARTS = [Part("sms.received.v1", number) for number in range(3)]


def records(partition: int, count: int) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
    part = TopicPartition("sms.received.v1", partition)
    found = [
        ConsumerRecord(part.topic, part.partition, offset, offset, 0, b"k", b"v", None, 1, 1, ())
        for offset in range(count)
    ]
    return {part: found} if found else {}


class Consumer:
    """Returns batches, and notes when it did what."""

    _fetcher = SimpleNamespace(_fetch_task=SimpleNamespace(done=lambda: False))

    def __init__(self, clock: Any, batches: list[dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]]) -> None:
        self.did: list[tuple[float, str]] = []
        self._clock = clock
        self._batches = batches
        self._paused: set[TopicPartition] = set()

    def _note(self, what: str) -> None:
        self.did.append((round(self._clock(), 3), what))

    def paused(self) -> set[TopicPartition]:
        return set(self._paused)

    def pause(self, *parts: TopicPartition) -> None:
        self._paused |= {*parts}
        self._note(f"pause {len(parts)}")

    def resume(self, *parts: TopicPartition) -> None:
        self._paused -= {*parts}
        self._note(f"resume {len(parts)}")

    async def getmany(self, **_: Any) -> Any:
        assert not self._paused, "it would drop what came meanwhile"
        self._note("fetch")
        return self._batches.pop(0)


def fetched(*batches: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]) -> list[tuple[float, str]]:
    """Fetch as often as there are batches; return what was done, with the seconds since the beginning."""
    driver = Driver(random.Random(1))
    loop = driver.loop("reader")
    began = loop.time()
    consumer = Consumer(lambda: loop.time() - began, [*batches])
    subject = TopicsReader(KafkaSettings(), consumer, PARTS, "c")  # type: ignore[arg-type,unused-ignore]

    async def work() -> int:
        return sum([len(await subject.fetch()) for _ in batches])

    assert driver.complete(work(), loop) == sum(len(found) for batch in batches for found in batch.values())
    driver.end()
    return consumer.did


def test_what_comes_after_a_fetch_with_records_gathers_and_each_broker_may_answer() -> None:
    assert fetched(records(0, 1), records(1, 2)) == [
        (0.0, "fetch"),
        (0.0, "pause 3"),
        (GATHERED, "resume 3"),
        (round(GATHERED + ANSWERED, 3), "fetch"),
        (round(GATHERED + ANSWERED, 3), "pause 3"),
    ]


def test_after_a_fetch_without_records_the_next_one_is_at_once() -> None:
    assert fetched(records(0, 0), records(0, 1)) == [(0.0, "fetch"), (0.0, "fetch"), (0.0, "pause 3")]


@pytest.mark.parametrize(("answered_at", "is_read"), [([7, 7, 7], True), ([7, None, 7], False)])
def test_all_is_read_once_each_partition_was_in_an_answer_to_a_fetch(
    answered_at: list[int | None], is_read: bool
) -> None:
    times = {TopicPartition(*part): at for part, at in zip(PARTS, answered_at, strict=True)}
    consumer = SimpleNamespace(last_poll_timestamp=times.__getitem__)

    assert TopicsReader(KafkaSettings(), consumer, PARTS, "c").has_read_all() is is_read  # type: ignore[arg-type]


async def test_of_several_topics_that_may_not_be_read_all_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing(_: KafkaSettings, needed: list[Right]) -> list[Right]:
        return needed

    async def refused(**_: Any) -> None:
        raise TopicAuthorizationFailedError("a")

    monkeypatch.setattr(topics_reader.granted, "missing", missing)
    consumer = SimpleNamespace(_fetcher=Consumer._fetcher, paused=set, getmany=refused)
    both = TopicsReader(KafkaSettings(), consumer, [Part("b", 0), Part("a", 0)], "c")  # type: ignore[arg-type]

    with pytest.raises(TopicsError, match="read topic a, b: give it Read"):
        await both.fetch()
    with pytest.raises(TopicsError, match="read topic a, b: give it Read"):
        async with topics_reader.open_reader(KafkaSettings(), {"b": 1, "a": 1}):
            pass


def test_nothing_gathers_while_there_is_more_to_read_than_a_fetch_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert topics_reader.AT_ONCE is reader.AT_ONCE
    monkeypatch.setattr(topics_reader, "AT_ONCE", 5)

    assert fetched(records(0, 5), records(0, 4)) == [(0.0, "fetch"), (0.0, "fetch"), (0.0, "pause 3")]
