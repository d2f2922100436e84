"""The results: one row for each contender, their table, and their JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, NamedTuple

Cells = list[list[str]]


@dataclass(frozen=True)
class Round:
    """One turn of one contender at one number of connections."""

    cpu_us: float
    """CPU of the server per request, microseconds."""
    rate: float
    """Requests per second."""
    accepted: int
    read_back: int = 0
    """Its SMS in Kafka."""


@dataclass
class Row:
    """One contender with one load. `void`: what was wrong with it; `not_run`: why it was not run."""

    name: str
    work: str
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    void: str = ""
    not_run: str = ""

    @property
    def good(self) -> bool:
        return not self.void and not self.not_run

    def cpu(self, connections: str) -> "Spread":
        return spread([each.cpu_us for each in self.rounds[connections]])

    def rate(self, connections: str) -> "Spread":
        return spread([each.rate for each in self.rounds[connections]])


class Spread(NamedTuple):
    """Median and range of several rounds."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def document(rows: Sequence[Row], circumstances: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the JSON file holds."""
    return {"run": dict(circumstances), "rows": [asdict(row) for row in rows]}


def rows_of(document: Mapping[str, Any]) -> list[Row]:
    """Return the rows that a JSON file holds."""
    return [
        Row(**row | {"rounds": {count: [Round(**each) for each in rounds] for count, rounds in row["rounds"].items()}})
        for row in document["rows"]
    ]


def table(rows: Sequence[Row]) -> Cells:
    """Return the cells of the table, its head first; the first row is the floor."""
    counts = list(rows[0].rounds)
    head = ["server", "work"]
    for count in counts:
        head += [f"CPU µs at {count}: median (min–max)", "÷ floor", "requests/s"]
    return [head, *([row.name, row.work, *_cells(row, rows[0], counts)] for row in rows)]


def _cells(row: Row, floor: Row, counts: Sequence[str]) -> list[str]:
    if not row.good:
        words = f"void: {row.void}" if row.void else f"not run: {row.not_run}"
        return [words, *[""] * (3 * len(counts) - 1)]
    cells = []
    for count in counts:
        cpu = row.cpu(count)
        ratio = cpu.median / floor.cpu(count).median
        cells += [
            f"{cpu.median:.1f} ({cpu.low:.1f}–{cpu.high:.1f})",
            f"{ratio:.2f}",
            f"{row.rate(count).median:,.0f}",
        ]
    return cells


def aligned(cells: Cells) -> str:
    """Return a table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) if number < 2 else cell.rjust(width) for number, (cell, width) in enumerate(line))
        for line in (list(zip(row, widths, strict=True)) for row in cells)
    )


def markdown(cells: Cells) -> str:
    """Return a table for a page."""
    head, *rows = cells
    rule = ["---" if number < 2 else "--:" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *rows])
