"""The queue on disk: rows are kept here until Kafka has acknowledged them.

One SQLite file in WAL mode with `synchronous=FULL`, one thread that owns the connection. Writes that are requested
during a commit form the next commit (group commit), so all of them share one fsync.
"""

import asyncio
import json
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from bus.record import Record, TopicPartition

log = structlog.get_logger()
T = TypeVar("T")

FILE_NAME: Final = "journal.sqlite"
LOG_NAME: Final = f"{FILE_NAME}-wal"
NAMES: Final = ("seq", "id", "topic", "partition", "key", "value", "headers", "timestamp_ms", "size", "checksum")
COLUMNS: Final = (str, str, int, bytes, bytes, str, int)  # id to timestamp_ms
ODD: Final = "surrogateescape"  # how bytes that are not valid UTF-8 are kept in a text
CHECK_SECONDS: Final = 5.0  # at most, when a journal is opened; a full one of 1 GiB takes longer
AT_ONCE: Final = 500  # rows in one statement; an old SQLite allows 999
PROBE_BYTES: Final = 1024 * 1024  # at most
OVERWRITTEN: Final = "was overwritten"
MOVE_BACK: Final = (
    "move the files themselves back, and it goes on at once (a copy of them is used only after a restart). If they are "
    "gone, bring Kafka back first, since this process alone still has what was in them, then start smsbus again"
)
PUT_BACK: Final = (
    "bring Kafka back first, since this process alone still has what can be read of it, then start smsbus again. If "
    "Kafka stays away, put its whole directory back as it was, if there is a copy, and start smsbus again at once"
)
FORMAT: Final = 1
"""SQLite's `user_version`. A journal of another format is quarantined: the version that wrote it can publish it."""

LONE_LOG: Final = (
    f"its main file {FILE_NAME} is empty or missing, and its log {LOG_NAME} still holds messages, which SQLite would "
    f"delete: keep the log, and put {FILE_NAME} back beside it, as docs/runbook.md says under journal_quarantined"
)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rows (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  key BLOB NOT NULL, value BLOB NOT NULL, headers TEXT NOT NULL, timestamp_ms INTEGER NOT NULL,
  size INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS rows_by_lane ON rows (topic, partition, seq);
CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, at INTEGER);
"""

_BY_SOURCE: Final = """
SELECT substr(behind, 1, instr(behind, '"') - 1), count(*), sum(size)
FROM (SELECT size, substr(headers, instr(headers, '"ce_source","') + 13) AS behind {which}) GROUP BY 1
"""
"""Rows and bytes by `Record.source`, as the headers have it: in JSON without blanks, and of ASCII."""

_OF_SOME_LANE: Final = """
UPDATE rows SET topic = coalesce(CAST(topic AS TEXT), ''), partition = coalesce(CAST(partition AS INTEGER), 0)
WHERE typeof(topic) <> 'text' OR typeof(partition) <> 'integer'
"""
"""Repair the lane of a damaged row, so that a lane reads it and its checksum shows the damage."""


class LoneLog(sqlite3.DatabaseError):
    """The main file is empty or missing, and its log is not: even to read it, SQLite would delete the log."""


class OtherVersion(sqlite3.DatabaseError):
    """Another version of this program has written the file, or another program."""


class JournalUnwritable(Exception):
    """Nothing of this write is on disk: the disk is full or failing, or the journal's own limit is reached."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JournalDamaged(JournalUnwritable):
    """The file is not a valid journal: quarantine it, and continue with another."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record in the journal. `intact` is False when its checksum does not match: the bytes are what was read."""

    seq: int
    record: Record
    intact: bool


