"""What a run of the matrix measured: a row a case, the table for a terminal, the JSON, the page's section.

`python -m tests.faults.figures` writes the results into docs/fault-testing.md, and their sum into README.md, from
docs/proof/matrix.json and docs/proof/matrix_lane_off.json.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROOF = ROOT / "docs" / "proof"
README, PAGE = ROOT / "README.md", ROOT / "docs" / "fault-testing.md"
RESULTS, LANE_OFF = PROOF / "matrix.json", PROOF / "matrix_lane_off.json"
BEGIN, END = "<!-- proof -->", "<!-- /proof -->"
MOST_VIOLATIONS = 10


@dataclass(frozen=True)
class Row:
    """One case. SMS are counted once, by their first 200 or their first showing."""

    case: str
    accepted: int = 0
    lost: int = 0
    unseen: int = 0
    """Shown by an answer to a process that died before it read it, and the order ended: the stated limit."""
    repeats: int = 0
    """Records with an id that an earlier one has."""
    ids: int = 0
    """SMS with more than one id."""
    shared: int = 0
    """Ids of more than one SMS."""
    disordered: int = 0
    slowest: float = 0.0
    """Seconds until the slowest answer to a callback during the fault."""
    p99_ms: float = 0.0
    """Of the answers during the fault, without its first second."""
    refused: int = 0
    """Honest 503s."""
    unanswered: int = 0
    """Tries without an answer."""
    other: int = 0
    """Anything that is neither 200 nor an honest 503."""
    drain_seconds: float | None = None
    """From the end of the fault until no journal held anything; None: never."""
    drain_rate: float | None = None
    """Records a second while more than 1000 waited; None: they never did."""
    pause: float = 0.0
    """Seconds that an SMS waited at its provider for a poll that showed it, at most."""
    late: float | None = None
    """Seconds by which an SMS was seen before one in front of it in its partition, at most; None: not measured then."""
    fast_lane: int = 0
    """Callbacks that never reached aiohttp, at least: what a process counted in its last half second is not seen."""
    seconds: float = 0.0
    """From the fault to its end."""
    violations: list[str] = field(default_factory=list)
    """At most ten."""
    not_run: str = ""
    """Why the case counts as not run: what the fault did not meet."""

    @property
    def good(self) -> bool:
        return not self.violations and not self.not_run

    @property
    def verdict(self) -> str:
        return "NOT RUN" if self.not_run else f"{len(self.violations)} WRONG" if self.violations else "ok"


COLUMNS: Mapping[str, str] = {
    "case": "case",
    "accepted": "accepted",
    "lost": "lost",
    "unseen": "unseen",
    "repeats": "repeats",
    "ids": "other ids",
    "shared": "shared ids",
    "disordered": "disorder",
    "slowest": "slowest s",
    "p99_ms": "p99 ms",
    "refused": "503",
    "unanswered": "no answer",
    "other": "other",
    "drain_seconds": "drain s",
    "drain_rate": "drain /s",
    "pause": "pause s",
    "late": "late s",
}
SUMMED = (
    *("accepted", "lost", "unseen", "repeats", "ids", "shared", "disordered"),
    *("refused", "unanswered", "other", "fast_lane"),
)
DECIMALS = {"slowest": 2, "p99_ms": 1, "drain_seconds": 1, "drain_rate": 0, "pause": 1, "late": 1}


def total(rows: Sequence[Row]) -> Row:
    """Return the sums and the worst of all rows; of the drain rates, the slowest."""
    sums = {name: sum(getattr(row, name) for row in rows) for name in SUMMED}
    return Row(
        case="all",
        **sums,
        slowest=max((row.slowest for row in rows), default=0.0),
        p99_ms=max((row.p99_ms for row in rows), default=0.0),
        drain_seconds=max((row.drain_seconds or 0.0 for row in rows), default=0.0),
        drain_rate=min((row.drain_rate for row in rows if row.drain_rate is not None), default=None),
        pause=max((row.pause for row in rows), default=0.0),
        late=max((row.late for row in rows if row.late is not None), default=None),
        seconds=sum(row.seconds for row in rows),
        violations=[words for row in rows for words in row.violations],
        not_run=", ".join(row.case for row in rows if row.not_run),
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows and their total, aligned, and below it in words what is wrong."""
    good = f"{sum(row.good for row in rows)} of {len(rows)} ok"
    cells = [[*COLUMNS.values(), ""], *([*_cells(row), row.verdict] for row in rows), [*_cells(total(rows)), good]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_aligned(each, widths) for each in cells]
    lines.insert(-1, "-" * max(map(len, lines)))
    lines += [f"{row.case}: NOT RUN: {row.not_run}" for row in rows if row.not_run]
    lines += [f"{row.case}: {words}" for row in rows for words in row.violations]
    return "\n".join(lines)


