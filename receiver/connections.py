"""The open connections of a server, at most so many."""

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
    """What `Connections` needs of a connection."""

    def idle_since(self) -> float | None:
        """Return a time that is the earlier, the longer it is idle; None where it is not idle."""

    def abort(self) -> None:
        """Close it at once."""


class _Some(set[Idle]):
    """A set that finds the connection that has been idle longest."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[tuple[float, Idle]] = []  # the longest is last; those idle since are not in it

    def longest_idle(self) -> Idle | None:
        """Return it. One sort serves many calls: what becomes idle later was idle for less time than those listed."""
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
    """At most `most`: one more closes the one that has been idle longest, those without a valid token first.

    The new one is closed only where none is idle. At most three quarters may be kept by senders with a token, so that
    others close others, however many such a sender keeps.
    """

    def __init__(
        self,
        most: int,
        *,
        evicted: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        alarm: Alarm | None = None,
        hint: str = HINT,
    ) -> None:
        """`evicted` is called for each connection that is closed to make room; `clock` is in seconds.

        `alarm` and `hint` say that they are full; without them it is the receiver's `connections_full`.
        """
        self._most = most
        self._evicted = evicted
        self._clock = clock
        self._alarm = alarm or Alarm("connections_full")
        self._hint = hint
        self._quiet_from = 0.0
        self._most_kept = most - most // 4
        self._strangers = _Some()
        self._kept = _Some()

    def __len__(self) -> int:
        return len(self._strangers) + len(self._kept)

    def add(self, connection: Idle) -> None:
        """A new one, which has shown no token yet."""
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
        self._alarm.begin(hint=self._hint)

    def is_full(self) -> bool:
        """Tell whether one was closed to make room within the last minute. Logs the end of that, once."""
        if self._alarm.holds and self._clock() >= self._quiet_from:
            self._alarm.end()
        return self._alarm.holds

    def keep(self, connection: Idle) -> bool:
        """A valid token was shown on one: keep it if there is room, and tell whether it is kept."""
        if connection in self._strangers and len(self._kept) < self._most_kept:
            self._strangers.discard(connection)
            self._kept.add(connection)
        return connection in self._kept

    def discard(self, connection: Idle) -> None:
        """Forget one that is closed."""
        self._strangers.discard(connection)
        self._kept.discard(connection)
