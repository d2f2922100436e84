"""Which degraded reasons last long enough to tell people of. Pure."""

from collections.abc import Iterable
from typing import Final

from app.degraded import is_harmless

LASTING: Final = 120.0  # seconds: what a restart of Kafka causes is over by then
GONE: Final = 15.0  # seconds: a worker that answers late is silent about its reasons meanwhile
TOGETHER: Final = 30.0  # seconds between the beginnings of reasons that are told in one message


class LastingReasons:
    """The reasons that hold, each with its first sight. Times are in seconds, of any steady clock."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._absent: dict[str, float] = {}
        """Since when a reason is not seen any more."""

    def look(self, degraded: Iterable[str], now: float) -> None:
        """Note what holds now. A reason that was absent for less than `GONE` counts as if it had held on."""
        present = [*degraded]
        for reason in present:
            self._began.setdefault(reason, now)
        self._absent = {reason: self._absent.get(reason, now) for reason in self._began if reason not in present}
        for reason in [reason for reason, since in self._absent.items() if now - since >= GONE]:
            del self._absent[reason], self._began[reason]

    def lasting(self, now: float) -> list[str]:
        """Return those that hold now, and have held for `LASTING`; none of which nobody notices anything."""
        return self._held(now, LASTING)

    def together(self, now: float) -> list[str]:
        """Return `lasting`, and what began so soon after that it is said with them."""
        return self._held(now, LASTING - TOGETHER)

    def _held(self, now: float, seconds: float) -> list[str]:
        return [
            reason
            for reason, began in self._began.items()
            if reason not in self._absent and now - began >= seconds and not is_harmless(reason)
        ]

    def is_over(self, reason: str) -> bool:
        """Return whether it was absent for `GONE`."""
        return reason not in self._began
