"""What a soak has shown, as a table and as figures for a file."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tests.faults.trend import RULE, Measure, Point, Series, Trend, trend

KEPT_POINTS = 240  # of a series in a file
ALL_THE_TIME = 0.8
HEAD = ("measure", "unit", "process", "first quarter", "last quarter", "per hour", "")


class Band(NamedTuple):
    """Something was wrong; seconds since the start."""

    name: str
    at: float
    until: float


class Report:
    """Of so many seconds. Judged is what lived nearly all the time; of what was killed there are only the points."""

    def __init__(self, seconds: float, series: Sequence[Series], bands: Sequence[Band]) -> None:
        self.seconds = seconds
        self.series = series
        self.bands = bands
        self._trends = list(self._judged())

    @property
    def growing(self) -> list[str]:
        """What grows, and where."""
        return [f"{measure.words} of {label}" for measure, label, each in self._trends if each.grows]

    def table(self) -> str:
        """Return a line for each measure of each process."""
        rows = [HEAD, *(_cells(*each) for each in self._trends)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(_aligned(row, widths) for row in rows)

    def results(self) -> dict[str, Any]:
        """Return what a JSON file holds."""
        trends = [{**measure._asdict(), "process": label, **each._asdict()} for measure, label, each in self._trends]
        points = {
            each.measure.words: {label: _thin(points) for label, points in each.points.items()} for each in self.series
        }
        return {"rule": RULE, "trends": trends, "faults": [band._asdict() for band in self.bands], "series": points}

    def _judged(self) -> Iterator[tuple[Measure, str, Trend]]:
        for measure, processes in self.series:
            for label, points in processes.items():
                lived = points[-1][0] - points[0][0]
                if measure.slack is not None and lived > self.seconds * ALL_THE_TIME:
                    yield measure, label, trend(points, measure.slack)


def _cells(measure: Measure, label: str, each: Trend) -> tuple[str, ...]:
    figures = (f"{each.first:,.1f}", f"{each.last:,.1f}", f"{each.per_hour:+,.1f}")
    return (measure.words, measure.unit, label, *figures, "GROWS" if each.grows else "no trend")


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    words = [cell.ljust(width) for cell, width in zip(cells[:3], widths, strict=False)]
    return "  ".join([*words, *(cell.rjust(width) for cell, width in zip(cells[3:], widths[3:], strict=True))])


def _thin(points: Sequence[Point]) -> list[Point]:
    """Return at most `KEPT_POINTS` of them, evenly spaced."""
    return [(round(at, 1), round(value, 2)) for at, value in points[:: -(-len(points) // KEPT_POINTS)]]
