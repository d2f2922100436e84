"""When to poll again: tables for each phase; and the settings' bounds."""

import pytest
from pydantic import ValidationError

from pollers.scheduling.arrival_curve import Curve
from pollers.scheduling.intervals import Phase, PollContext, demand, first_poll, next_poll, usual_interval
from pollers.settings import PollersSettings

SETTINGS = PollersSettings()


def seconds(phase: Phase, age: float, *, remaining: float = 1e6, stretch: float = 1.0, chance: float = 0.0) -> float:
    context = PollContext(phase, age, remaining)
    usual = usual_interval(context, Curve(), SETTINGS, stretch=stretch)
    return next_poll(usual, context, SETTINGS, chance=chance)


@pytest.mark.parametrize(
    ("phase", "age", "low", "high"),
    [
        ("first", 0, 4, 7),  # nothing arrives at once
        ("first", 30, 2, 2.5),
        ("first", 120, 3, 4),
        ("first", 600, 8, 10),
        ("first", 3000, 20, 30),
        ("next", 0, 1, 1),  # the boundary is visible only until the next SMS
        ("next", 2.9, 1, 1),
        ("next", 30, 2, 2.5),
        ("idle", 5, 30, 30),
        ("rent", 5, 25, 25),
        ("rent", 1e6, 25, 25),
    ],
)
def test_each_phase_has_its_pace(phase: Phase, age: float, low: float, high: float) -> None:
    assert low <= seconds(phase, age) <= high


def test_where_sms_are_sixteen_times_as_likely_polls_are_four_times_as_dense() -> None:
    rare, likely = Curve(), Curve()
    rare._waited = [1e9] * 20
    likely._waited = [1e9] * 20
    rare._arrived = [1e9 * 0.001] * 20
    likely._arrived = [1e9 * 0.016] * 20
    context = PollContext("first", 50, 1e6)

    sparse, dense = (usual_interval(context, curve, SETTINGS, stretch=1.0) for curve in (rare, likely))

    assert sparse / dense == pytest.approx(4, rel=1e-3)


@pytest.mark.parametrize("phase", ["first", "next", "idle", "rent"])
def test_a_scarce_budget_lengthens_every_phase(phase: Phase) -> None:
    assert seconds(phase, 1, stretch=10) > 3 * seconds(phase, 1)


@pytest.mark.parametrize(("phase", "age"), [("idle", 1), ("first", 3000), ("next", 3000)])
def test_a_scarce_budget_may_pass_the_longest_interval(phase: Phase, age: float) -> None:
    assert seconds(phase, age, stretch=10) == 300


@pytest.mark.parametrize("phase", ["first", "idle", "rent"])
def test_jitter_only_shortens_and_by_a_fifth_at_most(phase: Phase) -> None:
    assert 0.8 * seconds(phase, 300) < seconds(phase, 300, chance=0.9) < seconds(phase, 300)


def test_jitter_does_not_break_the_shortest_interval() -> None:
    assert seconds("next", 1, chance=0.99) == 1.0


@pytest.mark.parametrize(
    ("remaining", "expected"),
    [(32, 30), (30.9, 30.9), (30, 30), (12, 12), (0.3, 0.3), (0, 0), (-5, 0)],
)
def test_the_last_poll_is_at_the_deadline(remaining: float, expected: float) -> None:
    assert seconds("idle", 5, remaining=remaining) == expected


def test_the_last_poll_at_the_deadline_knows_no_scarcity() -> None:
    assert seconds("first", 1490, remaining=10, stretch=100) == 10


def test_watches_that_are_restored_together_are_spread_over_one_interval() -> None:
    context = PollContext("idle", 5, 1e6)

    polls = [first_poll(60.0, context, SETTINGS, chance=chance) for chance in (0, 0.25, 0.5, 0.75)]

    assert polls == [0, 15, 30, 45]


def test_demand_is_what_a_watch_would_ask_were_nothing_scarce() -> None:
    assert demand(20.0, stretch=10.0) == 0.5


def test_a_deadline_shortens_the_poll_and_not_the_interval_that_demand_is_counted_from() -> None:
    near = PollContext("idle", 5, 10)

    usual = usual_interval(near, Curve(), SETTINGS, stretch=15)

    assert (usual, next_poll(usual, near, SETTINGS, chance=0)) == (450, 10)


def test_an_order_that_fails_is_polled_less_often_than_its_phase_says() -> None:
    fresh = PollContext("first", 30, 1e6)

    assert usual_interval(fresh, Curve(), SETTINGS, stretch=1, at_least=64) == 64


def test_the_longest_interval_bounds_rents_too() -> None:
    settings = PollersSettings(max_interval=10)

    assert usual_interval(PollContext("rent", 5, 1e6), Curve(), settings, stretch=1) == 10


def test_settings_with_the_bounds_the_wrong_way_round_say_what_to_do() -> None:
    with pytest.raises(ValidationError, match="raise one or lower the other"):
        PollersSettings(min_interval=5, max_interval=4)


def test_equal_bounds_are_a_fixed_interval() -> None:
    settings = PollersSettings(min_interval=5, max_interval=5)

    contexts = [PollContext("first", age, 1e6) for age in (0, 30, 900)]
    intervals = {usual_interval(context, Curve(), settings, stretch=1) for context in contexts}

    assert intervals == {5}
    assert next_poll(5.0, contexts[0], settings, chance=0.7) == 5
