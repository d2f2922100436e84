"""What is asked of the provider, when, and what becomes of it."""

import json

import pytest

from pollers.scheduling.account import WAITS
from pollers.tracking import expiry
from pollers.tracking.actions import MOST_TRIES
from pollers.tracking.advance import Step, acted, advance, due_end, only_applied, requested, shows_new_sms, withdrawn
from providers.observation import Ended, Gone, Last, Listing, NoCode, ProviderError, SeenSms, Waiting, WaitingNext
from schemas.messages import WatchEnded
from schemas.timestamps import to_text
from tests.unit.pollers.watching import REFUSED, after, asked, at, message, sms, watch, watching

SEEN = Last(sms("1111"))
ROW = SeenSms(text="a", time_raw="2026-11-22 17:21:00")
SEEN_ONCE = after(watching(), SEEN)
ANSWERS = [SEEN, Waiting(), WaitingNext("1111"), NoCode(), ProviderError("transient", "html"), Gone()]


@pytest.mark.parametrize("answer", ANSWERS)
def test_by_default_nothing_is_ever_asked(answer):
    state = after(watching(), SEEN, SEEN)

    assert advance(state, answer, at(60)).action is None


def test_stop_ends_the_watch_at_once_and_asks_nothing():
    state = after(watching(), SEEN)

    step = requested(state, watch(desired="stop"), at(10))

    assert (step.action, step.state.ended, step.state.ended_at) == (None, "stopped", "2026-11-22T17:20:10.000Z")
    assert [(each.reason, each.sms_count) for each in step.messages] == [("stopped", 1)]


def test_a_watch_that_is_opened_only_to_be_stopped_stops():
    step = requested(watching(desired="stop"), watch(desired="stop"), at(1))

    assert step.state.ended == "stopped"
    assert requested(step.state, watch(desired="stop"), at(2)) == Step(step.state)


def test_a_watch_that_is_withdrawn_has_stopped_and_stops_once():
    step = withdrawn(after(watching(), SEEN), at(10))

    assert [(each.reason, each.sms_count) for each in step.messages] == [("stopped", 1)]
    assert withdrawn(step.state, at(20)) == Step(step.state)


@pytest.mark.parametrize("desired", ["finish", "cancel"])
def test_an_order_is_closed_only_after_a_look_later_than_the_request(desired):
    request = requested(after(watching(), Waiting()), watch(desired=desired), at(10))

    step = advance(request.state, SEEN, at(15))

    assert (request.action, request.messages) == (None, ())
    assert step.action == desired
    assert message(step).code == "1111"


@pytest.mark.parametrize("desired", ["finish", "cancel"])
def test_an_order_s_end_does_not_wait_until_we_understand_what_the_provider_says_of_it(desired: str) -> None:
    strange = ProviderError("unrecognised", "unknown_token", answered=True)

    assert advance(asked(SEEN_ONCE, desired).state, strange, at(20)).action == desired
    assert advance(asked(SEEN_ONCE, "next").state, strange, at(20)).action is None
    assert advance(SEEN_ONCE, strange, at(20)).action is None


@pytest.mark.parametrize("no_poll", [ProviderError("transient", "html"), Gone()])
def test_an_answer_that_says_nothing_about_the_order_is_no_last_look(no_poll):
    state = watching(desired="cancel")

    assert advance(state, no_poll, at(5)).action is None


@pytest.mark.parametrize(("action", "reason"), [("finish", "finished"), ("cancel", "cancelled")])
def test_what_the_provider_closed_for_us_has_ended(action, reason):
    state = after(watching(desired=action), SEEN)

    step = acted(state, action, "done", at(20))

    assert step.state.ended == reason
    assert [(each.reason, each.sms_count) for each in step.messages] == [(reason, 1)]