class Stored(NamedTuple):
    """The place of a record in the journal."""

    seq: int
    is_new: bool
    """False: its id was a row already, and that one stays as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    writes: bool
    answer: asyncio.Future[Any]


class Journal:
    """Append, read in order, delete after the ack. All methods belong to one event loop; none blocks it."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self.path = directory / FILE_NAME
        self.max_bytes = max_bytes
        self.rows = 0
        self.bytes = 0
        self.bytes_by_source: dict[str, int] = {}
        """Bytes by `Record.source`."""
        self.oldest_ms: int | None = None  # timestamp of the oldest row
        self.unwritable: str | None = None  # why a write failed; None when a probe has found room again
        self.damaged = False  # the file is not a valid journal any longer: only a restart quarantines it
        self._failed_bytes = 0  # of the newest write that failed
        self._files: Mapping[Path, os.stat_result] = {}  # as they were after the newest write
        self._problem: str | None = None  # what others have done to them
        self._newest: int | None = None  # row of the newest commit; a row behind it belongs to a commit that failed
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"journal {directory.name}", daemon=True)

    async def open(self) -> dict[TopicPartition, int]:
        """Open or create the file; return how many rows wait for each lane.

        Raises `JournalUnwritable` when the directory cannot hold a journal, `JournalDamaged` when it holds no journal.
        """
        self._thread.start()
        return await self._ask(self._opened, writes=True)

    async def mend_index(self) -> None:
        """Rebuild the indexes from the rows: a damaged index hides rows."""
        await self._ask(_reindexed, writes=True)

    async def rows_left(self) -> int:
        """Count the rows themselves, without an index."""
        return await self._ask(_rows_left, writes=False)

    def over_share(self, source: str) -> bool:
        """Tell whether it is more than half full, and more than half of that is this source's."""
        return 2 * self.bytes > self.max_bytes and 2 * self.bytes_by_source.get(source, 0) > self.bytes

    async def append(self, records: Sequence[Record]) -> list[Stored]:
        """Append the records; return their rows when all of them are fsynced.

        Raises `JournalUnwritable`: none of them is.
        """
        try:
            return await self._ask(lambda connection: self._insert(connection, records), writes=True)
        except JournalUnwritable:
            self._failed_bytes = min(sum(record.size for record in records), PROBE_BYTES)
            raise

    async def read(self, lane: TopicPartition, *, after: int, max_bytes: int) -> list[Row]:
        """The lane's oldest rows behind `after`, in order, at least one if there is any, about `max_bytes` in all."""
        return await self._ask(lambda connection: _select(connection, lane, after, max_bytes), writes=False)

    async def delete(self, seqs: Sequence[int]) -> None:
        """Delete exactly these rows. Raises `JournalUnwritable`: they are still there."""
        await self._ask(lambda connection: self._delete(connection, seqs), writes=True)

    async def query(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` reads on the journal's own connection; texts are bytes."""
        return await self._ask(work, writes=False)

    async def probe(self) -> bool:
        """Write as many bytes as the write that failed, and undo it: a full disk may still have room for less."""
        try:
            await self._ask(self._try_room, writes=True)
            await self._ask(self._has_room, writes=True)
        except JournalUnwritable:
            return False
        return True

    async def look(self) -> None:
        """Notice what others have done to the files, before a write needs them."""
        with suppress(JournalUnwritable):
            await self._ask(lambda _: self._check_files(), writes=True)

    async def close(self) -> None:
        """Finish all jobs, then close the file."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def alive(self) -> bool:
        """Whether the writer thread runs."""
        return self._thread.is_alive()

    async def _ask(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        answer: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, writes, answer))
        return await answer

    # ---- the writer thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while jobs := self._next_group():
            try:
                connection = connection or self._connected()
                answers = self._carry_out(connection, jobs)
                if any(isinstance(answers[job], JournalUnwritable) for job in jobs if not job.writes):
                    _dropped(connection)
                    connection = None
            except sqlite3.Error as error:
                answers = self._failed(connection, error, jobs)
                _dropped(connection)  # after an I/O error only a new connection is reliable
                connection = None
            self._loop.call_soon_threadsafe(_resolve, jobs, answers)
        if connection is not None and self.rows and (problem := self._file_problem()):
            log.error("journal_not_in_place", file=str(self.path), reason=problem, rows=self.rows)
        _dropped(connection)

    def _connected(self) -> sqlite3.Connection:
        """A failed commit may still be in the file: delete rows that were never confirmed, and count the rest."""
        connection = _connect(self.path)
        self._files, self._problem = _files(self.path), None
        if self._newest is not None:
            connection.execute("DELETE FROM rows WHERE seq > ?", (self._newest,))
            self._count(connection)
        return connection

    def _next_group(self) -> list[_Job]:
        """Wait for a job, then take everything that queued up meanwhile; empty at the end."""
        jobs = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if self._jobs.empty():
                return jobs
            job = self._jobs.get()
        if jobs:
            self._jobs.put(None)
        return jobs

    def _carry_out(self, connection: sqlite3.Connection, jobs: Iterable[_Job]) -> dict[_Job, Any]:
        """Writes in one transaction, then reads, so that nothing is read that a failed commit would undo."""
        answers: dict[_Job, Any] = {}
        writes = [job for job in jobs if job.writes]
        if writes:
            rows, size, held = self.rows, self.bytes, dict(self.bytes_by_source)
            try:
                answers = self._run_writes(connection, writes)
            except sqlite3.Error:
                self.rows, self.bytes, self.bytes_by_source = rows, size, held
                raise
        for job in jobs:
            if not job.writes:
                answers[job] = self._run_read(connection, job)
        return answers

    def _run_read(self, connection: sqlite3.Connection, job: _Job) -> object:
        """Return the job's result, or its own error; it does not affect the other jobs of the commit."""
        try:
            return job.work(connection)
        except sqlite3.Error as error:
            return self._failed(connection, error, [job])[job]

    def _run_writes(self, connection: sqlite3.Connection, jobs: Iterable[_Job]) -> dict[_Job, Any]:
        answers: dict[_Job, Any] = {}
        before, self._problem = self.rows, self._file_problem()
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            try:
                answers[job] = job.work(connection)
            except JournalUnwritable as refusal:
                answers[job] = refusal
                self.unwritable = refusal.reason
        connection.execute("COMMIT")
        self.oldest_ms, self._newest = _ends(connection)
        if before and not self.rows:
            _quietly(connection, "PRAGMA wal_checkpoint(TRUNCATE)")  # the log still contains what was deleted
        if self._problem is None:
            self._files = _files(self.path)
        return answers

    def _failed(
        self, connection: sqlite3.Connection | None, error: sqlite3.Error, jobs: Iterable[_Job]
    ) -> dict[_Job, Any]:
        if connection is not None:
            _quietly(connection, "ROLLBACK")
            _quietly(connection, "PRAGMA wal_checkpoint(RESTART)")  # gives a full disk's log space back
        if not isinstance(error, sqlite3.OperationalError):  # full disks and failing writes are operational
            self.damaged = self.damaged or isinstance(error, LoneLog) or _is_damaged(self.path)
        what = "cannot be written" if any(job.writes for job in jobs) else "cannot be read"
        self.unwritable = f"the journal at {self.path} {'is damaged' if self.damaged else what}: {error}"
        return dict.fromkeys(jobs, (JournalDamaged if self.damaged else JournalUnwritable)(self.unwritable))

    def _opened(self, connection: sqlite3.Connection) -> dict[TopicPartition, int]:
        """Rebuild indexes that do not match the rows. A damaged row is found by its checksum when it is read."""
        try:
            if not is_sound(connection):
                _reindexed(connection)
                _read_through(connection)
                _deletable(connection)
                connection.execute(_OF_SOME_LANE)
                log.error("journal_index_damaged", file=str(self.path), mended=True)
        except sqlite3.OperationalError:  # interrupted
            log.warning("journal_check_unfinished", file=str(self.path), seconds=CHECK_SECONDS)
        return self._count(connection)

    def _count(self, connection: sqlite3.Connection) -> dict[TopicPartition, int]:
        lanes = connection.execute("SELECT topic, partition, count(*), sum(size) FROM rows GROUP BY 1, 2").fetchall()
        self.rows = sum(count for _, _, count, _ in lanes)
        self.bytes = sum(_typed(int, size) for _, _, _, size in lanes)
        self.bytes_by_source = {source: size for source, _, size in _by_source(connection, "FROM rows")}
        return {(_typed(str, topic), partition): count for topic, partition, count, _ in lanes}

    def _insert(self, connection: sqlite3.Connection, records: Sequence[Record]) -> list[Stored]:
        self._check_files()
        self._check_limit(sum(record.size for record in records))
        stored = [_insert_one(connection, record) for record in records]
        self.rows += sum(each.is_new for each in stored)
        for record, each in zip(records, stored, strict=True):
            if each.is_new:
                self._add(record.source, record.size)
        return stored

    def _add(self, source: str, size: int) -> None:
        self.bytes += size
        self.bytes_by_source[source] = self.bytes_by_source.get(source, 0) + size

    def _check_files(self) -> None:
        """Refuse to write to files that are not ours any more: what is written there ends with this process."""
        if self._problem is not None:
            what_to_do = PUT_BACK if self._problem == OVERWRITTEN else MOVE_BACK
            message = f"the journal at {self.path} {self._problem} while it was in use: {what_to_do}"
            raise JournalUnwritable(message)

    def _file_problem(self) -> str | None:
        """Return what others have done to the files; None: nothing. Of SQLite's files none ever gets shorter by itself.

        SQLite's own check of moved files is not for its WAL mode.
        """
        if self._problem == OVERWRITTEN:
            return OVERWRITTEN  # for good: the next write made it longer again
        for path, known in self._files.items():
            try:
                now = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return "was deleted or moved"
            except OSError as error:
                return f"was made unreadable ({error.strerror})"
            if (now.st_dev, now.st_ino) != (known.st_dev, known.st_ino):
                return "was replaced"
            if now.st_size < known.st_size:
                return OVERWRITTEN
        return None

    def _check_limit(self, size: int) -> None:
        if self.bytes + size > self.max_bytes:
            message = f"the journal at {self.path} has reached its limit of {self.max_bytes} bytes"
            raise JournalUnwritable(message)

    def _try_room(self, connection: sqlite3.Connection) -> None:
        self._check_files()
        self._check_limit(self._failed_bytes)
        connection.execute("REPLACE INTO probe VALUES (1, zeroblob(?))", (self._failed_bytes,))

    def _has_room(self, connection: sqlite3.Connection) -> None:
        connection.execute("REPLACE INTO probe VALUES (1, 1)")
        self.unwritable = None

    def _delete(self, connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
        for first in range(0, len(seqs), AT_ONCE):
            some = seqs[first : first + AT_ONCE]
            which = f"FROM rows WHERE seq IN ({','.join('?' * len(some))})"
            for source, count, size in _by_source(connection, which, some):
                self.rows -= count
                self._add(source, -size)
            connection.execute(f"DELETE {which}", some)


# ---- SQLite, one statement each --------------------------------------------------------------------------------


def open_file(path: Path, mode: str, **options: Any) -> sqlite3.Connection:  # noqa: ANN401 - of `sqlite3.connect`
    """Open a journal's file, in this mode of SQLite. Raises `LoneLog`."""
    if _size(path.with_name(LOG_NAME)) and not _size(path):
        raise LoneLog(LONE_LOG)
    connection: sqlite3.Connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=1, **options
    )
    return connection


def holds_files(directory: Path) -> bool:
    """Tell whether a journal's main file is in a directory, or its log alone."""
    return any(os.access(directory / name, os.F_OK) for name in (FILE_NAME, LOG_NAME))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise sqlite3.OperationalError(str(error)) from error


def _connect(path: Path) -> sqlite3.Connection:
    existed = path.exists()
    connection = open_file(path, "rwc", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # a published SMS must not stay readable on the disk
    columns = columns_of(connection)
    is_marked = has_format(connection, columns)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_SCHEMA)
    if not is_marked:
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    if not columns:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that without its log it is no new journal
    if not columns and existed:
        log.error("journal_emptied", file=str(path))
    connection.text_factory = bytes  # an invalid text is one damaged row, not an error of the whole read
    return connection


def _files(path: Path) -> Mapping[Path, os.stat_result]:
    """Return what is known of the journal, and of the log that SQLite keeps beside it."""
    found = {}
    for each in (path, path.with_name(LOG_NAME)):
        with suppress(OSError):
            found[each] = each.stat()
    return found


def _is_damaged(path: Path) -> bool:
    """Check again: SQLite also reports a page that the disk could not read (EIO) as malformed."""
    try:
        with path.open("rb", buffering=0) as file:
            size, at = os.fstat(file.fileno()).st_size, 0
            while at < size:
                at += len(os.pread(file.fileno(), PROBE_BYTES, at)) or size
        with closing(_connect(path)) as connection:
            return not is_sound(connection)
    except (OSError, sqlite3.OperationalError):  # the disk fails still, or this took too long
        return False
    except sqlite3.Error:
        return True


def columns_of(connection: sqlite3.Connection) -> list[str]:
    """Return the columns of its rows; none: it has no table."""
    return [name for _, name, *_ in connection.execute("PRAGMA table_info(rows)")]


def has_format(connection: sqlite3.Connection, columns: Sequence[str]) -> bool:
    """Tell whether the file with these columns has a format number, which a new one has not. Raises `OtherVersion`."""
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if found not in {0, FORMAT} or columns not in ([], list(NAMES)):
        message = f"its format is {found} and this program knows {FORMAT}: publish it with the version that wrote it"
        raise OtherVersion(message)
    return bool(found == FORMAT)


def _rows_left(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM rows NOT INDEXED").fetchone()[0])


def _by_source(connection: sqlite3.Connection, which: str, seqs: Sequence[int] = ()) -> Iterator[tuple[str, int, int]]:
    """Yield sources with their rows and bytes, of the rows of a FROM clause."""
    for source, count, size in connection.execute(_BY_SOURCE.format(which=which), seqs).fetchall():
        yield _typed(str, source), count, _typed(int, size)


def is_sound(connection: sqlite3.Connection) -> bool:
    """Compare all indexes with the rows; raises `OperationalError` when that takes too long."""
    deadline = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == b"ok")
    finally:
        connection.set_progress_handler(None, 0)


def _read_through(connection: sqlite3.Connection) -> None:
    """Raise `DatabaseError` unless all rows can be read in order, and each by its number as well."""
    before = 0
    for (seq,) in connection.execute("SELECT seq FROM rows NOT INDEXED").fetchall():
        found = connection.execute("SELECT * FROM rows WHERE seq = ?", (seq,)).fetchall()
        if seq <= before or len(found) != 1:
            message = f"its rows are out of order at {seq}"
            raise sqlite3.DatabaseError(message)
        before = seq


def _deletable(connection: sqlite3.Connection) -> None:
    """Raise `DatabaseError` if rows can be read but not deleted: each start would publish them again."""
    connection.execute("SAVEPOINT trial")
    connection.execute("DELETE FROM rows WHERE seq > 0")
    connection.execute("ROLLBACK TO trial")
    connection.execute("RELEASE trial")


def _reindexed(connection: sqlite3.Connection) -> None:
    connection.execute("REINDEX rows")


def _insert_one(connection: sqlite3.Connection, record: Record) -> Stored:
    headers = json.dumps([(name, value.decode()) for name, value in record.headers], separators=(",", ":"))
    fields = (record.id, record.topic, record.partition, record.key, record.value, headers, record.timestamp_ms)
    cursor = connection.execute(
        "INSERT INTO rows (id, topic, partition, key, value, headers, timestamp_ms, size, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (*fields, record.size, _checksum(fields)),
    )
    if cursor.rowcount:
        return Stored(cursor.lastrowid or 0, is_new=True)
    [seq] = connection.execute("SELECT seq FROM rows WHERE id = ?", (record.id,)).fetchone()
    return Stored(seq, is_new=False)


def _select(connection: sqlite3.Connection, lane: TopicPartition, after: int, max_bytes: int) -> list[Row]:
    rows: list[Row] = []
    size = 0
    for row in connection.execute(
        "SELECT seq, id, topic, partition, key, value, headers, timestamp_ms, checksum FROM rows"
        " WHERE topic = CAST(? AS TEXT) AND partition IS ? AND seq > ? ORDER BY seq",
        (lane[0].encode(errors=ODD), lane[1], after),
    ):
        rows.append(row_of(row))
        size += rows[-1].record.size
        if size >= max_bytes:
            break
    return rows if len(rows) < 2 or size <= max_bytes else rows[:-1]


def row_of(columns: Sequence[Any]) -> Row:
    """Return a row from its columns, in their order, without the size."""
    fields = _fields_of(columns)
    intact = _checksum(fields) == columns[-1]
    record_id, topic, partition, key, value, headers, timestamp_ms = fields
    parsed = tuple((name, text.encode()) for name, text in json.loads(headers)) if intact else ()
    return Row(columns[0], Record(record_id, topic, partition, key, value, parsed, timestamp_ms), intact)


def is_intact(columns: Sequence[Any]) -> bool:
    """Tell the same of the same columns, in half the time."""
    return bool(_checksum(_fields_of(columns)) == columns[-1])


def _fields_of(columns: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(map(_typed, COLUMNS, columns[1:-1]))


def _typed(kind: type, stored: object) -> Any:  # noqa: ANN401 - of that kind
    """Convert a column's value to its type, even if it is damaged: the checksum will show that."""
    if kind is int:
        return int(stored) if isinstance(stored, int | float) else 0
    octets = stored if isinstance(stored, bytes) else str(stored).encode()
    return octets if kind is bytes else octets.decode(errors=ODD)


def _checksum(fields: tuple[Any, ...]) -> int:
    return zlib.crc32(repr(fields).encode(errors=ODD))


def _ends(connection: sqlite3.Connection) -> tuple[int | None, int]:
    """Return the oldest row's timestamp and the newest row's number."""
    oldest, newest = connection.execute(
        "SELECT (SELECT timestamp_ms FROM rows ORDER BY seq LIMIT 1), coalesce(max(seq), 0) FROM rows"
    ).fetchone()
    return (None if oldest is None else _typed(int, oldest)), newest


def _quietly(connection: sqlite3.Connection, statement: str) -> None:
    with suppress(sqlite3.Error):
        connection.execute(statement)


def _dropped(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()


def _resolve(jobs: Iterable[_Job], answers: dict[_Job, Any]) -> None:
    for job in jobs:
        if job.answer.done():  # its caller was cancelled
            continue
        if isinstance(answer := answers[job], JournalUnwritable):
            job.answer.set_exception(answer)
        else:
            job.answer.set_result(answer)
