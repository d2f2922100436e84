"""Reading several topics at once and without end, with the positions in the reader's hands. Nothing is committed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from bus.kafka import brokers, granted
from bus.kafka.granted import Right
from bus.kafka.reader import AT_ONCE, ReadRecord, answered, consumer_of, fetched, may_not_read, merged
from bus.kafka.topics import TopicsError
from bus.settings import KafkaSettings

GATHERED: Final = 0.07
"""Seconds in which nothing is fetched after something came: at 100 records a second each would be a fetch of its own,
80 instead of 14 a second, and three times the CPU time. What comes alone is returned at once."""
ANSWERED: Final = 0.005  # seconds in which each broker answers with what it has by then


class Part(NamedTuple):
    """A partition of an unprefixed topic."""

    topic: str
    partition: int


Positions = dict[Part, int]
"""Offsets: of the next record, in each partition."""


class TopicsReader:
    """One consumer over whole topics. Use `open_reader`. Every method raises `KafkaAway` when no broker responds."""

    def __init__(self, kafka: KafkaSettings, consumer: AIOKafkaConsumer, parts: Sequence[Part], cluster: str) -> None:
        self.cluster = cluster
        """Kafka's name of itself; empty if brokers tell none."""
        self._kafka = kafka
        self._consumer = consumer
        self._part_of = {TopicPartition(kafka.topic(part.topic), part.partition): part for part in parts}

    async def ends(self) -> Positions:
        """Ask the leaders for the offset that each partition's next record will get."""
        return self._ours(await answered(self._kafka, self._consumer.end_offsets([*self._part_of])))

    async def begins(self, since_ms: int, at_most: int) -> Positions:
        """Return where to begin to read what is not older than this, and at most so many records of a partition."""
        ends = await self.ends()
        asked = dict.fromkeys(self._part_of, since_ms)
        times = await answered(self._kafka, self._consumer.offsets_for_times(asked))
        young = self._ours({part: found.offset for part, found in times.items() if found})
        return {part: max(young.get(part, end), end - at_most) for part, end in ends.items()}

    def place(self, positions: Positions) -> None:
        """Read on from there."""
        self._consumer.assign([*self._part_of])
        for full, part in self._part_of.items():
            self._consumer.seek(full, positions[part])

    async def fetch(self) -> list[tuple[Part, ReadRecord]]:
        """Return what comes within half a second: by time, each partition in the order of its offsets."""
        await self._gather()
        try:
            batches = await fetched(self._kafka, self._consumer)
        except TopicsError:  # which names the topic that was fetched first
            await _insist_on_rights(self._kafka, {part.topic for part in self._part_of.values()})
            raise
        if 0 < sum(map(len, batches.values())) < AT_ONCE:
            self._consumer.pause(*self._part_of)  # before it fetches on: that would return with the next record
        return [(self._part_of[full], record) for full, record in merged(batches)]

    def has_read_all(self) -> bool:
        """Whether every partition was in an answer to a fetch, so that all of them may be read.

        Without a right a fetch need not fail: the refusal comes when the brokers answer, half a second later.
        """
        return all(self._consumer.last_poll_timestamp(full) is not None for full in self._part_of)

    async def _gather(self) -> None:
        """Let records gather at the brokers after a fetch that had some."""
        if paused := self._consumer.paused():
            await asyncio.sleep(GATHERED)
            self._consumer.resume(*paused)
            await asyncio.sleep(ANSWERED)

    def _ours(self, offsets: dict[TopicPartition, int]) -> Positions:
        return {self._part_of[full]: offset for full, offset in offsets.items()}


@asynccontextmanager
async def open_reader(kafka: KafkaSettings, partitions: dict[str, int]) -> AsyncIterator[TopicsReader]:
    """Connect. `partitions`: how many each unprefixed topic has.

    Raises `KafkaAway`, and `TopicsError` if the user may not read one; where brokers do not tell, `fetch` raises it.
    """
    await _insist_on_rights(kafka, partitions)
    parts = [Part(topic, number) for topic, count in partitions.items() for number in range(count)]
    async with brokers.admin(kafka) as client:
        cluster = (await client.describe_cluster()).get("cluster_id") or ""
    async with consumer_of(kafka, committed=False) as consumer:
        yield TopicsReader(kafka, consumer, parts, cluster)


async def _insist_on_rights(kafka: KafkaSettings, topics: Iterable[str]) -> None:
    """Raise `TopicsError` with all of these unprefixed topics that the user may not read."""
    needed = [Right(("Read",), "topic", kafka.topic(topic)) for topic in topics]
    if lacking := await granted.missing(kafka, needed):
        raise may_not_read(right.name for right in lacking)
