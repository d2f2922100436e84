"""What a soak has shown, as a picture: a field a measure, a line a process, grey where something was wrong."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tests.faults.soak_report import Band, Report
from tests.faults.trend import Point, Series

COLUMNS, WIDTH, HEIGHT = 2, 11, 2.4  # inches, of all and of a field
COLOURS = mpl.colormaps["tab10"].colors
GROUND = "0.9"


def plot(report: Report, path: Path) -> None:
    """Draw it into a PNG."""
    rows = -(-(len(report.series) + 1) // COLUMNS)
    figure = Figure(figsize=(WIDTH, HEIGHT * rows), layout="constrained")
    fields = figure.subplots(rows, COLUMNS, sharex=True).flat
    names = sorted({_name(label) for series in report.series for label in series.points})
    colours = dict(zip(names, COLOURS, strict=False))
    for axes, series in zip(fields, report.series, strict=False):
        _draw(axes, series, report.bands, colours)
    for axes in list(fields):
        axes.set_axis_off()
    _explain(figure.axes[len(report.series)], colours, report.bands)
    for axes in figure.axes[len(report.series) - COLUMNS : len(report.series)]:
        axes.set_xlabel("minutes")
        axes.tick_params(labelbottom=True)
    figure.savefig(path, dpi=110)


def _draw(axes: Axes, series: Series, bands: Sequence[Band], colours: dict[str, tuple[float, ...]]) -> None:
    for band in bands:
        axes.axvspan(band.at / 60, band.until / 60, color=GROUND, linewidth=0)
    for label, points in series.points.items():
        axes.plot(*_minutes(points), color=colours[_name(label)], linewidth=1)
    axes.set_title(series.measure.words, loc="left", fontsize=10)
    axes.set_ylabel(series.measure.unit)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)


def _explain(axes: Axes, colours: dict[str, tuple[float, ...]], bands: Iterable[Band]) -> None:
    lines = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    ground = Patch(color=GROUND, label=", ".join(dict.fromkeys(band.name for band in bands)))
    axes.set_axis_off()
    axes.legend(handles=[*lines, ground], loc="upper left", frameon=False)


def _minutes(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [at / 60 for at, _ in points], [value for _, value in points]


def _name(label: str) -> str:
    """Return the part, whichever start of it."""
    return label.partition("#")[0]
