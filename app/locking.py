"""A lock on a directory, between the processes of one machine; nothing is written for it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(directory: Path, *, waits: bool = True) -> Iterator[None]:
    """Hold the directory's lock. Without `waits` raises `BlockingIOError` where another process holds it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # some network file systems lock no directory: there it is as good as without
            pass
        yield
    finally:
        os.close(descriptor)
