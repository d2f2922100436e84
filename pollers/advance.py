"""One answer further: what a watch's state becomes, which messages it makes, and what is wanted of the provider.

Pure: no I/O, no clock, no randomness. Every function returns a `Step`; the caller makes its messages durable, then
commits its state, then acts, and only then takes the next step of the same watch. The same state and the same answer
make the same ids, so that a step may be taken again after a crash.
"""

from typing import Final, NamedTuple

from pollers import acting, ending, levels, listings
from pollers.news import published
from pollers.observation import Ended, Gone, Last, Listing, NoCode, Observation, Trouble
from pollers.state import Action, ActResult, WatchState
from schemas import timestamps
from schemas.messages import SmsReceived, Watch, WatchEnded
from schemas.normalize import digits

__all__ = ["ActResult", "Action", "Step", "acted", "advance", "due_end", "is_news", "opened", "wanted"]

NOTED_EVERY_MS: Final = 5 * 60_000
"""How often a look that showed nothing new is noted nevertheless, so that an absence can be told after a restart."""


class Step(NamedTuple):
    """What follows. `state` is the very same object where nothing changed, and then need not be written.

    `WatchEnded` is the last message of a watch, after the SMS that it counts. `action` is wanted now, after a look; it
    comes again with every look until `acted` says what came of it.
    """

    state: WatchState
    messages: tuple[SmsReceived | WatchEnded, ...] = ()
    action: Action | None = None


def opened(watch: Watch, provider: str, now_ms: int) -> WatchState:
    """Return the first state of a watch. Give the watch to `wanted`, too: it may be one that is to stop."""
    return WatchState(
        watch=watch,
        provider=provider,
        key=digits(watch.recipient or "") or watch.watch_id,
        looked_ms=min(now_ms, timestamps.to_epoch_ms(watch.opened_at)),
    )


def advance(state: WatchState, observation: Observation, now_ms: int, *, zone: str = "UTC") -> Step:
    """Take in one answer. `zone` says how to read the provider's times that state none.

    An answer at or after `ending.deadline_ms` is the last one.
    """
    if state.ended is not None:
        return Step(state)
    if isinstance(observation, Trouble):
        return due_end(state, now_ms)
    if isinstance(observation, Gone):
        return _gone(state, now_ms)
    seen, messages = _look(state, observation, now_ms, zone)
    if isinstance(observation, Ended):
        return _end(state, seen, observation.reason, now_ms, messages)
    if now_ms >= ending.deadline_ms(seen):
        return _end(state, seen, "expired", now_ms, messages)
    return Step(_revised(state, seen), messages, acting.wish(seen, now_ms))


def is_news(state: WatchState, observation: Observation) -> bool:
    """Tell whether to fetch the full text first, and give `advance` a `Last` with it (`identity.with_full_text`).

    True for what `advance` would publish, and where only the text can tell: an answer without content, an equal code
    after our own request for the next SMS.
    """
    if state.ended is not None or state.watch.order_kind == "rent":
        return False
    match observation:
        case Last(sms):
            return levels.is_news(state, sms)
        case NoCode():
            return state.newest is None or state.newest.boundary == "seen"
        case _:
            return False


def wanted(state: WatchState, watch: Watch, now_ms: int) -> Step:
    """Take in the newest word about a watch, between two looks.

    Only `stop` has an effect at once. What is wanted of the provider is asked after the next look, which must begin
    later than this: an SMS that came meanwhile is seen before its order is closed.
    """
    if state.ended is not None:
        return Step(state)
    wishing = acting.rewished(state, watch)
    if watch.desired == "stop":
        return _end(state, wishing, "stopped", now_ms)
    return Step(_revised(state, wishing))


def acted(state: WatchState, action: Action, result: ActResult | Trouble, now_ms: int) -> Step:
    """Take in what came of an action. Look at once afterwards: whatever it was, the order may have changed."""
    if state.ended is not None:
        return Step(state)
    if result == "done" and action != "next":
        return _end(state, state, "finished" if action == "finish" else "cancelled", now_ms)
    return Step(_revised(state, acting.answered(state, action, result, now_ms)))


def due_end(state: WatchState, now_ms: int) -> Step:
    """End a watch whose last look was not answered for ten minutes; nothing happens before."""
    if state.ended is None and ending.is_overdue(state, now_ms):
        return _end(state, state, "expired", now_ms)
    return Step(state)


def _look(
    state: WatchState, observation: Observation, now_ms: int, zone: str
) -> tuple[WatchState, tuple[SmsReceived, ...]]:
    if state.watch.order_kind == "rent":
        seen, news = listings.look(state, observation, now_ms, zone)
    elif isinstance(observation, Listing):
        seen, news = listings.activation(state, observation.sms, now_ms)
    else:
        seen, news = levels.look(state, observation, now_ms)
    messages = []
    for found in news:
        seen, message = published(seen, found, now_ms, zone)
        messages.append(message)
    return _noted(state, seen, now_ms), tuple(messages)


def _noted(before: WatchState, seen: WatchState, now_ms: int) -> WatchState:
    """Return the state after a look that was answered."""
    if seen.newest is not None and seen.newest.boundary == "seen":
        seen = seen.having(asked_after=seen.sms_count)
    if seen.first_look and seen.watch.order_kind == "rent":
        seen = seen.having(old_count=seen.sms_count)
    seen = seen.having(gone_count=0, first_look=False)
    is_due = seen is not before or now_ms - before.looked_ms >= NOTED_EVERY_MS
    return seen.having(looked_ms=now_ms) if is_due else seen


def _gone(state: WatchState, now_ms: int) -> Step:
    gone, is_end = ending.gone_once_more(state, now_ms)
    if is_end or now_ms >= ending.deadline_ms(state):
        return _end(state, gone, "gone" if is_end else "expired", now_ms)
    return Step(_revised(state, gone))


def _end(
    before: WatchState, state: WatchState, reason: str, now_ms: int, messages: tuple[SmsReceived, ...] = ()
) -> Step:
    state, end = ending.ended(state, reason, now_ms)
    return Step(_revised(before, state), (*messages, end))


def _revised(before: WatchState, after: WatchState) -> WatchState:
    return after if after is before else after.having(revision=before.revision + 1)
