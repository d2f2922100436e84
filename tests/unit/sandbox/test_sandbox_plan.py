"""Curves and plans: what an order receives, said or drawn."""

from itertools import permutations
from random import Random
from statistics import median

import pytest

from sandbox.plan import PlannedSms, delay, drawn, written
from sandbox.settings import OrderRequest, Scenario
from sandbox.world import World


def delays(curve, count=2000):
    rng = Random(3)
    return [delay(curve, rng) for _ in range(count)]


@pytest.mark.parametrize(("curve", "middle"), [("early", 12), ("tail", 120), ("mixture", 15)])
def test_each_curve_has_its_middle(curve, middle):
    assert median(delays(curve)) == pytest.approx(middle, rel=0.25)


@pytest.mark.parametrize(("curve", "share"), [("early", 0.0), ("tail", 0.5), ("mixture", 0.125)])
def test_each_curve_has_its_share_of_late_sms(curve, share):
    late = sum(seconds > 120 for seconds in delays(curve)) / 2000

    assert late == pytest.approx(share, abs=0.05)


def test_the_pace_multiplies_the_seconds_of_a_curve():
    real, quick = (drawn(5, curve="tail", pace=pace, rng=Random(1)) for pace in (1.0, 0.1))

    assert [sms.at for sms in quick] == pytest.approx([sms.at / 10 for sms in real])
    assert [sms.at for sms in real] == sorted(sms.at for sms in real)


def received(seed, *, asked_first=()):
    world = World(Scenario.model_validate({"smsverified": {"sms": [3, 3]}}), rng=Random(seed))
    for provider in asked_first:
        world.open(OrderRequest(provider=provider))
    order = world.open(OrderRequest(provider="smsverified"))
    return [(round(sms.at - order.opened, 6), sms.code, sms.text, sms.sender) for sms in order.sms]


def test_an_equal_seed_gives_equal_sms_whatever_else_was_opened():
    assert received(5) == received(5, asked_first=["grizzlysms", "smsman"])
    assert received(5) != received(6)


def test_the_settings_decide_how_many_sms_an_order_receives():
    table = {"sms": [2, 4], "silent": 0.3}
    world = World(Scenario.model_validate({"smsman": table}), rng=Random(1))

    counts = [len(world.open(OrderRequest(provider="smsman")).sms) for _ in range(400)]

    assert set(counts) == {0, 2, 3, 4}
    assert counts.count(0) == pytest.approx(120, abs=40)


def test_codes_that_are_made_up_are_unique_within_an_order_and_none_is_part_of_another():
    plan = [PlannedSms(code="0000")] + [PlannedSms(at=1)] * 300

    codes = [sms.code for sms in written(plan, service="tg", taken=set(), rng=Random(1))]

    assert not [(one, other) for one, other in permutations(codes, 2) if one in other]
    assert any(code.startswith("0") for code in codes[1:])


def test_a_plan_is_taken_literally_and_by_its_times():
    plan = [PlannedSms(at=9, equal=True), PlannedSms(at=1, code="77", text="{code}: {nonce} {x}", sender="me")]

    first, second = written(plan, service="tg", taken=set(), rng=Random(1))

    assert (first.text, first.sender) == (f"77: {first.nonce} {{x}}", "me")
    assert (second.at, second.code) == (9, "77")
