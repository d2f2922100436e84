"""When to poll a watch again. Pure: time and randomness are arguments.

An SMS that arrives between two polls `x` seconds apart waits x/2 on average, and a poll costs a request. With a given
number of requests the mean wait is shortest if the density of polls follows √hazard (minimise hazard·x/2 + price/x over
x). So scarcity is one price for all watches of an account: `stretch` lengthens all intervals together.
"""

from dataclasses import dataclass
from typing import Final, Literal

from pollers.scheduling.arrival_curve import Curve
from pollers.settings import PollersSettings
from pollers.tracking import expiry
from pollers.tracking.state import WatchState
from schemas import timestamps

Phase = Literal["first", "next", "idle", "rent"]
"""`first`: no SMS yet. `next`: the next one was requested. `idle`: seen, none expected. `rent`: any time, for days."""

EFFORT: Final = 0.3
"""∫√hazard between two polls: 2 s at the prior's peak, 9 s after ten minutes. It means that a request is worth
0.3²/2 = 45 ms of one SMS's delay."""
JITTER: Final = 0.2
"""An interval is up to a fifth shorter, so that watches that started together do not stay in step. Costs 1 %."""
RUSH: Final = 3.0
"""Seconds of polling as often as allowed after the next SMS was requested: the provider shows a boundary only until
that SMS arrives, and without it an equal code would be taken for the old one (docs/providers.md 5.1)."""
RENT_INTERVAL: Final = 25.0
"""With jitter 20-25 s: a rent is polled for a month, and each response shows all of its SMS."""


@dataclass(frozen=True, slots=True)
class PollContext:
    """What the time of a watch's next poll depends on. Seconds."""

    phase: Phase
    age: float
    """Since the awaited SMS was requested: since the order was opened, or since its last `next`."""
    remaining: float
    """Until the watch's deadline."""


def usual_interval(
    context: PollContext, curve: Curve, settings: PollersSettings, *, stretch: float, at_least: float = 0.0
) -> float:
    """Return the seconds between this poll and the next, whatever the watch's deadline.

    From `min_interval` to `max_interval`, times `stretch` (≥ 1, the account's scarcity). `at_least` lengthens it, for a
    watch whose order fails or is covered by a list. The account's demand is computed from this interval; one that a
    deadline shortens would claim requests that are never sent.
    """
    return max(settings.min_interval, at_least, _interval(context, curve, settings, stretch))


def next_poll(usual: float, context: PollContext, settings: PollersSettings, *, chance: float) -> float:
    """Return in how many seconds to poll again, after a poll that has just ended.

    Between four fifths of the usual interval and all of it (`chance` is uniform in [0, 1)), at least `min_interval`.
    The last poll is exactly at the deadline, or now if that has passed.
    """
    seconds = max(settings.min_interval, usual * (1 - JITTER * chance))
    if seconds + settings.min_interval > context.remaining:
        return max(0.0, context.remaining)
    return seconds


def first_poll(usual: float, context: PollContext, settings: PollersSettings, *, chance: float) -> float:
    """Return in how many seconds to poll a new watch for the first time: anywhere within one interval.

    This spreads out watches that are opened or restored together.
    """
    return chance * next_poll(usual, context, settings, chance=0.0)


def demand(usual: float, *, stretch: float) -> float:
    """Return the requests per second that a watch with this interval would use if the budget were not scarce."""
    return stretch / usual


def _interval(context: PollContext, curve: Curve, settings: PollersSettings, stretch: float) -> float:
    match context.phase:
        case "idle":
            return settings.max_interval * stretch
        case "rent":
            return min(RENT_INTERVAL, settings.max_interval) * stretch
        case "next" if context.age < RUSH:
            return settings.min_interval * stretch
        case _:
            return curve.ahead(context.age, EFFORT * stretch, settings.max_interval * stretch)


def context_of(state: WatchState, now_ms: int) -> PollContext:
    """Return what a watch's state says about its next poll."""
    remaining = (expiry.deadline_ms(state) - now_ms) / 1000
    if state.watch.order_kind == "rent":
        return PollContext("rent", 0.0, remaining)
    if state.sms_count <= state.old_count:
        return PollContext("first", _seconds_since(timestamps.to_epoch_ms(state.watch.opened_at), now_ms), remaining)
    if (since_ms := state.awaited_since_ms) is not None:
        return PollContext("next", _seconds_since(since_ms, now_ms), remaining)
    return PollContext("idle", 0.0, remaining)


def _seconds_since(since_ms: int, now_ms: int) -> float:
    return max(0.0, (now_ms - since_ms) / 1000)
