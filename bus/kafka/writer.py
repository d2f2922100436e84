"""Writing single records, each acknowledged by all in-sync replicas before the next thing happens."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from bus.kafka.client import FAILURES, REQUEST_TIMEOUT_MS, KafkaAway, away, discard, options
from bus.settings import KafkaSettings

PUT_TIMEOUT: Final = 10.0


class WriteForbidden(KafkaAway):
    """Kafka does not let this user write, so this record does not arrive; later ones may."""


class RecordWriter:
    """Writes records; connects with the first one."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def put(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
        timestamp_ms: int | None = None,
    ) -> None:
        """Return when it is in Kafka (acks=all). `topic` has its prefix. Raises `WriteForbidden`.

        Raises `bus.kafka.client.KafkaAway` where it may still arrive.
        """
        try:
            async with asyncio.timeout(PUT_TIMEOUT):
                async with self._lock:
                    producer = await self._ready()
                await producer.send_and_wait(
                    topic, value, key, partition=partition, headers=headers, timestamp_ms=timestamp_ms
                )
        except TopicAuthorizationFailedError:
            message = f"Kafka does not let this user write to {topic}: `smsbus topics print` prints what it needs"
            raise WriteForbidden(message) from None
        except FAILURES as error:
            await self.close()
            raise away(self._kafka) from error

    async def close(self) -> None:
        """Close in bounded time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

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
