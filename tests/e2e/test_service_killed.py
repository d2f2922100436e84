"""kill -9 of the service: what it answered 200 for reaches Kafka, whoever has to bring it there."""

import asyncio
import time

import pytest

from tests.e2e.load import Load
from tests.e2e.program import Installation, Replica, eventually, free_port
from tests.e2e.topic import events, problems
from tests.faults.rules import imbalance

# Seconds for which the broker stands still before the kill, and seconds since it went on.
KILLS = [(1.0, 0.02), (0.0, 0.0), (1.0, 0.0), (0.1, 0.0), (0.0, 0.0)]
IDLE = "the fault met no work"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("times", [2, pytest.param(len(KILLS), marks=pytest.mark.long)])
async def test_nothing_is_lost_when_the_service_is_killed_again_and_again_under_load(smsbus, kafka, times):
    replica = await smsbus.serve()
    async with Load(replica.url, numbers=20, pause=0.0) as load:  # so many are always under way
        for paused, resumed in KILLS[:times]:
            await asyncio.sleep(0.5)
            if paused:
                await kafka.pause()
                await asyncio.sleep(paused)
            if resumed:
                await kafka.resume()
                await asyncio.sleep(resumed)
            await load.until_in_flight(5)
            unanswered, rows = await _kill(replica, load, smsbus)
            await kafka.resume()
            replica = await smsbus.serve()
            print(f"paused {paused}: {unanswered} unanswered, {rows} rows")
            assert unanswered or rows, IDLE
        await asyncio.sleep(0.5)
    metrics = await replica.drained()

    assert problems(load.posts, await events(smsbus)) == []
    assert imbalance(metrics) == 0
    assert metrics["not_durable"] == 0


async def test_a_full_journal_of_a_killed_service_arrives_after_its_restart(smsbus, kafka):
    replica = await smsbus.serve()
    await kafka.kill()
    load, rows = await _fill(replica)
    await replica.kill()
    await kafka.start()
    replica = await smsbus.serve()
    metrics = await replica.drained()

    assert metrics["adopted"] == metrics["published"] == rows
    assert problems(load.posts, await events(smsbus)) == []
    assert len(await smsbus.journals()) == 1


async def test_another_replica_adopts_the_journal_of_a_killed_one(smsbus, kafka):
    replica = await smsbus.serve()
    (own,) = await smsbus.journals()
    ports = {"RECEIVER__PORT": str(free_port()), "ADMIN__PORT": str(free_port())}
    other = await smsbus.serve(BUS__ORPHAN_SCAN_INTERVAL="0.2", **ports)
    await kafka.kill()
    load, rows = await _fill(replica)
    await replica.kill()
    await other.says("orphan_adopted", 10)
    await kafka.start()
    metrics = await other.drained()

    assert metrics["adopted"] == metrics["published"] == rows
    assert problems(load.posts, await events(smsbus)) == []

    async def gone() -> bool:
        return not own.exists()

    await eventually(gone, 10, "the orphan's directory is removed")


async def _kill(replica: Replica, load: Load, smsbus: Installation) -> tuple[int, int]:
    """Kill it; return how many posts lost their answer by that, and how many rows it left."""
    killed = time.monotonic()
    await replica.kill()
    rows = sum((await smsbus.journals()).values())
    return sum(post.at < killed and post.status is None for post in load.refused(killed)), rows


async def _fill(replica: Replica) -> tuple[Load, int]:
    async with Load(replica.url, numbers=20) as load, asyncio.timeout(30):
        await load.until_answered(200)
    metrics = await replica.metrics()
    assert imbalance(metrics) == 0
    assert metrics["journal_rows"] == len(load.answered())
    return load, int(metrics["journal_rows"])
