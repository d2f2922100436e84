"""A consumer is stopped in bounded time, and what aiokafka cancels within is no cancellation of whoever stops it."""

import asyncio
from typing import Any

import pytest

from bus.kafka.client import stop_consumer


class Consumer:
    """Its `stop` lasts; its client's `close` then gathers what was cancelled with it, as aiokafka's does over TLS."""

    def __init__(self) -> None:
        self._client = self
        self._closing = asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        await self._closing

    async def close(self) -> None:
        await asyncio.gather(self._closing)


async def test_a_cancellation_within_aiokafka_does_not_end_the_task_that_stops_a_consumer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bus.kafka.client.CONSUMER_STOP_TIMEOUT", 0.01)
    consumer: Any = Consumer()

    stopping = asyncio.ensure_future(stop_consumer(consumer))
    await asyncio.wait([stopping])

    assert not stopping.cancelled()


async def test_a_consumer_that_cannot_be_closed_either_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.kafka.client.CONSUMER_STOP_TIMEOUT", 0.01)
    consumer: Any = Consumer()
    consumer.close = asyncio.Event().wait

    async with asyncio.timeout(1):
        await stop_consumer(consumer)
