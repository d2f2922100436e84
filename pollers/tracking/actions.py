"""Which action to perform at the provider. By default none: an order is changed only if its watch requests it."""

from collections.abc import Iterator
from math import inf
from typing import Final

from pollers.tracking.activations import with_boundary
from pollers.tracking.state import Outcome, WatchState
from providers.observation import ProviderError
from providers.results import Action, ActResult
from schemas import timestamps
from schemas.messages import Watch

EARLY_MS: Final = 120_000
"""Orders cannot be cancelled in their first two minutes; retrying in a loop is useless (docs/providers.md, trap 33)."""
MARGIN_MS: Final = 1000
AT_LEAST_MS: Final = 10_000
"""The shortest wait after `too_early`, whenever the provider's two minutes end."""
STILL_EARLY_MS: Final = 30_000
"""The wait after `too_early` when the two minutes are over: some providers have five."""
UNCLEAR_MS: Final = 120_000
FAILED_MS: Final = 30_000
LONGEST_WAIT_MS: Final = 300_000
"""A longer wait in a state is ignored: our clock was set back since it was written."""
MOST_TRIES: Final = 10
"""Siblings respond with BAD_ACTION to any internal error: it counts after ten in a row (docs/providers.md 6)."""
LOST_MS: Final = (5_000, 240_000)
"""The shortest and the longest wait after a failed request. It doubles, so that one order takes little from the others;
longer than `LONGEST_WAIT_MS` would be ignored."""


def due_action(state: WatchState, now_ms: int) -> Action | None:
    """Return the action to perform after a poll; it stays due until `answered` takes its result."""
    if state.ended is not None or 0 < state.not_before_ms - now_ms <= LONGEST_WAIT_MS:
        return None
    return next(_requested_actions(state), None)


def postponed_for(state: WatchState, now_ms: int) -> float:
    """Return the seconds until a postponed action may be performed again; infinity where there is none."""
    wait_ms = state.not_before_ms - now_ms
    is_postponed = 0 < wait_ms <= LONGEST_WAIT_MS and due_action(state, state.not_before_ms) is not None
    return wait_ms / 1000 if is_postponed else inf


def requested(state: WatchState, watch: Watch) -> tuple[WatchState, Outcome]:
    """Return the state of a live watch with a request: for the next SMS, for the order's end, or to continue."""
    match watch.desired:
        case "next":
            return _next_requested(state, watch.next_after)
        case "finish" | "cancel":
            return _requested_anew(state).having(
                watch=state.watch.model_copy(update={"desired": watch.desired})
            ), "accepted"
        case _:
            return _prolonged(state, watch.expires_at), "accepted"


def answered(state: WatchState, action: Action, result: ActResult | ProviderError, now_ms: int) -> WatchState:
    """Return the state after the result of an action; the end of the watch is handled elsewhere.

    A failed request may still have been performed: the next poll shows it, or it is repeated, after growing waits.
    """
    match result:
        case "done":
            return _done(state, action, now_ms)
        case ProviderError(code="account_waits"):
            return state
        case "too_early" | ProviderError(code="early_cancel_denied"):
            return _postponed(state, action, result, _no_longer_early_ms(state, now_ms))
        case ProviderError(kind="unrecognised"):
            return _postponed(state, action, result, now_ms + UNCLEAR_MS)
        case _:
            return _failed(state, action, result, now_ms)


def is_to_be_closed(state: WatchState) -> bool:
    """Return whether the order's end at the provider is requested, and neither done nor refused."""
    return _closing(state) is not None


def never_done(state: WatchState, why: str, now_ms: int) -> WatchState:
    """Return the state of a watch that ends for this reason: a requested end that was not done counts as refused."""
    closing = _closing(state)
    return state if closing is None else _refused(state, closing, why, now_ms)


def after_sms(state: WatchState, old: int) -> WatchState:
    """Return the state after new SMS, `old` of which are history: they complete requests for the next SMS.

    History does not finish an order. For an activation it may cause a request for the next SMS: without one, no further
    SMS would be shown.
    """
    state = _with_next(state, _pending(state)).having(tries=0)
    if state.watch.after_sms == "request_next":
        state = state.having(given_up=False)
    is_old = state.watch.order_kind == "rent" or state.watch.after_sms == "finish"
    return state.having(old_count=state.old_count + old) if is_old else state


def without_obsolete_postponement(before: WatchState, after: WatchState) -> WatchState:
    """Return the state without a postponement, if the postponed action is no longer requested."""
    if not (after.not_before_ms or after.held_code) or _first_requested(before) == _first_requested(after):
        return after
    return _without_postponement(after)


def _requested_actions(state: WatchState) -> Iterator[Action]:
    """Yield the requested actions, an order's end before its next SMS. A postponement applies to the first."""
    if (closing := _closing(state)) is not None:
        yield closing
    is_next = state.sms_count in _pending(state) or (state.watch.after_sms == "request_next" and _has_new_sms(state))
    if is_next and state.asked_after < state.sms_count:
        yield "next"


def _first_requested(state: WatchState) -> tuple[Action | None, int]:
    """Return the first requested action, and for `next` after how many SMS: each is a request of its own."""
    action = next(_requested_actions(state), None)
    return action, state.sms_count if action == "next" else 0


