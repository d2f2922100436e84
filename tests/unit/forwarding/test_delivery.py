"""What becomes of one event, whatever its target says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarding.delivery import (
    LONGEST_ASKED,
    LONGEST_PAUSE,
    TRIES,
    NoResponse,
    Pause,
    Refuse,
    Response,
    Sent,
    Step,
    Stop,
    Tries,
)

TEMPORARY = [408, 425, 429]
REFUSALS = [400, 401, 403, 404, 409, 413, 418, 422, 451, 499]
TROUBLE = [100, 301, 302, 307, 500, 501, 502, 503, 504, 599, *TEMPORARY]

trouble = st.one_of(
    st.sampled_from(["connect", "timeout", "dns"]).map(NoResponse),
    st.builds(Response, st.sampled_from(TROUBLE), st.none() | st.floats(0, 1e9)),
)
refusals = st.builds(Response, st.sampled_from(REFUSALS), st.none() | st.floats(0, 100))


def after(outcomes: list[Response | NoResponse], jitter: float = 0.5) -> list[Step]:
    tries, steps = Tries(), []
    for outcome in outcomes:
        tries, step = tries.after(outcome, jitter)
        steps.append(step)
    return steps


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_success(status: int):
    assert after([Response(status)]) == [Sent(status)]


def test_410_stops_the_target():
    assert after([Response(410)]) == [Stop()]


@pytest.mark.parametrize("status", TROUBLE)
def test_a_target_in_trouble_is_waited_for_without_limit(status: int):
    steps = after([Response(status)] * 1000)

    assert {type(step) for step in steps} == {Pause}
    assert steps[0].reason == f"http_{status}"  # type: ignore[union-attr]


@pytest.mark.parametrize("status", REFUSALS)
def test_an_event_that_is_refused_gets_five_tries(status: int):
    steps = after([Response(status)] * TRIES)

    assert [type(step) for step in steps] == [Pause] * 4 + [Refuse]
    assert steps[-1] == Refuse(status)


def test_the_pauses_double_up_to_a_minute():
    steps = after([NoResponse("connect")] * 9)

    assert [step.seconds for step in steps] == [1, 2, 4, 8, 16, 32, 60, 60, 60]  # type: ignore[union-attr]
    assert steps[0].reason == "connect"  # type: ignore[union-attr]


@pytest.mark.parametrize(("asked", "seconds"), [(None, 1), (0, 1), (7, 7), (90, 90), (10**9, LONGEST_ASKED)])
def test_a_target_is_not_asked_before_it_said(asked: float | None, seconds: float):
    assert after([Response(503, asked)]) == [Pause(seconds, "http_503")]


@given(st.lists(trouble), st.floats(0, 1))
def test_trouble_is_never_the_event_s_fault(outcomes, jitter: float):
    for step, outcome in zip(after(outcomes, jitter), outcomes, strict=True):
        assert isinstance(step, Pause)
        asked = (outcome.retry_after or 0.0) if isinstance(outcome, Response) else 0.0
        assert min(asked, LONGEST_ASKED) <= step.seconds <= max(1.25 * LONGEST_PAUSE, min(asked, LONGEST_ASKED))
        assert step.seconds >= 0.75


@given(st.lists(trouble | refusals), st.floats(0, 1))
def test_the_fifth_refusal_is_the_last_whatever_lies_between(outcomes, jitter: float):
    steps = after(outcomes, jitter)
    refused = [
        index for index, outcome in enumerate(outcomes) if isinstance(outcome, Response) and outcome.status in REFUSALS
    ]

    for index, step in enumerate(steps):
        is_last = isinstance(outcomes[index], Response) and index in refused[TRIES - 1 :]
        assert isinstance(step, Refuse) == is_last


def test_five_tries_take_a_quarter_of_a_minute():
    steps = after([Response(422)] * TRIES)
    waited = timedelta(seconds=sum(step.seconds for step in steps if isinstance(step, Pause)))

    assert waited == timedelta(seconds=15)
    assert after([Response(422, retry_after=3600)] * TRIES) == steps  # else one event could hold up others for hours
