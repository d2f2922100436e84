"""What lies in a journal directory, read without disturbing the process that owns it."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bus.claim import is_aside, try_claim
from bus.journal import FILE_NAME

ASIDE: Final = "it was set aside as damaged or of another version: look what can be saved of it"


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """One process's journal directory."""

    directory: Path
    held: bool  # a living process owns it
    rows: int
    bytes: int
    oldest_ms: int | None  # timestamp of the oldest row
    problem: str | None  # why nobody publishes what is in it


def status(parent: Path) -> list[JournalStatus]:
    """Every journal under this directory, in the order in which they would be adopted; empty when there is none."""
    if not parent.is_dir():
        return []
    return [_status(path.parent) for path in sorted(parent.glob(f"*/{FILE_NAME}"))]


def _status(directory: Path) -> JournalStatus:
    claim = try_claim(directory)
    try:
        problem = ASIDE if is_aside(directory) else None
        return JournalStatus(directory, claim is None, *_rows(directory / FILE_NAME), problem=problem)
    except sqlite3.Error as error:
        return JournalStatus(directory, claim is None, 0, 0, None, problem=str(error))
    finally:
        if claim is not None:
            claim.release()


def _rows(path: Path) -> tuple[int, int, int | None]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
    try:
        rows, size, oldest = connection.execute(
            "SELECT count(*), coalesce(sum(size), 0), min(timestamp_ms) FROM rows"
        ).fetchone()
    finally:
        connection.close()
    return rows, size, oldest
