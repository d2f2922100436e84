"""What is wanted of the provider, when, and what becomes of the wish."""

import pytest

from pollers.advance import Step, acted, advance, due_end, is_news, wanted
from pollers.observation import Ended, Gone, Last, Listing, NoCode, SeenSms, Trouble, Waiting, WaitingNext
from schemas.messages import WatchEnded
from tests.unit.pollers.watching import after, at, message, sms, watch, watching

SEEN = Last(sms("1111"))
ANSWERS = [SEEN, Waiting(), WaitingNext("1111"), NoCode(), Trouble("transient", "html"), Gone()]


@pytest.mark.parametrize("answer", ANSWERS)
def test_by_default_nothing_is_ever_asked(answer):
    state = after(watching(), SEEN, SEEN)

    assert advance(state, answer, at(60)).action is None


def test_stop_ends_the_watch_at_once_and_asks_nothing():
    state = after(watching(), SEEN)

    step = wanted(state, watch(desired="stop"), at(10))

    assert (step.action, step.state.ended, step.state.ended_at) == (None, "stopped", "2026-11-22T17:20:10.000Z")
    assert [(each.reason, each.sms_count) for each in step.messages] == [("stopped", 1)]


def test_a_watch_that_is_opened_only_to_be_stopped_stops():
    state = watching(desired="stop")

    assert wanted(state, state.watch, at(1)).state.ended == "stopped"


@pytest.mark.parametrize("desired", ["finish", "cancel"])
def test_an_order_is_closed_only_after_a_look_later_than_the_wish(desired):
    wish = wanted(after(watching(), Waiting()), watch(desired=desired), at(10))

    look = advance(wish.state, SEEN, at(15))

    assert (wish.action, wish.messages) == (None, ())
    assert look.action == desired
    assert message(look).code == "1111"


@pytest.mark.parametrize("no_look", [Trouble("transient", "html"), Gone()])
def test_an_answer_that_says_nothing_about_the_order_is_no_last_look(no_look):
    state = watching(desired="cancel")

    assert advance(state, no_look, at(5)).action is None


@pytest.mark.parametrize(("action", "reason"), [("finish", "finished"), ("cancel", "cancelled")])
def test_what_the_provider_closed_for_us_has_ended(action, reason):
    state = after(watching(desired=action), SEEN)

    step = acted(state, action, "done", at(20))

    assert step.state.ended == reason
    assert [(each.reason, each.sms_count) for each in step.messages] == [(reason, 1)]


def test_too_early_is_tried_again_after_two_minutes_and_not_before():
    state = acted(after(watching(desired="cancel"), Waiting()), "cancel", "too_early", at(10)).state

    assert advance(state, Waiting(), at(129.999)).action is None
    assert advance(state, Waiting(), at(130)).action == "cancel"


@pytest.mark.parametrize(
    "result", ["refused", Trouble("denied", "cant_cancel"), Trouble("request_error", "bad_action")]
)
def test_what_is_refused_is_not_asked_again_but_looking_goes_on(result):
    state = acted(after(watching(desired="cancel"), Waiting()), "cancel", result, at(10)).state

    look = advance(state, SEEN, at(300))

    assert look.action is None
    assert message(look).code == "1111"


def test_another_wish_is_not_bound_by_the_refusal_or_the_waiting_of_the_last_one():
    refused = acted(after(watching(desired="cancel"), Waiting()), "cancel", "refused", at(10)).state
    early = acted(after(watching(desired="cancel"), Waiting()), "cancel", "too_early", at(10)).state

    for state in (refused, early):
        wish = wanted(state, watch(desired="finish"), at(20)).state
        assert advance(wish, Waiting(), at(25)).action == "finish"


def test_the_same_word_again_does_not_lift_a_refusal():
    state = acted(after(watching(desired="cancel"), Waiting()), "cancel", "refused", at(10)).state

    assert wanted(state, watch(desired="cancel"), at(20)).state is state


@pytest.mark.parametrize("kind", ["transient", "throttled", "auth"])
def test_a_failed_action_is_wanted_again_with_the_next_look(kind):
    state = after(watching(desired="finish"), SEEN)

    step = acted(state, "finish", Trouble(kind, "x"), at(10))

    assert step == Step(state)
    assert advance(state, SEEN, at(15)).action == "finish"


def test_an_answer_that_nobody_understands_makes_an_action_wait_two_minutes():
    state = acted(after(watching(desired="finish"), SEEN), "finish", Trouble("unrecognised", "x"), at(10)).state

    assert advance(state, SEEN, at(15)).action is None
    assert advance(state, SEEN, at(130)).action == "finish"


def test_a_wish_is_driven_again_after_a_restart():
    state = after(watching(desired="finish"), SEEN)

    restored = type(state).from_json(state.to_json())

    assert advance(restored, SEEN, at(15)).action == "finish"


def test_after_sms_request_next_asks_once_after_each_sms():
    state = watching(after_sms="request_next")

    assert advance(state, Waiting(), at(5)).action is None
    first = advance(state, SEEN, at(10))
    assert first.action == "next"
    state = acted(first.state, "next", "done", at(11)).state
    assert advance(state, SEEN, at(15)).action is None
    second = advance(after(state, WaitingNext("1111"), start=20), SEEN, at(25))
    assert (message(second).sequence, second.action) == (1, "next")


