"""Rows of a journal as they lie there, every column of them: for people, who may want to keep or move one."""

import base64
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bus.journal import NAMES, ODD, Journal, LaneKey, row_of

OCTETS: Final = frozenset({"key", "value", "headers"})  # in base64, whatever is in them
LAST_SEQ: Final = 2**63 - 1
TRIES: Final = 5_000_000  # row numbers, from a damaged page on: half a minute, and more rows than a journal holds
_PARSED: Final = tuple(name for name in NAMES if name != "size")
_ROWS: Final = "SELECT rows.rowid, rows.* FROM rows"


class RowName(NamedTuple):
    """One row of one journal. Both number and id must fit."""

    journal: str
    """The name of its directory."""
    seq: int
    id: str


class Which(NamedTuple):
    """The rows that are asked for, in order."""

    after: int = 0
    """Only rows of higher numbers."""
    limit: int = 1000
    lane: LaneKey | None = None
    names: tuple[str, ...] = ()
    """Numbers and ids; none: all."""

    def takes(self, row: "RawRow") -> bool:
        """Tell whether a row is one of them, but for `after` and `limit`."""
        named = not self.names or str(row.seq) in self.names or row.id in self.names
        return named and (self.lane is None or row.lane == self.lane)


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row; texts are octets, and after one bad bit anything is possible."""

    seq: int
    columns: dict[str, Any]
    intact: bool | None
    """Its checksum fits; None: another version wrote it."""

    @property
    def id(self) -> str:
        """Its id, made printable."""
        return _text(self.columns.get("id"))

    @property
    def lane(self) -> LaneKey:
        """Its topic and partition, as far as they can be made out."""
        topic = self.columns.get("topic")
        return (topic.decode(errors=ODD) if isinstance(topic, bytes) else str(topic)), self.number("partition")

    @property
    def value(self) -> bytes:
        """The event."""
        value = self.columns.get("value")
        return value if isinstance(value, bytes) else b""

    def number(self, name: str) -> int:
        """Return a column of whole numbers; 0 where it holds none any longer."""
        value = self.columns.get(name)
        return value if isinstance(value, int) else 0

    def whole(self) -> dict[str, Any]:
        """Return every column for JSON: octets, and what is no text any longer, under `…_base64`."""
        facts: dict[str, Any] = {"seq": self.seq, "intact": self.intact}
        for name, value in self.columns.items():
            facts |= _fact(name, value)
        return facts


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows that SQLite does not give out any longer: those from the first number to the last, if there were any."""

    first: int
    last: int
    reason: str

    def line(self) -> str:
        """Say so."""
        last = "the end" if self.last == LAST_SEQ else str(self.last)
        return f"rows from {max(self.first, 1)} to {last} cannot be read: {self.reason}"


def page(connection: sqlite3.Connection, which: Which, max_bytes: int) -> list[RawRow]:
    """Return rows as a journal's own connection finds them, about `max_bytes` of them at most."""
    where, values = _where(which)
    found: list[RawRow] = []
    size = 0
    for stored in (cursor := connection.execute(f"{_ROWS} WHERE {where} ORDER BY rows.rowid LIMIT ?", values)):
        found.append(_raw(cursor, stored))
        size += len(found[-1].value)
        if size >= max_bytes:
            break
    return found


async def found(journal: Journal, name: RowName) -> RawRow | None:
    """Return the row of this number, if it has this id."""
    which = Which(after=name.seq - 1, limit=1)
    rows = await journal.look(lambda connection: page(connection, which, max_bytes=1))
    return next((row for row in rows if (row.seq, row.id) == (name.seq, name.id)), None)


def _where(which: Which) -> tuple[str, list[Any]]:
    where = ["rows.rowid > ?"]
    values: list[Any] = [which.after]
    if which.lane is not None:
        where.append("topic = CAST(? AS TEXT) AND partition IS ?")
        values += [which.lane[0].encode(errors=ODD), which.lane[1]]
    if which.names:
        marks = ",".join("?" * len(which.names))
        where.append(f"(rows.rowid IN ({marks}) OR id IN ({marks}))")
        values += [int(name) if is_seq(name) else -1 for name in which.names] + list(which.names)
    return " AND ".join(where), [*values, which.limit]


def is_seq(name: str) -> bool:
    """Tell a row's number from an id, in which there is always a letter or a dash."""
    return name.isascii() and name.isdecimal() and int(name) <= LAST_SEQ


def salvaged(connection: sqlite3.Connection) -> Iterator[RawRow | Unread]:
    """Yield what can be read of all rows, in order, past every index; and what cannot.

    They are read from the first on; from a failure on each number is tried, which finds rows on pages that are whole.
    """
    last = 0
    try:
        for stored in (cursor := connection.execute(f"{_ROWS} NOT INDEXED ORDER BY rows.rowid")):
            yield (row := _raw(cursor, stored))
            last = row.seq
    except sqlite3.Error as error:
        yield from _each(connection, last + 1, str(error))


def _each(connection: sqlite3.Connection, first: int, reason: str) -> Iterator[RawRow | Unread]:
    end = _highest(connection)
    lost: list[int] = []
    for seq in range(first, min(end, first + TRIES) + 1):
        try:
            found = connection.execute(f"{_ROWS} NOT INDEXED WHERE rows.rowid = ?", (seq,))
            row = next((_raw(found, stored) for stored in found), None)
        except sqlite3.Error as error:
            lost.append(seq)
            reason = str(error)
            continue
        if row is not None:
            if lost:
                yield Unread(lost[0], lost[-1], reason)
            lost = []
            yield row
    if lost or end > first + TRIES:
        yield Unread(lost[0] if lost else first + TRIES, end, reason)


def _highest(connection: sqlite3.Connection) -> int:
    """Return the highest number that there may be: of the rows, else of those that ever were."""
    for statement in (
        "SELECT seq FROM sqlite_sequence WHERE name = 'rows'",
        "SELECT rowid FROM rows NOT INDEXED ORDER BY rowid DESC LIMIT 1",
    ):
        try:
            found = connection.execute(statement).fetchone()
        except sqlite3.Error:
            continue
        if found and isinstance(found[0], int):
            return found[0]
    return LAST_SEQ


def _raw(cursor: sqlite3.Cursor, stored: Sequence[Any]) -> RawRow:
    seq, *rest = stored
    names = [name for name, *_ in cursor.description[1:]]
    columns = dict(zip(names, rest, strict=True))
    intact = row_of([columns[name] for name in _PARSED]).intact if set(NAMES) <= set(names) else None
    return RawRow(seq, columns, intact)


def _text(stored: object) -> str:
    return stored.decode(errors="backslashreplace") if isinstance(stored, bytes) else str(stored)


def _fact(name: str, value: object) -> dict[str, Any]:
    octets = value.encode() if isinstance(value, str) else value
    if not isinstance(octets, bytes):
        return {name: octets}
    if name not in OCTETS:
        try:
            return {name: octets.decode()}
        except UnicodeDecodeError:
            pass
    return {f"{name}_base64": base64.b64encode(octets).decode()}
