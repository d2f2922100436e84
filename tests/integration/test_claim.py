"""Journal directories between real processes: one holds, the others do not, and a killed one lets go."""

import asyncio
import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from bus.contract import Ledger
from bus.journal import claim
from bus.journal.journal import FILE_NAME
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from tests.messages import sms

ROOT = Path(__file__).parents[2]

# Each waits for a line before it claims, so that all do so at once; then holds until it is told or killed.
TAKE = """
import sys
from pathlib import Path
from bus.journal import claim
print("ready", flush=True)
sys.stdin.readline()
held = claim.take(Path(sys.argv[1]))
print(held.directory.name, flush=True)
sys.stdin.readline()
"""
TRY_ONE = """
import sys
from pathlib import Path
from bus.journal import claim
print("ready", flush=True)
sys.stdin.readline()
held = claim.try_claim(Path(sys.argv[1]))
print("holds" if held else "nothing", flush=True)
sys.stdin.readline()
"""
# Adopts and removes every orphan that it finds, again and again, until it is told to end; prints how many.
SWEEP = """
import sys, select
from pathlib import Path
from bus.journal import claim
print("ready", flush=True)
sys.stdin.readline()
removed = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    for held in claim.orphans(Path(sys.argv[1])):
        held.remove()
        removed += 1
print(removed, flush=True)
"""
ACCEPT = """
import asyncio, sys
from pathlib import Path
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from tests.messages import sms

async def main():
    nowhere, settings = KafkaSettings(bootstrap_servers="127.0.0.1:1"), BusSettings(journal_dir=Path(sys.argv[1]))
    bus = KafkaBus(nowhere, settings, instance="a")
    await bus.start()
    for n in range(20):
        await bus.accept(sms(n=n))
    print("accepted", flush=True)  # behind log lines
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Program:
    """A Python process that talks in lines."""

    def __init__(self, text: str, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", text, str(directory)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def say(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


@pytest.fixture
def programs() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def several(programs: ExitStack, text: str, directory: Path, count: int = 4) -> list[Program]:
    """Start them and return when all are ready to go at once."""
    started = [programs.enter_context(Program(text, directory)) for _ in range(count)]
    assert [program.hear() for program in started] == ["ready"] * count
    return started


def go(started: list[Program]) -> list[str]:
    for program in started:
        program.say()
    return [program.hear() for program in started]


def test_of_several_processes_that_want_one_directory_exactly_one_holds_it(programs: ExitStack, tmp_path: Path) -> None:
    racers = several(programs, TRY_ONE, tmp_path)

    answers = go(racers)

    assert sorted(answers) == ["holds", "nothing", "nothing", "nothing"]
    assert claim.try_claim(tmp_path) is None


def test_kill_9_frees_the_directory_at_once(programs: ExitStack, tmp_path: Path) -> None:
    [holder] = several(programs, TRY_ONE, tmp_path, count=1)
    assert go([holder]) == ["holds"]
    assert claim.try_claim(tmp_path) is None

    holder.kill()

    held = claim.try_claim(tmp_path)
    assert held
    held.release()


def test_processes_that_start_together_each_get_a_directory_of_their_own(programs: ExitStack, tmp_path: Path) -> None:
    (tmp_path / "leftbehindit").mkdir()
    starters = several(programs, TAKE, tmp_path)

    names = go(starters)

    assert len(set(names)) == 4
    assert "leftbehindit" in names, "a free directory is taken before a new one is made"
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert claim.orphans(tmp_path) == []


def test_processes_that_start_while_others_remove_orphans_never_hold_a_removed_directory(
    programs: ExitStack, tmp_path: Path
) -> None:
    sweepers = several(programs, SWEEP, tmp_path, count=2)
    for sweeper in sweepers:
        sweeper.say()

    names: set[str] = set()
    deadline = time.monotonic() + 20
    while len(names) < 20 and time.monotonic() < deadline:  # a new name: the one before was removed
        held = claim.take(tmp_path)
        names.add(held.directory.name)
        assert held.directory.is_dir()
        assert claim.try_claim(held.directory) is None
        held.release()

    removed = sum(map(int, go(sweepers)))
    assert len(names) == 20
    assert removed >= 19
    assert {path.name for path in tmp_path.iterdir()} <= names


def test_nobody_else_may_look_into_a_journal_s_directory(tmp_path: Path) -> None:
    held = claim.take(tmp_path / "journal")

    assert (held.directory.parent.stat().st_mode & 0o777, held.directory.stat().st_mode & 0o777) == (0o700, 0o700)
    held.release()


def test_what_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    for name in ("lost+found", "backup", "UPPERCASEDIR"):
        (tmp_path / name).mkdir()

    held = claim.take(tmp_path)

    assert held.directory.name not in {"lost+found", "backup", "UPPERCASEDIR"}
    assert claim.orphans(tmp_path) == []
    held.release()


@pytest.mark.parametrize("locked", [False, True])  # an earlier version has put its lock there
def test_a_directory_with_other_files_is_left_alone_though_it_is_named_like_a_journal(
    tmp_path: Path, locked: bool
) -> None:
    foreign = tmp_path / "certificates"
    foreign.mkdir()
    (foreign / "server.pem").touch()
    if locked:
        (foreign / "lock").touch()
    before = sorted(foreign.iterdir())

    held = claim.take(tmp_path)

    assert held.directory != foreign
    assert not claim.orphans(tmp_path)
    assert not claim.unclaimed_in(tmp_path)
    assert sorted(foreign.iterdir()) == before
    held.release()


def test_a_journal_with_another_file_beside_it_is_adopted(tmp_path: Path) -> None:
    left = tmp_path / "abcdefghijkl"
    left.mkdir()
    (left / FILE_NAME).touch()
    (left / "notes.txt").touch()

    [held] = claim.orphans(tmp_path)

    assert held.directory == left
    held.release()


def test_a_journal_that_somebody_restored_under_another_name_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / FILE_NAME).touch()

    [held] = claim.orphans(tmp_path)

    assert held.directory.name == "restored"
    held.release()


def test_a_journal_that_may_not_be_opened_stops_nobody_and_waits_for_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "aaaaaaaaaaaa"
    foreign.mkdir()
    (foreign / "lock").touch()
    (tmp_path / "bbbbbbbbbbbb").mkdir()
    opened, access = os.open, os.access

    def refuses(path: Path, *rest: Any) -> int:
        if foreign in Path(path).parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *rest)

    monkeypatch.setattr("bus.journal.claim.os.open", refuses)
    monkeypatch.setattr("bus.journal.claim.os.access", lambda path, mode: access(path, mode) and mode == os.F_OK)

    [other] = claim.orphans(tmp_path)

    assert other.directory.name == "bbbbbbbbbbbb"
    assert foreign in claim.unclaimed_in(tmp_path)
    other.release()


def test_where_files_cannot_be_locked_the_start_says_so_and_leaves_one_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("bus.journal.claim.fcntl.flock", no_locks)

    with pytest.raises(OSError, match=r"cannot be locked .No locks available.: the journal needs a local file system"):
        claim.take(tmp_path)

    assert len(list(tmp_path.iterdir())) == 1


def test_a_directory_that_was_removed_and_made_again_before_its_lock_was_ours_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "own"
    directory.mkdir()
    flock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        """Between our opening and our locking another process drains the directory, and a third one makes it again."""
        monkeypatch.undo()
        other = claim.try_claim(directory)
        assert other
        other.remove()
        directory.mkdir()
        (directory / "lock").touch()
        flock(descriptor, operation)

    monkeypatch.setattr("bus.journal.claim.fcntl.flock", late)

    assert claim.try_claim(directory) is None


async def test_what_a_killed_process_had_promised_is_found_by_the_next_one(programs: ExitStack, tmp_path: Path) -> None:
    process = programs.enter_context(Program(ACCEPT, tmp_path))
    while (line := await asyncio.to_thread(process.hear)) != "accepted":
        assert process.runs, line
    [directory] = {path.parent for path in tmp_path.glob(f"*/{FILE_NAME}")}

    process.kill()
    bus = KafkaBus(KafkaSettings(bootstrap_servers="127.0.0.1:1"), BusSettings(journal_dir=tmp_path), instance="b")
    await bus.start()
    again = await bus.accept(sms(n=19))
    await bus.stop(0)

    assert (again.id, again.via) == (sms(n=19).id, "journal")
    assert bus.ledger == Ledger(adopted=20, pending=20, duplicates=1)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [directory]


def test_the_name_of_a_new_directory_is_on_the_disk_before_anything_is_promised_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("bus.journal.claim.os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    parent = tmp_path / "journal"

    held = claim.take(parent)

    assert synced == [tmp_path.stat().st_ino, parent.stat().st_ino]
    held.release()