def results(rows: Sequence[Row], circumstances: Mapping[str, Any], older: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the JSON file holds: each case as it was last run, and under which circumstances that was.

    `older` is what the file held before: a mended case is run again without all the others.
    """
    runs = {row["case"]: row for row in older.get("rows", [])}
    return {"rows": list((runs | {row.case: asdict(row) | {"run": dict(circumstances)} for row in rows}).values())}


def only(results: Mapping[str, Any], cases: Collection[str]) -> dict[str, Any]:
    """Return the rows of these cases alone."""
    return {"rows": [row for row in results["rows"] if row["case"] in cases]}


def proof_section(results: Mapping[str, Any], cases: Collection[str], again: Mapping[str, Any] | None = None) -> str:
    """Return the page's section, without its marks; of `cases` it names those that have no row.

    `again` is the same matrix with other settings, of which only the sum is told.
    """
    read = rows_of(results)
    missing = [f"`{case}`" for case in cases if case not in {row.case for row in read}]
    words = [_sentences(results), *([f"Not shown, since it did not pass: {', '.join(missing)}."] if missing else [])]
    return "\n".join([*words, *([_again(again)] if again else []), "", *_markdown(read), ""])


def headline(results: Mapping[str, Any]) -> str:
    """Return what README.md says of the matrix, in one line."""
    every = total(rows_of(results))
    return (
        f"{len(results['rows'])} faults, {every.accepted:,} accepted SMS: {every.lost} lost, {every.disordered} out of "
        f"order, {every.repeats / max(1, every.accepted):.2%} repeated, under their id"
    )


def with_section(page: str, section: str) -> str:
    """Return the page with this section between the marks. Raises ValueError where they are missing."""
    return with_words(page, f"\n{section}")


def with_words(page: str, words: str) -> str:
    """Return the page with these words between the marks, in the middle of a line. Raises ValueError as above."""
    before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
    return f"{page[:before]}{words}{page[after:]}"


def rows_of(results: Mapping[str, Any]) -> list[Row]:
    """Return the rows that a JSON file holds."""
    return [Row(**{name: value for name, value in row.items() if name != "run"}) for row in results["rows"]]


def _sentences(results: Mapping[str, Any]) -> str:
    every, kafka = total(rows_of(results)), results["rows"][-1]["run"]["versions"]["kafka"]
    return (
        f"`make faults` ran {len(results['rows'])} faults ({_where(results)}, three nodes of Apache Kafka {kafka}).\n"
        f"{_sums(every)}\n"
        f"At least {every.fast_lane:,} callbacks were answered in the fast lane, before aiohttp.\n"
        f"The slowest response during a fault took {every.slowest:.1f} s; {every.refused:,} attempts got 503 with "
        f"`Retry-After`, {every.unanswered:,} got none because the process was down, {every.other} for other reasons."
    )


def _again(results: Mapping[str, Any]) -> str:
    settings = (setting for run in _runs(results) for setting in run["settings"].items())
    asked = " ".join(dict.fromkeys(f"--set {name}={value}" for name, value in settings))
    return (
        f"All {len(results['rows'])} again with `python -m tests.faults {asked}` ({_where(results)}).\n"
        f"{_sums(total(rows_of(results)))}"
    )


def _sums(every: Row) -> str:
    again = every.repeats / max(1, every.accepted)
    return (
        f"Of {every.accepted:,} accepted SMS, {every.lost} were lost, {every.ids} had more than one id, {every.shared} "
        f"shared an id, {every.disordered} were out of order; {again:.2%} were repeated, with their id."
    )


def _where(results: Mapping[str, Any]) -> str:
    runs = _runs(results)
    days, scales = _several([run["when"][:10] for run in runs]), _several([f"{run['scale']:g}" for run in runs])
    cores = " and ".join(sorted({str(run["machine"]["cores"]) for run in runs}))
    commits = _several([f"`{run['commit'][:12]}`" for run in runs])
    return f"{days}, commit {commits}, scale {scales}, {cores} cores"


def _runs(results: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row["run"] for row in results["rows"]]


def _several(words: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _markdown(rows: Sequence[Row]) -> list[str]:
    lines = [list(COLUMNS.values()), ["---", *("--:" for _ in list(COLUMNS)[1:])]]
    lines += [[f"`{row.case}`", *_cells(row)[1:]] for row in rows]
    lines.append([f"**{cell}**" for cell in _cells(total(rows))])
    return [f"| {' | '.join(line)} |" for line in lines]


def _cells(row: Row) -> list[str]:
    return [_cell(name, getattr(row, name)) for name in COLUMNS]


def _cell(name: str, value: object) -> str:
    if value is None:
        return "never" if name == "drain_seconds" else "-"
    return str(value) if isinstance(value, str) else f"{value:,.{DECIMALS.get(name, 0)}f}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join([first.strip().ljust(widths[0]), *rest])


if __name__ == "__main__":
    from tests.faults.matrix import PROVEN  # which needs this module

    results, lane_off = (only(json.loads(path.read_text("utf-8")), PROVEN) for path in (RESULTS, LANE_OFF))
    section = proof_section(results, PROVEN, lane_off)
    PAGE.write_text(with_section(PAGE.read_text("utf-8"), section), "utf-8")
    README.write_text(with_words(README.read_text("utf-8"), headline(results)), "utf-8")
