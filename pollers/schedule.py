"""When to look at a watch again. Pure: time and randomness are arguments.

An SMS that arrives between two looks `x` seconds apart waits x/2, a look costs a request. Of all ways to spend the same
requests the mean wait is shortest where looks are as dense as √hazard (minimise hazard·x/2 + price/x over x). So an
account's scarcity is one price for all of its watches: `stretch` lengthens all intervals together.
"""

from dataclasses import dataclass
from typing import Final, Literal

from pollers.curve import Curve
from pollers.settings import PollersSettings

Phase = Literal["first", "next", "idle", "rent"]
"""`first`: no SMS yet. `next`: the next one was asked for. `idle`: seen, none expected. `rent`: any time, for days."""

EFFORT: Final = 0.3
"""∫√hazard between two looks: 2 s apart at the prior's peak, 9 s after ten minutes. It says that a request is worth
0.3²/2 = 45 ms of one SMS's delay."""
JITTER: Final = 0.2
"""An interval is up to a fifth shorter than planned: watches that started together do not stay in step. Costs 1 %."""
RUSH: Final = 3.0
"""Seconds of looking as often as allowed after the next SMS was asked for: the provider's boundary is visible only
until that SMS comes, and without it an equal code would be taken for the old one (providers' state machine 7.1)."""
RENT_INTERVAL: Final = 25.0
"""With jitter 20-25 s: a rent costs requests for a month, and one answer of it shows all of its SMS."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What decides about a watch's next look. Seconds."""

    phase: Phase
    age: float
    """Since the SMS that is waited for was asked for: since the order was opened, or since its last `next`."""
    remaining: float
    """Until the watch's deadline."""


def next_look(waiting: Waiting, curve: Curve, settings: PollersSettings, *, stretch: float, chance: float) -> float:
    """Return in how many seconds to look again, after a look that has just ended.

    At least `min_interval`, at most `max_interval` times `stretch` and one `min_interval`; the last look is exactly at
    the deadline, now if that is over. `stretch` (≥ 1) is the account's scarcity, `chance` is uniform in [0, 1).
    """
    planned = _interval(waiting, curve, settings, stretch) * (1 - JITTER * chance)
    seconds = max(settings.min_interval, planned)
    if seconds + settings.min_interval > waiting.remaining:
        return max(0.0, waiting.remaining)
    return seconds


def first_look(waiting: Waiting, curve: Curve, settings: PollersSettings, *, stretch: float, chance: float) -> float:
    """Return in how many seconds to look for the first time since we know the watch: anywhere within one interval.

    Watches that are opened or restored together are spread out by it.
    """
    return chance * next_look(waiting, curve, settings, stretch=stretch, chance=0.0)


def demand(seconds: float, settings: PollersSettings, *, stretch: float) -> float:
    """Return the requests a second that a watch with this interval would like to have, were nothing scarce."""
    return stretch / max(seconds, settings.min_interval)


def _interval(waiting: Waiting, curve: Curve, settings: PollersSettings, stretch: float) -> float:
    match waiting.phase:
        case "idle":
            return settings.max_interval * stretch
        case "rent":
            return min(RENT_INTERVAL, settings.max_interval) * stretch
        case "next" if waiting.age < RUSH:
            return settings.min_interval * stretch
        case _:
            return curve.ahead(waiting.age, EFFORT * stretch, settings.max_interval * stretch)
