"""What is wanted of the provider. Nothing is, by default: an order is touched only when its watch asks for it."""

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
"""Orders cannot be cancelled in their first two minutes; asking in a loop helps nobody (docs/providers.md, trap 33)."""
MARGIN_MS: Final = 1000
AT_LEAST_MS: Final = 10_000
"""What was too early is not asked again sooner than this, wherever the provider's two minutes end."""
STILL_EARLY_MS: Final = 30_000
"""Some want five minutes."""
UNCLEAR_MS: Final = 120_000
FAILED_MS: Final = 30_000
LONGEST_WAIT_MS: Final = 300_000
"""What is to wait for longer was written before our clock was put back."""
MOST_TRIES: Final = 10
"""BAD_ACTION is what siblings answer to any internal error of theirs: ten in a row count (docs/providers.md 6)."""
LOST_MS: Final = (5_000, 240_000)
"""The shortest and the longest wait after a request that failed: it doubles, so that one order costs the others little.

Longer than `LONGEST_WAIT_MS` would not be believed."""


def due_action(state: WatchState, now_ms: int) -> Action | None:
    """Return what is to be asked of the provider, after a look; it stays so until `answered` says what came of it."""
    if state.ended is not None or 0 < state.not_before_ms - now_ms <= LONGEST_WAIT_MS:
        return None
    return next(_requested_actions(state), None)


def asked_again_in(state: WatchState, now_ms: int) -> float:
    """Return the seconds until what is wanted, and was held up, may be asked again; infinity where nothing is."""
    wait_ms = state.not_before_ms - now_ms
    is_held = 0 < wait_ms <= LONGEST_WAIT_MS and due_action(state, state.not_before_ms) is not None
    return wait_ms / 1000 if is_held else inf


def requested(state: WatchState, watch: Watch) -> tuple[WatchState, Outcome]:
    """Return the state of a live watch that is asked for the next SMS, for its end at the provider, or to go on."""
    match watch.desired:
        case "next":
            return _next_requested(state, watch.next_after)
        case "finish" | "cancel":
            return _afresh(state).having(watch=state.watch.model_copy(update={"desired": watch.desired})), "accepted"
        case _:
            return _prolonged(state, watch.expires_at), "accepted"


def answered(state: WatchState, action: Action, result: ActResult | ProviderError, now_ms: int) -> WatchState:
    """Return the state that knows what came of an action, its end excepted.

    A failed request may have been done all the same: the next look shows it, or it is asked for again, later each time.
    """
    match result:
        case "done":
            return _done(state, action, now_ms)
        case ProviderError(code="account_waits"):
            return state
        case "too_early" | ProviderError(code="early_cancel_denied"):
            return _held(state, action, result, _no_longer_early_ms(state, now_ms))
        case ProviderError(kind="unrecognised"):
            return _held(state, action, result, now_ms + UNCLEAR_MS)
        case _:
            return _failed(state, action, result, now_ms)


def is_to_be_closed(state: WatchState) -> bool:
    """The order's end at the provider is wanted, and neither done nor refused."""
    return _closing(state) is not None


def never_done(state: WatchState, why: str, now_ms: int) -> WatchState:
    """Return the state of a watch that ends for this reason: an end that was wanted and not done is refused with it."""
    closing = _closing(state)
    return state if closing is None else _refused(state, closing, why, now_ms)


def after_sms(state: WatchState, old: int) -> WatchState:
    """Return the state after new SMS, `old` of which are history: requests that they serve are done, tries begin anew.

    History finishes no order. It may make us ask an activation for its next SMS: without that none would come.
    """
    state = _with_next(state, _pending(state)).having(tries=0)
    if state.watch.after_sms == "request_next":
        state = state.having(given_up=False)
    is_old = state.watch.order_kind == "rent" or state.watch.after_sms == "finish"
    return state.having(old_count=state.old_count + old) if is_old else state


def let_go(before: WatchState, after: WatchState) -> WatchState:
    """Return the state without what held up the action that was wanted before, if that is not wanted any longer."""
    if not (after.not_before_ms or after.held_code) or _first(before) == _first(after):
        return after
    return _unheld(after)


