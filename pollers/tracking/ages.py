"""How old an SMS is when we see it first, and so whether it is news.

Providers' clocks are trusted as far as they go. A stated zone makes a time a moment. Where the zone is the one that the
configuration assumes, a time may be hours off, so that what our own answers prove goes before it: after an answer
without the SMS, the SMS is new. Only at the first look, when nothing else is known, does an assumed time say that an
SMS is older than the watch; that makes it `history`, and never drops it.
"""

from typing import Final

from pollers.tracking.state import WatchState
from providers.observation import SeenSms
from schemas import timestamps
from schemas.normalize import NO_TIME, ProviderTime, provider_time

AWAY_MS: Final = 10 * 60_000
"""Codes live five to ten minutes: after so long without a look, what is shown may be an old one."""
MARGIN_MS: Final = 60_000
"""How far the provider's clock may be behind ours: an SMS so little older than the watch came after it was opened."""
WESTERNMOST_MS: Final = 12 * 3_600_000
"""A time without a zone is at the latest what it is in UTC-12."""


def time_of(sms: SeenSms, now_ms: int, zone: str) -> ProviderTime:
    """Return the provider's time, read in `zone` where it states none."""
    return provider_time(sms.time_raw, now_ms=now_ms, zone=zone) if sms.time_raw is not None else NO_TIME


def freshness(before: WatchState, sms: SeenSms, now_ms: int, zone: str) -> str:
    """Return `live`, `recovered` or `history`; `before`: the state before the answer that shows the SMS."""
    time_ms = _moment_ms(time_of(sms, now_ms, zone))
    if before.first_look or before.reopened:
        return _at_first(before, now_ms, time_ms)
    if _is_old(before, sms, now_ms, time_ms):
        return "history" if _is_older(before, time_ms) else "recovered"
    return _by_absence(before, now_ms)


def is_skipped(before: WatchState, sms: SeenSms, now_ms: int) -> bool:
    """Tell whether an SMS is not published: `history: skip`, and it is older than the watch in whatever zone.

    In doubt it is published as `history`: who takes only what is live loses nothing by that, while an SMS that is
    dropped is lost. A watch that was opened again skips nothing: what came in the gap is older than its opening.
    """
    if before.watch.history != "skip" or before.opening:
        return False
    return _is_older(before, _latest_ms(sms, now_ms))


def _at_first(before: WatchState, now_ms: int, time_ms: int | None) -> str:
    """Return what an SMS is that is there already: nobody saw an answer without it since the watch was opened (again).

    A time since then says how old it is, unless it is ahead of us: then it is of another zone, and says nothing.
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
    """Tell whether an SMS is older than the watch, as far as the assumed zone goes."""
    return time_ms is not None and time_ms < _opened_ms(before) - MARGIN_MS


def _is_old(before: WatchState, sms: SeenSms, now_ms: int, time_ms: int | None) -> bool:
    """Tell whether an SMS came long before the last look: by a moment that is sure, or by the provider's own clock.

    A rent's times are all of one clock: what is much older than the newest SMS that we have counted is old in any zone.
    Where the list before was not whole, what is older at all was in the part that we did not see.
    """
    latest_ms = _latest_ms(sms, now_ms)
    if latest_ms is not None and latest_ms < before.looked_ms - AWAY_MS:
        return True
    if time_ms is None or before.watch.order_kind != "rent" or not before.counts:
        return False
    newest_ms = max(each.at for each in before.counts.values()) * 1000
    return time_ms < newest_ms - (AWAY_MS if before.complete else 0)


def _latest_ms(sms: SeenSms, now_ms: int) -> int | None:
    """Return the latest moment that the provider's time can mean."""
    time = time_of(sms, now_ms, "UTC")
    time_ms = _moment_ms(time)
    return time_ms + WESTERNMOST_MS if time_ms is not None and time.basis == "assumed" else time_ms


def _moment_ms(time: ProviderTime) -> int | None:
    return None if time.time is None else timestamps.to_epoch_ms(time.time)


def _opened_ms(state: WatchState) -> int:
    return timestamps.to_epoch_ms(state.watch.opened_at)
