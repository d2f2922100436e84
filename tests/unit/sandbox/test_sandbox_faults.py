"""Which answers go wrong: by provider, by share, by window; and they are counted."""

from random import Random

import pytest

from sandbox.faults import BadDays, Troubles
from sandbox.settings import BadDay

FINE = Troubles()


def draw(*days, provider="smsman", elapsed=0.0, times=1):
    bad_days = BadDays(list(days), Random(4))
    return bad_days, [bad_days.draw(provider, elapsed) for _ in range(times)]


def test_without_bad_days_every_answer_is_fine():
    assert draw()[1] == [FINE]


def test_a_share_of_the_answers_is_hit_and_counted():
    bad_days, troubles = draw(BadDay(kind="429", share=0.2), times=1000)

    hit = sum(one != FINE for one in troubles)
    assert hit == pytest.approx(200, abs=50)
    assert bad_days.happened == {("smsman", "429"): hit}


@pytest.mark.parametrize(("provider", "hit"), [("smsman", True), ("grizzlysms", False)])
def test_a_bad_day_is_one_provider_s(provider, hit):
    _, (troubles,) = draw(BadDay(kind="empty", provider="smsman"), provider=provider)

    assert (troubles != FINE) is hit


@pytest.mark.parametrize(("elapsed", "hit"), [(59.9, False), (60, True), (89.9, True), (90, False)])
def test_a_bad_day_has_its_window(elapsed, hit):
    _, (troubles,) = draw(BadDay(kind="wrong_key", start=60, until=90), elapsed=elapsed)

    assert troubles.wrong_key is hit


def test_a_question_that_is_refused_meets_nothing_else():
    refusal, slow = BadDay(kind="5xx"), BadDay(kind="slow")

    bad_days, (troubles,) = draw(slow, refusal, BadDay(kind="stale"))

    assert troubles == Troubles(refusal=refusal)
    assert bad_days.happened == {("smsman", "5xx"): 1}


def test_of_two_deliveries_the_first_wins_and_alone_is_counted():
    reset, slow = BadDay(kind="reset"), BadDay(kind="slow")

    bad_days, (troubles,) = draw(reset, slow, BadDay(kind="clock", seconds=60))

    assert troubles == Troubles(delivery=reset, clock=60)
    assert bad_days.happened == {("smsman", "reset"): 1, ("smsman", "clock"): 1}


@pytest.mark.parametrize(("kind", "lag"), [("stale", 5.0), ("flapping", 20.0)])
def test_stale_and_flapping_differ_in_how_long_they_last(kind, lag):
    assert draw(BadDay(kind=kind))[1] == [Troubles(lag=lag)]
    assert draw(BadDay(kind=kind, seconds=2))[1] == [Troubles(lag=2)]
