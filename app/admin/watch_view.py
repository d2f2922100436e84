"""A watch and its progress, for people and for JSON."""

from collections.abc import Iterable
from typing import Any

from pollers.tracking.actions import due_action
from pollers.tracking.state import WatchState
from pollers.watches.watch_table import Known, LivePoll
from schemas import timestamps

DESCRIPTION = (
    "account",
    "order_kind",
    "order_id",
    "recipient",
    "service",
    "message_type",
    "opened_at",
    "history",
    "after_sms",
    "client_ref",
)
"""The fields that are copied from the record as they are."""


def newest_first(found: Iterable[Known]) -> list[Known]:
    """Return the watches of one order in the order to show them: open before ended, then newest first."""
    return sorted(
        found, key=lambda known: (known.ended is None, known.watch.opened_at if known.watch else ""), reverse=True
    )


def is_cancelled_here(state: WatchState) -> bool:
    """Tell whether a command cancelled the order, as far as is known, and not its provider."""
    return state.performed == "cancel" or (state.watch.desired == "cancel" and state.refused != "cancel")


def view(known: Known, live: LivePoll | None = None, *, now_ms: int) -> dict[str, Any]:
    """Return what is known of a watch; `live` is what only the process that polls it knows."""
    watch = known.watch
    description = {name: getattr(watch, name) for name in DESCRIPTION} if watch else {}
    progress = {
        "expires_at": known.expires_at,
        "sms_count": known.sms_count,
        "ended": known.ended,
        "seen_by_a_poller": known.progress is not None,
        "unreadable": known.unreadable,
    }
    return {
        "watch_id": known.watch_id,
        **description,
        **progress,
        **_actions(known, now_ms),
        **_polls(known.state, live),
    }


def _actions(known: Known, now_ms: int) -> dict[str, Any]:
    state = known.state
    if state is None:
        desired = known.watch.desired if known.watch and known.progress is None else "watch"
        asked = desired if desired != "watch" else None
        nothing = dict.fromkeys(("opening", "performed", "refused", "not_before", "waiting", "requested_after"))
        return {**nothing, "requested": asked}
    return {
        "opening": state.opening,
        "requested": (wanted := _requested(state) if state.ended is None else None),
        "requested_after": state.watch.next_after if wanted == "next" else None,
        "performed": _did(state.performed, state.performed_ms),
        "refused": _did(state.refused, state.refused_ms, code=state.refused_code),
        "not_before": _moment(state.not_before_ms),
        "waiting": _waiting(state, now_ms),
    }


def _waiting(state: WatchState, now_ms: int) -> dict[str, str | None] | None:
    """Return the action that is postponed, until when, and the provider's code for the reason."""
    until_ms = state.not_before_ms
    action = due_action(state, until_ms) if until_ms > now_ms else None
    reason = getattr(state, "held_code", None)  # not every state has it
    return {"action": action, "until": _moment(until_ms), "reason": reason} if action is not None else None


def _requested(state: WatchState) -> str | None:
    """Return the action that has not been performed at the provider yet."""
    if state.watch.desired in {"finish", "cancel"}:
        return state.watch.desired
    return "next" if state.watch.next_after is not None and not _is_asked(state) else None


def _is_asked(state: WatchState) -> bool:
    """Tell whether the next SMS was requested and has not arrived: then nothing is left to do."""
    return state.watch.next_after == state.sms_count == state.asked_after


def _did(action: str | None, at_ms: int, **more: str | None) -> dict[str, str | None] | None:
    return {"action": action, "at": _moment(at_ms), **more} if action is not None else None


def _polls(state: WatchState | None, live: LivePoll | None) -> dict[str, Any]:
    polled_ms = max(0 if state.first_look else state.looked_ms, state.noted_ms) if state else 0
    if live is None:
        answer = state.answer if state else None
        return {"last_polled_at": _moment(polled_ms), "last_answer": answer, "next_poll_in": None}
    last_ms = live.last_polled_ms if live.last_polled_ms is not None else polled_ms
    answer = live.last_answer if live.last_answer is not None else state.answer if state else None
    return {"last_polled_at": _moment(last_ms), "last_answer": answer, "next_poll_in": live.next_poll_in}


def _moment(epoch_ms: int) -> str | None:
    return timestamps.to_text(epoch_ms) if epoch_ms else None
