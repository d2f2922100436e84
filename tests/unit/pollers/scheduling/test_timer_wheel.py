"""The timers and the queue behind them: tables; the machine that tries everything is a property test."""

from pollers.scheduling.timer_wheel import CHANGED, NORMAL, REQUESTED, TURNS, URGENT, TimerQueue, WaitQueue


def queue() -> TimerQueue:
    return TimerQueue(now=0.0, tick=0.25)


def ticks(timers: TimerQueue, until: float) -> dict[float, list[str]]:
    """Let every tick pass; return what was due when."""
    times = [number / 4 for number in range(int(until * 4) + 1)]
    return {now: ids for now in times if (ids := timers.due(now))}


def test_an_id_is_due_once_and_not_before_its_time() -> None:
    timers = queue()
    timers.schedule("a", 0.6)

    assert [timers.due(now) for now in (0.25, 0.5, 0.7, 0.75, 1.0)] == [[], [], [], ["a"], []]


def test_what_is_past_is_due_at_the_next_tick() -> None:
    timers = queue()
    timers.due(5.0)

    timers.schedule("a", 1.0)

    assert timers.due(5.2) == []
    assert timers.due(5.25) == ["a"]


def test_a_far_time_is_kept_until_then() -> None:
    timers = queue()
    timers.schedule("far", 17.3)

    assert ticks(timers, 20) == {17.5: ["far"]}


def test_scheduling_again_moves_it_both_ways() -> None:
    timers = queue()
    timers.schedule("later", 0.5)
    timers.schedule("sooner", 1.5)
    timers.schedule("later", 1.25)
    timers.schedule("sooner", 0.75)

    assert ticks(timers, 5) == {0.75: ["sooner"], 1.25: ["later"]}


def test_a_cancelled_id_is_never_due_and_may_come_back() -> None:
    timers = queue()
    timers.schedule("a", 0.5)
    timers.cancel("a")
    timers.cancel("unknown")
    assert ("a" in timers, len(timers), timers.due(0.5)) == (False, 0, [])

    timers.schedule("a", 1.0)
    timers.cancel("a")
    timers.schedule("a", 1.0)

    assert ticks(timers, 5) == {1.0: ["a"]}


def test_however_long_nobody_asked_all_are_due() -> None:
    timers = queue()
    for number in range(50):
        timers.schedule(str(number), number / 4)

    assert sorted(timers.due(1000.0), key=int) == [str(number) for number in range(50)]
    assert len(timers) == 0


def test_moving_an_id_to_where_it_stands_leaves_nothing_behind() -> None:
    timers = queue()
    for _ in range(1000):
        timers.schedule("a", 0.5)

    assert sum(map(len, timers._ids.values())) == 1


def test_an_id_that_moved_leaves_nothing_behind_once_its_old_times_are_over() -> None:
    timers = queue()
    for number in range(8):
        timers.schedule("a", 2 + number / 4)
    timers.schedule("a", 100)

    assert ticks(timers, 5) == {}
    assert sum(map(len, timers._ids.values())) == len(timers._order) == 1


def test_the_next_time_is_known_without_asking_every_tick() -> None:
    timers = queue()
    assert timers.next_due() is None

    timers.schedule("late", 10.1)
    timers.schedule("early", 0.6)

    assert timers.next_due() == 0.75


def popped(queue: WaitQueue) -> list[str | None]:
    return [queue.pop() for _ in range(len(queue) + 1)]


def test_who_came_first_goes_first() -> None:
    queue = WaitQueue()
    for watch_id in ("a", "b", "a", "c"):
        queue.join(watch_id, 0.0)

    assert popped(queue) == ["a", "b", "c", None]


def test_better_ranks_go_first_and_every_eighth_place_is_for_who_has_waited_longest_of_the_others() -> None:
    queue = WaitQueue()
    for number in range(3):
        queue.join(f"n{number}", 0.0)
    for number in range(9):
        queue.join(f"u{number}", 1.0, rank=URGENT)

    assert popped(queue) == [*(f"u{number}" for number in range(7)), "n0", "u7", "u8", "n1", "n2", None]


def test_an_order_that_was_just_opened_does_not_wait_for_hundreds_that_have_changed() -> None:
    queue = WaitQueue()
    for number in range(300):
        queue.join(f"c{number}", 0.0, rank=CHANGED)
    queue.join("new", 1.0, rank=URGENT)

    assert "new" in [queue.pop() for _ in range(8)]
    assert queue.before_others() == 293


def test_what_is_requested_does_not_wait_for_orders_that_change_without_end() -> None:
    queue = WaitQueue()
    queue.join("finish", 0.0, rank=REQUESTED)
    queue.join("normal", 1.0, rank=NORMAL)
    went = []
    for number in range(2 * TURNS):
        queue.join(f"changed {number}", 2.0, rank=CHANGED)
        went.append(queue.pop())

    assert [each for each in went if not str(each).startswith("changed")] == ["finish", "normal"]


def test_what_must_go_at_once_goes_before_what_is_urgent() -> None:
    queue = WaitQueue()
    for key, rank in (("n", NORMAL), ("u", URGENT), ("r", REQUESTED), ("now", CHANGED), ("u", CHANGED)):
        queue.join(key, 0.0, rank=rank)

    assert popped(queue) == ["now", "u", "r", "n", None]


def test_what_becomes_urgent_while_it_waits_moves_and_stands_once() -> None:
    queue = WaitQueue()
    queue.join("a", 0.0)
    queue.join("b", 0.0)
    queue.join("b", 5.0, rank=URGENT)
    queue.join("b", 6.0)

    assert (queue.waiting_for(10.0), popped(queue)) == (10.0, ["b", "a", None])


def test_who_left_is_not_served() -> None:
    queue = WaitQueue()
    queue.join("a", 0.0)
    queue.join("b", 0.0, rank=URGENT)

    for watch_id in ("a", "b", "unknown"):
        queue.leave(watch_id)

    assert ("a" in queue, len(queue), queue.pop(), queue.waiting_for(9.0)) == (False, 0, None, 0.0)
