"""Requests about a watch: each is applied once, in the order of the topic; a watch is opened again."""

import json

import pytest

from pollers.tracking import expiry
from pollers.tracking.advance import Step, acted, advance, opened, requested, withdrawn
from pollers.tracking.state import WatchState
from pollers.watch_commands import read_command, request_name, unapplied, with_request
from providers.observation import Ended, Gone, Last, Listing, SeenSms, Waiting, WaitingNext
from schemas.identity import watch_ended_id
from schemas.messages import Watch, WatchEnded
from schemas.timestamps import to_text
from tests.unit.pollers.watching import MINUTE_MS, OPENED_MS, REFUSED, after, asked, at, message, sms, watch, watching

SEEN = Last(sms("1111"))
DESIRED = ["watch", "next", "finish", "cancel", "stop"]


def ended(state: WatchState | None = None) -> WatchState:
    return advance(state or after(watching(), SEEN), Ended("cancelled"), at(100)).state


def reopened(state: WatchState | None = None, **fields: object) -> WatchState:
    """Opened again twenty minutes after the opening."""
    given = {"request_id": "again", "opened_at": to_text(at(1200)), "expires_at": to_text(at(3000))}
    before = state or ended()
    return requested(before, watch(before.watch.order_kind, **given | fields), at(1200)).state


def end_of(step: Step) -> WatchEnded:
    end = step.messages[-1]
    assert isinstance(end, WatchEnded)
    return end


@pytest.mark.parametrize("desired", DESIRED)
@pytest.mark.parametrize("state", [after(watching(), SEEN), ended()], ids=["live", "ended"])
def test_a_request_is_applied_once(desired, state):
    request = watch(desired=desired, request_id="r")

    step = requested(state, request, at(110))

    assert (step.state.applied, step.state.revision) == ("r", state.revision + 1)
    assert requested(step.state, request, at(120)) == Step(step.state)


@pytest.mark.parametrize("request_id", [None, "r"])
def test_a_stop_that_opens_a_watch_is_not_lost_if_only_the_opening_was_committed(request_id):
    stop = watch(desired="stop", request_id=request_id)
    state = opened(stop, "smsverified", OPENED_MS)

    restored = WatchState.from_json(state.to_json())

    assert unapplied(restored, [stop]) == [stop]
    assert requested(restored, stop, at(1)).state.ended == "stopped"


@pytest.mark.parametrize("desired", DESIRED)
def test_a_request_without_an_id_is_named_by_its_content(desired):
    request = watch(desired=desired)

    state = requested(after(watching(), SEEN), request, at(110)).state

    assert (state.applied or "").startswith("content:")
    assert requested(state, request, at(120)).state is state
    assert request_name(request) != request_name(watch(desired=desired, order_id="861"))


@pytest.mark.parametrize("desired", ["next", "finish", "cancel", "stop"])
def test_an_ended_watch_takes_no_other_request_than_to_open_it(desired):
    state = ended()

    step = asked(state, desired)

    assert (step.state.outcome, step.messages) == ("ended", ())
    assert step.state.ended == "cancelled"


@pytest.mark.parametrize("desired", ["next", "finish", "cancel"])
def test_a_watch_can_be_opened_by_any_request_if_that_one_alone_is_left(desired):
    state = opened(watch(desired=desired, request_id="r"), "smsverified", OPENED_MS)

    seen = advance(state, SEEN, at(5))

    assert state.applied == "r"
    assert (seen.action or advance(seen.state, SEEN, at(10)).action) == (None if desired == "next" else desired)


def test_a_next_that_opens_a_watch_is_wanted_at_once():
    assert advance(watching(desired="next"), Waiting(), at(5)).action == "next"


def test_a_watch_has_an_end_though_its_request_states_none():
    activation, rent = (opened(watch(kind, expires_at=None), "smsman", at(60)) for kind in ("activation", "rent"))

    assert activation.watch.expires_at == to_text(at(60) + 25 * MINUTE_MS)
    assert rent.watch.expires_at == to_text(at(60) + 31 * 24 * 60 * MINUTE_MS)


