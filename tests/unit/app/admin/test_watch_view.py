"""A watch as it is shown, live and ended."""

import pytest

from app.admin.watch_view import newest_first, view
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from pollers.watches.watch_entry import Progress
from pollers.watches.watch_table import Known

NOW_MS = 1_795_000_000_000
LATER = "2026-11-18T11:08:40.000Z"


def known(*, order_kind: str = "activation", at_ms: int = NOW_MS, desired: str = "watch", **values: object) -> Known:
    asked = WatchRequest(account="main", order_id="7", order_kind=order_kind, expires_at="2026-11-18T11:31:40.000Z")
    watch = asked.watch(at_ms, "r").model_copy(update={"desired": desired})
    state = WatchState(watch=watch, provider="smsman", key="1", looked_ms=NOW_MS, first_look=False, **values)
    return Known(watch.watch_id, watch, state, Progress(0, state.ended), state.ended, stuck=False)


def test_an_ended_watch_shows_what_was_done_and_what_was_answered_last() -> None:
    shown = view(
        known(desired="finish", ended="finished", performed="finish", performed_ms=NOW_MS, answer="last", opening=1),
        now_ms=NOW_MS,
    )

    assert shown["performed"] == {"action": "finish", "at": "2026-11-18T11:06:40.000Z"}
    assert (shown["ended"], shown["opening"], shown["last_answer"]) == ("finished", 1, "last")
    assert (shown["last_polled_at"], shown["requested"]) == ("2026-11-18T11:06:40.000Z", None)


@pytest.mark.parametrize("desired", ["cancel", "finish"])
def test_an_action_that_is_put_off_is_shown_until_then(desired: str) -> None:
    held = known(desired=desired, not_before_ms=NOW_MS + 120_000, held_code="early_cancel_denied")

    waiting = view(held, now_ms=NOW_MS)["waiting"]
    afterwards = view(held, now_ms=NOW_MS + 120_000)["waiting"]

    assert waiting == {"action": desired, "until": LATER, "reason": "early_cancel_denied"}
    assert afterwards is None


def test_nothing_waits_where_nothing_is_wanted_or_the_watch_has_ended() -> None:
    assert view(known(not_before_ms=NOW_MS + 1), now_ms=NOW_MS)["waiting"] is None
    assert view(known(desired="cancel", not_before_ms=NOW_MS + 1, ended="gone"), now_ms=NOW_MS)["waiting"] is None


def asked_for_next(after: int, **values: object) -> Known:
    made = known(sms_count=1, **values)
    assert made.state
    watch = made.state.watch.model_copy(update={"next_after": after})
    return made._replace(state=made.state.having(watch=watch)) if hasattr(made, "_replace") else made


def test_a_next_that_the_provider_was_asked_for_is_not_shown_as_still_to_be_done() -> None:
    wanted, done = view(asked_for_next(1), now_ms=NOW_MS), view(asked_for_next(1, asked_after=1), now_ms=NOW_MS)
    later = view(asked_for_next(5, asked_after=1), now_ms=NOW_MS)

    assert [(each["requested"], each["requested_after"]) for each in (wanted, done, later)] == [
        ("next", 1),
        (None, None),
        ("next", 5),
    ]


def test_of_one_order_a_live_watch_comes_before_an_ended_one_and_then_the_newest() -> None:
    ended, live = known(ended="gone", at_ms=NOW_MS + 1), known(order_kind="rent")
    old, new = known(), known(order_kind="rent", at_ms=NOW_MS + 1)

    assert newest_first([ended, live]) == [live, ended]
    assert newest_first([old, new]) == [new, old]
