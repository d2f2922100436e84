"""The timer wheel and the line behind it: tables; the machine that tries everything is a property test."""

import random

from pollers.observation import Trouble
from pollers.throttle import AccountThrottle
from pollers.wheel import WaitQueue, Wheel


def wheel() -> Wheel:
    """Return a wheel with a turn of two seconds."""
    return Wheel(now=0.0, tick=0.25, slots=8)


def ticks(timers: Wheel, until: float) -> dict[float, list[str]]:
    """Let every tick pass; return what was due when."""
    times = [number / 4 for number in range(int(until * 4) + 1)]
    return {now: ids for now in times if (ids := timers.due(now))}


def test_an_id_is_due_once_and_not_before_its_time() -> None:
    timers = wheel()
    timers.schedule("a", 0.6)

    assert [timers.due(now) for now in (0.25, 0.5, 0.7, 0.75, 1.0)] == [[], [], [], ["a"], []]


def test_what_is_past_is_due_at_the_next_tick() -> None:
    timers = wheel()
    timers.due(5.0)

    timers.schedule("a", 1.0)

    assert timers.due(5.2) == []
    assert timers.due(5.25) == ["a"]


def test_a_time_many_turns_away_is_kept_until_then() -> None:
    timers = wheel()
    timers.schedule("far", 17.3)

    assert ticks(timers, 20) == {17.5: ["far"]}


def test_scheduling_again_moves_it_both_ways() -> None:
    timers = wheel()
    timers.schedule("later", 0.5)
    timers.schedule("sooner", 1.5)
    timers.schedule("later", 1.25)
    timers.schedule("sooner", 0.75)

    assert ticks(timers, 5) == {0.75: ["sooner"], 1.25: ["later"]}


def test_a_cancelled_id_is_never_due_and_may_come_back() -> None:
    timers = wheel()
    timers.schedule("a", 0.5)
    timers.cancel("a")
    timers.cancel("unknown")
    assert ("a" in timers, len(timers), timers.due(0.5)) == (False, 0, [])

    timers.schedule("a", 1.0)
    timers.cancel("a")
    timers.schedule("a", 1.0)

    assert ticks(timers, 5) == {1.0: ["a"]}


def test_however_long_nobody_asked_all_are_due() -> None:
    timers = wheel()
    for number in range(50):
        timers.schedule(str(number), number / 4)

    assert sorted(timers.due(1000.0), key=int) == [str(number) for number in range(50)]
    assert len(timers) == 0


def test_moving_an_id_to_where_it_stands_leaves_nothing_behind() -> None:
    timers = wheel()
    for _ in range(1000):
        timers.schedule("a", 0.5)

    assert sum(map(len, timers._slots)) == 1


def test_an_id_that_moved_leaves_nothing_behind_after_one_turn() -> None:
    timers = wheel()
    for number in range(8):
        timers.schedule("a", 100 + number / 4)

    ticks(timers, 2)

    assert sum(map(len, timers._slots)) == 1


def gate() -> AccountThrottle:
    return AccountThrottle(requests_per_second=2.0, rng=random.Random(0))


def test_who_came_first_goes_first_one_slot_at_a_time() -> None:
    line = WaitQueue(gate())
    for watch_id in ("a", "b", "a", "c"):
        line.join(watch_id)

    assert [line.admitted(now) for now in (0.0, 0.0, 1.0, 2.0, 3.0)] == ["a", None, "b", "c", None]


def test_who_left_the_line_is_not_looked_at_and_takes_no_slot() -> None:
    line = WaitQueue(gate())
    line.join("a")
    line.join("b")

    line.leave("a")
    line.leave("unknown")

    assert [line.admitted(0.0), len(line)] == ["b", 0]


def test_an_empty_line_takes_no_slot_of_the_account() -> None:
    line = WaitQueue(gate())

    assert line.admitted(0.0) is None
    assert line.throttle.wait(0.0) == 0.0


def test_nobody_of_a_blocked_account_is_admitted_and_nobody_loses_the_place() -> None:
    line = WaitQueue(gate())
    line.join("a")
    line.throttle.report(Trouble("throttled", "http_429", retry_after=7.0), started=0.0, now=0.0)

    assert [line.admitted(now) for now in (0.0, 3.0, 6.9, 7.0)] == [None, None, None, "a"]
