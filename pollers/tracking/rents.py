"""Orders that show all of their SMS (rents): what is listed more often than it was counted is new.

docs/providers.md 5.3. The position in the list says nothing: the newest is first, so that all others move.
"""

from typing import Final

from pollers.tracking import activations, sms_content
from pollers.tracking.activations import WithNewSms
from pollers.tracking.ages import time_of
from pollers.tracking.messages import NewSms, counted
from pollers.tracking.state import WatchState
from providers.observation import Last, Listing, Observation, SeenSms
from schemas import timestamps

FORGOTTEN_AFTER: Final = 35 * 24 * 3600
"""Seconds after which an SMS that is no longer listed is forgotten: no rent lasts longer than a month."""


def new_sms(state: WatchState, observation: Observation, now_ms: int, zone: str) -> WithNewSms:
    """Return the new SMS in an observation of a rent. One that shows only the last SMS counts as an incomplete list."""
    match observation:
        case Listing(listed, complete):
            return _rent(state.having(complete=complete), listed, now_ms, zone, is_whole=complete)
        case Last(sms):
            return _rent(state, (sms,), now_ms, zone, is_whole=False)
        case _:
            return state, ()


def shows_new_sms(state: WatchState, listing: Listing) -> bool:
    """Return whether to fetch further pages: an SMS is not counted yet, or the previous list was incomplete."""
    return not state.complete or bool(_more_than_counted(state, listing.sms))


def activation(state: WatchState, listed: tuple[SeenSms, ...], now_ms: int) -> WithNewSms:
    """Return the new SMS of an activation that shows several; a single one is treated as its newest."""
    if len(listed) == 1:
        return activations.new_sms(state, Last(listed[0]), now_ms)
    new: list[NewSms] = []
    for sms, content, _ in _more_than_counted(state, listed):
        state, found = activations.arrived(state, sms, content, now_ms)
        new += found
    return state, tuple(new)


def _rent(state: WatchState, listed: tuple[SeenSms, ...], now_ms: int, zone: str, *, is_whole: bool) -> WithNewSms:
    new: list[NewSms] = []
    for sms, content, mark in _more_than_counted(state, listed):
        state, n = counted(state, mark, _seconds(sms, now_ms, zone))
        new.append(NewSms(sms, content, n))
    return (_forgotten(state, listed, now_ms) if new and is_whole else state), tuple(new)


def _more_than_counted(
    state: WatchState, listed: tuple[SeenSms, ...]
) -> list[tuple[SeenSms, sms_content.Content, str]]:
    seen: dict[str, int] = {}
    more = []
    for sms in listed:
        if (content := sms_content.content_of(state, sms)) is None:
            continue
        mark = sms_content.mark(state, content)
        seen[mark] = seen.get(mark, 0) + 1
        if seen[mark] > (state.counts[mark].times if mark in state.counts else 0):
            more.append((sms, content, mark))
    return more


def _seconds(sms: SeenSms, now_ms: int, zone: str) -> int:
    time = time_of(sms, now_ms, zone).time
    return (now_ms if time is None else timestamps.to_epoch_ms(time)) // 1000


def _forgotten(state: WatchState, listed: tuple[SeenSms, ...], now_ms: int) -> WatchState:
    """Return the state without SMS that will not be listed again; those in this list are kept, however old."""
    contents = (sms_content.content_of(state, sms) for sms in listed)
    shown = {sms_content.mark(state, content) for content in contents if content}
    oldest = now_ms // 1000 - FORGOTTEN_AFTER
    return state.having(
        counts={mark: each for mark, each in state.counts.items() if mark in shown or each.at >= oldest}
    )
