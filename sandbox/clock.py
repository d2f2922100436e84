"""Time, as the simulations take it: handed in, so that a test can let it pass."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970, and waiting for them to pass."""

    def now(self) -> float:
        """Return the time."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return that much later."""
        ...


class SystemClock:
    """The machine's."""

    def now(self) -> float:
        """Return the time."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return that much later."""
        await asyncio.sleep(seconds)
