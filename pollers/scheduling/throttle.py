"""What one account may be asked: a budget, one back-off and one pause for all of its watches.

Five hundred watches that each retry on their own would be a ban (docs/providers.md, trap 44), and a wrong key asked
five hundred times too (trap 45). Pure: `now` is any monotonic clock in seconds, and randomness comes in.
"""

import random
from dataclasses import dataclass
from math import exp, fsum, inf
from typing import Final, Literal

from providers.observation import ProviderError

State = Literal["open", "backing_off", "paused"]

BACKOFF_LAST: Final = 200.0  # seconds, where it throttles us; the first is 1, each doubles, jitter adds up to a half
FAILURES_LAST: Final = 64.0  # seconds, where it only fails: nobody is banned for a request a minute, and codes expire
RETRY_AFTER: Final = (1.0, 600.0)  # what we believe of a Retry-After: 0 and 10^9 are seen (trap 47)
PROBE_EVERY: Final = 60.0  # seconds between two probes of a paused account
MOST_PAUSES: Final = 3  # times that is doubled, where what it answers to a probe is no plain answer and it pauses again
NEW_KEY: Final = 1.0  # seconds after which a new key is tried: later than all that was asked with the old one
PROBE_LOST: Final = 20.0  # seconds: longer than any request may take, so only one probe is ever under way
SLOWEST: Final = 8.0  # the first gap of a slow start, in gaps of the budget; halves with every answer
JITTER: Final = 0.2  # of a gap: so much later may a request go than its place in the row
CARRY: Final = 0.3  # of a gap: so much lateness is made good, so that jitter and timers do not cost budget
HEADROOM: Final = 0.95  # of the budget is planned for polls; actions, full texts and chance need the rest
ERRORS_OF_ORDERS: Final = 5
"""So many orders in a row answered with an error of the provider's own before the account backs off: a single order
that always answers SERVER_ERROR must not slow the others (docs/providers.md 3.6)."""
LEAST_FOR_POLLS: Final = 1 / 8  # of the budget: even where lists name more orders than it is enough for
LEAST_SHARE: Final = 1 / 1000
"""Of the budget, for a process that has no watch of the account now: the next one recalculates the share."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The account's state has changed; one line of the log."""

    state: State
    reason: str
    """Why, as a machine word: the trouble's, or `answered`."""
    seconds: float
    """Until the next request may go."""


class Demand:
    """The requests a second that each watch would like to have. The sum is that of the entries, always."""

    SUM_AGAIN: Final = 1000  # changes, after which rounding errors are thrown away

    def __init__(self) -> None:
        self._of: dict[str, float] = {}
        self._total = 0.0
        self._changes = 0

    def __len__(self) -> int:
        return len(self._of)

    @property
    def total(self) -> float:
        """Requests a second, of all."""
        return max(0.0, self._total)

    def exact(self) -> float:
        """Return the sum, added up anew: what `total` is held against in tests."""
        return fsum(self._of.values())

    def set(self, watch_id: str, requests_per_second: float) -> None:
        """Set what this watch would like."""
        self._total += requests_per_second - self._of.get(watch_id, 0.0)
        self._of[watch_id] = requests_per_second
        self._changes += 1
        if self._changes % self.SUM_AGAIN == 0:
            self._total = self.exact()

    def release(self, watch_id: str) -> None:
        """Take back what this watch liked, whether it is known or not."""
        self._total -= self._of.pop(watch_id, 0.0)
        if not self._of:
            self._total = 0.0


class Frequency:
    """How often something happens, over about a minute. Pure: times are arguments, in seconds of one clock."""

    MEMORY: Final = 60.0

    def __init__(self) -> None:
        self.per_second = 0.0
        self._at = -inf

    def note(self, now: float, *, times: int) -> None:
        """Take in that it has happened so many times since the last call, which may be none."""
        self.per_second = self.per_second * exp((self._at - now) / self.MEMORY) + times / self.MEMORY
        self._at = now


