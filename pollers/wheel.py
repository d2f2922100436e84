"""Who is due, and who is due but may not go yet. Pure: the clock is an argument.

The way of one tick: `Wheel.due` → `WaitQueue.join` of its account → `WaitQueue.admitted` until it says None → a worker,
who schedules the watch again when the look is done: so there is never more than one look at a watch.
"""

from collections import OrderedDict
from math import ceil, floor

from pollers.throttle import AccountThrottle


class Wheel:
    """Ids and when they are due, for a hundred thousand watches. An id has one time; scheduling it again moves it.

    A ring of slots, each a list of ids. Scheduling and cancelling touch no list but the new slot's: what a slot holds
    of an id that moved is dropped when the slot's turn comes.
    """

    def __init__(self, *, now: float, tick: float = 1 / 16, slots: int = 2048) -> None:
        """Start at `now`. The defaults: an SMS waits 31 ms for its tick, and a turn is longer than most intervals."""
        self._tick = tick
        self._slots: list[list[str]] = [[] for _ in range(slots)]
        self._ticks: dict[str, int] = {}
        self._passed = floor(now / tick)

    def __len__(self) -> int:
        return len(self._ticks)

    def __contains__(self, watch_id: str) -> bool:
        return watch_id in self._ticks

    def schedule(self, watch_id: str, at: float) -> None:
        """Make `due` return this id once, from the first tick that is not before `at`; what is past, at the next."""
        tick = max(ceil(at / self._tick), self._passed + 1)
        if self._ticks.get(watch_id) != tick:
            self._ticks[watch_id] = tick
            self._slots[tick % len(self._slots)].append(watch_id)

    def cancel(self, watch_id: str) -> None:
        """Forget this id, whether it is known or not."""
        self._ticks.pop(watch_id, None)

    def due(self, now: float) -> list[str]:
        """Return and forget all ids whose time has come. However long it was not called, none is lost."""
        upto = floor(now / self._tick)
        fired: list[str] = []
        for tick in range(max(self._passed + 1, upto - len(self._slots) + 1), upto + 1):
            slot = tick % len(self._slots)
            if self._slots[slot]:
                self._slots[slot] = self._pass(slot, upto, fired)
        self._passed = max(self._passed, upto)
        return fired

    def _pass(self, slot: int, upto: int, fired: list[str]) -> list[str]:
        """Move what is due into `fired`; return what comes on a later turn."""
        later: list[str] = []
        for watch_id in self._slots[slot]:
            tick = self._ticks.get(watch_id)
            if tick is None or tick % len(self._slots) != slot:
                continue  # cancelled, moved, or fired by an earlier entry of the same slot
            if tick > upto:
                later.append(watch_id)
            else:
                del self._ticks[watch_id]
                fired.append(watch_id)
        return later


class WaitQueue:
    """The watches of one account that are due and may not go yet, first come first served."""

    def __init__(self, gate: AccountThrottle) -> None:
        self.throttle = gate
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def join(self, watch_id: str) -> None:
        """Stand at the end, or stay where it stands already."""
        self._ids[watch_id] = None

    def leave(self, watch_id: str) -> None:
        """Go without a look, whether it stands here or not."""
        self._ids.pop(watch_id, None)

    def admitted(self, now: float) -> str | None:
        """Return whom to look at now: one request of the account is counted for it. None: nobody yet."""
        if not self._ids or self.throttle.admit(now):
            return None
        return self._ids.popitem(last=False)[0]
