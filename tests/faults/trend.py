"""Does something grow? Pure."""

from collections.abc import Sequence
from statistics import linear_regression, median
from typing import NamedTuple

WARM_UP, FACTOR = 0.1, 1.1
RULE = (
    f"no trend: the first {WARM_UP:.0%} of the time is warm-up; of the rest, the median of the last quarter is at most "
    f"{FACTOR:g} times the median of the first quarter, or a slack above it that is stated for each measure"
)
Point = tuple[float, float]
"""Seconds since the start, and a value."""


class Measure(NamedTuple):
    """Something that is looked at over time."""

    words: str
    unit: str
    slack: float | None
    """So much more is no growth, however little there was; None: it is shown and not judged."""


class Series(NamedTuple):
    """A measure over time, by the process that it is of."""

    measure: Measure
    points: dict[str, list[Point]]


class Trend(NamedTuple):
    """How a value went."""

    first: float
    """The median of the first quarter after the warm-up."""
    last: float
    """That of the last quarter."""
    per_hour: float
    """The slope by least squares, after the warm-up."""
    grows: bool


def trend(points: Sequence[Point], slack: float) -> Trend:
    """Judge points that are in order and evenly spaced: eight at least."""
    warm = points[int(len(points) * WARM_UP) :]
    values, quarter = [value for _, value in warm], len(warm) // 4
    first, last = median(values[:quarter]), median(values[-quarter:])
    slope = linear_regression([at for at, _ in warm], values).slope
    return Trend(first, last, slope * 3600, grows=last > max(FACTOR * first, first + slack))
