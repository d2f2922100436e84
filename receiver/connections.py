"""The open connections of a door, of which there may be so many."""

from operator import itemgetter
from typing import Protocol


class Idle(Protocol):
    """A connection, as far as it matters here."""

    def idle_since(self) -> float | None:
        """Return a time that is the earlier, the longer it is idle; None where it is not."""

    def abort(self) -> None:
        """End it now."""


class Connections:
    """`most` at once: one more ends the one that has been idle longest. Only where none is idle the new one ends."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[Idle] = set()
        self._idle: list[tuple[float, Idle]] = []  # the longest is last; who has become idle since is none of them

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Idle) -> None:
        """One more is open."""
        if len(self._open) >= self._most:
            ends = self._longest_idle() or connection
            self._open.discard(ends)
            ends.abort()
            if ends is connection:
                return
        self._open.add(connection)

    def discard(self, connection: Idle) -> None:
        """It is closed."""
        self._open.discard(connection)

    def _longest_idle(self) -> Idle | None:
        """Sorting them once serves a flood: who becomes idle later has been idle less long than all that are left."""
        while True:
            while self._idle:
                since, connection = self._idle.pop()
                if connection in self._open and connection.idle_since() == since:
                    return connection
            idle = [(known, each) for each in self._open if (known := each.idle_since()) is not None]
            if not idle:
                return None
            self._idle = sorted(idle, key=itemgetter(0), reverse=True)
