"""How long an SMS may be visible before it must have been seen: the page's formula, here and nowhere else.

An order's poll interval is at most 30 s · max(1, Σ dᵢ / (0.95 · rate)) + 2 s. dᵢ is what an open order may claim of its
account's budget, requests a second: 1 in its first ten minutes without an SMS and after a `next`, 1/9 later
without an SMS, 1/30 after its SMS, 1/25 for a rent.

While the list of open orders is followed, one whose row does not change is polled every minute, or in 1.6 times the
interval above, whichever is longer: lists take up to a third of the budget. An order that was answered with n errors in
a row rests for 2ⁿ s, at most 300.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

LONGEST: Final = 30.0  # seconds between two polls where nothing is scarce
SLACK: Final = 2.0  # seconds: the request itself, and its place in the queue
HEADROOM: Final = 0.95
FRESH: Final = 600.0
RUSH: Final = 3.0
FRESH_DEMAND: Final = 1.0
LATE_DEMAND: Final = 1 / 9
SEEN_DEMAND: Final = 1 / 30
RENT_DEMAND: Final = 1 / 25
UNCHANGED: Final = 60.0
LISTS_TAKE: Final = 1.6
LAST_BACK_OFF: Final = 300.0


class Life(NamedTuple):
    """An order as far as it claims a budget. Seconds of the run's clock."""

    kind: str
    opened: float
    ended: float
    seen: Sequence[float] = ()
    """When each of its SMS was published."""
    asked: Sequence[float] = ()
    """When the next one was asked for."""


class Claim(NamedTuple):
    """From then on an order claims so many requests a second."""

    at: float
    demand: float


def claims(life: Life) -> list[Claim]:
    """Return what an order claims, in order of time; 0 in the end."""
    if life.kind == "rent":
        return [Claim(life.opened, RENT_DEMAND), Claim(life.ended, 0.0)]
    changes = [Claim(life.opened, FRESH_DEMAND), Claim(life.opened + FRESH, LATE_DEMAND)]
    if life.seen:
        changes = [each for each in changes if each.at < life.seen[0]]
    changes += [Claim(at, SEEN_DEMAND) for at in life.seen]
    for at in life.asked:
        # the phase after the rush is again that of an order that waits for an SMS
        changes += [Claim(at, FRESH_DEMAND), Claim(at + FRESH, LATE_DEMAND)]
    return [*(each for each in sorted(changes) if each.at < life.ended), Claim(life.ended, 0.0)]


class Demand:
    """The sum of what all orders of an account claim, at any time."""

    def __init__(self, lives: Iterable[Life]) -> None:
        steps: list[tuple[float, float]] = []
        for life in lives:
            before = 0.0
            for at, demand in claims(life):
                steps.append((at, demand - before))
                before = demand
        steps.sort()
        self._times = [at for at, _ in steps]
        self._sums = list(accumulate((change for _, change in steps), initial=0.0))

    def most(self, since: float, until: float) -> float:
        """Return the largest sum between two moments."""
        first, last = bisect_right(self._times, since), bisect_left(self._times, until)
        return max(self._sums[first : max(first, last) + 1])


def interval(demand: float, rate: float) -> float:
    """Return the longest time between two polls of an order, seconds, while the account is not backing off."""
    return LONGEST * max(1.0, demand / (HEADROOM * rate)) + SLACK


def overlap(since: float, until: float, spans: Iterable[tuple[float, float]]) -> float:
    """Return how many seconds of a time lie in these spans, which do not overlap each other."""
    return sum(max(0.0, min(until, end) - max(since, begin)) for begin, end in spans)


def listed_interval(usual: float) -> float:
    """Return the interval of an order in a list that is followed."""
    return max(UNCHANGED + SLACK, LISTS_TAKE * usual)


def back_off(errors: int) -> float:
    """Return how long an order rests after so many errors in a row."""
    return min(LAST_BACK_OFF, 2.0**errors) if errors else 0.0
