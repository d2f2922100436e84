"""`smsbus journal show|export|skip`: single rows of the journals, held by a process or not."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.account import is_terminal
from app.cli.exit import Code, Config, end, readable_errors, say, settings_for
from app.process import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.journals.free import FreeJournal
    from app.journals.held import HeldJournal
    from bus.journal.rows import Which

STDOUT = Path("-")

Directory = Annotated[
    Path | None,
    typer.Option(readable=False, help="A journal directory, or that of one process in it. Default: bus.journal_dir."),
]


def show(
    directory: Directory = None,
    lane: Annotated[str | None, typer.Option(metavar="TOPIC/PARTITION", help="Only this lane's rows.")] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="Print the oldest N rows of each journal.")] = 100,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line for each row; with --reveal every column.")
    ] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show numbers, codes and texts.")] = False,
    config: Config = None,
) -> None:
    """Print the rows of the journals in order, masked: journal, seq, id, lane, age, bytes, damaged or not, SMS.

    Of a dead letter its stage and reason.
    """
    from app.journals.free import journals_in
    from app.journals.query import lane_of
    from bus.journal.rows import Which

    wanted = lane_of(lane) if lane is not None else None
    if lane is not None and wanted is None:
        raise end(Code.USAGE, "--lane is TOPIC/PARTITION, like sms.received.v1/3")
    with readable_errors():
        settings = settings_for(config)
        where = directory or settings.bus.journal_dir
        with journals_in(where, settings) as journals:
            which = Which(limit=limit, lane=wanted)
            unread: list[str] = []
            row = None
            for row in _rows(journals, which, unread, reveal=reveal):
                typer.echo(json.dumps(row) if as_json else _as_line(row))
            if row is None and not unread:
                say(f"no rows in {where}")
        _insist_on_all(unread)


def export(
    to: Annotated[Path, typer.Option(metavar="FILE", help="A new file, readable only for this user; - for stdout.")],
    directory: Directory = None,
    config: Config = None,
) -> None:
    """Write every row with all its columns as JSON lines, values in base64; quarantined journals included.

    Rows that are damaged or cannot be read are reported, and the exit code is 1.
    """
    from app.journals.free import journals_in
    from bus.journal.rows import LAST_SEQ, Which

    with readable_errors():
        settings = settings_for(config)
        with journals_in(directory or settings.bus.journal_dir, settings) as journals:
            unread: list[str] = []
            rows = _rows(journals, Which(limit=LAST_SEQ), unread, reveal=True)
            found = _naming_damaged(rows, unread)
            count = _print(found) if to == STDOUT else _write(to, found)
        say(f"{'stdout' if to == STDOUT else to} has {_many(count, 'row')} of {_many(len(journals), 'journal')}")
        _insist_on_all(unread)


def skip(
    names: Annotated[list[str], typer.Argument(metavar="SEQ|ID…", help="Rows, as `smsbus journal show` has them.")],
    directory: Directory = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    config: Config = None,
) -> None:
    """Remove rows that cannot be published; their bytes are kept in skipped.jsonl, next to the journals.

    The rows behind them are then published. After a crash in between the row is in both: run skip again.
    """
    from app.journals.free import journals_in

    with readable_errors():
        settings = settings_for(config)
        where = directory or settings.bus.journal_dir
        with journals_in(where, settings) as journals:
            found, problems = _found(journals, list(dict.fromkeys(names)))
            if found:
                _agree([row for _, row in found], yes=yes)
            problems += [problem for journal, row in found if (problem := _skip(journal, row))]
        if problems:
            raise end(Code.FAILED, *problems)


def _rows(
    journals: "Iterable[FreeJournal | HeldJournal]", which: "Which", unread: list[str], *, reveal: bool
) -> "Iterator[dict[str, Any]]":
    for journal in journals:
        for row in journal.rows(which, reveal=reveal):
            if isinstance(row, dict):
                yield row
            else:
                unread.append(f"{journal.directory}: {row}")


def _naming_damaged(rows: "Iterable[dict[str, Any]]", problems: list[str]) -> "Iterator[dict[str, Any]]":
    for row in rows:
        if row["intact"] is False:
            problems.append(f"row {row['seq']} of {row['journal']} is damaged: it is written as it was read")
        yield row


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _insist_on_all(unread: list[str]) -> None:
    if unread:
        raise end(Code.FAILED, *unread)


def _print(rows: "Iterable[dict[str, Any]]") -> int:
    count = 0
    for row in rows:
        typer.echo(json.dumps(row))
        count += 1
    return count


def _write(path: Path, rows: "Iterable[dict[str, Any]]") -> int:
    """Write a new file and return the number of lines. An incomplete file is removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            count = 0
            for row in rows:
                file.write(f"{json.dumps(row)}\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return count


def _found(
    journals: "list[FreeJournal | HeldJournal]", names: list[str]
) -> "tuple[list[tuple[FreeJournal | HeldJournal, dict[str, Any]]], list[str]]":
    """Return the rows with these names, each once, and what is wrong with the other names."""
    from bus.journal.rows import Which, is_seq

    found: dict[tuple[str, int], tuple[FreeJournal | HeldJournal, dict[str, Any]]] = {}
    problems: list[str] = []
    for name in names:
        unread: list[str] = []
        which = Which(name=name, limit=2)
        here = [(each, row) for each in journals for row in _rows([each], which, unread, reveal=False)]
        problems += unread
        if not here:
            problems.append(f"no journal has row {name}; it may already be published")
        elif is_seq(name) and len(here) > 1:
            names_of = ", ".join(row["journal"] for _, row in here)
            problems.append(f"{name} is a row in each of {names_of}: give its id, or the --directory of one")
        else:
            found |= {(row["journal"], row["seq"]): (each, row) for each, row in here}
    return list(found.values()), problems


def _agree(rows: list[dict[str, Any]], *, yes: bool) -> None:
    """Ask for confirmation; end the command without it."""
    if yes:
        return
    if not is_terminal():
        raise end(Code.USAGE, "there is no terminal to ask on: add --yes to remove rows")
    for row in rows:
        say(_as_line(row))
    say("These will never be published; their bytes are kept. Remove them? [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise end(Code.FAILED, "nothing was removed")


def _skip(journal: "FreeJournal | HeldJournal", row: dict[str, Any]) -> str | None:
    """Remove a row and report it; return why it was not removed, if so."""
    from bus.journal.rows import RowName
    from bus.journal.skipped import FILE

    problem = journal.skip(RowName(row["journal"], row["seq"], row["id"]))
    if problem is None:
        typer.echo(f"skipped {row['journal']} {row['seq']} {row['id']}, kept in {journal.directory.parent / FILE}")
    return f"row {row['seq']} of {journal.directory}: {problem}" if problem else None


def _as_line(row: dict[str, Any]) -> str:
    from app.journals.row_facts import as_line

    return as_line(row, now_ms=now_ms())
