"""The loop and the driver: several loops on one clock, a seeded order, and what is an error."""

import asyncio
import itertools
import random
import socket
from collections.abc import Iterator

import pytest

from tests.simulation.loop import Driver, Loop, Spinning


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver(random.Random(1))
    yield driver
    driver.end()


def order_of_ten(seed: int) -> list[int]:
    driver, ran = Driver(random.Random(seed)), list[int]()
    loop = driver.loop("a")
    for number in range(10):
        loop.call_soon(ran.append, number)
    driver.run(driver.clock.now + 1)
    driver.end()
    return ran


def test_time_jumps_to_the_next_timer_of_any_loop(driver: Driver) -> None:
    ran: list[tuple[str, float]] = []
    begin = driver.clock.now
    for name, seconds in (("a", 3600.0), ("b", 0.5), ("a", 7.0)):
        driver.loop(name).call_later(seconds, lambda name=name: ran.append((name, driver.clock.now - begin)))

    driver.run(begin + 7200)

    assert ran == [("b", 0.5), ("a", 7.0), ("a", 3600.0)]
    assert driver.clock.now == begin + 7200


def test_the_seed_decides_who_runs_first() -> None:
    assert order_of_ten(1) == order_of_ten(1)
    assert len({tuple(order_of_ten(seed)) for seed in range(5)}) == 5
    assert sorted(order_of_ten(1)) == list(range(10))


def test_a_loop_that_stands_still_does_nothing_and_wakes_with_its_clock_jumped(driver: Driver) -> None:
    still, other = driver.loop("still"), driver.loop("other")
    began, woke = driver.clock.now, list[float]()

    async def naps(seen: list[float]) -> None:
        while True:
            await asyncio.sleep(1)
            seen.append(asyncio.get_running_loop().time() - began)

    others: list[float] = []
    still.create_task(naps(woke))
    other.create_task(naps(others))
    driver.run(began + 2.5)
    still.asleep = True
    driver.run(began + 30.5)
    still.asleep = False
    driver.run(began + 32)

    assert woke == [1.0, 2.0, 30.5, 31.5]
    assert len(others) == 32


def test_of_a_killed_loop_nothing_runs_any_more_not_even_what_is_left_to_finally(driver: Driver) -> None:
    loop, ran = driver.loop("killed"), list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ran.append("finally")

    loop.create_task(work())
    driver.run(driver.clock.now + 1)
    driver.kill(loop)
    driver.run(driver.clock.now + 7200)

    assert ran == []


def test_a_wall_clock_is_wrong_by_what_was_said(driver: Driver) -> None:
    right, wrong = driver.loop("right"), driver.loop("wrong")
    wrong.wrong_by = 60.0

    assert wrong.wall() - right.wall() == 60.0
    assert wrong.time() == right.time()


def test_a_real_socket_is_an_error(driver: Driver) -> None:
    loop = driver.loop("a")

    async def connect() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    with pytest.raises(NotImplementedError):
        driver.complete(connect(), loop)
    with socket.socket() as sock, pytest.raises(NotImplementedError):
        loop.add_reader(sock, print)


def test_what_nobody_awaits_is_heard(driver: Driver) -> None:
    loop = driver.loop("a")
    loop.call_soon(lambda: 1 / 0)

    driver.run(driver.clock.now + 1)

    assert len(driver.errors) == 1
    assert "ZeroDivisionError" in driver.errors[0]


def test_who_spins_without_waiting_is_named(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulation.loop.SPINNING", 1000)
    loop = driver.loop("busy")

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    loop.create_task(spin())
    with pytest.raises(Spinning, match="busy"):
        driver.run(driver.clock.now + 1)


def test_a_step_that_holds_the_loop_is_named(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulation.loop.HELD", 0.002)
    loop = driver.loop("a")

    def heavy() -> None:
        sum(range(2_000_000))

    loop.call_soon(heavy)
    driver.run(driver.clock.now + 1)

    assert ["heavy" in each.what for each in driver.held] == [True]


@pytest.mark.parametrize("is_watched", [False, True])
def test_of_a_watched_step_only_its_own_time_counts(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, is_watched: bool
) -> None:
    wall = itertools.count(step=3600.0)  # between any two looks another process had the core
    monkeypatch.setattr("tests.simulation.loop.perf_counter", lambda: next(wall))
    driver.watched = range(9) if is_watched else ()
    driver.steps, driver.worked = 1, driver.worked - 1.0  # the thread was at work, in steps before
    driver.loop("a").call_soon(int)

    driver.run(driver.clock.now + 1)

    assert [each.seconds for each in driver.held] == ([] if is_watched else [3600.0])


def test_asyncios_own_tools_work_on_it(driver: Driver) -> None:
    loop: Loop = driver.loop("a")

    async def work() -> list[object]:
        found: list[object] = list(await asyncio.gather(*(asyncio.sleep(n, n) for n in range(3))))
        found.append(await asyncio.to_thread(lambda: "in a thread"))
        try:
            async with asyncio.timeout(1):
                await asyncio.Event().wait()
        except TimeoutError:
            found.append("late")
        lock, queue = asyncio.Lock(), asyncio.Queue[int]()
        async with lock:
            queue.put_nowait(1)
            found.append(await asyncio.wait_for(queue.get(), 1))
        return found

    assert driver.complete(work(), loop) == [0, 1, 2, "in a thread", "late", 1]
