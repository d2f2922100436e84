"""The clock of the simulations: an argument, so that tests control it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970, and sleeping."""

    def now(self) -> float:
        """Return the time."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the time."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)
