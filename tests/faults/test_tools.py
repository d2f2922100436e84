"""The tools do to a process what they say, and leave nothing behind."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults import tools
from tests.faults.tools import FSYNC_FAILS, INJECTED, READS_FAIL, Clock, fsync_stalls, injected

pytestmark = pytest.mark.skipif(tools.missing() is not None, reason=str(tools.missing()))

WRITER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute("CREATE TABLE rows (x)")
for line in sys.stdin:
    began = time.monotonic()
    try:
        database.execute("INSERT INTO rows VALUES (1)")
        print("written", time.monotonic() - began, flush=True)
    except sqlite3.OperationalError as error:
        print(error, time.monotonic() - began, flush=True)
"""

TELLER = """
import sys, time
for line in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""


READER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1])
for line in sys.stdin:
    began = time.monotonic()
    try:
        database.execute("PRAGMA shrink_memory")
        database.execute("SELECT count(*) FROM rows").fetchall()
        print("read", time.monotonic() - began, flush=True)
    except sqlite3.DatabaseError as error:
        print(error, time.monotonic() - began, flush=True)
"""


class Told:
    """A program that does something for each line it is sent, and says what came of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def __call__(self) -> tuple[str, float]:
        """The words and the number of its answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"\n")
        async with asyncio.timeout(10):
            words, _, number = (await self.process.stdout.readline()).decode().rpartition(" ")
        return words, float(number)


async def start(program: str, *arguments: str, wrapper: tuple[str, ...] = ()) -> Told:
    pipe = asyncio.subprocess.PIPE
    command = (*wrapper, sys.executable, "-c", program, *arguments)
    return Told(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))


@pytest.fixture
async def written(tmp_path: Path) -> AsyncIterator[Told]:
    """Writes one row into a database as our journal does, and says after how long."""
    told = await start(WRITER, str(tmp_path / "rows.sqlite"))
    await told()
    yield told
    told.process.kill()
    await told.process.wait()


async def test_inside_the_block_no_row_is_synced_and_outside_all_are(written: Told) -> None:
    before, _ = await written()
    async with injected(written.process.pid, FSYNC_FAILS):
        during, _ = await written()
    after, _ = await written()

    assert (before, during, after) == ("written", "disk I/O error", "written")


async def test_inside_the_block_no_page_is_read_and_each_failure_is_noted(written: Told, tmp_path: Path) -> None:
    log = tmp_path / "log"
    reader = await start(READER, str(tmp_path / "rows.sqlite"))
    before, _ = await reader()
    async with injected(reader.process.pid, READS_FAIL, log):
        during, _ = await reader()
    after, _ = await reader()
    reader.process.kill()
    await reader.process.wait()

    assert (before, after) == ("read", "read")
    assert during in {"disk I/O error", "database disk image is malformed"}  # SQLite says either of EIO
    assert INJECTED in log.read_text()


async def test_a_stalled_sync_takes_so_much_longer_and_succeeds(written: Told) -> None:
    async with injected(written.process.pid, fsync_stalls(3.0)):
        words, seconds = await written()
    _, later = await written()

    assert words == "written"
    assert seconds >= 3.0
    assert later < 3.0


async def test_a_sync_that_is_held_up_is_let_go_at_the_end(written: Told) -> None:
    async with injected(written.process.pid, fsync_stalls(60)):
        writing = asyncio.create_task(written())
        await asyncio.wait([writing], timeout=0.3)
        assert not writing.done()

    words, seconds = await writing

    assert words == "written"
    assert seconds < 10


async def test_a_process_that_is_gone_is_said_to_be() -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()

    with pytest.raises(OSError, match=str(process.pid)):
        async with injected(process.pid, FSYNC_FAILS):
            pass


async def test_a_strace_that_does_not_end_when_it_is_asked_to_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = tmp_path / "strace"
    stubborn.write_text("#!/bin/sh\ntrap '' TERM\nexec sleep 3600\n")
    stubborn.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(tools, "ATTACH_SECONDS", 0.5)
    monkeypatch.setattr(tools, "DETACH_SECONDS", 0.5)

    async with asyncio.timeout(30) as patience:
        with pytest.raises(TimeoutError):
            async with injected(os.getpid(), FSYNC_FAILS):
                pass

    assert not patience.expired()


async def test_a_step_moves_the_time_of_day_and_not_the_monotonic_clock(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    told = await start(TELLER, wrapper=clock.wrapper)
    (first, first_monotonic), began = await told(), time.monotonic()

    await clock.step(+3600)
    ahead, _ = await told()
    await clock.step(-7200)
    (behind, behind_monotonic), passed = await told(), time.monotonic() - began
    told.process.kill()
    await told.process.wait()

    assert 3600 <= float(ahead) - float(first) < 3610
    assert -3600 <= float(behind) - float(first) < -3590
    assert abs(behind_monotonic - first_monotonic - passed) < 1
    assert abs(time.time() - 3600 - float(behind)) < 10


def test_what_is_missing_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert tools.missing() == "not installed: strace; apt-get install strace"
