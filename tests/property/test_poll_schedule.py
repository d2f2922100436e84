"""Schedule, curve, throttle and timers under anything: bounds hold, the budget holds, nothing is lost or early."""

import random
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pollers.scheduling.arrival_curve import EDGES, Curve
from pollers.scheduling.intervals import PollContext, first_poll, next_poll, usual_interval
from pollers.scheduling.throttle import AccountThrottle, Demand
from pollers.scheduling.timer_wheel import TimerQueue
from pollers.settings import PollersSettings
from providers.observation import ProviderError

AGES = st.floats(0, 1e5)
CHANCES = st.floats(0, 1, exclude_max=True)
PHASES = st.sampled_from(["first", "next", "idle", "rent"])
LOOKS = st.lists(st.tuples(AGES, st.floats(0, 1000), st.booleans()), max_size=50)
TROUBLES = st.none() | st.builds(
    ProviderError,
    kind=st.sampled_from(["auth", "throttled", "transient", "denied", "request_error", "unrecognised"]),
    code=st.sampled_from(["bad_action", "other"]),
    retry_after=st.none() | st.floats(-1, 1e9),
)


@st.composite
def bounds(draw: st.DrawFn) -> PollersSettings:
    shortest = draw(st.floats(0.1, 60))
    return PollersSettings(min_interval=shortest, max_interval=shortest * draw(st.floats(1, 100)))


def curve_of(looks: list[tuple[float, float, bool]]) -> Curve:
    curve = Curve()
    for since, seconds, arrived in looks:
        curve.polled(since, since + seconds, arrived=arrived)
    return curve


@given(PHASES, AGES, st.floats(-10, 1e6), LOOKS, bounds(), st.floats(1, 1000), CHANCES)
def test_a_poll_is_within_the_bounds_or_exactly_at_the_deadline(
    phase, age, remaining, looks, limits, stretch, chance
) -> None:
    context = PollContext(phase, age, remaining)
    usual = usual_interval(context, curve_of(looks), limits, stretch=stretch)

    seconds = next_poll(usual, context, limits, chance=chance)

    assert limits.min_interval <= usual <= limits.max_interval * stretch * (1 + 1e-9)
    if seconds == max(0.0, remaining):
        assert seconds <= (usual + limits.min_interval) * (1 + 1e-9)
    else:
        assert limits.min_interval <= seconds <= usual
        assert remaining - seconds >= limits.min_interval * (1 - 1e-9) - 1e-6


@given(PHASES, AGES, st.floats(-10, 1e6), LOOKS, bounds(), st.floats(1, 1000), CHANCES)
def test_the_first_poll_is_never_later_than_a_next_one(phase, age, remaining, looks, limits, stretch, chance) -> None:
    context = PollContext(phase, age, remaining)
    usual = usual_interval(context, curve_of(looks), limits, stretch=stretch)

    first = first_poll(usual, context, limits, chance=chance)

    assert 0 <= first <= next_poll(usual, context, limits, chance=0.0)


@given(LOOKS, AGES)
def test_a_hazard_is_positive_and_finite_and_survives_a_restart(looks, age) -> None:
    curve = curve_of(looks)

    hazard = Curve.from_json(curve.to_json()).hazard(age)

    assert 0 < hazard < 1e6
    assert abs(hazard / curve.hazard(age) - 1) < 1e-3


@given(LOOKS, AGES, st.floats(0.01, 100), st.floats(0.1, 1e4))
def test_more_effort_never_means_an_earlier_look(looks, age, effort, limit) -> None:
    curve = curve_of(looks)

    less, more = curve.ahead(age, effort, limit), curve.ahead(age, effort * 1.5, limit)

    assert 0 < less <= more <= limit


@given(st.lists(st.floats(0.1, 500), min_size=1, max_size=30))
def test_every_sms_is_learned_exactly_once_wherever_it_arrived(arrivals) -> None:
    curve = Curve()
    for age in arrivals:
        curve.polled(0.0, age, arrived=True)

    learned = sum(curve._arrived)

    assert len(arrivals) * 0.5 ** (len(arrivals) / 200) - 1e-6 <= learned <= len(arrivals) + 1e-6
    assert len(curve._arrived) == len(EDGES)


