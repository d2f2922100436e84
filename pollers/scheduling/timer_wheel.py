"""Which watches are due, and which of these wait for their account's throttle. Pure: the clock is an argument.

One poll: `TimerQueue.due` → `WaitQueue.join` of its account → `WaitQueue.pop` when the account's throttle
admits one → a poll, after which the watch is scheduled again: so there is never more than one poll of a watch.
"""

from collections import OrderedDict
from heapq import heappop, heappush
from math import ceil, floor, inf
from typing import Final

TICK: Final = 1 / 16  # seconds; exact in binary, so that no tick is processed twice
ASKED: Final = 0  # the rank of an action
CHANGED: Final = 1  # of an order that changed in a list
REQUESTED: Final = 2  # of an order with a requested action, which follows the poll
URGENT: Final = 3  # of an order that was just opened or requested, or whose last poll this is
NORMAL: Final = 4
TURNS: Final = 8  # every eighth place goes to the entry of the last three ranks that has waited longest


class TimerQueue:
    """Ids and their due times, for a hundred thousand watches. An id has one time; scheduling it again moves it.

    Ids are grouped by ticks. Scheduling and cancelling change only the new tick's list: the old entry of a moved id is
    dropped when its tick comes.
    """

    def __init__(self, *, now: float, tick: float = TICK) -> None:
        """Start at `now`. With the default an SMS waits 31 ms for its tick."""
        self._tick = tick
        self._ids: dict[int, list[str]] = {}
        self._order: list[int] = []  # a heap of the ticks above
        self._ticks: dict[str, int] = {}
        self._passed = floor(now / tick)

    def __len__(self) -> int:
        return len(self._ticks)

    def __contains__(self, watch_id: str) -> bool:
        return watch_id in self._ticks

    def schedule(self, watch_id: str, at: float) -> None:
        """Make `due` return this id once, at the first tick not before `at`; if that has passed, at the next one."""
        tick = max(ceil(at / self._tick), self._passed + 1)
        if self._ticks.get(watch_id) == tick:
            return
        self._ticks[watch_id] = tick
        if tick not in self._ids:
            self._ids[tick] = []
            heappush(self._order, tick)
        self._ids[tick].append(watch_id)

    def cancel(self, watch_id: str) -> None:
        """Remove this id, whether it is known or not."""
        self._ticks.pop(watch_id, None)

    def next_due(self) -> float | None:
        """Return when to call `due` next, by the clock of `schedule`; None: nothing is scheduled."""
        return self._order[0] * self._tick if self._order else None

    def due(self, now: float) -> list[str]:
        """Return and remove all due ids. None is lost, however long this was not called."""
        upto = floor(now / self._tick)
        fired: list[str] = []
        while self._order and self._order[0] <= upto:
            tick = heappop(self._order)
            for watch_id in self._ids.pop(tick):
                if self._ticks.get(watch_id) == tick:  # otherwise cancelled, moved, or returned already
                    del self._ticks[watch_id]
                    fired.append(watch_id)
        self._passed = max(self._passed, upto)
        return fired


class WaitQueue:
    """Due entries of one account that wait for its throttle: by rank, and within a rank first in, first out."""

    def __init__(self) -> None:
        self._ranks: tuple[OrderedDict[str, float], ...] = tuple(OrderedDict() for _ in range(NORMAL + 1))
        self._pops = 0

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    def __contains__(self, key: str) -> bool:
        return any(key in rank for rank in self._ranks)

    def join(self, key: str, now: float, *, rank: int = NORMAL) -> None:
        """Add an entry. One that waits already keeps its place, unless the new rank is better."""
        for better in self._ranks[: rank + 1]:
            if key in better:
                return
        since = min((worse.pop(key) for worse in self._ranks[rank + 1 :] if key in worse), default=now)
        self._ranks[rank][key] = since

    def leave(self, key: str) -> None:
        """Remove an entry, whether it waits or not."""
        for rank in self._ranks:
            rank.pop(key, None)

    def pop(self) -> str | None:
        """Return and remove the next entry; None: the queue is empty."""
        self._pops = (self._pops + 1) % TURNS
        ranks = self._ranks
        if self._pops == 0:
            ranks = tuple(sorted(self._ranks[REQUESTED:], key=_head)) + self._ranks
        first = next(filter(None, ranks), None)
        return first.popitem(last=False)[0] if first else None

    def before_others(self) -> int:
        """Return the number of entries in the first two ranks."""
        return len(self._ranks[ASKED]) + len(self._ranks[CHANGED])

    def waiting_for(self, now: float) -> float:
        """Return for how many seconds the oldest entry has been waiting; 0.0: the queue is empty."""
        return max(0.0, now - min(map(_head, self._ranks), default=now)) if self else 0.0

    def waiting_longer(self, now: float, seconds: float) -> int:
        """Return how many entries have been waiting for longer than that."""
        return sum(now - since > seconds for rank in self._ranks for since in rank.values())


def _head(rank: OrderedDict[str, float]) -> float:
    """Return since when the first entry of a rank waits."""
    return next(iter(rank.values()), inf)
