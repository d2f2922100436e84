"""Rows that an operator removes from a journal: their bytes are kept in a file next to the journals."""

import asyncio
import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from bus.journal.claim import sync_names
from bus.journal.journal import Journal, JournalUnwritable
from bus.journal.rows import RawRow, RowName, found

FILE: Final = "skipped.jsonl"

Skip = Literal["skipped", "acknowledged", "under_way", "unwritable", "unknown", "elsewhere"]
"""What became of a row. `acknowledged`: Kafka has it. `under_way`: it is being sent, and cannot be withdrawn.
`unwritable`: the disk does not accept the write, and the row is still there. `unknown`: there is no such row.
`elsewhere`: its journal is not ours."""


async def take_out(journal: Journal, name: RowName, row: RawRow) -> Skip:
    """Make a row's bytes durable in the file, and only then delete it.

    A crash in between leaves both: a row whose id is in the file already. Raises OSError or `JournalUnwritable`:
    the row is still there.
    """
    parent = journal.path.parent.parent
    await asyncio.to_thread(keep, parent, {"journal": name.journal, **row.whole()})
    with suppress(JournalUnwritable):  # a failed commit may still be durable: what is read back decides
        await journal.delete([row.seq])
    return "skipped" if await found(journal, name) is None else "unwritable"


def keep(parent: Path, facts: Mapping[str, Any]) -> None:
    """Append this line to the file and fsync it. Raises OSError: it is not in the file."""
    descriptor = os.open(parent / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # siblings share the file
        _append(descriptor, json.dumps(facts).encode() + b"\n")
    finally:
        os.close(descriptor)
    sync_names(parent)


def _append(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # a process died while writing
    left = memoryview((b"\n" if is_torn else b"") + line)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
