"""A task that uses Kafka's client ends, also where the client loses a cancellation."""

import asyncio

from bus.kafka import client


async def test_a_cancellation_that_was_lost_is_repeated(monkeypatch):
    """`wait_for` of Python 3.11 loses it, if what it waits for ends in that moment; a stop then took forever."""
    monkeypatch.setattr(client, "CANCELLED_AGAIN", 0.0)
    lost = 0

    async def read_on() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 2:
                    raise

    tasks = [asyncio.create_task(read_on()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await client.end(*tasks)

    assert [task.cancelled() for task in tasks] == [True, True]
    assert lost == 2
