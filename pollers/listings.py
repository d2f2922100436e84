"""Answers that show all SMS of an order (rents): what is there more often than we have counted is new.

providers.md 7.4 and 7.6. The place in the list says nothing: the newest is first, so that all others move.
"""

from typing import Final

from pollers import identity, levels
from pollers.levels import Looked
from pollers.news import Found, counted, time_of
from pollers.observation import Last, Listing, Observation, SeenSms
from pollers.state import WatchState
from schemas import timestamps

FORGOTTEN_AFTER: Final = 48 * 3600
"""Seconds by which an SMS must be older than the newest before it is forgotten, once no answer shows it."""


def look(state: WatchState, observation: Observation, now_ms: int, zone: str) -> Looked:
    """Return what is new in an answer about a rent. An answer that shows only the last SMS is a list of one."""
    match observation:
        case Listing(listed):
            return _rent(state, listed, now_ms, zone)
        case Last(sms):
            return _rent(state, (sms,), now_ms, zone)
        case _:
            return state, ()


def activation(state: WatchState, listed: tuple[SeenSms, ...], now_ms: int) -> Looked:
    """Return what is new where an activation shows several SMS; a single one is looked at as the newest."""
    if len(listed) == 1:
        return levels.look(state, Last(listed[0]), now_ms)
    news: list[Found] = []
    for sms, content, _ in _more_than_counted(state, listed):
        state, found = levels.arrived(state, sms, content, now_ms)
        news += found
    return state, tuple(news)


def _rent(state: WatchState, listed: tuple[SeenSms, ...], now_ms: int, zone: str) -> Looked:
    old = state.first_look
    news: list[Found] = []
    for sms, content, mark in _more_than_counted(state, listed):
        state, n = counted(state, mark, _seconds(sms, now_ms, zone))
        if not (old and state.watch.history == "skip" and _is_before(state, sms, now_ms, zone)):
            news.append(Found(sms, content, n, "history" if old else None))
    return (_forgotten(state, listed) if news else state), tuple(news)


def _more_than_counted(state: WatchState, listed: tuple[SeenSms, ...]) -> list[tuple[SeenSms, identity.Content, str]]:
    seen: dict[str, int] = {}
    more = []
    for sms in listed:
        if (content := identity.content_of(state, sms)) is None:
            continue
        mark = identity.mark(state, content)
        seen[mark] = seen.get(mark, 0) + 1
        if seen[mark] > (state.counts[mark].times if mark in state.counts else 0):
            more.append((sms, content, mark))
    return more


def _is_before(state: WatchState, sms: SeenSms, now_ms: int, zone: str) -> bool:
    """Tell whether nothing says that the SMS came after the watch was opened."""
    time = time_of(sms, now_ms, zone).time
    return time is None or time < state.watch.opened_at


def _seconds(sms: SeenSms, now_ms: int, zone: str) -> int:
    time = time_of(sms, now_ms, zone).time
    return (now_ms if time is None else timestamps.to_epoch_ms(time)) // 1000


def _forgotten(state: WatchState, listed: tuple[SeenSms, ...]) -> WatchState:
    contents = (identity.content_of(state, sms) for sms in listed)
    shown = {identity.mark(state, content) for content in contents if content}
    oldest = max(each.at for each in state.counts.values()) - FORGOTTEN_AFTER
    return state.having(
        counts={mark: each for mark, each in state.counts.items() if mark in shown or each.at >= oldest}
    )
