"""The contents of a journal directory, read without disturbing the process that owns it."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bus.journal.claim import is_aside, is_closed, try_claim
from bus.journal.journal import (
    FILE_NAME,
    Journal,
    LoneLog,
    OtherVersion,
    columns_of,
    has_format,
    holds_files,
    open_file,
)
from bus.journal.rows import BROKEN, RawRow, RowName, Unread, damaged_in, found, insist_on_sound, salvaged
from bus.journal.skipped import Skip, take_out

SAVE: Final = "`smsbus journal export --directory {} --to FILE` saves what can be read; do that before you delete it"
ASIDE: Final = "it is quarantined ({} bytes of files): {}"
SOUND: Final = (
    "this version can read all of it: after `mv {0} {1}` a service that runs there publishes it within 30 s, and where "
    "none runs, `smsbus journal drain {1}`"
)
OTHER: Final = (
    "it is of another version ({}; {} rows can be read): `mkdir ELSEWHERE && mv {} ELSEWHERE/{}`, and then, with that "
    "version, `smsbus journal drain ELSEWHERE`"
)
DAMAGED: Final = "it is damaged ({}; {} rows can be read): " + SAVE
ROWS_DAMAGED: Final = "{} damaged: {} not published, but kept as a dead letter (`smsbus journal show` names it)"
CLOSED: Final = "{} cannot be opened by this user (permission denied): run it as the service's user"


class CannotLook(Exception):
    """The directory cannot be read; the text says why."""

    safe_to_log = True


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """One process's journal directory."""

    directory: Path
    held: bool  # a living process owns it
    rows: int | None  # None: damaged, so that nobody can count them
    bytes: int | None  # the same
    oldest_ms: int | None  # timestamp of the oldest row; the same
    damaged: int | None  # rows that are not what was written; they become dead letters; None: unknown
    problem: str | None  # why its messages are not published

    @property
    def damage(self) -> str | None:
        """The sentence about its damaged rows; None: it has none, or its problem says more."""
        if self.problem or not self.damaged:
            return None
        words = ("1 row is", "it is") if self.damaged == 1 else (f"{self.damaged} rows are", "they are")
        return ROWS_DAMAGED.format(*words)


class Found(NamedTuple):
    """The journals in a directory, in the order in which they would be adopted."""

    journals: list[Path]
    closed: list[str]  # those that this user cannot open, a sentence each


def journals(where: Path) -> list[Path]:
    """Return the journals that `look` finds. Raises `CannotLook` as it does, and where this user cannot open one."""
    found = look(where)
    if found.closed:
        raise CannotLook("\n".join(found.closed))
    return found.journals


def look(where: Path) -> Found:
    """Return the journals in a directory, or the one that it is.

    Raises `CannotLook`: it does not exist, or this user cannot open it.
    """
    try:
        there = sorted(where.iterdir())  # glob would find nothing instead
    except FileNotFoundError:
        raise CannotLook(f"{where} does not exist") from None
    except NotADirectoryError:
        raise CannotLook(f"{where} is not a directory") from None
    except PermissionError:
        raise CannotLook(CLOSED.format(where)) from None
    if not os.access(where, os.X_OK):
        raise CannotLook(CLOSED.format(where))
    found = [where] if holds_files(where) else there
    closed = [path for path in found if is_closed(path) and path.is_dir()]  # else just removed
    is_journal = [path for path in found if path not in closed and holds_files(path)]
    return Found(is_journal, [CLOSED.format(path) for path in closed])


def status(journals: Iterable[Path]) -> list[JournalStatus]:
    """Return the state of these journals."""
    return [_status(path) for path in journals]


def rows_of(directory: Path) -> Iterator[RawRow | Unread]:
    """Yield every row of a free journal, and what cannot be read of it; also if it is damaged or of another version."""
    try:
        opened = open_file(directory / FILE_NAME, "ro")
    except sqlite3.Error as error:
        yield Unread(1, None, str(error))
        return
    with closing(opened) as connection:
        connection.text_factory = bytes
        yield from salvaged(connection)


async def skip(directory: Path, name: RowName) -> Skip:
    """Remove a row from a journal that the caller holds (`bus.journal.claim`); see `bus.journal.skipped`.

    Raises OSError or `JournalUnwritable`: the row is still there.
    """
    journal = Journal(directory, max_bytes=0)
    try:
        await journal.open()
        row = await found(journal, name)
        return "unknown" if row is None else await take_out(journal, name, row)
    finally:
        await journal.close()


def _status(directory: Path) -> JournalStatus:
    claim = try_claim(directory)
    try:
        counted, problem = _counted(directory)
        if is_aside(directory):
            problem = problem or SOUND.format(directory, directory.with_suffix(""))
            problem = ASIDE.format(sum(path.stat().st_size for path in directory.iterdir() if path.is_file()), problem)
        return JournalStatus(directory, claim is None, *counted, problem=problem)
    finally:
        if claim is not None:
            claim.release()


def _counted(directory: Path) -> tuple[tuple[int | None, int | None, int | None, int | None], str | None]:
    """Return what `JournalStatus` counts, and the file's own problem."""
    try:
        return _rows(directory / FILE_NAME), None
    except LoneLog as error:
        problem = f"it is damaged: {error}"
    except OtherVersion as error:
        problem = OTHER.format(error, _readable(directory), directory, directory.stem)
    except BROKEN as error:
        problem = DAMAGED.format(error, _readable(directory), directory)
    return (None, None, None, None), problem


def _readable(directory: Path) -> int:
    """Return how many rows an export would write."""
    return sum(isinstance(row, RawRow) for row in rows_of(directory))


def _rows(path: Path) -> tuple[int, int, int | None, int | None]:
    with closing(open_file(path, "ro")) as connection:
        has_format(connection, columns_of(connection))
        connection.text_factory = bytes
        rows, size, oldest = connection.execute(
            "SELECT count(*), coalesce(sum(size), 0), min(timestamp_ms) FROM rows NOT INDEXED"
        ).fetchone()
        if not rows or is_aside(path.parent):
            insist_on_sound(connection)
        return rows, size, oldest, damaged_in(connection)
