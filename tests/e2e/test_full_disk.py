"""Kafka is away and the disk is full: nothing can be promised, so nothing is, and it ends by itself."""

import asyncio
import json
import time

import pytest

from tests.e2e.disks import DISKS
from tests.e2e.load import Load
from tests.e2e.program import Replica, eventually
from tests.e2e.topic import events, problems
from tests.faults.rules import imbalance


# The first that this machine allows; the others are long.
@pytest.fixture(params=[DISKS[-1], *(pytest.param(kind, marks=pytest.mark.long) for kind in DISKS[:-1])])
def small_disk(request, smsbus):
    disk = request.param(smsbus.journal_dir)
    yield disk
    disk.close()


@pytest.mark.timeout(120)
async def test_a_full_disk_in_an_outage_is_answered_with_503_until_there_is_room(smsbus, kafka, small_disk):
    replica = await smsbus.serve(wrapper=small_disk.wrapper)
    await kafka.kill()
    async with Load(replica.url, numbers=12, padding=4_000) as load:
        await eventually(lambda: _is_full(replica, load), 30, "the disk is full")
        status, body = await replica.get("/readyz")
        rows = sum((await smsbus.journals()).values())
        promised = len(load.answered())

        assert (status, json.loads(body)["status"]) == (503, "full")
        assert {"kafka_away", "journal_unwritable"} <= set(json.loads(body)["degraded"])
        assert rows == promised > 50, "the fault met no work, or something is half-written"

        small_disk.make_room(replica)
        since = time.monotonic()
        await eventually(lambda: _accepts_again(replica, load, since), 15, "SMS are accepted again")
        seconds = load.answered(since)[0].at - since
        print(f"{promised} accepted, {len(load.refused())} refused, again after {seconds:.2f} s")
        await asyncio.sleep(1)
        refused_later = load.refused(since + 5)
        await kafka.start()
        metrics = await replica.drained()

    assert refused_later == []
    assert {_told(post) for post in load.refused()} == {(503, "not_durable", True)}
    assert problems(load.posts, await events(smsbus)) == []
    assert imbalance(metrics) == 0
    assert metrics["not_durable"] == len(load.refused())


async def _is_full(replica: Replica, load: Load) -> bool:
    status, _ = await replica.get("/readyz")
    return status == 503 and len(load.refused()) > 20


async def _accepts_again(replica: Replica, load: Load, since: float) -> bool:
    status, _ = await replica.get("/readyz")
    return status == 200 and len(load.answered(since)) > 50


def _told(post) -> tuple[int | None, str, bool]:
    """What a refused sender learns: the status, the reason, and whether it is told when to come back."""
    return post.status, json.loads(post.body or "{}").get("reason", post.failure), bool(post.retry_after)
