"""Whoever reads from Kafka ends when it is cancelled, also where the client loses the cancellation."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace

from bus.kafka.client import check_fetching


async def test_a_cancellation_that_was_lost_ends_the_reading_at_its_next_turn():
    """`wait_for` of Python 3.11 loses it, if what it waits for ends in that moment; a stop then took forever."""
    consumer = SimpleNamespace(_fetcher=SimpleNamespace(_fetch_task=asyncio.get_running_loop().create_future()))
    turns = 0

    async def read_on() -> None:
        nonlocal turns
        while turns < 2:
            check_fetching(consumer)
            turns += 1
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    reading = asyncio.create_task(read_on())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading], timeout=5)

    assert (reading.cancelled(), turns) == (True, 1)
