"""Starting while something is missing: refused in one readable line, or going on with what was verified before."""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.load import Load, firsts_and_rest
from tests.e2e.program import ADMIN_HEADER, Ended, Installation, Replica, eventually, free_port
from tests.e2e.topic import events, problems
from tests.faults.checker import percentile
from tests.faults.sandbox import Sandbox

POLLED_SECONDS = 10
DEADLINE = 10  # seconds in which an SMS must be somewhere, here: a slow disk's sync is not the subject


@pytest.mark.timeout(120)
async def test_a_service_restarted_while_kafka_is_away_accepts_into_its_journal(smsbus, kafka):
    replica = await smsbus.serve()
    assert await replica.terminate() == 0
    await kafka.kill()
    replica = await smsbus.serve(BUS__ACCEPT_DEADLINE=str(DEADLINE))
    async with Load(replica.url) as load:
        await load.until_answered(100)
    metrics = await replica.metrics()
    firsts, rest = firsts_and_rest(load.posts, 0.0)
    sync = _sync_of_this_disk(smsbus.directory)
    print(
        f"{len(load.posts)} posts, a sync {sync:.3f} s, first {max(firsts):.3f} s, p99 {percentile(0.99, rest):.3f} s"
    )

    assert replica.said("started_without_kafka")
    assert metrics["journal_rows"] == len(load.answered()) > 100
    assert load.refused() == []
    assert max(firsts) < max(1.5, 6 * sync)  # they wait for the first spill and for a sync, and not for Kafka
    assert percentile(0.99, rest) < max(0.5, 6 * sync)

    await kafka.start()
    metrics = await replica.drained()

    assert metrics["published"] == len(load.answered())
    assert problems(load.posts, await events(smsbus)) == []


@pytest.mark.timeout(120)
async def test_a_watch_is_accepted_at_the_first_readiness_and_polled_soon(smsbus, tmp_path):
    async with Sandbox(tmp_path, seed=1) as sandbox:
        for _ in range(2):
            order = await sandbox.open_order("smsverified", "activation", [0.0])
            serving = asyncio.create_task(smsbus.serve("--role", "pollers", **sandbox.settings))
            replica = await _first_readiness(smsbus, serving)
            status = await _watch(replica, order)

            async def polled(order: str = order["order"]) -> bool:
                return any(sms["order"] == order and sms["shown"] for sms in (await sandbox.book())["sms"])

            await eventually(polled, POLLED_SECONDS, "the order is polled")

            assert status == 201
            assert await (await serving).terminate() == 0


async def test_a_first_start_without_a_broker_names_the_variable(tmp_path):
    alone = Installation(tmp_path, f"127.0.0.1:{free_port()}", "")

    assert "SMSBUS_KAFKA__BOOTSTRAP_SERVERS" in _refusal(await alone.run("serve"))


async def test_a_first_start_without_topics_names_the_command(fresh):
    assert "smsbus topics create" in _refusal(await fresh.run("serve"))


async def test_a_misspelled_variable_is_answered_with_the_right_one(smsbus):
    line = _refusal(await smsbus.run("serve", RECIEVER__PORT="8080"))

    assert "SMSBUS_RECIEVER__PORT" in line
    assert "did you mean SMSBUS_RECEIVER__PORT?" in line


def _sync_of_this_disk(directory: Path) -> float:
    """Return how many seconds the slowest of some syncs takes."""
    each = []
    with (directory / "synced").open("wb") as file:
        for _ in range(5):
            began = time.monotonic()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            each.append(time.monotonic() - began)
    return max(each)


async def _first_readiness(installation: Installation, serving: "asyncio.Task[Replica]") -> Replica:
    """Return the replica that is being started at the first 200 of its /readyz."""
    known = len(installation.replicas)
    while True:
        assert not serving.done() or serving.result()
        for replica in installation.replicas[known:]:
            with suppress(aiohttp.ClientError):
                if (await replica.get("/readyz"))[0] == 200:
                    return replica
        await asyncio.sleep(0.01)


async def _watch(replica: Replica, order: dict[str, Any]) -> int:
    wanted = {"account": order["provider"], "order_id": order["order"], "recipient": order["number"]}
    url = f"{replica.admin}/v1/watches"
    async with aiohttp.ClientSession(headers=ADMIN_HEADER) as session, session.post(url, json=wanted) as answer:
        return answer.status


def _refusal(ended: Ended) -> str:
    """The one line of a start that was refused."""
    lines = ended.err.splitlines()
    assert (ended.code, ended.out, len(lines)) == (2, "", 1), ended
    return lines[0]
