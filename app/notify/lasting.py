"""Which degraded reasons last long enough to tell people of. Pure."""

from collections.abc import Iterable
from typing import Final

from app.degraded import is_harmless

LASTING: Final = 120.0  # seconds: what a restart of Kafka causes is over by then
GONE: Final = 15.0  # seconds: a worker that answers late is silent about its reasons meanwhile


class LastingReasons:
    """The reasons that hold, each with its first and its last sight. Times are in seconds, of any steady clock."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def look(self, degraded: Iterable[str], now: float) -> None:
        """Note what holds now. A reason that was absent for less than `GONE` counts as if it had held on."""
        for reason in degraded:
            self._seen[reason] = now
            self._began.setdefault(reason, now)
        for reason in [reason for reason, seen in self._seen.items() if now - seen >= GONE]:
            del self._seen[reason], self._began[reason]

    def lasting(self, now: float) -> list[str]:
        """Return those that hold now, and have held for `LASTING`; none of which nobody notices anything."""
        return [
            reason
            for reason, began in self._began.items()
            if self._seen[reason] == now and now - began >= LASTING and not is_harmless(reason)
        ]

    def is_over(self, reason: str) -> bool:
        """Return whether it was absent for `GONE`."""
        return reason not in self._seen
