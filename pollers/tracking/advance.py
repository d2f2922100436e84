"""One step of a watch, for an observation or a request: its new state, its messages, and the action to perform.

Pure: no I/O, no clock, no randomness. Every function returns a `Step`. The caller makes its messages durable, then
commits its state, then performs its action, and only then takes the next step of the same watch. The same state and the
same observation produce the same ids, so that a step can be repeated after a crash; a request is applied only once.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from pollers.tracking import actions, activations, ages, answer_notes, expiry, rents
from pollers.tracking.messages import Messages, published
from pollers.tracking.state import WatchState
from pollers.watch_commands import described, last_applied, request_name
from providers.observation import Ended, Gone, Last, Listing, NoCode, Observation, ProviderError
from providers.results import Action, ActResult
from schemas import timestamps
from schemas.messages import SmsReceived, Watch, WatchEnded
from schemas.normalize import digits

FEW: Final = 20
"""With more SMS in one observation (usually a rent's first), messages are built one by one while they are accepted."""


class Step(NamedTuple):
    """The result of a step. `state` is the same object if nothing has changed; then it need not be written.

    `WatchEnded` is the last message of a watch, after the SMS that it counts. `action` is due now, after a poll; it is
    returned by every poll until `acted` takes its result.
    """

    state: WatchState
    messages: Sequence[SmsReceived | WatchEnded] = ()
    action: Action | None = None


def opened(watch: Watch, provider: str, now_ms: int) -> WatchState:
    """Return the first state of a watch, with its request applied. Pass a request to stop to `requested` as well."""
    state = WatchState(
        watch=described(watch, now_ms),
        provider=provider,
        key=digits(watch.recipient or "") or watch.watch_id,
        looked_ms=min(now_ms, timestamps.to_epoch_ms(watch.opened_at)),
        applied=None if watch.desired == "stop" else request_name(watch),
    )
    return actions.requested(state, watch)[0]


def requested(state: WatchState, watch: Watch, now_ms: int) -> Step:
    """Apply one request, once: `step.state` is `state` if it is the last one applied.

    Only `stop` and `watch` have an immediate effect. Actions follow the next poll, which must start after this: an SMS
    that has arrived meanwhile is seen before its order is closed.
    """
    name = request_name(watch)
    if name == last_applied(state):
        return Step(state)
    applied = state.having(applied=name)
    if watch.desired == "stop" and state.ended is None:
        return _end(state, applied.having(outcome="accepted"), "stopped", now_ms)
    if state.ended is None:
        after, outcome = actions.requested(applied, watch)
    elif watch.desired == "watch":
        after, outcome = expiry.reopened(applied, described(watch, now_ms), now_ms), "accepted"
    else:
        after, outcome = applied, "ended"
    return Step(_revised(state, after.having(outcome=outcome)))


def only_applied(before: WatchState, after: WatchState) -> bool:
    """Return whether a request had no effect except that it was applied: it requests what was requested already."""
    return after.having(applied=before.applied, outcome=before.outcome, revision=before.revision) == before


def withdrawn(state: WatchState, now_ms: int) -> Step:
    """End a watch whose record was deleted."""
    return Step(state) if state.ended is not None else _end(state, state, "stopped", now_ms)


def advance(
    state: WatchState, observation: Observation, now_ms: int, *, zone: str = "UTC", known_ms: int = timestamps.LATEST_MS
) -> Step:
    """Take one observation. `zone` applies to the provider's times that have no zone.

    `known_ms`: see `expiry.gone_once_more`.

    An observation at or after `expiry.deadline_ms` is the last one, unless the order's end is requested: that is tried
    for ten more minutes, since an order that stays open costs money.
    """
    if state.ended is not None:
        return Step(state)
    if isinstance(observation, ProviderError):
        return due_end(state, now_ms) if now_ms >= expiry.overdue_ms(state) else _failed(state, observation, now_ms)
    if isinstance(observation, Gone):
        return _gone(state, observation, now_ms, known_ms)
    seen, messages = _new_sms(state, observation, now_ms, zone)
    if isinstance(observation, Ended):
        return _end(state, seen, observation.reason, now_ms, messages)
    if now_ms >= _last_ms(seen):
        return _end(state, seen, "expired", now_ms, messages)
    return Step(_revised(state, seen), messages, actions.due_action(seen, now_ms))


def shows_new_sms(state: WatchState, observation: Observation) -> bool:
    """Return whether to fetch more before `advance`: an activation's full text, or further pages of a rent's SMS.

    For an activation: if `advance` would publish it, and if only the text can decide that (no content, or an equal code
    after our own request for the next SMS). Then pass `advance` a `Last` with the text (`sms_content.with_full_text`).
    """
    if state.ended is not None:
        return False
    match observation:
        case Listing() if state.watch.order_kind == "rent":
            return rents.shows_new_sms(state, observation)
        case Last(sms) if state.watch.order_kind != "rent":
            return activations.shows_new_sms(state, sms)
        case NoCode() if state.watch.order_kind != "rent":
            return state.newest is None or state.newest.boundary == "seen"
        case _:
            return False


def acted(state: WatchState, action: Action, result: ActResult | ProviderError, now_ms: int) -> Step:
    """Take the result of an action. Poll at once afterwards: whatever the result, the order may have changed."""
    if state.ended is not None:
        return Step(state)
    after = actions.answered(state, action, result, now_ms)
    if result == "done" and action != "next":
        return _end(state, after, "finished" if action == "finish" else "cancelled", now_ms)
    return Step(_revised(state, after))


def due_end(state: WatchState, now_ms: int) -> Step:
    """End a watch whose last poll has failed for ten minutes; before that, do nothing."""
    if state.ended is None and now_ms >= expiry.overdue_ms(state):
        return _end(state, state, "expired", now_ms)
    return Step(state)


def _new_sms(
    state: WatchState, observation: Observation, now_ms: int, zone: str
) -> tuple[WatchState, Sequence[SmsReceived]]:
    if state.watch.order_kind == "rent":
        seen, new = rents.new_sms(state, observation, now_ms, zone)
    elif isinstance(observation, Listing):
        seen, new = rents.activation(state, observation.sms, now_ms)
    else:
        seen, new = activations.new_sms(state, observation, now_ms)
    makers, old = [], 0
    for found in new:
        if not ages.is_skipped(state, found.sms, now_ms):
            seen, freshness, maker = published(state, seen, found, now_ms, zone)
            makers.append(maker)
            old += freshness == "history"
    if makers:
        seen = actions.after_sms(seen, old)
    messages = Messages(makers) if len(makers) > FEW else tuple(make() for make in makers)
    return actions.without_obsolete_postponement(state, answer_notes.noted(state, seen, observation, now_ms)), messages


def _failed(state: WatchState, error: ProviderError, now_ms: int) -> Step:
    """Note the error. A requested end of the order is still performed if only the response was not understood."""
    is_strange = error.kind == "unrecognised" and error.answered
    action = actions.due_action(state, now_ms) if is_strange else None
    noted = _revised(state, answer_notes.noted_failure(state, error, now_ms))
    return Step(noted, action=action if action == state.watch.desired and action != "next" else None)


def _gone(state: WatchState, observation: Gone, now_ms: int, known_ms: int) -> Step:
    gone, is_end = expiry.gone_once_more(state, now_ms, known_ms)
    gone = answer_notes.noted_failure(gone, observation, now_ms)
    if is_end or now_ms >= _last_ms(gone):
        return _end(state, gone, "gone" if is_end else "expired", now_ms)
    return Step(_revised(state, gone))


def _last_ms(state: WatchState) -> int:
    """Return from when on an observation ends the watch."""
    return expiry.overdue_ms(state) if actions.is_to_be_closed(state) else expiry.deadline_ms(state)


def _end(before: WatchState, state: WatchState, reason: str, now_ms: int, messages: Sequence[SmsReceived] = ()) -> Step:
    if reason in {"expired", "gone"}:
        state = actions.never_done(state, reason, now_ms)
    state, end = expiry.ended(state, reason, now_ms)
    return Step(_revised(before, state), (*messages, end))


def _revised(before: WatchState, after: WatchState) -> WatchState:
    return after if after is before else after.having(revision=before.revision + 1)
