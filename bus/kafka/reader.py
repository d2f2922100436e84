"""Reading a topic without a consumer group: explicit offsets, nothing committed, no effect on other readers."""

import asyncio
import heapq
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from bus.kafka.client import (
    FAILURES,
    REQUEST_TIMEOUT_MS,
    KafkaAway,
    away,
    check_fetching,
    options,
    stop_consumer,
)
from bus.kafka.topics import TopicsError, partitions
from bus.settings import KafkaSettings

POLL_MS: Final = 500
AT_ONCE: Final = 1_000  # records; then the loop's other work runs
# Longer than a leader's failover (5 s measured), short enough for a waiting user.
NO_PROGRESS_SECONDS: Final = 20.0
RETRY: Final = 1.0
AWAY: Final = "Kafka away: {} does not answer. What came meanwhile follows when it does; nothing is missed"

T = TypeVar("T")
Offsets = dict[TopicPartition, int]


class Start(NamedTuple):
    """Where reading begins. Use `BEGINNING`, `END`, `since`, `last` or `at`."""

    where: Literal["beginning", "end", "time", "last", "offsets"]
    value: int = 0
    offsets: Mapping[int, int] = MappingProxyType({})


BEGINNING: Final = Start("beginning")
END: Final = Start("end")


def since(epoch_ms: int) -> Start:
    """Begin with the first record of each partition that is not older than this."""
    return Start("time", epoch_ms)


def last(count: int) -> Start:
    """Begin `count` records before the end of each partition."""
    return Start("last", count)


def at(offsets: Mapping[int, int]) -> Start:
    """Begin at these offsets, by partition; others, and what Kafka has deleted, at the oldest record left."""
    return Start("offsets", offsets=offsets)


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One record as Kafka has it. Within a partition they come in the order of their offsets."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


class Reading:
    """How far a `read` has come that it is given to, and the reads after it."""

    def __init__(self) -> None:
        self._ends: Callable[[], Awaitable[Offsets]] | None = None
        self._positions: Offsets = {}  # all before them was yielded and processed
        self._moved = asyncio.Event()

    async def to_end(self) -> None:
        """Return once all is processed that was published before this call, however long that takes.

        Raises `KafkaAway` and `TopicsError`.
        """
        while self._ends is None:
            await self._move()
        ends = await self._ends()
        while any(self._positions.get(part, 0) < end for part, end in ends.items()):
            await self._move()

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    @contextmanager
    def of(self, ends: Callable[[], Awaitable[Offsets]]) -> Iterator[None]:
        """Ask this way where the partitions end."""
        self._ends = ends
        self._moved.set()
        try:
            yield
        finally:
            self._ends = None

    def moved(self, positions: Offsets) -> None:
        """Take note of how far it has come."""
        self._positions = positions
        self._moved.set()


