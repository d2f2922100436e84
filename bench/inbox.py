"""What the inbox costs, and how fast an SMS is seen: `python -m bench.inbox`.

The service has every role on one core; Kafka, the load and the clients share the others. Rates are of closed loops that
take turns: without clients, and with a thousand waits and two hundred streams that nothing satisfies.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median, quantiles
from typing import Final, NamedTuple

import aiohttp

from app import process
from bench.arrivals import poisson
from bench.callbacks import Callbacks
from bench.closed_loop import ClosedLoop
from bench.contenders import Place, smsbus
from bench.kafka import kafka, scratch
from bench.machine import available, on, share
from bench.open_loop import OpenLoop
from bench.server import Server, free_port, server

WAITS: Final = 1_000
STREAMS: Final = 200
IN_FLIGHT: Final = 128
STEADY: Final = 100.0  # SMS a second
ROUNDS: Final = 5
TOKEN: Final = "bench-admin-bench-admin-bench"
NOBODY: Final = "19990000000"


class Subject(NamedTuple):
    """The service, and where its inbox is."""

    server: Server
    admin: str


@asynccontextmanager
async def subject(role: str) -> AsyncIterator[Subject]:
    cores, admin = share(available()), free_port()
    environ = {"SMSBUS_ADMIN__PORT": str(admin), "SMSBUS_ADMIN__TOKEN": TOKEN}
    with scratch() as directory:
        async with kafka(directory, cores.brokers) as brokers:
            place = Place(free_port(), brokers.address, directory)
            command = smsbus("--role", role, **environ)(place)
            with on(cores.load), server(command, place.port, cores.server, directory / "log") as running:
                await asyncio.sleep(2)
                yield Subject(running, f"http://127.0.0.1:{admin}")


async def rate(subject: Subject, callbacks: Callbacks, seconds: float) -> float:
    answers = await ClosedLoop(callbacks.batch(int(20_000 * seconds))).run(subject.server.port, IN_FLIGHT, seconds)
    assert not answers.bad, answers.bad
    return answers.rate


async def cpu_at(subject: Subject, callbacks: Callbacks, seconds: float) -> float:
    """Return the share of a core that a steady load takes."""
    arrivals = poisson(STEADY, seconds, random.Random(1))
    before = subject.server.cpu_ns()
    loop = OpenLoop(callbacks.batch(len(arrivals)), arrivals, spins=False)
    await loop.run(subject.server.port, 32)
    assert not loop.bad, loop.bad
    return (subject.server.cpu_ns() - before) / 1e9 / seconds


def session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None)
    header = {"Authorization": f"Bearer {TOKEN}"}
    return aiohttp.ClientSession(headers=header, timeout=timeout, connector=aiohttp.TCPConnector(limit=0))


async def waits_for_nobody(client: aiohttp.ClientSession, admin: str) -> None:
    while True:
        async with client.get(f"{admin}/v1/wait?recipient={NOBODY}&timeout=55") as answer:
            await answer.read()


async def streams_for_nobody(client: aiohttp.ClientSession, admin: str) -> None:
    async with client.get(f"{admin}/v1/stream?recipient={NOBODY}") as answer:
        async for _ in answer.content:
            pass


@asynccontextmanager
async def crowd(subject: Subject) -> AsyncIterator[None]:
    async with session() as client:
        tasks = [asyncio.create_task(waits_for_nobody(client, subject.admin)) for _ in range(WAITS)]
        tasks += [asyncio.create_task(streams_for_nobody(client, subject.admin)) for _ in range(STREAMS)]
        await asyncio.sleep(5)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def seen(subject: Subject, seconds: float) -> list[float]:
    """Return how long after its 200 each SMS of a steady load was on a stream, in milliseconds."""
    due: dict[str, float] = {}
    found: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(session())
        stream = await stack.enter_async_context(client.get(f"{subject.admin}/v1/stream"))
        reading = asyncio.create_task(_read(stream, found))
        post = f"http://127.0.0.1:{subject.server.port}/v1/pingme/bench-token-bench-token-bench"
        for number in range(int(STEADY * seconds)):
            body = {"to": f"1647{number:07d}", "text": f"seen {number} {time.time_ns()}"}
            async with client.post(post, json=body) as answer:
                due[(await answer.json())["id"]] = time.perf_counter()
            await asyncio.sleep(1 / STEADY)
        await asyncio.sleep(1)
        reading.cancel()
    assert due.keys() <= found.keys(), f"{len(due.keys() - found.keys())} were not seen"
    return [(found[each] - at) * 1000 for each, at in due.items()]


async def _read(stream: aiohttp.ClientResponse, found: dict[str, float]) -> None:
    async for line in stream.content:
        if line.startswith(b"data: "):
            found[json.loads(line[6:])["id"]] = time.perf_counter()


async def run(seconds: float) -> None:
    async with subject("all") as all_roles:
        callbacks = Callbacks()
        await rate(all_roles, callbacks, seconds)
        delays = await seen(all_roles, 4 * seconds)
        alone, crowded = [], []
        for _ in range(ROUNDS):
            alone.append(await rate(all_roles, callbacks, seconds))
            async with crowd(all_roles):
                crowded.append(await rate(all_roles, callbacks, seconds))
        cpu = await cpu_at(all_roles, callbacks, 4 * seconds)
        memory = all_roles.server.memory_mib()
    async with subject("receiver") as receiver:
        callbacks = Callbacks()
        await rate(receiver, callbacks, seconds)
        without = await cpu_at(receiver, callbacks, 4 * seconds)
    p99 = quantiles(delays, n=100)[98]
    print(f"on a stream after its 200: median {median(delays):.0f} ms, p99 {p99:.0f} ms ({len(delays)} SMS)")
    ratios = [many / one for one, many in zip(alone, crowded, strict=True)]
    each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"with {WAITS} waits and {STREAMS} streams: {median(ratios):.2f} of the rate without ({each})")
    print(f"at {STEADY:.0f} SMS/s: {cpu:.1%} of a core with an inbox, {without:.1%} without")
    print(f"memory afterwards: {memory:.0f} MiB")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    process.run(run(parser.parse_args(arguments).seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