@pytest.mark.parametrize(
    ("denied", "again"),
    [(0, 121), (10, 121), (111, 121), (115, 125), (119, 129), (119.999, 129.999), (120, 150), (290, 320)],
)
def test_too_early_is_tried_again_once_two_minutes_have_passed_since_the_opening_and_never_at_once(denied, again):
    state = acted(after(watching(desired="cancel"), Waiting()), "cancel", "too_early", at(denied)).state

    assert state.not_before_ms == at(again)
    assert advance(state, Waiting(), at(again) - 1).action is None
    assert advance(state, Waiting(), at(again)).action == "cancel"


def test_a_clock_that_was_put_back_holds_no_action_up():
    state = acted(after(watching(desired="cancel"), Waiting()), "cancel", "too_early", at(86_400)).state

    assert advance(state, Waiting(), at(10)).action == "cancel"


def test_a_clock_that_was_put_back_does_not_keep_an_order_that_is_gone():
    state = advance(after(watching(), Waiting()), Gone(), at(300)).state
    ends = [(state := advance(state, Gone(), at(second)).state).ended for second in (10, 20, 45)]

    assert ends == [None, None, "gone"]


def test_a_watch_that_says_it_was_opened_in_the_future_waits_no_longer_for_that():
    state = after(watching(desired="cancel", opened_at=to_text(at(86_400)), expires_at=to_text(at(90_000))), Waiting())

    assert acted(state, "cancel", "too_early", at(10)).state.not_before_ms == at(131)


def test_a_provider_that_wants_five_minutes_is_asked_a_few_times_and_then_has_cancelled():
    state, asked_at = after(watching(desired="cancel"), Waiting()), []
    for second in range(5, 400):
        step = advance(state, Waiting(), at(second))
        state = step.state
        if step.action is not None:
            asked_at.append(second)
            state = acted(state, step.action, "done" if second >= 300 else "too_early", at(second)).state

    assert state.ended == "cancelled"
    assert asked_at == [5, 121, 151, 181, 211, 241, 271, 301]


HELD = {
    "too_early": "too_early",
    "early_cancel_denied": ProviderError("denied", "early_cancel_denied"),
    "bad_action": ProviderError("request_error", "bad_action"),
    "prose": ProviderError("unrecognised", "prose"),
}


@pytest.mark.parametrize("code", HELD)
def test_the_state_says_why_what_is_wanted_waits_until_it_is_asked_again_done_or_refused(code):
    wanted = after(watching(desired="cancel"), Waiting())
    assert "held_code" not in json.loads(wanted.to_json())
    state = acted(wanted, "cancel", HELD[code], at(10)).state

    assert (state.held_code, state.refused, state.watch.desired) == (code, None, "cancel")
    assert type(state).from_json(state.to_json()) == state
    assert advance(state, Waiting(), at(11)).state.held_code == code
    assert asked(state, "watch").state.held_code == code
    for again in ("cancel", "finish"):
        assert asked(state, again).state.held_code is None
    for result in ("done", REFUSED):
        assert acted(state, "cancel", result, at(200)).state.held_code is None
    for step in (withdrawn(state, at(20)), asked(state, "stop"), advance(state, Ended("cancelled"), at(20))):
        assert (step.state.held_code, step.state.not_before_ms) == (None, 0)


def test_what_held_a_next_is_forgotten_with_it():
    held = acted(asked(SEEN_ONCE, "next").state, "next", ProviderError("request_error", "bad_action"), at(10)).state
    both = asked(asked(SEEN_ONCE, "next", next_after=1).state, "next", next_after=2).state
    both = acted(both, "next", ProviderError("unrecognised", "prose"), at(10)).state

    for over in (
        acted(held, "next", "done", at(40)).state,
        acted(held, "next", REFUSED, at(40)).state,
        asked(held, "next", next_after=2).state,
        advance(held, Last(sms("2222")), at(15)).state,
        advance(held, WaitingNext("1111"), at(15)).state,
    ):
        assert (over.held_code, over.not_before_ms, over.tries) == (None, 0, 0)
    assert (held.held_code, held.tries) == ("bad_action", 1)
    assert advance(both, Last(sms("2222")), at(15)).action == "next"  # another one, which nothing holds


