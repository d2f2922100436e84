"""SIGUSR1 says what every task waits for: bounded, without a value of anything, and never to anybody's harm."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from itertools import takewhile

import uvloop

from app import task_stacks
from app.stopping import stop_on_signals
from app.task_stacks import MOST_FRAMES, MOST_TASKS, show


async def numbers(gate: asyncio.Event) -> AsyncIterator[int]:
    await gate.wait()
    yield 1


async def listens(gate: asyncio.Event, secret: str) -> None:
    async for _ in numbers(gate):
        del secret


async def deep(gate: asyncio.Event, depth: int) -> None:
    if depth:
        await deep(gate, depth - 1)
    await gate.wait()


async def shown(*tasks: asyncio.Task[None]) -> list[str]:
    await asyncio.sleep(0)
    said: list[bytes] = []
    show(asyncio.get_running_loop(), write=said.append)
    for task in tasks:
        task.cancel()
    return said[0].decode().splitlines()


def of(task: asyncio.Task[None], lines: list[str]) -> list[str]:
    start = next(number for number, line in enumerate(lines) if task.get_name() in line.split(", "))
    return [line.strip() for line in takewhile(lambda line: line.startswith("    "), lines[start + 1 :])]


async def test_a_task_has_its_name_its_coroutine_and_the_whole_chain_of_what_it_waits_for():
    task = asyncio.create_task(listens(asyncio.Event(), "hunter2"), name="listener")

    lines = await shown(task)
    stack = of(task, lines)

    assert [line.rsplit(":", 1)[0].rsplit(".", 1)[1] for line in stack[:-1]] == ["listens", "numbers", "wait"]
    assert all(line.rsplit(":", 1)[1].isdigit() for line in stack[:-1])
    assert stack[-1].startswith("Future")
    assert "hunter2" not in "\n".join(lines)


async def test_a_stack_has_at_most_twenty_frames():
    task = asyncio.create_task(deep(asyncio.Event(), 100))

    assert len(of(task, await shown(task))) == MOST_FRAMES == 20


async def test_tasks_that_wait_at_the_same_place_are_told_once():
    gate = asyncio.Event()
    tasks = [asyncio.create_task(deep(gate, 1), name=name) for name in ("one", "two", "three")]

    assert "one, two, three" in await shown(*tasks)


async def test_two_hundred_tasks_are_shown_and_the_others_counted():
    gate = asyncio.Event()
    tasks = [asyncio.create_task(deep(gate, 0)) for _ in range(MOST_TASKS + 50)]
    count = len(asyncio.all_tasks())

    lines = await shown(*tasks)
    names = [name for line in lines[1:-2] if not line.startswith("    ") for name in line.split(", ")]

    assert len(names) == MOST_TASKS == 200
    assert lines[-2] == f"and {count - MOST_TASKS} more"


async def test_it_never_raises():
    def closed(_: bytes) -> None:
        raise BrokenPipeError

    show(asyncio.get_running_loop(), write=closed)
    show(None)  # type: ignore[arg-type] # whatever is wrong


def test_the_signal_is_heard_by_an_idle_loop_and_by_one_that_is_held(capfd, monkeypatch):
    async def main() -> None:
        task_stacks.show_on_signal()
        waits = asyncio.create_task(deep(asyncio.Event(), 1), name="waits")
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.2)
        holds_the_loop()
        waits.cancel()

    def holds_the_loop() -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        sum(range(1000))

    before = signal.getsignal(signal.SIGUSR1)
    try:
        for run in (asyncio.run, uvloop.run):
            run(main())
    finally:
        signal.signal(signal.SIGUSR1, before)
    said = capfd.readouterr().err

    assert said.count("\nwaits\n") == 4
    assert said.count("holds_the_loop") >= 2


async def test_a_process_that_hears_the_signal_to_stop_hears_this_one_too():
    before = signal.getsignal(signal.SIGUSR1)
    stop_on_signals()
    after = signal.signal(signal.SIGUSR1, before)

    assert callable(after)