class AccountThrottle:
    """Admits the requests of one account and hears how each ended. Belongs to one event loop."""

    def __init__(self, *, requests_per_second: float, rng: random.Random) -> None:
        self.state: State = "open"
        self.reason = ""  # of the last transition
        self.demand = Demand()
        self.set_apart = 0.0  # requests a second that are not for polls of single orders: those for lists
        self.hinted = Frequency()  # of polls that a list has asked for
        self._budget = requests_per_second
        self.rate = requests_per_second
        """Requests a second that this process may send: its share of the budget."""
        self._rng = rng
        self._place = -inf  # the next request's place in the row: places are a whole gap apart
        self._last = -inf  # when the last one was to go
        self._slot = -inf  # when it may go: its place and jitter
        self._until = -inf  # nothing goes before
        self._told_until = -inf  # as far as the provider itself said so, with Retry-After
        self._closed_at = -inf  # requests that started earlier say nothing new about a back-off
        self._probing_until = -inf  # a probe is under way; should its answer get lost, the next goes then
        self._failures = 0
        self._missed_one = False
        self._throttled = False
        self._slowdown = 1.0
        self._order_errors = 0
        self._pauses = 0

    def set_budget(self, requests_per_second: float) -> None:
        """Have this budget from the next `share` on."""
        self._budget = requests_per_second

    def key_changed(self, now: float) -> None:
        """Judge by the new key alone: what was asked with the old one says nothing, and a pause is probed at once."""
        self._closed_at = now
        self._probing_until = -inf
        if self.state == "paused":
            self._pauses = 0
            self._until = max(self._told_until, now + NEW_KEY)

    def share(self, fraction: float) -> None:
        """Take this process's part of the budget, 0 to 1.

        It counts from the last request on: as many gaps as the next one was away it is away still.
        """
        before, self.rate = self.rate, self._budget * min(1.0, max(fraction, LEAST_SHARE))
        if self.rate != before and self._last > -inf:
            self._place = self._last + (self._place - self._last) * before / self.rate
            self._slot = self._last + (self._slot - self._last) * before / self.rate

    def stretch(self) -> float:
        """Return by how much all intervals must grow so that the watches' demand fits the budget; at least 1."""
        return max(1.0, self.demand.total / self.for_polls)

    @property
    def for_polls(self) -> float:
        """Requests a second that are left for polls of single orders, each after its interval."""
        return max(self.rate * HEADROOM - self.set_apart - self.hinted.per_second, self.rate * LEAST_FOR_POLLS)

    def wait(self, now: float) -> float:
        """Return the seconds until a request may go; 0.0: now."""
        return max(0.0, self._until - now, self._probing_until - now, self._slot - now)

    def admit(self, now: float, *, hinted: bool = False) -> float:
        """Return 0.0 if one request must go now, and count it; else the seconds after which to ask again.

        `hinted`: it is the poll of an order that has changed, as a list says.

        Unless the state is `open`, the request is the one probe. Report how it ended; a probe that is never reported is
        followed by another.
        """
        wait = self.wait(now)
        if wait == 0.0:
            if self.state != "open":
                self._probing_until = now + PROBE_LOST
            self._next_place(now)
            self.hinted.note(now, times=int(hinted))
        return wait

    def reserve(self, now: float) -> float:
        """Take the next slot of an open account, and return in how many seconds it is; use it then, or let it go."""
        wait = self.wait(now)
        self._next_place(now + wait)
        return wait

    def went_late(self, seconds: float) -> None:
        """Charge a request that goes so much later than it was admitted once more: its slot then was left empty.

        At most a gap, however late it goes: ten that were late together wait for ten gaps, not for ten times as long as
        each was late.
        """
        late = min(seconds, self._slowdown / self.rate)
        self._place += late
        self._slot += late

    @property
    def probes_key(self) -> bool:
        """The probe is the cheap one that asks about the key, not a poll: the key was wrong, or a poll failed again."""
        return self.state == "paused" or (self.state == "backing_off" and self._failures > 1)

    def told_to_wait(self, now: float) -> float:
        """Return the seconds of the provider's own Retry-After that are left; 0.0: none."""
        return max(0.0, self._told_until - now)

    def resume(self, seconds: float, reason: str, now: float) -> None:
        """Go on waiting as the provider said before this process started."""
        self._closed_at = now
        self._until = self._told_until = now + min(seconds, RETRY_AFTER[1])
        self._throttled, self._slowdown = True, SLOWEST
        self.state, self.reason = "backing_off", reason

    def report(self, error: ProviderError | None, *, started: float, now: float) -> Transition | None:
        """Hear how a request that was admitted at `started` ended; `None`: it was answered.

        Returns a transition when the state changed by it, and only then.
        """
        if started <= self._closed_at:
            self._believe(error, now)
            self._until = max(self._until, self._told_until)
            return None
        if self._is_answer(error):
            return self._answered(now)
        if error is None or error.kind in {"throttled", "transient"} or _says_when(error):
            return self._back_off(error or ProviderError("transient", "none"), now)
        if error.kind == "auth" or self.state == "paused":
            self._slowdown = SLOWEST
            self._pauses += self.state != "paused"
            return self._close("paused", error, PROBE_EVERY * 2.0 ** min(self._pauses - 1, MOST_PAUSES), now)
        return self._answered(now)

    def _is_answer(self, error: ProviderError | None) -> bool:
        """The provider works and knows us, whatever it thinks of this one request."""
        if error is None:
            self._order_errors = self._pauses = 0
            return True
        if error.kind in {"auth", "throttled"} or _says_when(error):
            return False
        if self.state == "paused" and not (error.answered and error.kind != "transient"):
            return False
        if error.kind != "transient":
            self._order_errors = 0
            return True
        self._order_errors += error.answered
        return error.answered and self._order_errors < ERRORS_OF_ORDERS

    def _believe(self, error: ProviderError | None, now: float) -> None:
        """Remember until when the provider asked us to wait, within what we believe."""
        if error is not None and error.retry_after is not None:
            low, high = RETRY_AFTER
            self._told_until = max(self._told_until, now + min(max(error.retry_after, low), high))

    def _back_off(self, error: ProviderError, now: float) -> Transition | None:
        if self.state == "paused":
            return self._close("paused", error, PROBE_EVERY, now)
        is_lost = error.kind == "transient" and not error.answered and error.retry_after is None
        if is_lost and self.state == "open" and not self._missed_one:
            self._missed_one, self._slowdown = True, max(self._slowdown, 2.0)
            return None  # one lost connection: the next request waits twice as long, and if that fails as well, all do
        doubled = 2.0 ** min(self._failures, 10)
        self._failures += 1
        # One lost connection is no reason to crawl afterwards; a provider that told us to slow down is.
        self._throttled = self._throttled or error.kind == "throttled"
        self._slowdown = SLOWEST if error.kind == "throttled" else min(SLOWEST, 2 * doubled)
        last = BACKOFF_LAST if self._throttled else FAILURES_LAST
        return self._close("backing_off", error, min(last, doubled) * (1 + self._rng.random() / 2), now)

    def _close(self, state: State, error: ProviderError, seconds: float, now: float) -> Transition | None:
        """Let nothing go for so long, or for as long as the provider said."""
        self._believe(error, now)
        self._closed_at = now
        self._probing_until = -inf
        self._until = max(self._until, self._told_until, now + seconds)
        if state == "paused" and self.state == "paused":
            return None  # the first reason stays
        return self._become(state, error.code, now)

    def _answered(self, now: float) -> Transition | None:
        self._probing_until = -inf
        self._missed_one = False
        self._slowdown = max(1.0, self._slowdown / 2)
        if not self._throttled or self._slowdown == 1.0:
            self._failures, self._throttled = 0, False
        return self._become("open", "answered", now)

    def _become(self, state: State, reason: str, now: float) -> Transition | None:
        if state == self.state:
            return None
        self.state, self.reason = state, reason
        return Transition(state, reason, self.wait(now))

    def _next_place(self, at: float) -> None:
        gap = self._slowdown / self.rate
        self._place, self._last = max(self._place + gap, at + (1 - CARRY) * gap), at
        self._slot = self._place + JITTER * gap * self._rng.random()


def _says_when(error: ProviderError) -> bool:
    """The provider says when to come again, whatever else it says."""
    return error.retry_after is not None and error.kind != "auth"