@given(
    st.floats(0.2, 50),
    st.integers(0, 2**32),
    st.lists(st.floats(0, 3), min_size=1, max_size=200),
    st.floats(0.01, 1),
)
def test_no_second_has_more_requests_than_the_budget_and_one(budget, seed, pauses, fraction) -> None:
    throttle, now, times = AccountThrottle(requests_per_second=budget, rng=random.Random(seed)), 0.0, []
    throttle.share(fraction)
    rate = budget * fraction
    for pause in pauses:
        now += pause / rate
        while throttle.admit(now):
            now += throttle.wait(now) + 1e-9
        times.append(now)

    for index, begin in enumerate(times):
        assert sum(at < begin + 1 for at in times[index:]) <= ceil(rate) + 1
    assert all(after - before >= 0.7 / rate - 1e-6 for before, after in pairwise(times))


BOOKINGS = st.lists(st.tuples(st.sampled_from("abcde"), st.none() | st.floats(1e-6, 1e3)), max_size=80)


@given(BOOKINGS)
def test_the_demand_is_the_sum_of_what_is_booked_whatever_came_before(changes) -> None:
    demand, model = Demand(), {}
    for watch_id, wanted in changes:
        if wanted is None:
            demand.release(watch_id)
            model.pop(watch_id, None)
        else:
            demand.set(watch_id, wanted)
            model[watch_id] = wanted

    assert demand.total == pytest.approx(sum(model.values()), abs=1e-6)
    assert demand.exact() == pytest.approx(sum(model.values()))
    assert model or demand.total == 0.0


@given(st.lists(st.tuples(TROUBLES, st.floats(0, 30), st.booleans()), max_size=60), st.integers(0, 2**32))
def test_a_throttle_always_opens_again(reports, seed) -> None:
    throttle, now = AccountThrottle(requests_per_second=2.0, rng=random.Random(seed)), 0.0
    for trouble, latency, is_lost in reports:
        wait = throttle.wait(now)
        assert 0 <= wait <= 600 + 1e-6
        started = now + wait + 1e-6
        assert throttle.admit(started) == 0.0
        now = started + latency
        if not is_lost:
            throttle.report(trouble, started=started, now=now)

    for _ in range(6):
        now += throttle.wait(now) + 1e-6
        assert throttle.admit(now) == 0.0
        throttle.report(None, started=now, now=now)
    assert throttle.state == "open"
    assert throttle.wait(now) <= 1


class TimerMachine(RuleBasedStateMachine):
    """Timers beside a dict that says what it should do. Times are in 64ths of a second, ticks in eighths."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.wheel = TimerQueue(now=0.0, tick=1 / 8)
        self.model: dict[str, int] = {}

    @rule(watch_id=st.sampled_from("abcdef"), after=st.integers(-50, 500))
    def schedule(self, watch_id: str, after: int) -> None:
        self.wheel.schedule(watch_id, (self.now + after) / 64)
        self.model[watch_id] = max(self.now + after, (self.now // 8 + 1) * 8)

    @rule(watch_id=st.sampled_from("abcdef"))
    def cancel(self, watch_id: str) -> None:
        self.wheel.cancel(watch_id)
        self.model.pop(watch_id, None)

    @rule(seconds=st.integers(0, 300))
    def due(self, seconds: int) -> None:
        self.now += seconds
        fired = self.wheel.due(self.now / 64)
        expected = [watch_id for watch_id, at in self.model.items() if ceil(at / 8) <= self.now // 8]

        assert sorted(fired) == sorted(expected)
        for watch_id in fired:
            del self.model[watch_id]

    @invariant()
    def knows_who_waits(self) -> None:
        assert len(self.wheel) == len(self.model)
        assert all(watch_id in self.wheel for watch_id in self.model)


TimerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestTimers = TimerMachine.TestCase