@pytest.mark.parametrize("reason", ["cancelled", "gone", "stopped", "expired"])
def test_watch_opens_an_ended_watch_again_whatever_ended_it(reason):
    state = {
        "cancelled": ended(),
        "stopped": withdrawn(after(watching(), SEEN), at(100)).state,
        "gone": after(watching(), SEEN, Gone(), Gone(), *[Gone()] * 7),
        "expired": advance(after(watching(), SEEN), Waiting(), at(1500)).state,
    }[reason]
    assert state.ended == reason

    again = requested(state, watch(request_id="again", expires_at=None), at(1600))

    assert again.messages == ()
    assert (again.state.ended, again.state.ended_at, again.state.outcome) == (None, None, "accepted")
    assert (again.state.opening, again.state.reopened, again.state.gone_count) == (1, True, 0)
    assert again.state.watch.expires_at == to_text(at(1600) + 25 * MINUTE_MS)
    assert advance(again.state, Gone(), at(1605)).state.ended is None


def test_a_watch_that_is_opened_again_is_described_anew_and_counts_on_under_its_key():
    before = ended(after(watching(client_ref="old"), Last(sms("1111", recipient="16470000009"))))

    state = reopened(before, client_ref="new", recipient="16470000001", after_sms="finish")

    assert (state.watch.client_ref, state.watch.recipient, state.watch.after_sms) == ("new", "16470000001", "finish")
    assert (state.key, state.recipient, state.provider) == (before.key, before.recipient, before.provider)
    assert (state.counts, state.newest, state.sms_count, state.old_count) == (before.counts, before.newest, 1, 1)
    assert state.looked_ms == at(100)


def test_what_was_wanted_and_refused_before_a_watch_is_opened_again_is_forgotten():
    state = acted(asked(after(watching(), SEEN), "next").state, "next", "done", at(30)).state
    state = acted(asked(state, "cancel").state, "cancel", "too_early", at(40)).state
    state = acted(asked(state, "finish").state, "finish", REFUSED, at(50)).state
    state = asked(asked(state, "next", next_after=7).state, "next", next_after=9).state
    state = acted(asked(state, "cancel").state, "cancel", "too_early", at(60)).state

    again = reopened(withdrawn(state, at(100)).state)

    assert advance(again, SEEN, at(1210)).action is None
    assert (again.refused, again.refused_code, again.refused_ms, again.performed, again.tries) == (
        None,
        None,
        0,
        None,
        0,
    )
    assert expiry.NOTHING_REQUESTED["held_code"] is again.held_code is None
    assert (again.not_before_ms, again.asked_after, again.watch.next_after, again.later_next) == (0, -1, None, ())
    assert asked(again, "next").state.outcome == "accepted"


def test_an_old_wait_does_not_make_a_next_of_a_watch_that_is_opened_again_look_pending():
    state = after(
        acted(asked(after(watching(), SEEN), "next").state, "next", "done", at(30)).state, WaitingNext("1111")
    )

    again = after(reopened(ended(state)), Waiting(), start=1210)

    request = requested(again, watch(desired="next", request_id="n"), at(1220)).state
    assert request.outcome == "accepted"
    assert advance(request, Waiting(), at(1225)).action == "next"


@pytest.mark.parametrize(
    ("time", "freshness"),
    [
        (None, "recovered"),
        ("2026-11-22 17:39:59", "recovered"),
        ("2026-11-22 17:40:00", "live"),
        ("2026-11-22T17:40:01Z", "live"),
        ("2026-11-22 20:40:00", "recovered"),  # ahead of us: it is of another zone
    ],
)
@pytest.mark.parametrize("kind", ["activation", "rent"])
def test_what_came_in_the_gap_is_recovered_and_what_came_after_it_is_live(kind, time, freshness):
    state = reopened(ended(after(watching(kind), Waiting())))
    found = SeenSms(text="Code 2222", time_raw=time)

    step = advance(state, Listing((found,)), at(1205))

    assert message(step).freshness == freshness
    assert message(advance(step.state, Listing((found, SeenSms(text="Code 3333"))), at(1210))).freshness == "live"


def test_what_was_shown_before_the_end_does_not_come_again_and_no_id_comes_twice():
    first = advance(watching(), SEEN, at(5))
    state = reopened(ended(first.state))

    again = advance(state, SEEN, at(1205))
    second = advance(after(again.state, WaitingNext("1111"), start=1210), SEEN, at(1215))

    assert again.messages == ()
    assert message(second).sequence == 1
    assert message(second).id != message(first).id


