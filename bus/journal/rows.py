"""Rows of a journal with all their columns, for operators, who may want to keep or remove one."""

import base64
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bus.journal.journal import NAMES, ODD, Journal, is_intact, is_sound, row_of
from bus.record import TopicPartition

OCTETS: Final = frozenset({"key", "value", "headers"})  # in base64, whatever is in them
LAST_SEQ: Final = 2**63 - 1
TRIES: Final = 100_000  # row numbers to try after one that cannot be read: about a second
BROKEN: Final = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged file makes SQLite raise; Python cannot always read the message of its error."""
_PARSED: Final = tuple(name for name in NAMES if name != "size")
_ROWS: Final = "SELECT rows.rowid, rows.* FROM rows"


class RowName(NamedTuple):
    """One row of one journal. Both number and id must match."""

    journal: str
    """The name of its directory."""
    seq: int
    id: str


class Which(NamedTuple):
    """Selects rows, in order."""

    after: int = 0
    """Only rows of higher numbers."""
    limit: int = 1000
    lane: TopicPartition | None = None
    name: str | None = None
    """A number or an id."""

    def takes(self, row: "RawRow") -> bool:
        """Tell whether a row is selected, regardless of the limit."""
        return row.seq > self.after and (self.name in {None, str(row.seq), row.id}) and self.lane in {None, row.lane}


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row; texts are bytes, and damaged rows can have any value."""

    seq: int
    columns: dict[str, Any]
    intact: bool | None
    """Whether its checksum matches; None: another version wrote it."""

    @property
    def id(self) -> str:
        """Its id, made printable."""
        return _text(self.columns.get("id"))

    @property
    def lane(self) -> TopicPartition:
        """Its topic and partition, as far as they are readable."""
        topic = self.columns.get("topic")
        return (topic.decode(errors=ODD) if isinstance(topic, bytes) else str(topic)), self.number("partition")

    @property
    def value(self) -> bytes:
        """The event."""
        value = self.columns.get("value")
        return value if isinstance(value, bytes) else b""

    def number(self, name: str) -> int:
        """Return an integer column; 0 if it is damaged."""
        value = self.columns.get(name)
        return value if isinstance(value, int) else 0

    def whole(self) -> dict[str, Any]:
        """Return every column for JSON: bytes, and damaged texts, under `…_base64`."""
        facts: dict[str, Any] = {"seq": self.seq, "intact": self.intact}
        for name, value in self.columns.items():
            facts |= _fact(name, value)
        return facts


@dataclass(frozen=True, slots=True)
class Unread:
    """A range of row numbers that SQLite cannot read any longer; there may have been rows."""

    first: int
    last: int | None
    """None: up to the end."""
    reason: str

    def __str__(self) -> str:
        """Return the message for an operator."""
        if self.last is not None and self.last < self.first:  # reading on failed, asking for the next number did not
            return f"the file is damaged at row {self.first}, which was read all the same: {self.reason}"
        last = "the end" if self.last is None else self.last
        return f"rows from {self.first} to {last}, if there are any, cannot be read: {self.reason}"


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
    rows = await journal.query(lambda connection: page(connection, which, max_bytes=1))
    return next((row for row in rows if (row.seq, row.id) == (name.seq, name.id)), None)


def damaged_in(connection: sqlite3.Connection) -> int | None:
    """Return how many rows are not what was written; None: another version wrote them. Texts are bytes."""
    if not set(NAMES) <= {name.decode() for _, name, *_ in connection.execute("PRAGMA table_info(rows)")}:
        return None
    stored = connection.execute(
        "SELECT seq, id, topic, partition, key, value, headers, timestamp_ms, checksum FROM rows NOT INDEXED"
    )
    return sum(not is_intact(columns) for columns in stored)


def insist_on_sound(connection: sqlite3.Connection) -> None:
    """Raise `DatabaseError` where a main file and its log do not belong together: it may look as if it had no rows.

    A check that takes too long is no damage, as it is none at a start. Texts are bytes.
    """
    with suppress(sqlite3.OperationalError):
        if not is_sound(connection):
            message = "its pages do not fit together"
            raise sqlite3.DatabaseError(message)


def _where(which: Which) -> tuple[str, list[Any]]:
    where = ["rows.rowid > ?"]
    values: list[Any] = [which.after]
    if which.lane is not None:
        where.append("topic = CAST(? AS TEXT) AND partition IS ?")
        values += [which.lane[0].encode(errors=ODD), which.lane[1]]
    if which.name is not None:
        where.append("(rows.rowid = ? OR id = ?)")
        values += [int(which.name) if is_seq(which.name) else -1, which.name]
    return " AND ".join(where), [*values, which.limit]


def is_seq(name: str) -> bool:
    """Tell a row's number from an id, in which there is always a letter or a dash."""
    return name.isascii() and name.isdecimal() and int(name) <= LAST_SEQ


def salvaged(connection: sqlite3.Connection) -> Iterator[RawRow | Unread]:
    """Yield all readable rows in order, without using an index, and the ranges that cannot be read.

    Where reading fails, it continues at the next number whose row is on intact pages.
    """
    last, reason = 0, ""
    while True:
        try:
            for row in _rows_behind(connection, last):
                yield row
                last = row.seq
            if not last:
                insist_on_sound(connection)
        except BROKEN as error:
            reason = str(error)
        else:
            return
        row_behind = _next_whole(connection, last)
        yield Unread(last + 1, row_behind.seq - 1 if row_behind else None, reason)
        if row_behind is None:
            return
        yield row_behind
        last = row_behind.seq


def _rows_behind(connection: sqlite3.Connection, last: int) -> Iterator[RawRow]:
    cursor = connection.execute(f"{_ROWS} NOT INDEXED WHERE rows.rowid > ? ORDER BY rows.rowid", (last,))
    return (_raw(cursor, stored) for stored in cursor)


def _next_whole(connection: sqlite3.Connection, last: int) -> RawRow | None:
    for seq in range(last + 1, last + TRIES):
        with suppress(*BROKEN):
            cursor = connection.execute(f"{_ROWS} NOT INDEXED WHERE rows.rowid = ?", (seq,))
            for stored in cursor:
                return _raw(cursor, stored)
    return None


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
