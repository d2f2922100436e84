"""The one clock of a run, and each replica's idea of it."""

from typing import Final

EPOCH: Final = 1_800_000_000.0
"""Seconds since 1970 when a run begins."""
START: Final = 1_000.0
"""What every loop's own clock says then; not 0, which code may take for "never"."""


class Clock:
    """Time stands still while code runs, and jumps to whatever happens next."""

    def __init__(self) -> None:
        self.now = START

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.now - START


class TrueTime:
    """Implements `sandbox.clock.Clock`: the providers' time is right by definition."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return seconds since 1970."""
        return EPOCH + self._clock.elapsed

    async def sleep(self, seconds: float) -> None:
        """Never asked for: `providers` lets slow answers wait itself."""
        raise NotImplementedError(seconds)