@pytest.mark.parametrize("code", HELD)
@pytest.mark.parametrize("after_count", [None, 1, 3])
@pytest.mark.parametrize("closing", ["cancel", "finish", "by itself"])
def test_a_next_leaves_a_closing_that_waits_as_it_is(closing, after_count, code):
    action = "cancel" if closing == "cancel" else "finish"
    state = after(watching(after_sms="finish"), SEEN) if closing == "by itself" else asked(SEEN_ONCE, closing).state
    state = acted(state, action, HELD[code], at(10)).state

    step = asked(state, "next", next_after=after_count)

    assert step.state.outcome == "accepted"
    waits = ("not_before_ms", "tries", "held_code")
    assert [getattr(step.state, each) for each in waits] == [getattr(state, each) for each in waits]
    assert advance(step.state, SEEN, state.not_before_ms - 1).action is None
    assert advance(step.state, SEEN, state.not_before_ms).action == action


def test_a_next_that_was_refused_can_be_asked_again_while_a_cancel_waits():
    refused = acted(asked(SEEN_ONCE, "next").state, "next", REFUSED, at(10)).state
    waits = acted(asked(refused, "cancel").state, "cancel", "too_early", at(20)).state.having(refused="next")

    again = asked(waits, "next").state

    assert (again.outcome, again.refused, again.not_before_ms) == ("accepted", None, waits.not_before_ms)


@pytest.mark.parametrize("result", [*HELD.values(), REFUSED, "done", ProviderError("transient", "timeout")])
@pytest.mark.parametrize("closing", ["cancel", "finish"])
def test_what_comes_of_an_earlier_action_does_not_hold_up_a_closing_that_was_asked_for_meanwhile(closing, result):
    asking = advance(asked(SEEN_ONCE, "next").state, SEEN, at(21))
    assert asking.action == "next"
    meanwhile = asked(asking.state, closing).state

    state = acted(meanwhile, "next", result, at(23)).state

    assert (state.not_before_ms, state.tries, state.held_code) == (0, 0, None)
    assert advance(state, SEEN, at(24)).action == closing


@pytest.mark.parametrize("closing", ["cancel", "finish"])
@pytest.mark.parametrize("before", ["cancel", "finish", "next"])
@pytest.mark.parametrize("result", ["too_early", REFUSED, ProviderError("request_error", "bad_action")])
def test_a_closing_is_wanted_as_soon_as_it_is_requested_whatever_was_before(closing, before, result):
    state = acted(asked(SEEN_ONCE, before).state, before, result, at(21)).state

    again = asked(state, closing).state

    assert advance(again, SEEN, at(22)).action == closing


