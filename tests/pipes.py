"""A pipe that nobody reads."""

import os
from contextlib import suppress


def full_pipe() -> tuple[int, int]:
    """Return both ends, to read and to write, of a pipe with room for nothing; the next write waits."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with suppress(BlockingIOError):
        while os.write(writes, b"x" * 4096):
            pass
    os.set_blocking(writes, True)
    return reads, writes
