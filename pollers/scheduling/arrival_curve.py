"""When SMS arrive: the hazard of one service at one provider, learned from the looks at its orders.

The hazard at an age is how many of the orders that still wait get their SMS in the next second. It is kept for twenty
ranges of ages, each √2 times as long as the one before: SMS arrived over seconds waited, both fading.
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
"""A range's memory is half gone after so many more orders have passed through it."""
PRIOR_ORDERS: Final = 5.0
"""So many orders' worth of our own belief stand beside what was learned: the first SMS alone must not bend a curve."""

_WIDTHS: Final = (*(after - before for before, after in pairwise(EDGES)), EDGES[-1])
_ENDS: Final = (*EDGES[1:], inf)


def prior(age: float) -> float:
    """Return the hazard that we believe in before the first SMS: most come within 20-120 s, some much later.

    A fiftieth a second between 20 and 60 s; before that it rises, after that it falls to two fifths with each doubling.
    """
    age = max(age, 1.0)
    return 0.02 * min(age / 20, 1.0, pow(60 / age, 1.3))


_PRIOR: Final = tuple(prior(begin + width / 2) for begin, width in zip(EDGES, _WIDTHS, strict=True))


class Curve:
    """The arrival curve of one (provider, service). Ages are seconds since the SMS waited for was asked for."""

    __slots__ = ("_arrived", "_waited")

    def __init__(self) -> None:
        self._arrived = [0.0] * len(EDGES)
        self._waited = [0.0] * len(EDGES)

    def hazard(self, age: float) -> float:
        """Return SMS a second at this age, of an order that still waits. Never 0."""
        return self._hazard(_range(age))

    def polled(self, since: float, until: float, *, arrived: bool) -> None:
        """Learn from one look: nothing at age `since`, and at age `until` the SMS, or nothing again.

        When between the two an SMS arrived is not known. It is shared out over the ranges as the looks are, between
        evenly and as we believe: even would blur a peak, belief alone would never notice that a peak has moved.
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

        An integral, because the hazard changes within an interval: a quiet start must not skip the peak behind it.
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
        """Return the learned part, under a kilobyte. Six digits are kept."""
        return json.dumps([[float(f"{number:.6g}") for number in row] for row in (self._arrived, self._waited)])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the curve that `to_json` wrote. Raises ValueError for anything else, or of other ranges."""
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
    """Yield the ranges between two ages and the seconds in each; nothing of an empty or reversed interval."""
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