REFUSALS = {
    "cant_cancel": ProviderError("denied", "cant_cancel"),
    "bad_service": ProviderError("request_error", "bad_service"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_is_refused_is_not_asked_again_but_looking_goes_on(code):
    state = acted(after(watching(desired="cancel"), Waiting()), "cancel", REFUSALS[code], at(10)).state

    step = advance(state, SEEN, at(300))

    assert step.action is None
    assert message(step).code == "1111"
    assert (step.state.refused, step.state.refused_code, step.state.refused_ms) == ("cancel", code, at(10))
    assert step.state.watch.desired == "watch"  # nothing is wanted any longer


@pytest.mark.parametrize("desired", ["cancel", "finish"])
def test_a_new_request_is_not_bound_by_the_refusal_or_the_waiting_of_the_last_one(desired):
    refused = acted(after(watching(desired="cancel"), Waiting()), "cancel", REFUSED, at(10)).state
    early = acted(after(watching(desired="cancel"), Waiting()), "cancel", "too_early", at(10)).state

    for state in (refused, early):
        again = asked(state, desired).state
        assert advance(again, Waiting(), at(25)).action == desired
        assert (again.refused, again.refused_code, again.refused_ms, again.not_before_ms) == (None, None, 0, 0)


@pytest.mark.parametrize("action", ["next", "finish", "cancel"])
def test_bad_action_is_tried_ten_times_half_a_minute_apart_and_then_is_a_refusal(action):
    state, seconds = (
        after(watching(desired=action), SEEN) if action != "next" else asked(SEEN_ONCE, "next").state,
        100.0,
    )
    for _ in range(9):
        assert advance(state, SEEN, at(seconds)).action == action
        state = acted(state, action, ProviderError("request_error", "bad_action"), at(seconds)).state
        assert advance(state, SEEN, at(seconds + 29.9)).action is None
        seconds += 30

    state = acted(state, action, ProviderError("request_error", "bad_action"), at(seconds)).state

    assert (state.refused, state.refused_code) == (action, "bad_action")
    assert advance(state, SEEN, at(seconds + 3600 * 24)).action is None
    again = asked(state, action).state
    assert again.tries == 0
    assert advance(again, SEEN, at(seconds + 5)).action == action


@pytest.mark.parametrize("between", ["too_early", ProviderError("unrecognised", "x")])
def test_only_bad_actions_in_a_row_are_a_refusal(between):
    state = after(watching(desired="finish"), SEEN)
    for result in [
        *[ProviderError("request_error", "bad_action")] * 9,
        between,
        ProviderError("request_error", "bad_action"),
    ]:
        state = acted(state, "finish", result, at(10)).state

    assert (state.refused, state.tries) == (None, 1)


def test_what_was_done_is_remembered():
    state = acted(asked(SEEN_ONCE, "next").state, "next", "done", at(10)).state

    assert (state.performed, state.performed_ms) == ("next", at(10))
    assert acted(state, "cancel", "done", at(20)).state.performed == "cancel"


def test_a_finish_that_nobody_asked_for_is_not_tried_again_after_its_refusal_whatever_else_is_refused():
    state = acted(after(watching(after_sms="finish"), SEEN), "finish", REFUSED, at(10)).state
    state = acted(asked(state, "cancel").state, "cancel", REFUSED, at(20)).state

    assert advance(state, Last(sms("2222")), at(30)).action is None
    assert advance(asked(state, "finish").state, SEEN, at(30)).action == "finish"


def test_an_action_that_was_not_asked_for_is_wanted_again_with_the_next_look():
    state = after(watching(desired="finish"), SEEN)

    step = acted(state, "finish", WAITS, at(10))

    assert step == Step(state)
    assert advance(state, SEEN, at(10)).action == "finish"


@pytest.mark.parametrize("kind", ["transient", "throttled", "auth"])
def test_an_action_that_fails_is_asked_for_again_later_each_time_and_never_given_up(kind):
    state, now, waits = after(watching(desired="finish", expires_at="2026-11-23T18:00:00.000Z"), SEEN), 10, []
    for _ in range(10):
        state = acted(state, "finish", ProviderError(kind, "x"), at(now)).state
        began = now
        while advance(state, SEEN, at(now)).action is None:
            now += 1
        waits.append(now - began)

    assert waits == [5, 10, 20, 40, 80, 160, 240, 240, 240, 240]
    assert state.refused is None


def test_failures_of_another_kind_are_no_step_to_a_refusal():
    state = after(watching(desired="finish"), SEEN)
    for number in range(MOST_TRIES):
        state = acted(state, "finish", ProviderError("transient", "x"), at(10 + number)).state

    state = acted(state, "finish", ProviderError("request_error", "bad_action"), at(30)).state

    assert (state.refused, state.tries) == (None, 1)


def test_an_answer_that_nobody_understands_makes_an_action_wait_two_minutes():
    state = acted(after(watching(desired="finish"), SEEN), "finish", ProviderError("unrecognised", "x"), at(10)).state

    assert advance(state, SEEN, at(15)).action is None
    assert advance(state, SEEN, at(130)).action == "finish"


def test_what_is_wanted_is_asked_after_a_restart():
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
    old, new = (SeenSms(text=text, time_raw=f"2026-11-22 17:{time}:00") for text, time in (("old", 18), ("new", 20)))

    first = advance(watching("rent", after_sms="finish"), Listing((old,)), at(5))
    second = advance(first.state, Listing((old, new)), at(10))

    assert (message(first).freshness, first.action) == ("history", None)
    assert (message(second).freshness, second.action) == ("live", "finish")


def test_after_sms_means_an_sms_that_came_between_the_opening_and_the_first_look():
    came = SeenSms(text="new", time_raw="2026-11-22 17:22:00")

    step = advance(watching("rent", after_sms="finish"), Listing((came,)), at(180))

    assert (message(step).freshness, step.action) == ("live", "finish")


def test_history_on_a_later_page_finishes_nothing():
    old, new = (SeenSms(text=text, time_raw=f"2026-11-22 17:{time}:00") for text, time in (("old", 10), ("new", 18)))
    state = after(watching("rent", after_sms="finish"), Listing((new,), complete=False))

    step = advance(state, Listing((old, new)), at(10))

    assert (message(step).freshness, step.action) == ("history", None)


def test_history_finishes_no_activation_but_lets_it_go_on_to_the_next_sms():
    old = Last(sms("1111", time_raw="2026-11-22 17:00:00"))

    assert advance(watching(after_sms="finish"), old, at(5)).action is None
    assert advance(watching(after_sms="request_next"), old, at(5)).action == "next"


def test_the_next_sms_is_asked_for_once_so_many_were_seen():
    state = asked(watching(), "next", next_after=2).state

    one = advance(state, SEEN, at(5))
    two = advance(one.state, Last(sms("2222")), at(10))
    done = acted(two.state, "next", "done", at(11)).state

    assert (one.action, two.action) == (None, "next")
    assert advance(done, Last(sms("2222")), at(15)).action is None
    assert advance(done, Last(sms("3333")), at(15)).action is None


def test_without_a_count_the_next_sms_is_that_after_those_the_shard_has():
    second = advance(asked(SEEN_ONCE, "next").state, SEEN, at(10))
    third = asked(after(acted(second.state, "next", "done", at(11)).state, Last(sms("2222")), start=15), "next")

    assert second.action == "next"
    assert third.state.outcome == "accepted"
    assert advance(third.state, Last(sms("2222")), at(25)).action == "next"


@pytest.mark.parametrize("next_after", [1, 2])
def test_a_consumer_faster_than_the_commit_of_what_it_consumed_gets_its_next_sms(next_after):
    """The shard knows of one SMS only, again, after a crash; the second one is in Kafka."""
    state = acted(asked(SEEN_ONCE, "next", next_after=1).state, "next", "done", at(10)).state
    state = asked(state, "next", next_after=next_after).state

    step = advance(state, Last(sms("2222")), at(20))

    assert step.action == (None if next_after == 1 else "next")


def test_requests_for_several_counts_are_each_done():
    state = asked(asked(SEEN_ONCE, "next", next_after=1).state, "next", next_after=2).state

    first = advance(state, SEEN, at(10))
    second = advance(acted(first.state, "next", "done", at(11)).state, Last(sms("2222")), at(15))
    third = advance(acted(second.state, "next", "done", at(16)).state, Last(sms("3333")), at(20))

    assert (first.action, second.action, third.action) == ("next", "next", None)
    assert (third.state.watch.next_after, third.state.later_next) == (None, ())


def test_a_second_next_has_no_effect_until_the_sms_of_the_first_came():
    pending = asked(SEEN_ONCE, "next").state
    done = acted(advance(pending, SEEN, at(10)).state, "next", "done", at(11)).state

    for state in (pending, done, after(done, WaitingNext("1111"), start=15)):
        again = asked(state, "next")
        assert (again.state.outcome, again.messages) == ("already", ())
        assert again.state.having(applied=None, outcome="accepted", revision=0) == state.having(
            applied=None, outcome="accepted", revision=0
        )


@pytest.mark.parametrize("count", [2, 9])
def test_a_count_that_may_never_come_does_not_stand_in_the_way_of_a_plain_next(count):
    state = asked(SEEN_ONCE, "next", next_after=count).state

    plain = asked(state, "next").state
    assert (plain.outcome, plain.watch.next_after, plain.later_next) == ("accepted", 1, (count,))
    assert advance(plain, SEEN, at(25)).action == "next"
    assert asked(plain, "next").state.outcome == "already"  # it is wanted now
    done = acted(plain, "next", "done", at(26)).state
    assert asked(done, "next").state.outcome == "already"  # it was asked for, and its SMS has not come
    come = advance(done, Last(sms("2222")), at(30))
    assert come.action == ("next" if count == 2 else None)
    assert asked(come.state, "next").state.outcome == ("already" if count == 2 else "accepted")


def test_a_next_whose_sms_has_come_by_itself_is_served():
    """The answer to setStatus=3 got lost, or nobody sent it: nobody asked for a third SMS."""
    state = asked(SEEN_ONCE, "next", next_after=1).state
    by_itself = advance(state, Last(sms("2222")), at(10))
    lost = advance(acted(state, "next", ProviderError("transient", "timeout"), at(10)).state, Last(sms("2222")), at(15))

    assert (by_itself.action, lost.action) == (None, None)
    assert asked(by_itself.state, "next", next_after=1).state.outcome == "already"
    assert asked(by_itself.state, "next", next_after=2).state.outcome == "accepted"


def test_a_refused_next_can_be_asked_again():
    state = acted(asked(SEEN_ONCE, "next").state, "next", REFUSED, at(10)).state

    assert advance(state, SEEN, at(15)).action is None
    again = asked(state, "next")
    assert (again.state.outcome, again.state.refused) == ("accepted", None)
    assert advance(again.state, SEEN, at(25)).action == "next"


def test_a_next_does_not_withdraw_a_finish_and_the_other_way_round():
    state = asked(asked(SEEN_ONCE, "next").state, "finish").state
    other = asked(asked(SEEN_ONCE, "finish").state, "next").state

    for each in (state, other):
        assert advance(each, SEEN, at(25)).action == "finish"
        refused = acted(each, "finish", REFUSED, at(26)).state
        assert advance(refused, SEEN, at(30)).action == "next"


def test_the_next_sms_is_not_asked_for_while_the_provider_waits_for_it():
    state = asked(after(watching(), SEEN, WaitingNext("1111")), "next", next_after=1).state

    assert state.outcome == "already"
    assert advance(state, WaitingNext("1111"), at(20)).action is None
    assert advance(state, Last(sms("2222")), at(20)).action is None


def test_a_refused_request_for_the_next_sms_is_made_again_only_after_that_sms():
    state = acted(after(watching(after_sms="request_next"), SEEN), "next", REFUSED, at(10)).state

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
    ("state", "answer", "is_new"),
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
        (watching(), Listing((ROW,)), False),
        (watching("rent"), Listing((ROW,)), True),
        (watching("rent"), Listing(()), False),
        (after(watching("rent"), Listing((ROW,))), Listing((ROW,)), False),
        (after(watching("rent"), Listing((ROW,))), Listing((ROW, ROW)), True),
        (after(watching("rent"), Listing((ROW,), complete=False)), Listing((ROW,)), True),
        (after(watching("rent"), Listing((ROW,), complete=False), Listing((ROW,))), Listing((ROW,)), False),
        (withdrawn(watching("rent"), at(1)).state, Listing((ROW,)), False),
    ],
)
def test_it_is_worth_asking_further_for_what_would_be_published_and_for_pages_that_were_missing(state, answer, is_new):
    assert shows_new_sms(state, answer) is is_new


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