def _requested_actions(state: WatchState) -> Iterator[Action]:
    """Yield what is wanted, an order's end before its next SMS: what holds anything up holds the first of it up."""
    if (closing := _closing(state)) is not None:
        yield closing
    is_next = state.sms_count in _pending(state) or (state.watch.after_sms == "request_next" and _has_new_sms(state))
    if is_next and state.asked_after < state.sms_count:
        yield "next"


def _first(state: WatchState) -> tuple[Action | None, int]:
    """Return what is wanted first, and which: each SMS has a next one of its own."""
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
    """Return the state that is asked for the next SMS after this many, or after those that there are.

    A request for a later count is another one: after a crash its sender may have seen SMS that we have yet to see.
    What an order's end waits for is not the next SMS's to forget.
    """
    pending = _pending(state)
    is_asked = state.asked_after == state.sms_count
    after = state.sms_count if after is None else after
    if after < state.sms_count or after in pending or (after == state.sms_count and is_asked):
        return state, "already"
    if state.refused == "next":
        state = _unrefused(state)
    if _closing(state) is None:
        state = _unheld(state)
    return _with_next(state, (*pending, after)), "accepted"


def _afresh(state: WatchState) -> WatchState:
    """Return the state without what held an earlier request up."""
    return _unheld(_unrefused(state))


def _unrefused(state: WatchState) -> WatchState:
    return state.having(refused=None, refused_code=None, refused_ms=0)


def _unheld(state: WatchState) -> WatchState:
    return state.having(tries=0, not_before_ms=0, held_code=None)


def _held(
    state: WatchState, action: Action, result: ActResult | ProviderError, until_ms: int, *, tries: int = 0
) -> WatchState:
    """Return the state in which an action waits; what was requested while it was under way does not wait for it."""
    if _first(state)[0] != action:
        return state
    return state.having(not_before_ms=until_ms, tries=tries, held_code=_code(result))


def _failed(state: WatchState, action: Action, result: ActResult | ProviderError, now_ms: int) -> WatchState:
    """Return the state in which an action was refused, or is tried again, later each time."""
    tried = _tried(state, action, result)
    match result:
        case ProviderError(kind="request_error", code="bad_action") if tried < MOST_TRIES:
            return _held(state, action, result, now_ms + FAILED_MS, tries=tried)
        case ProviderError(kind="denied" | "request_error"):
            return _refused(state, action, _code(result), now_ms)
        case _:
            shortest, longest = LOST_MS
            return _held(
                state, action, result, now_ms + min(longest, shortest << min(tried - 1, MOST_TRIES)), tries=tried
            )


def _tried(state: WatchState, action: Action, result: ActResult | ProviderError) -> int:
    """Return how many times in a row this action failed so, this time included."""
    is_so = (state.held_code == "bad_action") == (_code(result) == "bad_action")
    return state.tries + 1 if is_so and _first(state)[0] == action else 1


def _no_longer_early_ms(state: WatchState, now_ms: int) -> int:
    """Return when to ask again what was too early; a clock that is ahead of ours prolongs nothing."""
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
    return let_go(state, done)


def _refused(state: WatchState, action: Action, code: str, now_ms: int) -> WatchState:
    """Return the state in which a refused action is no longer wanted, whoever wanted it."""
    state = _unheld(state).having(refused=action, refused_code=code, refused_ms=now_ms)
    if action == "next":
        later = tuple(each for each in _pending(state) if each != state.sms_count)
        state = _with_next(state, later)
    elif state.watch.desired == action:
        state = state.having(watch=state.watch.model_copy(update={"desired": "watch"}))
    by_itself = {"request_next": "next", "finish": "finish"}.get(state.watch.after_sms)
    return state.having(given_up=True) if action == by_itself else state


def _pending(state: WatchState) -> tuple[int, ...]:
    """Return the counts of SMS after which the next one is wanted, lowest first; those that came are served."""
    first = () if state.watch.next_after is None else (state.watch.next_after,)
    return tuple(each for each in (*first, *state.later_next) if each >= state.sms_count)


def _with_next(state: WatchState, counts: tuple[int, ...]) -> WatchState:
    first, *later = sorted(counts) or (None,)
    if first != state.watch.next_after:
        state = state.having(watch=state.watch.model_copy(update={"next_after": first}))
    return state.having(later_next=tuple(later))