def _closing(state: WatchState) -> Action | None:
    closing: Action | None = state.watch.desired if state.watch.desired in {"finish", "cancel"} else None
    if closing is None and state.watch.after_sms == "finish" and _has_new_sms(state):
        closing = "finish"
    return closing if closing != state.refused else None


def _has_new_sms(state: WatchState) -> bool:
    return state.sms_count > state.old_count and not state.given_up


def _next_requested(state: WatchState, after: int | None) -> tuple[WatchState, Outcome]:
    """Return the state with a request for the next SMS after this many, or after the present number.

    A request for a higher count is a different one: after a crash of ours, its sender may have seen SMS that are not in
    the state yet. It does not clear the postponement of a requested end.
    """
    pending = _pending(state)
    is_asked = state.asked_after == state.sms_count
    after = state.sms_count if after is None else after
    if after < state.sms_count or after in pending or (after == state.sms_count and is_asked):
        return state, "already"
    if state.refused == "next":
        state = _without_refusal(state)
    if _closing(state) is None:
        state = _without_postponement(state)
    return _with_next(state, (*pending, after)), "accepted"


def _requested_anew(state: WatchState) -> WatchState:
    """Return the state without the postponement and refusal of an earlier request."""
    return _without_postponement(_without_refusal(state))


def _without_refusal(state: WatchState) -> WatchState:
    return state.having(refused=None, refused_code=None, refused_ms=0)


def _without_postponement(state: WatchState) -> WatchState:
    return state.having(tries=0, not_before_ms=0, held_code=None)


def _postponed(
    state: WatchState, action: Action, result: ActResult | ProviderError, until_ms: int, *, tries: int = 0
) -> WatchState:
    """Return the state in which an action is postponed, unless another one was requested while it was in flight."""
    if _first_requested(state)[0] != action:
        return state
    return state.having(not_before_ms=until_ms, tries=tries, held_code=_code(result))


def _failed(state: WatchState, action: Action, result: ActResult | ProviderError, now_ms: int) -> WatchState:
    """Return the state in which an action was refused, or is repeated, after growing waits."""
    tried = _tried(state, action, result)
    match result:
        case ProviderError(kind="request_error", code="bad_action") if tried < MOST_TRIES:
            return _postponed(state, action, result, now_ms + FAILED_MS, tries=tried)
        case ProviderError(kind="denied" | "request_error"):
            return _refused(state, action, _code(result), now_ms)
        case _:
            shortest, longest = LOST_MS
            return _postponed(
                state, action, result, now_ms + min(longest, shortest << min(tried - 1, MOST_TRIES)), tries=tried
            )


def _tried(state: WatchState, action: Action, result: ActResult | ProviderError) -> int:
    """Return how many times in a row this action has failed in this way, including this time."""
    is_so = (state.held_code == "bad_action") == (_code(result) == "bad_action")
    return state.tries + 1 if is_so and _first_requested(state)[0] == action else 1


def _no_longer_early_ms(state: WatchState, now_ms: int) -> int:
    """Return when to repeat an action that was too early; `opened_at` may be from a clock ahead of ours."""
    opened_ms = min(now_ms, timestamps.to_epoch_ms(state.watch.opened_at))
    if now_ms >= opened_ms + EARLY_MS:
        return now_ms + STILL_EARLY_MS
    return max(now_ms + AT_LEAST_MS, opened_ms + EARLY_MS + MARGIN_MS)


def _code(result: ActResult | ProviderError) -> str:
    return result.code if isinstance(result, ProviderError) else result


def _prolonged(state: WatchState, expires_at: str | None) -> WatchState:
    if expires_at is None or expires_at <= state.watch.expires_at:
        return state
    return state.having(watch=state.watch.model_copy(update={"expires_at": expires_at}))


def _done(state: WatchState, action: Action, now_ms: int) -> WatchState:
    done = state.having(performed=action, performed_ms=now_ms, tries=0)
    if action == "next":
        done = with_boundary(done, "requested", now_ms).having(asked_after=state.sms_count)
    return without_obsolete_postponement(state, done)


def _refused(state: WatchState, action: Action, code: str, now_ms: int) -> WatchState:
    """Return the state in which a refused action is no longer requested, by a request or by `after_sms`."""
    state = _without_postponement(state).having(refused=action, refused_code=code, refused_ms=now_ms)
    if action == "next":
        later = tuple(each for each in _pending(state) if each != state.sms_count)
        state = _with_next(state, later)
    elif state.watch.desired == action:
        state = state.having(watch=state.watch.model_copy(update={"desired": "watch"}))
    by_itself = {"request_next": "next", "finish": "finish"}.get(state.watch.after_sms)
    return state.having(given_up=True) if action == by_itself else state


def _pending(state: WatchState) -> tuple[int, ...]:
    """Return the counts of SMS after which the next one is requested, lowest first; without the completed ones."""
    first = () if state.watch.next_after is None else (state.watch.next_after,)
    return tuple(each for each in (*first, *state.later_next) if each >= state.sms_count)


def _with_next(state: WatchState, counts: tuple[int, ...]) -> WatchState:
    first, *later = sorted(counts) or (None,)
    if first != state.watch.next_after:
        state = state.having(watch=state.watch.model_copy(update={"next_after": first}))
    return state.having(later_next=tuple(later))