@pytest.mark.parametrize(("kind", "late", "hours"), [("activation", 600, 24), ("rent", 1200, 7 * 24)])
def test_when_a_watch_is_overdue_and_when_it_is_forgotten(kind, late, hours):
    state = watching(kind)
    ended = withdrawn(state, at(10)).state

    assert expiry.overdue_ms(state) == at(1500 + late)
    assert expiry.forget_ms(ended) == at(10) + hours * 3_600_000
    assert expiry.forget_ms(state) > at(10**9)


def test_a_stated_later_expiry_prolongs_a_live_watch_and_nothing_else_does():
    later, earlier = to_text(at(5000)), to_text(at(100))

    assert asked(watching(), "watch", expires_at=later).state.watch.expires_at == later
    assert asked(watching(), "watch", expires_at=earlier).state.watch == watching().watch
    assert asked(watching(), "watch", expires_at=None).state.watch == watching().watch
    assert asked(watching(), "finish", expires_at=later).state.watch.expires_at == watching().watch.expires_at


def test_a_later_expiry_lets_a_watch_live_on():
    state = requested(watching(), watch(expires_at="2026-11-22T18:20:00.000Z"), at(10)).state

    assert advance(state, SEEN, at(1500)).state.ended is None


@pytest.mark.parametrize("desired", ["finish", "cancel"])
def test_the_end_that_somebody_asked_for_is_tried_for_ten_minutes_after_the_deadline(desired):
    state = watching(desired=desired)

    at_the_deadline = advance(state, SEEN, at(1500))
    done = acted(at_the_deadline.state, desired, "done", at(1501)).state
    over = [
        step(state).state for step in (lambda each: advance(each, SEEN, at(2101)), lambda each: due_end(each, at(2101)))
    ]

    assert (at_the_deadline.state.ended, at_the_deadline.action) == (None, desired)
    assert done.ended == {"finish": "finished", "cancel": "cancelled"}[desired]
    assert [(each.ended, each.refused, each.refused_code) for each in over] == [("expired", desired, "expired")] * 2


