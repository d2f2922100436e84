"""What one account may be asked: a budget, one back-off and one pause for all of its watches.

Five hundred watches that each retry on their own would be a ban (trap 44), and a wrong key asked five hundred times too
(trap 45). Pure: `now` is any monotonic clock in seconds, and randomness comes in.
"""

import random
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from pollers.observation import Trouble

State = Literal["open", "backing_off", "paused"]

BACKOFF_LAST: Final = 200.0  # seconds; the first is 1, each doubles, and jitter adds up to a half: 1 to 300
RETRY_AFTER: Final = (1.0, 600.0)  # what we believe of a Retry-After: 0 and 10^9 are seen (trap 47)
PROBE_EVERY: Final = 60.0  # seconds between two probes of a paused account
PROBE_LOST: Final = 20.0  # seconds: longer than any request may take, so only one probe is ever under way
BAD_ACTIONS: Final = 10  # in a row: the provider does not have what we ask for, and asking on is noise
SLOWEST: Final = 8.0  # the first gap of a slow start, in gaps of the budget; halves with every answer
JITTER: Final = 0.2  # of a gap: so much later may a request go than its place in the row
CARRY: Final = 0.3  # of a gap: so much lateness is made good, so that jitter and ticks do not cost budget
HEADROOM: Final = 0.95  # of the budget is planned for looks; actions, full texts and chance need the rest


@dataclass(frozen=True, slots=True)
class Transition:
    """The account's state has changed; one line of the log."""

    state: State
    reason: str
    """Why, as a machine word: the trouble's, or `answered`."""
    seconds: float
    """Until the next request may go."""


class AccountThrottle:
    """Admits the requests of one account and hears how each ended. Belongs to one event loop."""

    def __init__(self, *, requests_per_second: float, rng: random.Random) -> None:
        self.state: State = "open"
        self.reason = ""  # of the last transition
        self._budget = requests_per_second
        self._rate = requests_per_second
        self._rng = rng
        self._place = -inf  # the next request's place in the row: places are a whole gap apart
        self._slot = -inf  # when it may go: its place and jitter
        self._until = -inf  # nothing goes before
        self._closed_at = -inf  # requests that started earlier say nothing new about a back-off
        self._probing_until = -inf  # a probe is under way; should its answer get lost, the next goes then
        self._failures = 0
        self._slowdown = 1.0
        self._bad_actions = 0
        self._demand = 0.0

    def share(self, owned: int, total: int) -> None:
        """Take this process's part of the budget: replicas share it by the shards they own.

        Owning none counts as one: between two assignments nobody asks anyway.
        """
        self._rate = self._budget * max(owned, 1) / total

    def stretch(self) -> float:
        """Return by how much all intervals must grow so that the watches' demand fits the budget; at least 1."""
        return max(1.0, self._demand / (self._rate * HEADROOM))

    def wants(self, *, before: float, after: float) -> None:
        """A watch's demand (`schedule.demand`) has changed; 0 is a watch that is not or no longer there."""
        self._demand = max(0.0, self._demand + after - before)

    def wait(self, now: float) -> float:
        """Return the seconds until a request may go; 0.0: now."""
        return max(0.0, self._until - now, self._probing_until - now, self._slot - now)

    def admit(self, now: float) -> float:
        """Return 0.0 if one request must go now, and count it; else the seconds after which to ask again.

        Unless the state is `open`, the request is the one probe: after `auth` the cheap one (`alive`), else a look.
        Report how it ended; a probe that is never reported is followed by another.
        """
        wait = self.wait(now)
        if wait == 0.0:
            if self.state != "open":
                self._probing_until = now + PROBE_LOST
            gap = self._slowdown / self._rate
            self._place = max(self._place + gap, now + (1 - CARRY) * gap)
            self._slot = self._place + JITTER * gap * self._rng.random()
        return wait

    def report(self, trouble: Trouble | None, *, started: float, now: float) -> Transition | None:
        """Hear how a request that was admitted at `started` ended; `None`: it was answered.

        Returns a transition when the state changed by it, and only then.
        """
        self._count_bad_actions(trouble)
        if started <= self._closed_at:
            self._until = max(self._until, now + _retry_after(trouble))
            return None
        if trouble is None or (self.state != "paused" and self._is_answer(trouble)):
            return self._answered(now)
        if trouble.kind in {"throttled", "transient"} and self.state != "paused":
            return self._back_off(trouble, now)
        self._slowdown = SLOWEST
        return self._close("paused", trouble, PROBE_EVERY, now)

    def _is_answer(self, trouble: Trouble) -> bool:
        """The provider works and knows us, whatever it thinks of this one request."""
        return trouble.kind in {"denied", "request_error", "unrecognised"} and self._bad_actions < BAD_ACTIONS

    def _count_bad_actions(self, trouble: Trouble | None) -> None:
        if trouble is not None and trouble.kind == "request_error" and trouble.word == "bad_action":
            self._bad_actions += 1
        elif trouble is None or trouble.kind not in {"throttled", "transient"}:
            self._bad_actions = 0

    def _back_off(self, trouble: Trouble, now: float) -> Transition | None:
        doubled = 2.0 ** min(self._failures, 10)
        self._failures += 1
        # One lost connection is no reason to crawl afterwards; a provider that told us to slow down is.
        self._slowdown = SLOWEST if trouble.kind == "throttled" else min(SLOWEST, 2 * doubled)
        return self._close("backing_off", trouble, min(BACKOFF_LAST, doubled) * (1 + self._rng.random() / 2), now)

    def _close(self, state: State, trouble: Trouble, seconds: float, now: float) -> Transition | None:
        """Let nothing go for so long, or for as long as the provider said."""
        self._closed_at = now
        self._probing_until = -inf
        self._until = max(self._until, now + max(seconds, _retry_after(trouble)))
        return self._become(state, trouble.word, now)

    def _answered(self, now: float) -> Transition | None:
        self._probing_until = -inf
        self._slowdown = max(1.0, self._slowdown / 2)
        if self._slowdown == 1.0:
            self._failures = 0
        return self._become("open", "answered", now)

    def _become(self, state: State, reason: str, now: float) -> Transition | None:
        if state == self.state:
            return None
        self.state, self.reason = state, reason
        return Transition(state, reason, self.wait(now))


def _retry_after(trouble: Trouble | None) -> float:
    """Return the seconds that the provider asked for, within what we believe; 0.0: it asked for none."""
    if trouble is None or trouble.retry_after is None:
        return 0.0
    low, high = RETRY_AFTER
    return min(max(trouble.retry_after, low), high)
