"""SIGTERM under load: what was answered is in Kafka, what was not is told so, and the ledger adds up."""

import re
import time

import pytest

from tests.e2e.load import Load
from tests.e2e.program import Replica
from tests.e2e.topic import events, problems
from tests.faults.rules import imbalance

GRACE_SECONDS = 28


@pytest.mark.timeout(120)
async def test_sigterm_under_load_ends_in_order_with_everything_delivered(smsbus):
    replica = await smsbus.serve()
    async with Load(replica.url, numbers=20, pause=0.005) as load:
        await load.until_answered(200)
        await load.until_in_flight(5)
        asked = time.monotonic()
        code = await replica.terminate()
        ended = time.monotonic()
        load.abandon()
    told = [post for post in load.refused() if post.status == 503 and post.retry_after]
    print(f"{len(load.answered())} answered, {len(told)} told to come back, ended after {ended - asked:.2f} s")

    assert code == 0
    assert ended - asked < GRACE_SECONDS
    assert told, "the fault met no work"
    assert {post.failure for post in load.refused() if post not in told} <= {"ClientConnectorError"}  # refused
    assert min(post.ended for post in load.refused()) > asked

    ledger = _last_ledger(replica)

    assert imbalance(ledger) == 0
    assert ledger["pending"] == 0
    assert ledger["accepted"] >= len(load.answered()) > 200
    assert problems(load.posts, await events(smsbus)) == []


@pytest.mark.timeout(120)
async def test_sigterm_while_kafka_is_away_leaves_the_rest_in_the_journal(smsbus, kafka):
    replica = await smsbus.serve()
    await kafka.kill()
    async with Load(replica.url) as load:
        await load.until_answered(100)
        await load.until_in_flight(1)
        asked = time.monotonic()
        code = await replica.terminate()
        ended = time.monotonic()
        load.abandon()
    ledger = _last_ledger(replica)

    assert code == 0
    assert ended - asked < GRACE_SECONDS
    assert imbalance(ledger) == 0
    assert ledger["pending"] >= len(load.answered()) > 100, "the fault met no work"

    await kafka.start()
    replica = await smsbus.serve()
    await replica.drained()

    assert problems(load.posts, await events(smsbus)) == []


def _last_ledger(replica: Replica) -> dict[str, int]:
    last = replica.lines[-1]
    assert last["event"] == "stopped"
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", last["ledger"])}