def test_an_end_that_was_refused_or_that_is_not_wanted_holds_no_watch_open():
    refused = acted(watching(desired="cancel"), "cancel", REFUSED, at(10)).state

    assert advance(refused, SEEN, at(1500)).state.ended == "expired"
    assert advance(watching(after_sms="finish"), Waiting(), at(1500)).state.ended == "expired"
    assert advance(watching(after_sms="request_next"), SEEN, at(1500)).state.ended == "expired"


def test_an_order_that_is_to_be_finished_after_its_sms_is_finished_although_the_deadline_came_first():
    state = advance(watching(after_sms="finish"), SEEN, at(1490)).state
    state = acted(state, "finish", ProviderError("transient", "reset"), at(1495)).state
    late = advance(state, SEEN, at(1501))

    assert (late.state.ended, late.action) == (None, "finish")
    assert acted(late.state, "finish", "done", at(1502)).state.ended == "finished"


def test_an_order_that_nobody_knows_any_longer_says_that_its_end_was_never_asked_for():
    state = watching(desired="cancel")
    for seconds in (10, 30, 50):
        state = advance(state, Gone(), at(seconds)).state

    assert (state.ended, state.refused, state.refused_code) == ("gone", "cancel", "gone")


def test_an_order_that_is_unknown_like_all_others_has_ten_minutes_to_come_back():
    state = watching()
    for seconds in (10, 30, 50, 500):
        state = advance(state, Gone(), at(seconds), known_ms=at(12)).state  # another's answer, on its way since before
    back = advance(state, SEEN, at(520)).state

    assert (state.ended, back.ended, back.gone_count) == (None, None, 0)
    assert advance(state, Gone(), at(520), known_ms=at(20)).state.ended == "gone"
    assert advance(state, Gone(), at(611), known_ms=at(12)).state.ended == "gone"


def test_a_single_unknown_order_behind_the_deadline_does_not_drop_the_end_that_is_wanted():
    state = advance(watching(desired="finish"), Gone(), at(1500)).state

    assert state.ended is None
    assert advance(state, SEEN, at(1510)).action == "finish"
    assert advance(watching(), Gone(), at(1500)).state.ended == "expired"


def test_a_request_that_wants_what_is_so_already_has_only_been_applied():
    state = asked(watching(), "finish").state

    assert only_applied(state, asked(state, "finish").state)
    assert only_applied(state, asked(state, "watch").state)
    assert not only_applied(state, asked(state, "cancel").state)
    assert not only_applied(watching(), state)
