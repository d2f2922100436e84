"""A command on the watches topic, and its writer."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from bus.kafka.client import FAILURES, REQUEST_TIMEOUT_MS, KafkaAway, away, discard, options
from bus.record import partition_of
from bus.settings import KafkaSettings
from schemas.topics import WATCH_PARTITIONS, WATCHES

PUT_TIMEOUT: Final = 10.0
FORGETS: Final = "smsbus_forgets"  # a tombstone's header: it withdraws nothing, and names the request that it forgets


@dataclass(frozen=True, slots=True)
class Command:
    """One record of the watches topic; `value` None is a tombstone."""

    partition: int
    key: str
    value: bytes | None
    forgets: str | None = None
    """For a tombstone of ours: the request that it forgets. None: an operator withdrew the watch."""


class CommandForbidden(KafkaAway):
    """Kafka does not let this user write commands, so this one does not arrive; later ones may."""


class CommandWriter:
    """Writes commands to the partition that is theirs; connects with the first one."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topic = kafka.topic(WATCHES)
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def put(self, key: str, value: bytes) -> None:
        """Return when the command is in Kafka (acks=all). Raises `CommandForbidden`.

        Raises `bus.kafka.client.KafkaAway` where it may still arrive.
        """
        await self._send(key, value, partition_of(key.encode(), WATCH_PARTITIONS), [])

    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None:
        """Delete a command from a partition. `forgets`: housekeeping up to this request; nothing is withdrawn."""
        await self._send(key, None, partition, [] if forgets is None else [(FORGETS, forgets.encode())])

    async def close(self) -> None:
        """Close in bounded time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

    async def _send(self, key: str, value: bytes | None, partition: int, headers: list[tuple[str, bytes]]) -> None:
        try:
            async with asyncio.timeout(PUT_TIMEOUT):
                async with self._lock:
                    producer = await self._ready()
                await producer.send_and_wait(self._topic, value, key.encode(), partition=partition, headers=headers)
        except TopicAuthorizationFailedError:
            message = f"Kafka does not let this user write to {self._topic}: `smsbus topics print` prints what it needs"
            raise CommandForbidden(message) from None
        except FAILURES as error:
            await self.close()
            raise away(self._kafka) from error

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **options(self._kafka), acks="all", enable_idempotence=False, request_timeout_ms=REQUEST_TIMEOUT_MS
            )
            try:
                await producer.start()
            except BaseException:
                await discard(producer)
                raise
            self._producer = producer
        return self._producer
