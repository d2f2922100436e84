"""The open connections of a door, of which there may be so many."""

import time
from collections.abc import Callable
from operator import itemgetter
from typing import Final, Protocol

from bus.health import QUIET, Alarm

HINT: Final = (
    "receiver.max_connections are open, so the longest idle one is closed for each new one: look who opens so many, "
    "or raise it (and `ulimit -n`) and restart"
)


class Idle(Protocol):
    """A connection, as far as it matters here."""

    def idle_since(self) -> float | None:
        """Return a time that is the earlier, the longer it is idle; None where it is not."""

    def abort(self) -> None:
        """End it now."""


class _Some(set[Idle]):
    """Some of them."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[tuple[float, Idle]] = []  # the longest is last; who has become idle since is none of them

    def longest_idle(self) -> Idle | None:
        """Sorting them once serves a flood: who becomes idle later has been idle less long than all that are left."""
        while True:
            while self._idle:
                since, connection = self._idle.pop()
                if connection in self and connection.idle_since() == since:
                    return connection
            idle = [(known, each) for each in self if (known := each.idle_since()) is not None]
            if not idle:
                return None
            self._idle = sorted(idle, key=itemgetter(0), reverse=True)


class Connections:
    """`most` at once: one more ends the stranger that has been idle longest, and a kept one where no stranger is idle.

    Only where nobody is idle the new one ends. A quarter of the room is nobody's to keep: strangers end strangers, also
    where somebody with a token keeps as many as possible.
    """

    def __init__(
        self, most: int, *, evicted: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`evicted` is called for each connection that is closed to make room; `clock` is in seconds."""
        self._most = most
        self._evicted = evicted
        self._clock = clock
        self._alarm = Alarm("connections_full", "connections_full_no_more")
        self._quiet_from = 0.0
        self._most_kept = most - most // 4
        self._strangers = _Some()
        self._kept = _Some()

    def __len__(self) -> int:
        return len(self._strangers) + len(self._kept)

    def add(self, connection: Idle) -> None:
        """One more is open, a stranger."""
        if len(self) >= self._most:
            ends = self._strangers.longest_idle() or self._kept.longest_idle() or connection
            self._evict(ends)
            if ends is connection:
                return
        self._strangers.add(connection)

    def _evict(self, connection: Idle) -> None:
        self.discard(connection)
        connection.abort()
        self._evicted()
        self._quiet_from = self._clock() + QUIET
        self._alarm.begin(hint=HINT)

    def is_full(self) -> bool:
        """Tell whether one was closed to make room within the last minute; when it is over that is said once."""
        if self._alarm.holds and self._clock() >= self._quiet_from:
            self._alarm.end()
        return self._alarm.holds

    def keep(self, connection: Idle) -> bool:
        """One came with a valid token: tell whether it is kept, for which there may be no room."""
        if connection in self._strangers and len(self._kept) < self._most_kept:
            self._strangers.discard(connection)
            self._kept.add(connection)
        return connection in self._kept

    def discard(self, connection: Idle) -> None:
        """It is closed."""
        self._strangers.discard(connection)
        self._kept.discard(connection)
