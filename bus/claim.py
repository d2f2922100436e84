"""One journal directory a process, held by a file lock that the kernel lets go of when the process dies.

`journal_dir/` holds one directory a process that ever ran beside the others. A directory whose lock is free belongs to
nobody: the next process that starts takes it as its own, and a running one adopts what is left in it.
"""

import fcntl
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Final

from bus.journal import FILE_NAME

_LOCK_NAME: Final = "lock"
_DAMAGED: Final = ".damaged"


@dataclass(frozen=True, slots=True)
class Claim:
    """A directory that is ours until `release` or the end of the process."""

    directory: Path
    _descriptor: int

    def release(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)

    def set_aside(self) -> Path:
        """Keep the directory for a person, under a name that nobody claims; return its new path."""
        path = self.directory.rename(self.directory.with_name(self.directory.name + _DAMAGED))
        self.release()
        return path

    def remove(self) -> None:
        """Delete the drained directory, then let go; nobody can take it in between."""
        for path in self.directory.iterdir():
            if path.name.startswith(FILE_NAME):
                path.unlink()
        with suppress(OSError):  # something that is not ours lies there: leave the directory
            (self.directory / _LOCK_NAME).unlink()
            self.directory.rmdir()
        self.release()


def take(parent: Path) -> Claim:
    """Claim a directory for this process: one that nobody holds if there is any, else a new one.

    Raises OSError when the parent cannot be written.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for directory in _directories(parent):
        if claim := try_claim(directory):
            return claim
    directory = parent / "".join(secrets.choice(ascii_lowercase) for _ in range(12))  # the log hides digits
    directory.mkdir()
    claim = try_claim(directory)
    return claim or take(parent)


def orphans(parent: Path) -> list[Claim]:
    """Claim every directory that nobody holds."""
    claims = (try_claim(directory) for directory in _directories(parent))
    return [claim for claim in claims if claim]


def set_aside_in(parent: Path) -> list[Path]:
    """Return the directories that were set aside and wait for a person."""
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.suffix == _DAMAGED)


def try_claim(directory: Path) -> Claim | None:
    """Claim this directory, or return None when a living process holds it or it has just been removed."""
    path = directory / _LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:  # else: removed and made again while we waited
            return Claim(directory, descriptor)
    except OSError:
        pass
    os.close(descriptor)
    return None


def _directories(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.suffix != _DAMAGED)
