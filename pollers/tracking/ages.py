"""How old an SMS is when it is first seen: its freshness.

Providers' times are trusted if they have a zone. If the zone is only assumed, from the settings, a time may be hours
off, so our own observations take precedence: after a poll without the SMS, the SMS is new. Only at the first poll, when
nothing else is known, an assumed time can make an SMS older than the watch; then it is `history`, and never dropped.
"""

from typing import Final

from pollers.tracking.state import WatchState
from providers.observation import SeenSms
from schemas import timestamps
from schemas.normalize import NO_TIME, ProviderTime, provider_time

AWAY_MS: Final = 10 * 60_000
"""Codes are valid for five to ten minutes: after so long without a poll, the code shown may be an old one."""
MARGIN_MS: Final = 60_000
"""How far the provider's clock may be behind ours: an SMS this much older than the watch still counts as newer."""
WESTERNMOST_MS: Final = 12 * 3_600_000
"""The latest possible meaning of a time without a zone is UTC-12."""


def time_of(sms: SeenSms, now_ms: int, zone: str) -> ProviderTime:
    """Return the provider's time, in `zone` if it has none."""
    return provider_time(sms.time_raw, now_ms=now_ms, zone=zone) if sms.time_raw is not None else NO_TIME


def freshness(before: WatchState, sms: SeenSms, now_ms: int, zone: str) -> str:
    """Return `live`, `recovered` or `history`; `before`: the state before the observation with the SMS."""
    time_ms = _moment_ms(time_of(sms, now_ms, zone))
    if before.first_look or before.reopened:
        return _at_first(before, now_ms, time_ms)
    if _is_old(before, sms, now_ms, time_ms):
        return "history" if _is_older(before, time_ms) else "recovered"
    return _by_absence(before, now_ms)


def is_skipped(before: WatchState, sms: SeenSms, now_ms: int) -> bool:
    """Return whether an SMS is not published: `history: skip`, and it is older than the watch in any zone.

    In doubt it is published as `history`: consumers can ignore that, while a dropped SMS is lost. A watch that was
    opened again skips nothing: what arrived in the gap is older than its opening.
    """
    if before.watch.history != "skip" or before.opening:
        return False
    return _is_older(before, _latest_ms(sms, now_ms))


def _at_first(before: WatchState, now_ms: int, time_ms: int | None) -> str:
    """Return the freshness of an SMS that the first poll since the (re)opening shows.

    A time since then says how old it is, unless it is in the future: then it is in another zone and says nothing.
    """
    since_ms = _opened_ms(before) - (0 if before.reopened else MARGIN_MS)
    if time_ms is not None and since_ms <= time_ms <= now_ms + MARGIN_MS:
        return "live" if now_ms - time_ms <= AWAY_MS else "recovered"
    if before.reopened:
        return "recovered"
    return "history" if before.watch.order_kind == "rent" or _is_older(before, time_ms) else _by_absence(before, now_ms)


def _by_absence(before: WatchState, now_ms: int) -> str:
    return "recovered" if now_ms - before.looked_ms > AWAY_MS else "live"


def _is_older(before: WatchState, time_ms: int | None) -> bool:
    """Return whether an SMS is older than the watch, given the assumed zone."""
    return time_ms is not None and time_ms < _opened_ms(before) - MARGIN_MS


def _is_old(before: WatchState, sms: SeenSms, now_ms: int, time_ms: int | None) -> bool:
    """Return whether an SMS arrived long before the last poll, by a time with a zone, or by the provider's own clock.

    A rent's times are all from one clock: what is much older than the newest counted SMS is old in any zone. If the
    list before was incomplete, anything older was in the part that was not seen.
    """
    latest_ms = _latest_ms(sms, now_ms)
    if latest_ms is not None and latest_ms < before.looked_ms - AWAY_MS:
        return True
    if time_ms is None or before.watch.order_kind != "rent" or not before.counts:
        return False
    newest_ms = max(each.at for each in before.counts.values()) * 1000
    return time_ms < newest_ms - (AWAY_MS if before.complete else 0)


def _latest_ms(sms: SeenSms, now_ms: int) -> int | None:
    """Return the latest possible meaning of the provider's time."""
    time = time_of(sms, now_ms, "UTC")
    time_ms = _moment_ms(time)
    return time_ms + WESTERNMOST_MS if time_ms is not None and time.basis == "assumed" else time_ms


def _moment_ms(time: ProviderTime) -> int | None:
    return None if time.time is None else timestamps.to_epoch_ms(time.time)


def _opened_ms(state: WatchState) -> int:
    return timestamps.to_epoch_ms(state.watch.opened_at)