def test_after_sms_finish_waits_for_a_new_sms_once_the_watch_is_opened_again():
    state = reopened(ended(), after_sms="finish")

    same = advance(state, SEEN, at(1205))
    new = advance(same.state, Last(sms("2222")), at(1210))

    assert (same.action, new.action) == (None, "finish")


def test_each_opening_has_an_end_of_its_own_and_the_first_ones_id_is_what_it_was():
    first = advance(after(watching(), SEEN), Ended("cancelled"), at(100))
    second = advance(reopened(first.state), Ended("cancelled"), at(1300))
    third = advance(requested(second.state, watch(request_id="3"), at(1310)).state, Ended("cancelled"), at(1400))

    ends = [end_of(each) for each in (first, second, third)]
    assert [each.opening for each in ends] == [0, 1, 2]
    assert len({each.event_id for each in ends}) == 3
    assert ends[0].event_id == watch_ended_id(ends[0].watch_id, "cancelled", 1)


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        (0, "12cfcf72-8782-8cc9-9e94-d532542d62ec"),
        (1, "03c53f0c-4fc4-8dc1-b4b5-79b07e61771e"),
        (2, "874089df-7266-8572-a673-5c2f37122f53"),
    ],
)
def test_the_ids_of_the_ends_of_all_openings_are_frozen(opening, expected):
    assert watch_ended_id("w", "finished", 1, opening) == expected


def test_history_skip_drops_nothing_that_came_in_the_gap():
    opening = {"opened_at": to_text(at(10 * 86_400)), "expires_at": to_text(at(20 * 86_400))}
    state = reopened(ended(watching("rent", history="skip")), history="skip", **opening)

    step = advance(state, Listing((SeenSms(text="a", time_raw="2026-11-23 00:00:00"),)), at(10 * 86_400 + 5))

    assert message(step).freshness == "recovered"


REQUESTS = [watch(desired=desired, request_id=f"{place}") for place, desired in enumerate(DESIRED)]


@pytest.mark.parametrize(("applied", "names"), [("0", "1234"), ("2", "34"), ("4", ""), ("compacted", "01234")])
def test_a_shard_that_starts_applies_what_lies_behind_the_last_request_applied(applied, names):
    state = watching().having(applied=applied)

    assert [each.request_id for each in unapplied(state, REQUESTS)] == list(names)


def test_the_watch_of_a_state_from_before_requests_had_names_was_applied():
    there, newer = watch(desired="cancel", next_after=2), watch(desired="finish")
    old = json.loads(watching(desired="cancel").to_json())
    del old["applied"]
    old["watch"] = json.loads(there.to_json())
    state = WatchState.from_json(json.dumps(old).encode())

    assert unapplied(state, [watch(), there, newer]) == [newer]
    assert requested(state, there, at(10)).state is state
    assert advance(state, SEEN, at(5)).action == "cancel"


def test_a_later_programs_empty_keys_do_not_rename_a_request():
    given = json.loads(watch().to_json())

    later = read_command(watch().watch_id, json.dumps({"a_new_key": None, **given}).encode())

    assert later is not None
    assert request_name(later) == request_name(watch()) == request_name(Watch(**{k: v for k, v in given.items() if v}))


def test_the_name_of_a_request_without_an_id_is_frozen():
    assert request_name(watch()) == "content:a4b023d76484088ee8725fb3b342e1cf"


@pytest.mark.parametrize("desired", DESIRED)
def test_a_request_about_a_watch_keeps_its_description_and_what_we_do_not_know_of_it(desired):
    later = read_command(watch().watch_id, json.dumps({**json.loads(watch().to_json()), "of_tomorrow": 1}).encode())
    assert later is not None
    state = opened(later, "smsman", OPENED_MS)

    for there in (later, state.watch):
        request = with_request(there, desired, request_id="r", after=3 if desired == "next" else None)

        written = json.loads(request.to_json())
        assert (written["desired"], written["request_id"], written["of_tomorrow"]) == (desired, "r", 1)
        assert written["next_after"] == (3 if desired == "next" else None)
        assert written["recipient"] == there.recipient


def test_what_a_later_program_described_survives_in_the_state_of_the_watch():
    later = read_command(watch().watch_id, json.dumps({**json.loads(watch().to_json()), "of_tomorrow": 1}).encode())
    assert later is not None

    state = asked(opened(later, "smsman", OPENED_MS), "finish", expires_at=None).state

    assert json.loads(state.to_json())["watch"]["of_tomorrow"] == 1
