"""Is what was promised in Kafka or in a file? Asked of the topics and files themselves; nothing here is ours.

A ledger that adds up says nothing of an SMS that it forgot. So this shares no code with it: topics are read by a plain
consumer, journals row by row without their indexes, and an SMS is there when its id and its bytes are.
"""

import asyncio
import base64
import json
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

JOURNAL = "journal.sqlite"
SKIPPED = "skipped.jsonl"  # rows that an operator removed from a journal, a line each
ASIDE = ".damaged"  # the end of a directory's name
PARTITIONS = 6  # of every message topic, by contract
READ_SECONDS = 30.0  # for all topics of a prefix
TOPICS = ("sms.received.v1", "sms.rejected.v1", "sms.watch-ended.v1")  # where a bus publishes


class Found(NamedTuple):
    """An SMS, its end or its dead letter, as it lies in a topic or a journal."""

    id: str
    value: bytes


class Audit:
    """What was promised in a test, and where it may be by now."""

    def __init__(self) -> None:
        self._prefixes: dict[str, set[str]] = defaultdict(set)
        self._directories: set[Path] = set()
        self._promised: dict[str, set[bytes]] = defaultdict(set)

    def __len__(self) -> int:
        """How many ids were promised."""
        return len(self._promised)

    def look_at(self, bootstrap_servers: str, prefix: str, journals: Path) -> None:
        """Somebody publishes under this prefix, and keeps journals below this directory."""
        self._prefixes[bootstrap_servers].add(prefix)
        self._directories.add(journals)

    def promise(self, id: str, value: bytes) -> None:  # noqa: A002 - what it is
        """A receipt was returned for it. A repeat may have other bytes, and either will do."""
        self._promised[id].add(value)

    def promise_what_lies_in(self, journals: Path) -> None:
        """A row was promised by whoever wrote it."""
        for each in in_files([journals]).found:
            self.promise(*each)

    async def losses(self) -> list[str]:
        """Return a sentence for each promise that is not kept. Files first: a row leaves them when a topic has it."""
        files = in_files(self._directories)
        missing = {each for each in self._missing_from(files.found) if not self._lies_in(each, files.contents)}
        unread = ""
        for servers, prefixes in self._prefixes.items() if missing else ():
            try:
                missing &= self._missing_from(await in_topics(servers, prefixes))
            except (KafkaError, TimeoutError) as error:
                unread += f" (nothing could be read at {servers}: {error!r})"
        return [f"{each} was promised and is, with its bytes, in no topic and no file{unread}" for each in missing]

    def _missing_from(self, found: Collection[Found]) -> set[str]:
        there, dead = set(found), dict(_bodies(found))
        return {
            record_id
            for record_id, values in self._promised.items()
            if not any((record_id, value) in there or _is_dead(value, dead) for value in values)
        }

    def _lies_in(self, record_id: str, contents: Collection[bytes]) -> bool:
        return any(value in content for value in self._promised[record_id] for content in contents)


class Files(NamedTuple):
    """The contents of journals, quarantined ones included."""

    found: list[Found]
    contents: list[bytes]
    """Whole files that are quarantined, or cannot be read to the end: they may contain what SQLite does not find."""


def in_files(directories: Collection[Path]) -> Files:
    """Read copies, past every index."""
    paths = {path for each in directories for path in each.rglob(JOURNAL) if path.is_file()}
    files = Files([], [])
    with tempfile.TemporaryDirectory() as elsewhere:
        for number, path in enumerate(sorted(paths)):
            readable = _read_into(files.found, _copied(path, Path(elsewhere, str(number))))
            if not readable or path.parent.suffix == ASIDE:
                files.contents.extend(part.read_bytes() for part in path.parent.glob(f"{JOURNAL}*"))
    for path in {path for each in directories for path in each.rglob(SKIPPED)}:
        files.found.extend(_skipped(path))
    return files


def _read_into(found: list[Found], path: Path) -> bool:
    """Tell whether it could be read to its end."""
    try:
        found.extend(_rows(path))
    except sqlite3.Error:
        return False
    return True


def _skipped(path: Path) -> Iterator[Found]:
    for line in path.read_text("utf-8").splitlines():
        with suppress(ValueError):  # torn by who died while writing
            row = json.loads(line)
            yield Found(row["id"], base64.b64decode(row["value_base64"]))


def _copied(path: Path, directory: Path) -> Path:
    """The journal may be in use, and whoever closes one that was left changes its files."""
    directory.mkdir()
    for part in (JOURNAL, f"{JOURNAL}-wal"):
        with suppress(FileNotFoundError):
            shutil.copy(path.with_name(part), directory)
    return directory / JOURNAL


def _rows(path: Path) -> Iterator[Found]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows'").fetchone():
            for record_id, value in connection.execute("SELECT id, value FROM rows NOT INDEXED"):
                yield Found(_octets(record_id).decode(errors="replace"), _octets(value))


def _octets(stored: object) -> bytes:
    return stored if isinstance(stored, bytes) else str(stored).encode()


async def in_topics(bootstrap_servers: str, prefixes: Collection[str]) -> list[Found]:
    """Return everything that a bus has published under these prefixes."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    async with asyncio.timeout(READ_SECONDS):
        try:
            await consumer.start()
            return await _read(consumer, {prefix + name for prefix in prefixes for name in TOPICS})
        finally:
            await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, names: Collection[str]) -> list[Found]:
    there = names & await consumer.topics()
    partitions = [TopicPartition(name, number) for name in there for number in range(PARTITIONS)]
    ends = {each: end for each, end in (await consumer.end_offsets(partitions)).items() if end}
    found: list[Found] = []
    consumer.assign(list(ends))
    while ends:
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            found += [Found(dict(each.headers)["ce_id"].decode(), each.value) for each in records]
            if records[-1].offset + 1 >= ends[partition]:
                del ends[partition]
        consumer.pause(*(consumer.assignment() - ends.keys()))
    return found


def _bodies(found: Collection[Found]) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes that dead letters keep, of a long body the first ones, by the digest of the whole."""
    for each in found:
        with suppress(ValueError, KeyError, TypeError):
            letter = json.loads(each.value)
            yield letter["body_sha256"], base64.b64decode(letter["body_base64"], validate=True)


def _is_dead(value: bytes, dead: Mapping[str, bytes]) -> bool:
    kept = dead.get(sha256(value).hexdigest())
    return kept is not None and value.startswith(kept)
