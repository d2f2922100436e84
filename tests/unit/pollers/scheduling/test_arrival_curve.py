"""The arrival curve: what it believes, what it learns, what it keeps."""

import json
import random
from itertools import pairwise

import pytest

from pollers.scheduling.arrival_curve import EDGES, Curve, prior


def taught(age: float, *, orders: int, every: float = 5.0, curve: Curve | None = None) -> Curve:
    """Return a curve that saw so many orders get their SMS at this age, with a look every so many seconds."""
    curve = curve or Curve()
    for _ in range(orders):
        since = 0.0
        while since < age:
            curve.polled(since, since + every, arrived=since + every >= age)
            since += every
    return curve


def peak(curve: Curve) -> float:
    """Return where, among the ranges' middles, the hazard is highest."""
    middles = [(low + high) / 2 for low, high in pairwise(EDGES)]
    return max(middles, key=curve.hazard)


@pytest.mark.parametrize("age", [6, 15, 30, 100, 1000])
def test_before_the_first_sms_the_hazard_is_what_we_believe(age: float) -> None:
    assert Curve().hazard(age) == pytest.approx(prior(age), rel=0.35)


def test_we_believe_in_an_early_peak_and_a_long_tail() -> None:
    assert prior(2) < prior(20) == prior(60) > prior(120) > prior(600) > prior(1500) > 0


def test_where_sms_arrive_the_hazard_grows_and_where_none_does_it_shrinks() -> None:
    curve = taught(200, orders=100)

    assert curve.hazard(200) > 5 * prior(200)
    assert curve.hazard(30) < prior(30) / 5


def test_one_sms_does_not_bend_the_curve() -> None:
    assert taught(30, orders=1).hazard(30) == pytest.approx(prior(30), rel=1.0)


def test_looks_without_an_sms_count_though_none_ever_arrives() -> None:
    curve = Curve()
    for _ in range(100):
        curve.polled(100, 130, arrived=False)

    assert curve.hazard(120) < prior(120) / 2


def test_the_hazard_is_sms_a_second_of_those_that_still_wait() -> None:
    rng, curve = random.Random(1), Curve()
    for _ in range(3000):
        age, arrives = 0.0, rng.expovariate(0.01)
        while age < 400 and age < arrives:
            curve.polled(age, age + 4, arrived=arrives <= age + 4)
            age += 4

    assert [curve.hazard(age) for age in (8, 30, 100, 300)] == pytest.approx([0.01] * 4, rel=0.35)


def test_a_curve_that_has_moved_is_learned_again() -> None:
    curve = taught(120, orders=600)

    taught(15, orders=600, curve=curve)

    assert peak(curve) == pytest.approx(15, abs=3)


def test_sms_that_arrive_between_two_distant_looks_are_found_where_the_belief_never_looked() -> None:
    curve = taught(120, orders=600)

    taught(40, orders=600, every=40, curve=curve)

    assert curve.hazard(15) > 10 * taught(120, orders=600).hazard(15)


def test_an_sms_between_two_distant_looks_is_shared_out_as_the_looks_are() -> None:
    early, late, fresh, curve = 4, 9, Curve(), Curve()

    curve.polled(EDGES[early], EDGES[late + 1], arrived=True)

    seconds = [EDGES[index + 1] - EDGES[index] for index in (early, late)]
    attention = [
        length * fresh.hazard(EDGES[index]) ** 0.5 for length, index in zip(seconds, (early, late), strict=True)
    ]
    assert curve._arrived[early] / curve._arrived[late] == pytest.approx(attention[0] / attention[1])
    assert sum(curve._arrived) == pytest.approx(1)


def test_an_order_whose_sms_came_between_two_looks_waited_only_until_then() -> None:
    curve, wide = Curve(), Curve()

    curve.polled(100, 110, arrived=True)
    wide.polled(EDGES[4], EDGES[8], arrived=True)

    assert sum(curve._waited) == pytest.approx(5)
    assert wide._waited[7] == pytest.approx((EDGES[8] - EDGES[7]) * wide._arrived[7] / 2)


def test_looks_closer_than_a_clock_can_tell_do_no_harm() -> None:
    Curve().polled(0.0, 5e-324, arrived=True)


@pytest.mark.parametrize(("since", "until"), [(10, 10), (10, 5), (-5, 0), (5000, 5000)])
def test_an_interval_without_seconds_teaches_nothing(since: float, until: float) -> None:
    curve = Curve()

    curve.polled(since, until, arrived=False)

    assert curve.to_json() == Curve().to_json()


def test_ahead_collects_the_attention_of_every_range_on_its_way() -> None:
    curve = Curve()

    there = curve.ahead(3, 2.0, 1000)
    half = curve.ahead(3, 1.0, 1000)

    assert half + curve.ahead(3 + half, 1.0, 1000) == pytest.approx(there)
    assert there == pytest.approx(2.0 / 0.02**0.5, rel=0.5)


def test_a_quiet_start_does_not_skip_the_peak_behind_it() -> None:
    curve = taught(20, orders=500)

    assert 0.3 / curve.hazard(0) ** 0.5 > 30
    assert 10 < curve.ahead(0, 0.3, 3000) < 22


def test_ahead_is_at_most_its_limit() -> None:
    assert Curve().ahead(1000, 5.0, 12.5) == 12.5


def test_a_curve_is_the_same_after_a_restart_and_small() -> None:
    curve = taught(70, orders=300)
    text = curve.to_json()

    again = Curve.from_json(text)

    assert len(text) < 1000
    assert [again.hazard(age) for age in EDGES] == pytest.approx([curve.hazard(age) for age in EDGES], rel=1e-4)


@pytest.mark.parametrize(
    "text",
    ["", "null", "{}", "[[],[]]", "[1,2]", json.dumps([[0.0] * 19] * 2), json.dumps([[-1.0] * 20] * 2)]
    + [json.dumps([[float(bad)] * 20] * 2) for bad in ("nan", "inf")],
)
def test_what_is_no_curve_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"arrival curve|Expecting value"):
        Curve.from_json(text)
