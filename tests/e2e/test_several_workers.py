"""`smsbus serve --workers`: several workers on one port, shown and stopped as one; any may die, the parent included."""

import asyncio
import json
import os
import re
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.load import Load
from tests.e2e.program import TOKEN, Replica, eventually
from tests.e2e.test_inbox_served import NUMBER, Client, next_event
from tests.e2e.topic import events, problems
from tests.faults.rules import imbalance

pytestmark = pytest.mark.timeout(120)

IDLE = "the fault met no work"
POLLED = {
    "ACCOUNTS__POLLED__PROVIDER": "smsverified",
    "ACCOUNTS__POLLED__API_KEY": "e2e-key-e2e-key-e2e-key",
    "ACCOUNTS__POLLED__BASE_URL": "http://127.0.0.1:9",
}
SAMPLE = re.compile(r'^smsbus_(\w+?)(?:_total)?\{process="([\w-]+)"\} (\S+)$', re.MULTILINE)


async def test_every_worker_takes_its_part_and_one_listener_counts_them_all(smsbus):
    crew = await smsbus.serve("--workers", "3")
    async with Load(crew.url, numbers=40) as load:
        await load.until_answered(200)
    accepted = await _settled(crew)
    _, text = await crew.get("/metrics")
    series = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    heads = [" ".join(line.split(" ")[:3]) for line in text.splitlines() if line.startswith("#")]
    print(f"{len(load.answered())} answered by {accepted}")

    assert set(accepted) == {"receiver-1", "receiver-2", "receiver-3"}
    assert min(accepted.values()) > 0
    assert sum(accepted.values()) == len(load.answered()) > 200
    assert load.refused() == []
    assert problems(load.posts, await events(smsbus)) == []
    assert [name for name, count in Counter([*series, *heads]).items() if count > 1] == []
    await eventually(crew.is_well, 60, "it is ready, and not degraded")
    assert len(await smsbus.journals()) == 3


async def test_a_killed_worker_loses_nothing_and_comes_back_while_the_others_serve(smsbus):
    crew = await smsbus.serve("--workers", "2", BUS__ORPHAN_SCAN_INTERVAL="0.2")
    async with Load(crew.url, numbers=40, pause=0.02) as load:
        await asyncio.sleep(1)
        victim = _children(crew)[0]
        os.kill(victim, signal.SIGSTOP)  # until each sender that is connected to it waits for its answer
        await asyncio.sleep(0.5)
        killed = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        ended = await crew.says("worker_ended", 30)
        ready = await crew.get("/readyz")
        live = await crew.get("/livez")

        async def back() -> bool:
            return len(crew.said("worker_serves")) == 4  # both, the inbox, and the one that came back

        await eventually(back, 20, "the worker serves again")
        await asyncio.sleep(1)
    accepted = await _settled(crew)
    unanswered = [post for post in load.refused(killed) if post.status is None]
    print(f"{len(load.answered())} answered, {len(unanswered)} not")

    assert unanswered, IDLE
    assert ended["exit_code"] == -signal.SIGKILL
    assert ready[0] == 200
    assert "worker_restarting" in ready[1]
    assert live[0] == 200
    assert len(accepted) == 2
    assert f'smsbus_worker_restarts_total{{process="supervisor",worker="{ended["process"]}"}} 1.0' in await _text(crew)
    # What the killed one had in its journal is published after what senders have sent to the other since: limit L17.
    assert problems(load.posts, await events(smsbus), one_process=False) == []


@pytest.mark.parametrize("everybody", [False, True], ids=["only the parent is told", "all are told at once"])
async def test_sigterm_under_load_stops_all_with_everything_delivered(smsbus, everybody):
    crew = await smsbus.serve("--workers", "2")
    children = _children(crew)
    async with Load(crew.url, numbers=40, pause=0.005) as load:
        await load.until_answered(200)
        await load.until_in_flight(10)
        asked = time.monotonic()
        told_too = children if everybody else ()
        for child in told_too:
            os.kill(child, signal.SIGSTOP)  # an idle one ends within milliseconds, before its parent has heard
        stopping = asyncio.ensure_future(crew.terminate())
        await crew.says("stopping", 30)
        for child in told_too:
            os.kill(child, signal.SIGTERM)
            os.kill(child, signal.SIGCONT)
        code = await stopping
        load.abandon()
    ledger = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", crew.lines[-1]["ledger"])}
    told = [post for post in load.refused() if post.status == 503]
    print(f"{len(load.answered())} answered, {len(told)} told to come back")

    assert code == 0
    assert told, IDLE
    assert min(post.ended for post in load.refused()) > asked
    assert len(crew.said("stopped")) == 4
    assert crew.said("worker_ended") == []
    assert imbalance(ledger) == 0
    assert ledger["pending"] == 0
    assert ledger["accepted"] >= len(load.answered()) > 200
    assert problems(load.posts, await events(smsbus), one_process=False) == []


async def test_workers_do_not_outlive_a_killed_parent_and_drain_first(smsbus):
    crew = await smsbus.serve("--workers", "2")
    children = _children(crew)

    async def gone() -> bool:
        return not any(map(_runs, children))

    async with Load(crew.url, numbers=20, pause=0.005) as load:
        await load.until_answered(100)
        await load.until_in_flight(5)
        await crew.kill()
        try:
            await eventually(gone, 20, "the workers have ended")
        finally:
            _end(children)
        load.abandon()
    again = await smsbus.serve()

    assert len(children) == 3
    assert len(load.answered()) > 100, IDLE
    assert problems(load.posts, await events(smsbus), one_process=False) == []
    assert await again.terminate() == 0


