"""When a watch ends, and its last message."""

from collections.abc import Mapping
from typing import Any, Final

from pollers.tracking.state import OpenWatch, WatchState
from schemas import timestamps
from schemas.messages import WatchEnded
from schemas.normalize import e164

GONE_TIMES: Final = 3
GONE_MS: Final = 30_000
"""An order is gone if the provider says so three times in a row over half a minute; once may be a lagging replica."""
KNOWN_MS: Final = 10_000
"""Another order must be known so much later than this one was unknown, to exclude a response that was in flight."""
ALL_GONE_MS: Final = 10 * 60_000
RENT_GRACE_MS: Final = 10 * 60_000
"""A rent is polled for so long after its end: for late SMS, and because of clocks and zones (docs/providers.md 5.3)."""
LAST_POLL_MS: Final = 10 * 60_000
"""How long the last poll is repeated if it fails."""
NOTHING_REQUESTED: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("gone_count", "gone_ms", "refused_ms", "performed_ms", "tries", "not_before_ms"), 0),
    **dict.fromkeys(("refused", "refused_code", "performed", "held_code"), None),
    "asked_after": -1,
    "later_next": (),
    "given_up": False,
}
"""The fields of a state without any requests or refusals; the rest is in the description."""
KEPT_MS: Final[Mapping[str, int]] = {"activation": 24 * 3_600_000, "rent": 7 * 24 * 3_600_000}
"""How long an ended watch is kept, so that repeated requests are recognised."""


def deadline_ms(state: WatchState) -> int:
    """Return when the last poll is due: its response ends the watch."""
    grace = RENT_GRACE_MS if state.watch.order_kind == "rent" else 0
    return timestamps.to_epoch_ms(state.watch.expires_at) + grace


def overdue_ms(state: WatchState) -> int:
    """Return when the time for a last poll is over: from then on `advance.due_end` ends the watch."""
    return deadline_ms(state) + LAST_POLL_MS


def forget_ms(state: WatchState) -> int:
    """Return when an ended watch is forgotten; for one that has not ended, the latest possible time."""
    if state.ended_at is None:
        return timestamps.LATEST_MS
    return timestamps.to_epoch_ms(state.ended_at) + KEPT_MS[state.watch.order_kind]


def gone_once_more(state: WatchState, now_ms: int, known_ms: int) -> tuple[WatchState, bool]:
    """Return the state after one more response that the order is unknown, and whether that ends the watch.

    `known_ms`: when the provider last knew another order of the account. If that was before this one was unknown, the
    provider probably has a problem with all orders, so the end takes longer.
    """
    since_ms = min(state.gone_ms, now_ms) if state.gone_count else now_ms  # our clock may have been set back
    count = min(state.gone_count + 1, GONE_TIMES)
    state = state.having(gone_count=count, gone_ms=since_ms)
    patience = GONE_MS if known_ms >= since_ms + KNOWN_MS else ALL_GONE_MS
    return state, count == GONE_TIMES and now_ms - since_ms >= patience


def ended(state: WatchState, reason: str, now_ms: int) -> tuple[WatchState, WatchEnded]:
    """Return the state of an ended watch, and its last message."""
    watch, ended_at = state.watch, timestamps.to_text(now_ms)
    recipient = state.recipient or watch.recipient
    message = WatchEnded(
        watch_id=watch.watch_id,
        provider=state.provider,
        account=watch.account,
        order_kind=watch.order_kind,
        order_id=watch.order_id,
        recipient=e164(recipient) if recipient is not None else None,
        client_ref=watch.client_ref,
        reason=reason,
        sms_count=state.sms_count,
        ended_at=ended_at,
        opening=state.opening,
    )
    return state.having(ended=reason, ended_at=ended_at, not_before_ms=0, held_code=None), message


def reopened(state: WatchState, watch: OpenWatch, now_ms: int) -> WatchState:
    """Return the state of a watch that is opened again. Ids and counts continue; no action is requested.

    `looked_ms` is the time of its end: it was not polled since.
    """
    end_ms = now_ms if state.ended_at is None else min(now_ms, timestamps.to_epoch_ms(state.ended_at))
    return state.having(
        watch=watch,
        opening=state.opening + 1,
        reopened=True,
        looked_ms=end_ms,
        old_count=state.sms_count,
        ended=None,
        ended_at=None,
        **NOTHING_REQUESTED,
    )