def test_after_sms_finish_finishes_after_the_first_sms():
    state = watching(after_sms="finish")

    assert advance(state, Waiting(), at(5)).action is None
    assert advance(state, SEEN, at(10)).action == "finish"


def test_after_sms_does_not_mean_the_sms_that_a_rent_had_before():
    old, new = (SeenSms(text=text, time_raw="2026-11-22 17:21:00") for text in ("old", "new"))

    first = advance(watching("rent", after_sms="finish"), Listing((old,)), at(5))
    second = advance(first.state, Listing((old, new)), at(10))

    assert (message(first).freshness, first.action) == ("history", None)
    assert (message(second).freshness, second.action) == ("live", "finish")


def test_the_next_sms_is_asked_for_once_so_many_were_seen():
    state = watching(next_after=2)

    one = advance(state, SEEN, at(5))
    two = advance(one.state, Last(sms("2222")), at(10))
    asked = acted(two.state, "next", "done", at(11)).state

    assert (one.action, two.action) == (None, "next")
    assert advance(asked, Last(sms("2222")), at(15)).action is None
    assert advance(asked, Last(sms("3333")), at(15)).action is None


def test_a_second_request_for_the_next_sms_is_asked_after_the_next_sms():
    state = acted(after(watching(next_after=1), SEEN), "next", "done", at(10)).state
    state = after(state, Last(sms("2222")), start=15)

    again = wanted(state, watch(next_after=2), at(20)).state

    assert advance(again, Last(sms("2222")), at(25)).action == "next"


def test_the_next_sms_is_not_asked_for_while_the_provider_waits_for_it():
    state = after(watching(next_after=1), SEEN, WaitingNext("1111"))

    assert advance(state, WaitingNext("1111"), at(20)).action is None
    assert advance(state, Last(sms("2222")), at(20)).action is None


def test_a_refused_request_for_the_next_sms_is_made_again_only_after_that_sms():
    state = acted(after(watching(after_sms="request_next"), SEEN), "next", "refused", at(10)).state

    assert advance(state, SEEN, at(15)).action is None
    assert advance(state, Last(sms("2222")), at(15)).action == "next"


def test_since_when_the_next_sms_is_awaited_is_known():
    seen = after(watching(), SEEN)
    asked = acted(seen, "next", "done", at(10)).state
    waiting = after(asked, WaitingNext("1111"), start=20)

    assert (watching().awaited_since_ms, seen.awaited_since_ms) == (None, None)
    assert (asked.awaited_since_ms, waiting.awaited_since_ms) == (at(10), at(10))
    assert after(waiting, Last(sms("2222")), start=30).awaited_since_ms is None


@pytest.mark.parametrize(
    ("state", "answer", "news"),
    [
        (watching(), SEEN, True),
        (watching(), NoCode(), True),
        (watching(), Last(sms("")), False),
        (watching(), WaitingNext("1111"), False),
        (watching(), Waiting(), False),
        (after(watching(), SEEN), SEEN, False),
        (after(watching(), SEEN), NoCode(), False),
        (after(watching(), SEEN), Last(sms("2222")), True),
        (after(watching(), SEEN, WaitingNext()), SEEN, True),
        (after(watching(), SEEN, WaitingNext()), NoCode(), True),
        (after(watching(), SEEN, Waiting(), Waiting()), SEEN, True),  # only the time tells, and it is not asked
        (acted(after(watching(), SEEN), "next", "done", at(10)).state, SEEN, True),  # only the text tells
        (acted(after(watching(), SEEN), "next", "done", at(10)).state, Last(sms("1111", text="1111")), False),
        (after(watching(), SEEN, Ended("cancelled")), Last(sms("2222")), False),
        (watching("rent"), SEEN, False),
        (watching("rent"), NoCode(), False),
    ],
)
def test_a_full_text_is_worth_fetching_for_what_would_be_published(state, answer, news):
    assert is_news(state, answer) is news


@pytest.mark.parametrize("kind", ["activation", "rent"])
def test_a_silent_provider_ends_a_watch_ten_minutes_after_its_deadline(kind):
    state = watching(kind)
    grace = 600 if kind == "rent" else 0

    assert due_end(state, at(1500 + grace + 599.999)) == Step(state)
    (end,) = due_end(state, at(1500 + grace + 600)).messages
    assert isinstance(end, WatchEnded)
    assert (end.reason, end.sms_count) == ("expired", 0)


def test_an_ended_watch_does_not_end_again_when_it_is_overdue():
    ended = due_end(watching(), at(3000)).state

    assert due_end(ended, at(4000)) == Step(ended)
    assert acted(ended, "cancel", "done", at(4000)) == Step(ended)


def test_an_unknown_order_at_its_deadline_has_expired():
    step = advance(watching(), Gone(), at(1500))

    assert step.state.ended == "expired"


def test_a_later_expiry_lets_a_watch_live_on():
    state = wanted(watching(), watch(expires_at="2026-11-22T18:20:00.000Z"), at(10)).state

    assert advance(state, SEEN, at(1500)).state.ended is None


def test_a_closed_order_is_not_closed_by_the_deadline_again():
    step = advance(watching(desired="cancel"), SEEN, at(1500))

    assert (step.state.ended, step.action) == ("expired", None)