async def test_watches_are_asked_of_the_pollers_worker_with_the_caller_s_own_token(smsbus):
    crew = await smsbus.serve("--workers", "2", ADMIN__TOKEN=TOKEN, **POLLED)
    watch = {"account": "polled", "order_id": "1", "recipient": "12015550123"}
    async with aiohttp.ClientSession(crew.admin, headers={"Authorization": f"Bearer {TOKEN}"}) as session:

        async def asked(method: str, path: str, **body: object) -> int:
            async with session.request(method, path, json=body or None) as answer:
                return answer.status

        async def filled() -> bool:
            return await asked("GET", "/v1/watches") == 200

        await eventually(filled, 30, "the watches are read")
        statuses = [await asked("POST", "/v1/watches", **watch), await asked("GET", "/v1/watches/nobody")]
        statuses += [await asked("POST", "/livez"), await asked("GET", "/nothing")]
        os.kill(_children(crew)[-2], signal.SIGKILL)
        ended = await crew.says("worker_ended", 30)
        statuses.append(await asked("GET", "/v1/watches"))

    assert statuses == [201, 404, 405, 404, 503]
    assert ended["process"] == "pollers"
    assert (await crew.get("/v1/watches"))[0] in {401, 503}
    assert await crew.terminate() == 0


async def test_what_came_is_asked_of_the_inbox_and_its_end_is_survived(smsbus):
    crew = await smsbus.serve("--workers", "2")
    async with aiohttp.ClientSession() as session:
        client = Client(session, crew)
        _, now = await client.get("/v1/cursor")
        wait = f"/v1/wait?recipient={NUMBER}&since={now['cursor']}&timeout=50"
        waiting = asyncio.create_task(client.text(wait))
        async with client.stream("/v1/stream") as stream:
            await stream.content.readuntil(b"\n\n")
            first = await client.send("Your code is 1482")
            frame = await next_event(stream)
            assert await waiting == (200, "1482\n")
            assert (json.loads(frame["data"])["id"], stream.headers["Cache-Control"]) == (first, "no-store")
            _, metrics = await crew.get("/metrics")
            os.kill(_children(crew)[-1], signal.SIGKILL)
            await stream.read()
        ended = await crew.says("worker_ended", 30)
        second = await client.send("Your code is 2593")

        async def back() -> bool:
            return (await client.get("/v1/cursor"))[0] == 200

        await eventually(back, 30, "the inbox is back")
        async with client.stream("/v1/stream", **{"Last-Event-ID": frame["id"]}) as stream:
            again = await next_event(stream)
        stopping = asyncio.create_task(client.get(f"/v1/wait?recipient={NUMBER}&timeout=50"))
        async with client.stream("/v1/stream") as stream:
            await stream.content.readuntil(b"\n\n")
            asked = time.monotonic()
            code = await crew.terminate()
            seconds = time.monotonic() - asked
        status, told = await stopping

    assert 'smsbus_inbox_events{process="inbox"} 1.0' in metrics
    assert ended["process"] == "inbox"
    assert json.loads(again["data"])["id"] == second
    assert (code, status, told["reason"]) == (0, 503, "closing")
    assert seconds < 5


async def test_without_pollers_there_is_nothing_else_on_the_listener(smsbus):
    crew = await smsbus.serve("--workers", "2")

    status, text = await crew.get("/v1/watches")

    assert (status, "Nothing is served here." in text) == (404, True)


async def test_a_port_that_is_taken_is_not_shared_with_a_stranger(smsbus):
    first = await smsbus.serve("--workers", "2")

    second = await smsbus.run("serve", "--workers", "2", ADMIN__PORT="0")

    assert second.code == 2
    assert len(second.err.splitlines()) == 1
    assert second.err.startswith(
        f"smsbus: SMSBUS_RECEIVER__PORT={first.url.split(':')[2].split('/')[0]} cannot be used"
    )
    assert "address already in use" in second.err


@pytest.mark.parametrize(
    ("arguments", "settings", "word"),
    [
        (("--role", "pollers"), POLLED, "--role pollers"),
        ((), {"RECEIVER__PORT": "0"}, "SMSBUS_RECEIVER__PORT=0"),
    ],
)
async def test_several_workers_that_make_no_sense_are_refused_in_one_line(fresh, arguments, settings, word):
    refused = await fresh.run("serve", "--workers", "2", *arguments, **settings)

    assert (refused.code, refused.out) == (2, "")
    assert len(refused.err.splitlines()) == 1
    assert word in refused.err


def _children(crew: Replica) -> list[int]:
    """The pids of its workers, in the order in which they were started."""
    pid = crew.process.pid
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _end(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def _text(crew: Replica) -> str:
    return (await crew.get("/metrics"))[1]


async def _settled(crew: Replica) -> dict[str, float]:
    """Return how many each worker accepted once nothing waits in any; each ledger adds up."""
    metrics: dict[str, dict[str, float]] = {}

    async def empty() -> bool:
        metrics.clear()
        for name, process, value in SAMPLE.findall(await _text(crew)):
            if process not in {"inbox", "supervisor"}:  # they accept nothing
                metrics.setdefault(process, {})[name] = float(value)
        return not any(each["pending"] or each["journal_rows"] for each in metrics.values())

    await eventually(empty, 60, "nothing waits in any worker")
    assert [imbalance(each) for each in metrics.values()] == [0] * len(metrics)
    return {process: each["accepted"] for process, each in metrics.items()}
