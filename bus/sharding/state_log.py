"""The fenced log of a shard: states of watches on a compacted topic, written in transactions of one owner.

Owning a shard means holding its transactional id: opening the log fences a predecessor that is still alive, so that the
restored states are final. Transactions write to this topic only; messages are never part of one.
Measured on aiokafka 0.14 (tests/integration/test_aiokafka_facts.py): a commit may succeed although a record of it was
refused, so every record's future is awaited first; a send may wait forever, so everything has a deadline.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors

from bus.kafka.client import FAILURES, REQUEST_TIMEOUT_MS, discard, options, seen, stop_consumer
from bus.settings import KafkaSettings
from schemas.topics import STATES

OPEN_TIMEOUT: Final = 15.0  # seconds, to fence; the coordinator of a busy cluster takes one or two
COMMIT_TIMEOUT: Final = 12.0
NO_PROGRESS: Final = 20.0
AT_ONCE: Final = 500  # records; then the loop's other work runs
TRANSACTION_TIMEOUT_MS: Final = 15_000  # how long a dead owner's open transaction can hold back our restore at most

_FENCED: Final = (errors.ProducerFenced, errors.InvalidProducerEpoch)


class Fenced(Exception):
    """Another process owns this shard now. End it; only a new assignment may start it again."""


class NotCommitted(Exception):
    """It is unknown whether this commit succeeded: open the log again and read the states."""


class StateLog:
    """The states of one shard. `open` first, and again after `NotCommitted`; never after `Fenced`."""

    def __init__(self, kafka: KafkaSettings, partition: int, *, group: str) -> None:
        self._kafka = kafka
        self._topic = kafka.topic(STATES)
        self._partition = partition
        self._transactional_id = f"{group}-{self._topic}-{partition}"
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> dict[str, bytes]:
        """Fence the predecessor, then return the newest committed state of each watch.

        Raises `NotCommitted` on any other failure.
        """
        await self.close()
        producer = self._producer = AIOKafkaProducer(
            **options(self._kafka),
            transactional_id=self._transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            metadata_max_age_ms=5_000,
        )
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await producer.start()
            return await self._restore()
        except FAILURES as error:
            await self.close()
            raise NotCommitted(type(error).__name__) from error

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        """Write these states, None for a watch to be forgotten, all or none. Raises `Fenced` or `NotCommitted`."""
        producer = self._producer
        if producer is None:
            raise NotCommitted("closed")
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                await producer.begin_transaction()
                if end := _end(producer):
                    end.add_done_callback(seen)  # a commit waits for it, but may not be reached
                sent = [await self._send(producer, key, state) for key, state in states.items()]
                await asyncio.gather(*sent)  # the commit itself would not report that one of them failed
                await producer.commit_transaction()
        except Exception as error:
            cause = _cause(producer) or error
            await self.close()
            if isinstance(cause, _FENCED):
                raise Fenced from error
            raise NotCommitted(type(cause).__name__) from error

    async def _send(self, producer: AIOKafkaProducer, key: str, state: bytes | None) -> asyncio.Future[Any]:
        sent: asyncio.Future[Any] = await producer.send(self._topic, state, key.encode(), partition=self._partition)
        sent.add_done_callback(seen)  # it is awaited only if the others can be sent
        return sent

    async def close(self) -> None:
        """Close in bounded time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

    async def _restore(self) -> dict[str, bytes]:
        part = TopicPartition(self._topic, self._partition)
        consumer = AIOKafkaConsumer(
            **options(self._kafka),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            async with asyncio.timeout(NO_PROGRESS):
                await consumer.start()
                consumer.assign([part])
                begin = (await consumer.beginning_offsets([part]))[part]
                end = (await consumer.end_offsets([part]))[part]
                consumer.seek(part, begin)  # explicit: a reset in the background would start at the end
            return await _read_through(consumer, part, end)
        finally:
            await stop_consumer(consumer)


def _end(producer: AIOKafkaProducer) -> asyncio.Future[None] | None:
    """Return the future of the transaction's end; None: none has begun."""
    waiter: asyncio.Future[None] | None = producer._txn_manager.wait_for_transaction_end()  # noqa: SLF001 - no public way
    return waiter


def _cause(producer: AIOKafkaProducer) -> BaseException | None:
    """Return the error of the transaction; None: there is none yet.

    Sending in a failed one raises only an AssertionError.
    """
    end = _end(producer)
    return end.exception() if end and end.done() and not end.cancelled() else None


async def _read_through(consumer: AIOKafkaConsumer, part: TopicPartition, end: int) -> dict[str, bytes]:
    states: dict[str, bytes] = {}
    loop = asyncio.get_running_loop()
    position, moved_at = await consumer.position(part), loop.time()
    while position < end:
        for record in (await consumer.getmany(part, timeout_ms=200, max_records=AT_ONCE)).get(part, ()):
            key = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                states.pop(key, None)
            else:
                states[key] = record.value
        await asyncio.sleep(0)  # records that are here already are handed out without a pause
        reached = await consumer.position(part)
        if reached > position:
            position, moved_at = reached, loop.time()
        elif loop.time() - moved_at > NO_PROGRESS:
            raise TimeoutError
    return states
