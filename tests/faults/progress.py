"""What a run says while it runs: one line that is rewritten on a terminal, plain lines elsewhere."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO


class Progress:
    """Of so many cases, one after the other."""

    def __init__(self, cases: int, stream: TextIO = sys.stderr) -> None:
        self._cases = cases
        self._stream = stream
        self._rewrites = stream.isatty()
        self._number = 0
        self._words = ""
        self._began = time.monotonic()

    @asynccontextmanager
    async def of(self, case: str) -> AsyncIterator[None]:
        """Run a case inside the block; what was said last stays."""
        self._number += 1
        self._case = case
        ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            if self._rewrites:
                self._stream.write("\n")

    def say(self, words: str) -> None:
        """Say what the case does now."""
        self._words = words
        self._write()

    async def _tick(self) -> None:
        while self._rewrites:
            await asyncio.sleep(1)
            self._write()

    def _write(self) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        line = f"[{minutes:2}:{seconds:02}] {self._number}/{self._cases} {self._case}: {self._words}"
        self._stream.write(f"\r\x1b[K{line}" if self._rewrites else f"{line}\n")
        self._stream.flush()
