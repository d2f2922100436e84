"""What is wanted of the provider. Nothing is, by default: an order is touched only when its watch asks for it."""

from typing import Final

from pollers.levels import with_boundary
from pollers.observation import Trouble
from pollers.state import Action, ActResult, WatchState
from schemas.messages import Watch

TOO_EARLY_MS: Final = 120_000
"""Orders cannot be cancelled in their first two minutes; asking in a loop helps nobody (providers.md, trap 33)."""


def wish(state: WatchState, now_ms: int) -> Action | None:
    """Return what is to be asked of the provider, after a look; it stays so until `answered` says what came of it."""
    if state.ended is not None or now_ms < state.not_before_ms:
        return None
    wished = _wish(state)
    return None if wished == state.refused else wished


def _wish(state: WatchState) -> Action | None:
    watch = state.watch
    has_news = state.sms_count > state.old_count
    if watch.desired == "finish" or watch.desired == "cancel":  # noqa: PLR1714 - mypy narrows only this
        return watch.desired
    if watch.after_sms == "finish" and has_news:
        return "finish"
    after = state.sms_count if watch.after_sms == "request_next" and has_news else watch.next_after
    return "next" if after is not None and state.asked_after < after <= state.sms_count else None


def rewished(state: WatchState, watch: Watch) -> WatchState:
    """Return the state with the newest word about its watch; another wish is not bound by the last one's refusal."""
    if watch.desired != state.watch.desired:
        state = state.having(refused=None, not_before_ms=0)
    return state.having(watch=watch)


def answered(state: WatchState, action: Action, result: ActResult | Trouble, now_ms: int) -> WatchState:
    """Return the state that knows what came of an action, its end excepted.

    A failed request changes nothing: the next look shows what it did, and says again what is wanted.
    """
    match result:
        case "done" if action == "next":
            return with_boundary(state, "requested", now_ms).having(asked_after=state.sms_count)
        case "too_early" | Trouble(kind="unrecognised"):
            return state.having(not_before_ms=now_ms + TOO_EARLY_MS)
        case "refused" | Trouble(kind="denied" | "request_error"):
            return state.having(asked_after=state.sms_count) if action == "next" else state.having(refused=action)
        case _:
            return state
