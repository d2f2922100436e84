"""What is noted of an answer: seldom, or when it is another than before."""

import pytest

from pollers.tracking import answer_notes
from pollers.tracking.advance import Step, advance
from providers.observation import Ended, Gone, Last, Listing, NoCode, ProviderError, Waiting, WaitingNext
from tests.unit.pollers.watching import after, at, sms, watching

BAD, WORSE = ProviderError("transient", "http_502"), ProviderError("auth", "bad_key")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (Waiting(), "waiting"),
        (WaitingNext("1"), "waiting_next"),
        (Last(sms("1")), "last"),
        (NoCode(), "no_code"),
        (Listing(()), "listing"),
        (Gone(), "gone"),
        (Ended("cancelled"), "ended"),
        (ProviderError("denied", "early_cancel_denied"), "early_cancel_denied"),
        (BAD, "http_502"),
    ],
)
def test_an_answer_is_noted_by_its_class_or_its_word(answer, name):
    assert answer_notes.name(answer) == name
    assert advance(watching(), answer, at(60)).state.answer == name


def test_another_answer_is_noted_when_the_last_note_is_a_minute_old():
    state = after(watching(), Waiting())

    assert advance(state, NoCode(), at(64.9)).state is state
    noted = advance(state, NoCode(), at(65)).state
    assert (noted.answer, noted.looked_ms, noted.revision) == ("no_code", at(65), state.revision + 1)


def test_a_failure_is_noted_and_is_no_look():
    state = after(watching(), Waiting())

    assert advance(state, BAD, at(64.9)) == Step(state)
    noted = advance(state, BAD, at(65)).state
    assert (noted.answer, noted.noted_ms, noted.looked_ms) == ("http_502", at(65), at(5))
    assert advance(noted, BAD, at(364.9)).state is noted
    assert advance(noted, BAD, at(365)).state.noted_ms == at(365)


def test_a_provider_that_fails_at_every_second_poll_causes_a_commit_a_minute_and_no_more():
    state = after(watching(), Waiting())
    before = state.revision

    for second in range(10, 610):
        state = advance(state, (BAD, WORSE, Waiting())[second % 3], at(second)).state

    assert state.revision - before <= 10 + 2  # and the looks that are noted every five minutes


def test_a_watch_is_noted_to_be_looked_at_even_if_failures_were_noted_just_now():
    state = advance(after(watching(), Waiting()), BAD, at(299)).state

    assert advance(state, Waiting(), at(305)).state.looked_ms == at(305)


def test_news_are_noted_with_their_answer():
    state = advance(after(watching(), Waiting()), Last(sms("1111")), at(10)).state

    assert (state.answer, state.looked_ms) == ("last", at(10))
