"""What the state records of each response besides its SMS, and how often: errors must not cause a commit per poll."""

import re
from typing import Final

from pollers.tracking.state import WatchState
from providers.observation import Gone, Observation, ProviderError, WaitingNext

NOTED_EVERY_MS: Final = 5 * 60_000
"""How often a poll without anything new is recorded, so that a gap can be recognised after a restart."""
CHANGED_EVERY_MS: Final = 60_000
"""How often a different class of response is recorded."""
_INNER_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


def name(observation: Observation) -> str:
    """Return the class of a response: `waiting_next`, `last`; of an error, its code."""
    if isinstance(observation, ProviderError):
        return observation.code
    return _INNER_CAPITAL.sub("_", type(observation).__name__).lower()


def noted(before: WatchState, seen: WatchState, observation: Observation, now_ms: int) -> WatchState:
    """Return the state after a response about the order. `before`: the state before it."""
    if _is_awaited(before, seen, observation):
        seen = seen.having(asked_after=seen.sms_count)
    seen = seen.having(gone_count=0, first_look=False, reopened=False)
    if seen is before and now_ms - before.looked_ms < NOTED_EVERY_MS and not _is_other(before, observation, now_ms):
        return seen
    return seen.having(looked_ms=now_ms, answer=name(observation))


def noted_failure(state: WatchState, observation: ProviderError | Gone, now_ms: int) -> WatchState:
    """Return the state after a response that is not about the order; it does not count as a poll."""
    is_due = now_ms - _last_note_ms(state) >= NOTED_EVERY_MS or _is_other(state, observation, now_ms)
    return state.having(answer=name(observation), noted_ms=now_ms) if is_due else state


def _is_other(state: WatchState, observation: Observation, now_ms: int) -> bool:
    return name(observation) != state.answer and now_ms - _last_note_ms(state) >= CHANGED_EVERY_MS


def _last_note_ms(state: WatchState) -> int:
    return max(state.looked_ms, state.noted_ms)


def _is_awaited(before: WatchState, seen: WatchState, observation: Observation) -> bool:
    """Return whether this response shows that the provider waits for the next SMS, whoever requested it.

    Only if it is new in this response: a watch that was opened again may request the next SMS again.
    """
    if seen.newest is None or seen.newest.boundary != "seen":
        return False
    was_seen = before.newest is not None and before.newest.boundary == "seen"
    return isinstance(observation, WaitingNext) or not was_seen
