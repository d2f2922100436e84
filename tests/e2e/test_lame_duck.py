"""Leaving without refusing anybody: not ready first, then closed, so that a balancer has looked elsewhere by then."""

import asyncio
import re
import signal
import time

import pytest

from tests.e2e.balancer import Backend, balancing
from tests.e2e.load import Load
from tests.e2e.program import TOKEN, Installation, Replica, free_port
from tests.e2e.topic import events, problems

pytestmark = [pytest.mark.installation, pytest.mark.timeout(120)]


async def _start(smsbus: Installation, receiver: int, admin: int, lame_duck: str) -> Replica:
    return await smsbus.serve(
        RECEIVER__PORT=str(receiver),
        ADMIN__PORT=str(admin),
        RECEIVER__LAME_DUCK=lame_duck,
        BUS__ORPHAN_SCAN_INTERVAL="0.5",
    )


@pytest.mark.parametrize(
    "lame_duck",
    [
        pytest.param("2", id="as a lame duck"),
        pytest.param("0", id="at once (the balancer notices)", marks=pytest.mark.long),
    ],
)
async def test_a_rolling_restart_behind_a_balancer_refuses_nobody(smsbus, lame_duck):
    ports = [(free_port(), free_port()) for _ in range(2)]
    replicas = [await _start(smsbus, *each, lame_duck) for each in ports]
    backends = [Backend(receiver, f"http://127.0.0.1:{admin}") for receiver, admin in ports]
    async with balancing(*backends) as balancer:
        url = f"http://127.0.0.1:{balancer.port}/v1/pingme/{TOKEN}"
        async with Load(url, numbers=12, pause=0.03) as load:
            await asyncio.sleep(1)
            for place, (old, backend) in enumerate(zip(replicas, backends, strict=True)):
                assert await old.terminate() == 0
                await _start(smsbus, *ports[place], lame_duck)
                while not backend.ready:
                    await asyncio.sleep(0.1)
    refused = [(post.status, post.failure) for post in load.refused()]
    print(f"{len(load.answered())} answered, {len(refused)} refused, {balancer.lost} connections lost")

    assert len(load.answered()) > 300
    # An SMS that the old process still had to publish is overtaken by the next one, sent to the other: limit L17.
    assert problems(load.posts, await events(smsbus), one_process=False) == []
    if lame_duck == "0":
        assert balancer.lost, "the balancer would have noticed nothing"
    else:
        assert (refused, balancer.lost) == ([], 0)


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one process", "workers"])
async def test_who_is_told_twice_does_not_wait(smsbus, workers):
    replica = await smsbus.serve(*workers, RECEIVER__LAME_DUCK="60")
    replica.process.send_signal(signal.SIGTERM)
    async with Load(replica.url, numbers=2) as load:
        await load.until_answered(20)
    status, said = await replica.get("/readyz")
    listed = [await replica.get(path) for path in ("/v1/sms?limit=1", "/v1/wait?recipient=1")]

    assert status == 503
    assert [(status, '"closing"' in said) for status, said in listed] == [(200, False), (503, True)]
    assert re.search('"status": *"stopping"', said)
    assert len(load.answered()) > 20
    assert load.refused() == []

    asked = time.monotonic()

    assert await replica.terminate() == 0
    assert time.monotonic() - asked < 20
    assert problems(load.posts, await events(smsbus), one_process=not workers) == []


async def test_a_person_at_the_keyboard_does_not_wait(smsbus):
    replica = await smsbus.serve(RECEIVER__LAME_DUCK="60")
    replica.process.send_signal(signal.SIGINT)

    async with asyncio.timeout(20):
        assert await replica.process.wait() == 0