async def read(
    kafka: KafkaSettings,
    topic: str,
    *,
    start: Start,
    follow: bool,
    committed: bool = False,
    only: Collection[int] | None = None,
    placed: Callable[[Mapping[int, int]], None] = lambda _: None,
    reading: Reading | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[ReadRecord, None]:
    """Yield the records of an unprefixed topic: up to its current end, or without end when `follow` is set.

    What one poll brings is merged by time over the partitions, each of which keeps its order. `committed` leaves out
    what belongs to no finished transaction; only the topic of the watches' states has any. `only`: of these partitions;
    None: of all. `placed` is told the offset at which each begins, `reading` how far it has come. Raises `TopicsError`
    when the topic is missing or may not be read, and `KafkaAway` when no broker answers for `NO_PROGRESS_SECONDS`.
    """
    numbers = [number for number in await partitions(kafka, topic) if only is None or number in only]
    async with consumer_of(kafka, committed=committed) as consumer:
        parts = [TopicPartition(kafka.topic(topic), number) for number in numbers]
        ends = await answered(kafka, consumer.end_offsets(parts))
        begins = await _begins(kafka, consumer, start, ends)
        _place(consumer, begins)
        placed({part.partition: offset for part, offset in begins.items()})
        heard = clock()
        with reading.of(lambda: answered(kafka, consumer.end_offsets(parts))) if reading else nullcontext():
            while follow or not await _has_reached(consumer, ends):
                batches = await fetched(kafka, consumer)
                if batches:
                    heard = clock()
                elif clock() - heard > NO_PROGRESS_SECONDS:
                    await _prove_silence(kafka, consumer, parts)
                    heard = clock()
                for _, record in merged(batches):
                    yield record
                if reading:
                    reading.moved({part: await consumer.position(part) for part in parts})


async def follow(
    kafka: KafkaSettings, topic: str, *, start: Start, say: Callable[[str], None]
) -> AsyncGenerator[ReadRecord, None]:
    """Yield the records of an unprefixed topic without end, each once, also through outages: `say` is told of each.

    Raises `TopicsError` as `read` does, and `KafkaAway` if no broker answers at first.
    """
    positions: dict[int, int] = {}
    is_away = False

    def placed(begins: Mapping[int, int]) -> None:
        nonlocal is_away
        is_away = False
        positions.update(begins)

    while True:
        try:
            begin = at({**positions}) if positions else start
            async with aclosing(read(kafka, topic, start=begin, follow=True, placed=placed)) as records:
                async for record in records:
                    positions[record.partition] = record.offset + 1
                    yield record
        except KafkaAway:
            if not positions:
                raise
            if not is_away:
                say(AWAY.format(kafka.bootstrap_servers))
            is_away = True
        await asyncio.sleep(RETRY)


@asynccontextmanager
async def consumer_of(kafka: KafkaSettings, *, committed: bool) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a connected consumer without a group. Raises `KafkaAway`."""
    consumer = AIOKafkaConsumer(
        **options(kafka),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed" if committed else "read_uncommitted",
        auto_offset_reset="earliest",  # if retention deletes our position, the oldest record left
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    try:
        await answered(kafka, consumer.start())
        yield consumer
    finally:
        await stop_consumer(consumer)


async def _begins(kafka: KafkaSettings, consumer: AIOKafkaConsumer, start: Start, ends: Offsets) -> Offsets:
    if start.where == "end":
        return ends
    if start.where == "time":
        found = await answered(kafka, consumer.offsets_for_times(dict.fromkeys(ends, start.value)))
        return {part: found[part].offset if found.get(part) else end for part, end in ends.items()}
    oldest: Offsets = await answered(kafka, consumer.beginning_offsets(list(ends)))
    if start.where == "beginning":
        return oldest
    if start.where == "offsets":
        wanted = {part: max(offset, start.offsets.get(part.partition, 0)) for part, offset in oldest.items()}
        return {part: min(offset, ends[part]) for part, offset in wanted.items()}
    return {part: max(oldest[part], end - start.value) for part, end in ends.items()}


def _place(consumer: AIOKafkaConsumer, begins: Offsets) -> None:
    """Assign and seek without an await in between, where the consumer would choose its own positions."""
    consumer.assign(list(begins))
    for part, offset in begins.items():
        consumer.seek(part, offset)


async def _has_reached(consumer: AIOKafkaConsumer, ends: Offsets) -> bool:
    """Compare positions, not the last record seen: markers at the end are not records."""
    return all([await consumer.position(part) >= end for part, end in ends.items()])


async def fetched(kafka: KafkaSettings, consumer: AIOKafkaConsumer) -> dict[TopicPartition, list[ConsumerRecord]]:
    """Return what comes within `POLL_MS`. Raises `TopicsError` if a topic may not be read, and `KafkaAway`."""
    try:
        check_fetching(consumer)
        batches: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(
            timeout_ms=POLL_MS, max_records=AT_ONCE
        )
    except TopicAuthorizationFailedError as error:
        raise _forbidden(error) from None
    except FAILURES as error:
        raise away(kafka) from error
    return batches


def merged(batches: Mapping[TopicPartition, list[ConsumerRecord]]) -> Iterator[tuple[TopicPartition, ReadRecord]]:
    """Yield the records of several partitions by time, each partition in the order of its offsets."""
    for record in heapq.merge(*batches.values(), key=_time):
        yield TopicPartition(record.topic, record.partition), as_read(record)


async def _prove_silence(kafka: KafkaSettings, consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]) -> None:
    """Raise `KafkaAway` unless there is nothing to read: the consumer itself waits silently for a dead broker."""
    ends = await answered(kafka, consumer.end_offsets(parts))
    if not await _has_reached(consumer, ends):
        message = f"Kafka at {kafka.bootstrap_servers} responds, but does not send its records: run the command again"
        raise KafkaAway(message)


async def answered(kafka: KafkaSettings, question: Awaitable[T]) -> T:
    """Return what brokers respond. Raises `KafkaAway` after `NO_PROGRESS_SECONDS`, and `TopicsError` as `fetched`."""
    try:
        async with asyncio.timeout(NO_PROGRESS_SECONDS):  # `wait_for` of Python 3.11 can lose a cancellation
            return await question
    except TopicAuthorizationFailedError as error:
        raise _forbidden(error) from None
    except FAILURES as error:
        raise away(kafka) from error


def _forbidden(error: TopicAuthorizationFailedError) -> TopicsError:
    """Return the exception that names what the error names: a topic, one of its partitions, or a set of topics."""
    named = {each for what in error.args for each in (what if isinstance(what, set) else [what])}
    return may_not_read({each.topic if isinstance(each, TopicPartition) else str(each) for each in named})


def may_not_read(names: Iterable[str]) -> TopicsError:
    """Return the exception about topics, by their full names, that this user may not read."""
    listed = ", ".join(sorted(names))
    return TopicsError([f"Kafka does not let this user read topic {listed}: give it Read and Describe on it"])


def _time(record: ConsumerRecord) -> int:
    return int(record.timestamp)


def as_read(record: ConsumerRecord) -> ReadRecord:
    """Return a record of the client's as ours."""
    return ReadRecord(
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )
