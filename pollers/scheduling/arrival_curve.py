"""When SMS arrive: the hazard rate of one service at one provider, learned from the polls of its orders.

The hazard rate at an age is the share of the waiting orders that receive their SMS in the next second. It is estimated
for twenty ranges of ages, each √2 times as long as the one before, as SMS arrived over seconds waited, both decaying.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from math import inf, pow, sqrt  # noqa: A004 - this one returns a float, always
from typing import Final, Self

EDGES: Final = (0.0, *(5.0 * 2 ** (step / 2) for step in range(19)))
"""Where the ranges begin, in seconds: 0, 5, 7.1, 10 … 2560. The last one has no end."""

HALF_LIFE: Final = 200.0
"""The weight of a range's past halves after so many more orders have passed through it."""
PRIOR_ORDERS: Final = 5.0
"""The prior counts as much as so many orders, so that the first SMS alone does not change a curve much."""

_WIDTHS: Final = (*(after - before for before, after in pairwise(EDGES)), EDGES[-1])
_ENDS: Final = (*EDGES[1:], inf)


def prior(age: float) -> float:
    """Return the hazard rate assumed before anything is learned: most SMS come within 20-120 s, some much later.

    0.02 per second between 20 and 60 s; rising before that, and falling to two fifths with each doubling after that.
    """
    age = max(age, 1.0)
    return 0.02 * min(age / 20, 1.0, pow(60 / age, 1.3))


_PRIOR: Final = tuple(prior(begin + width / 2) for begin, width in zip(EDGES, _WIDTHS, strict=True))


class Curve:
    """The arrival curve of one (provider, service). Ages are seconds since the awaited SMS was requested."""

    __slots__ = ("_arrived", "_waited")

    def __init__(self) -> None:
        self._arrived = [0.0] * len(EDGES)
        self._waited = [0.0] * len(EDGES)

    def hazard(self, age: float) -> float:
        """Return the SMS per second at this age, for an order that still waits. Never 0."""
        return self._hazard(_range(age))

    def polled(self, since: float, until: float, *, arrived: bool) -> None:
        """Learn from one poll: no SMS at age `since`, and at age `until` the SMS, or still none.

        When in between the SMS arrived is not known. It is distributed over the ranges by √hazard, a compromise: evenly
        would blur a peak, by hazard alone would never notice that a peak has moved.
        """
        spans = list(_spans(since, until))
        attention = [seconds * sqrt(self._hazard(index)) for index, seconds in spans]
        total, waiting = sum(attention), 1.0
        for (index, seconds), part in zip(spans, attention, strict=True):
            share = part / total if arrived and total else 0.0
            self._learn(index, waited=seconds * (waiting - share / 2), arrived=share)
            waiting -= share

    def ahead(self, age: float, effort: float, limit: float) -> float:
        """Return after how many seconds ∫√hazard from `age` on reaches `effort`; at most `limit`.

        An integral, because the hazard changes within an interval: a low start must not skip a peak that follows.
        """
        passed = 0.0
        for index, seconds in _spans(age, age + limit):
            attention = sqrt(self._hazard(index))
            if attention * seconds >= effort:
                return passed + effort / attention
            effort -= attention * seconds
            passed += seconds
        return limit

    def to_json(self) -> str:
        """Return the learned values as JSON, less than a kilobyte, with six digits."""
        return json.dumps([[float(f"{number:.6g}") for number in row] for row in (self._arrived, self._waited)])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the curve that `to_json` wrote. Raises ValueError for anything else, including other ranges."""
        rows = json.loads(text)
        if not _is_ours(rows):
            message = "this is not an arrival curve of this version: start with a fresh one"
            raise ValueError(message)
        curve = cls()
        curve._arrived, curve._waited = ([float(number) for number in row] for row in rows)
        return curve

    def _hazard(self, index: int) -> float:
        belief = PRIOR_ORDERS * _WIDTHS[index]
        return (self._arrived[index] + belief * _PRIOR[index]) / (self._waited[index] + belief)

    def _learn(self, index: int, *, waited: float, arrived: float) -> None:
        keep = 0.5 ** (waited / (HALF_LIFE * _WIDTHS[index]))
        self._waited[index] = self._waited[index] * keep + waited
        self._arrived[index] = self._arrived[index] * keep + arrived


def _range(age: float) -> int:
    return max(bisect_right(EDGES, age) - 1, 0)


def _spans(since: float, until: float) -> Iterator[tuple[int, float]]:
    """Yield the ranges between two ages and the seconds in each; nothing for an empty or reversed interval."""
    since = max(since, 0.0)
    for index in range(_range(since), len(EDGES)):
        end = min(_ENDS[index], until)
        if end <= since:
            return
        yield index, end - since
        since = end


def _is_ours(rows: object) -> bool:
    return (
        isinstance(rows, list)
        and [len(row) if isinstance(row, list) else None for row in rows] == [len(EDGES)] * 2
        and all(isinstance(number, int | float) and 0 <= number < inf for row in rows for number in row)
    )
