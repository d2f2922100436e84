"""Which answers go wrong: by provider, by share, by window; and they are counted."""

from random import Random

import pytest

from sandbox.faults import ActiveFaults, Faults
from sandbox.settings import Fault

FINE = ActiveFaults()


def draw(*planned, provider="smsman", elapsed=0.0, times=1):
    source = Faults(list(planned), Random(4))
    return source, [source.draw(provider, elapsed) for _ in range(times)]


def test_without_bad_days_every_answer_is_fine():
    assert draw()[1] == [FINE]


def test_a_share_of_the_answers_is_hit_and_counted():
    source, faults = draw(Fault(kind="429", share=0.2), times=1000)

    hit = sum(one != FINE for one in faults)
    assert hit == pytest.approx(200, abs=50)
    assert source.happened == {("smsman", "429"): hit}


@pytest.mark.parametrize(("provider", "hit"), [("smsman", True), ("grizzlysms", False)])
def test_a_bad_day_is_one_provider_s(provider, hit):
    _, (faults,) = draw(Fault(kind="empty", provider="smsman"), provider=provider)

    assert (faults != FINE) is hit


@pytest.mark.parametrize(("elapsed", "hit"), [(59.9, False), (60, True), (89.9, True), (90, False)])
def test_a_bad_day_has_its_window(elapsed, hit):
    _, (faults,) = draw(Fault(kind="wrong_key", start=60, until=90), elapsed=elapsed)

    assert faults.wrong_key is hit


def test_a_question_that_is_refused_meets_nothing_else():
    replacement, slow = Fault(kind="5xx"), Fault(kind="slow")

    source, (faults,) = draw(slow, replacement, Fault(kind="stale"))

    assert faults == ActiveFaults(replacement=replacement)
    assert source.happened == {("smsman", "5xx"): 1}


def test_of_two_deliveries_the_first_wins_and_alone_is_counted():
    reset, slow = Fault(kind="reset"), Fault(kind="slow")

    source, (faults,) = draw(reset, slow, Fault(kind="clock", seconds=60))

    assert faults == ActiveFaults(delivery=reset, clock=60)
    assert source.happened == {("smsman", "reset"): 1, ("smsman", "clock"): 1}


@pytest.mark.parametrize(("kind", "lag"), [("stale", 5.0), ("flapping", 20.0)])
def test_stale_and_flapping_differ_in_how_long_they_last(kind, lag):
    assert draw(Fault(kind=kind))[1] == [ActiveFaults(lag=lag)]
    assert draw(Fault(kind=kind, seconds=2))[1] == [ActiveFaults(lag=2)]
