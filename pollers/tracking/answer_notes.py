"""What is noted of an answer, whatever SMS it shows, and how often: no failing provider causes a commit a poll."""

import re
from typing import Final

from pollers.tracking.state import WatchState
from providers.observation import Gone, Observation, ProviderError, WaitingNext

NOTED_EVERY_MS: Final = 5 * 60_000
"""How often a look that showed nothing new is noted nevertheless, so that an absence can be told after a restart."""
CHANGED_EVERY_MS: Final = 60_000
"""How often it is noted that the provider answers otherwise than before."""
_INNER_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


def name(observation: Observation) -> str:
    """Return the class of an answer: `waiting_next`, `last`; the error's own word where it is one."""
    if isinstance(observation, ProviderError):
        return observation.code
    return _INNER_CAPITAL.sub("_", type(observation).__name__).lower()


def noted(before: WatchState, seen: WatchState, observation: Observation, now_ms: int) -> WatchState:
    """Return the state after an answer that says something about the order. `before`: the state before it."""
    if _is_awaited(before, seen, observation):
        seen = seen.having(asked_after=seen.sms_count)
    seen = seen.having(gone_count=0, first_look=False, reopened=False)
    if seen is before and now_ms - before.looked_ms < NOTED_EVERY_MS and not _is_other(before, observation, now_ms):
        return seen
    return seen.having(looked_ms=now_ms, answer=name(observation))


def noted_failure(state: WatchState, observation: ProviderError | Gone, now_ms: int) -> WatchState:
    """Return the state after an answer that says nothing about the order; nobody looked, as far as that goes."""
    is_due = now_ms - _last_note_ms(state) >= NOTED_EVERY_MS or _is_other(state, observation, now_ms)
    return state.having(answer=name(observation), noted_ms=now_ms) if is_due else state


def _is_other(state: WatchState, observation: Observation, now_ms: int) -> bool:
    return name(observation) != state.answer and now_ms - _last_note_ms(state) >= CHANGED_EVERY_MS


def _last_note_ms(state: WatchState) -> int:
    return max(state.looked_ms, state.noted_ms)


def _is_awaited(before: WatchState, seen: WatchState, observation: Observation) -> bool:
    """Tell whether this answer shows that the provider waits for the next SMS, whoever asked for it.

    Not what an answer of long ago showed: a watch that was opened again may ask anew.
    """
    if seen.newest is None or seen.newest.boundary != "seen":
        return False
    was_seen = before.newest is not None and before.newest.boundary == "seen"
    return isinstance(observation, WaitingNext) or not was_seen
