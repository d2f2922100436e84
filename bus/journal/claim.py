"""One journal directory for each process, held by a file lock that the kernel releases when the process dies.

`journal_dir/` has one directory for each process that ever ran next to the others. If no process holds the lock of
one, the next process that starts uses it as its own, and a running one adopts its messages. Directories that
are not journals, like a volume's `lost+found`, are ignored.
"""

import errno
import fcntl
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Final

from bus.journal.journal import FILE_NAME, holds_files

_LOCK_NAME: Final = "lock"
_DAMAGED: Final = ".damaged"
_PRIVATE: Final = 0o700
_NAME_LETTERS: Final = 12  # of a directory: the log hides digits
_IN_USE: Final = frozenset({errno.EWOULDBLOCK, errno.EACCES})  # flock's errors for a lock that another process holds


@dataclass(frozen=True, slots=True)
class Claim:
    """A directory that is ours until `release` or the end of the process."""

    directory: Path
    _descriptor: int

    def release(self) -> None:
        """Release it for other processes."""
        os.close(self._descriptor)

    def quarantine(self) -> Path:
        """Quarantine the directory: rename it so that no process claims it; return its new path."""
        try:
            return self.directory.rename(self.directory.with_name(self.directory.name + _DAMAGED))
        finally:
            self.release()

    def remove(self) -> None:
        """Delete the drained directory, then release it; no process can claim it in between."""
        try:
            for path in sorted(self.directory.iterdir(), reverse=True):  # a log never remains without its main file
                if path.name.startswith(FILE_NAME):
                    path.unlink()
            with suppress(OSError):  # it contains other files: leave the directory
                (self.directory / _LOCK_NAME).unlink()
                self.directory.rmdir()
        finally:
            self.release()


def take(parent: Path) -> Claim:
    """Claim a directory for this process: a free one if there is any, else a new one.

    Raises OSError when the parent cannot be written, or is on a file system without locks.
    """
    if not parent.exists():
        parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
        sync_names(parent.parent)
    for directory in _directories(parent):
        if claim := _try_any(directory):
            return claim
    while True:
        directory = parent / "".join(secrets.choice(ascii_lowercase) for _ in range(_NAME_LETTERS))
        directory.mkdir(mode=_PRIVATE)
        sync_names(parent)
        if claim := try_claim(directory):  # else: another process has adopted it already
            return claim


def sync_names(parent: Path) -> None:
    """Make new names in a directory survive a power cut: syncing the files is not enough for POSIX."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def orphans(parent: Path) -> list[Claim]:
    """Claim every free directory."""
    claims = (_try_any(directory) for directory in _directories(parent))
    return [claim for claim in claims if claim]


def unclaimed_in(parent: Path) -> list[Path]:
    """Return the directories that no process publishes: quarantined ones, and journals that we may not open."""
    return sorted(path for path in parent.iterdir() if path.is_dir() and (is_aside(path) or is_closed(path)))


def is_aside(path: Path) -> bool:
    """Tell whether a directory is quarantined."""
    return path.suffix == _DAMAGED


def is_closed(path: Path) -> bool:
    """Tell whether this user cannot open a journal directory."""
    lock = path / _LOCK_NAME
    if os.access(lock, os.R_OK | os.W_OK) or not (is_aside(path) or _is_journal(path)):
        return False
    return os.access(lock, os.F_OK) or not os.access(path, os.R_OK | os.W_OK)  # it may just have been removed


def try_claim(directory: Path) -> Claim | None:
    """Claim this directory, or return None when a living process holds it or it has just been removed.

    Raises OSError when it cannot be opened, or its file system has no locks.
    """
    path = directory / _LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:  # else: removed and made again while we waited
            return Claim(directory, descriptor)
    except FileNotFoundError:
        pass  # removed while we waited
    except OSError as error:
        if error.errno not in _IN_USE:
            os.close(descriptor)
            reason = f"cannot be locked ({error.strerror}): the journal needs a local file system, not a network share"
            raise OSError(error.errno, reason, str(path)) from error
    os.close(descriptor)
    return None


def _try_any(directory: Path) -> Claim | None:
    """Claim it, or return None if it cannot be opened now, so that the others are still claimed."""
    try:
        return try_claim(directory)
    except OSError:
        return None


def _directories(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and not is_aside(path) and _is_journal(path))


def _is_journal(path: Path) -> bool:
    """Tell a directory of ours from one that lies beside them: by what is in it, or by its name while that is empty."""
    if holds_files(path):
        return True
    named = len(path.name) == _NAME_LETTERS and set(path.name) <= set(ascii_lowercase)
    return (named or os.access(path / _LOCK_NAME, os.F_OK)) and not _has_other_files(path)


def _has_other_files(path: Path) -> bool:
    try:
        return any(each.name != _LOCK_NAME and not each.name.startswith(FILE_NAME) for each in path.iterdir())
    except OSError:  # not there any longer, or closed to us
        return False
