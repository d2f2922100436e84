"""The throttle of one account: one budget, one back-off and one pause for all of its watches.

Five hundred watches that retry on their own would get the account banned (docs/providers.md, trap 44), and so would a
wrong key that is used five hundred times (trap 45). Pure: `now` is any monotonic clock in seconds, and randomness is an
argument.
"""

import random
from dataclasses import dataclass
from math import exp, fsum, inf
from typing import Final, Literal

from providers.observation import ProviderError

State = Literal["open", "backing_off", "paused"]

BACKOFF_LAST: Final = 200.0  # seconds, when throttled; the first back-off is 1, each doubles, jitter adds up to a half
FAILURES_LAST: Final = 64.0  # seconds, after failures: nobody is banned for a request a minute, and codes expire
RETRY_AFTER: Final = (1.0, 600.0)  # the limits of a Retry-After: 0 and 10^9 occur (trap 47)
PROBE_EVERY: Final = 60.0  # seconds between two probes of a paused account
MOST_PAUSES: Final = 3  # times that is doubled, if the account is paused again after a probe
NEW_KEY: Final = 1.0  # seconds until a new key is tried, so that requests with the old key have ended
PROBE_LOST: Final = 20.0  # seconds: longer than any request may take, so that only one probe is in flight
SLOWEST: Final = 8.0  # the first gap of a slow start, in gaps of the budget; halves with every success
JITTER: Final = 0.2  # of a gap: how much later than its place in the sequence a request may be sent
CARRY: Final = 0.3  # of a gap: how much lateness is made up, so that jitter and timers do not waste budget
HEADROOM: Final = 0.95  # of the budget is planned for polls; actions, full texts and variation need the rest
ERRORS_OF_ORDERS: Final = 5
"""Errors of the provider's own, for so many orders in a row, make the account back off: a single order for which
SERVER_ERROR always comes must not slow down the others (docs/providers.md 3.6)."""
LEAST_FOR_POLLS: Final = 1 / 8  # of the budget, even if lists show more changed orders than it allows to poll
LEAST_SHARE: Final = 1 / 1000
"""Of the budget, for a process without a watch of the account; with the next watch the share is recalculated."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of the account's state, for one log line."""

    state: State
    reason: str
    """The code of the error, or `answered`."""
    seconds: float
    """Until the next request may be sent."""


class Demand:
    """The requests per second that each watch would use without scarcity, and their sum."""

    SUM_AGAIN: Final = 1000  # changes, after which the sum is computed anew, without rounding errors

    def __init__(self) -> None:
        self._of: dict[str, float] = {}
        self._total = 0.0
        self._changes = 0

    def __len__(self) -> int:
        return len(self._of)

    @property
    def total(self) -> float:
        """Requests per second of all watches."""
        return max(0.0, self._total)

    def exact(self) -> float:
        """Return the sum, computed anew; tests compare `total` with it."""
        return fsum(self._of.values())

    def set(self, watch_id: str, requests_per_second: float) -> None:
        """Set the demand of this watch."""
        self._total += requests_per_second - self._of.get(watch_id, 0.0)
        self._of[watch_id] = requests_per_second
        self._changes += 1
        if self._changes % self.SUM_AGAIN == 0:
            self._total = self.exact()

    def release(self, watch_id: str) -> None:
        """Remove the demand of this watch, whether it is known or not."""
        self._total -= self._of.pop(watch_id, 0.0)
        if not self._of:
            self._total = 0.0


class Frequency:
    """The rate of an event, averaged over about a minute. Pure: times are arguments, in seconds of one clock."""

    MEMORY: Final = 60.0

    def __init__(self) -> None:
        self.per_second = 0.0
        self._at = -inf

    def note(self, now: float, *, times: int) -> None:
        """Add so many events since the last call; may be 0."""
        self.per_second = self.per_second * exp((self._at - now) / self.MEMORY) + times / self.MEMORY
        self._at = now


class AccountThrottle:
    """Admits the requests of one account and takes their results. Belongs to one event loop."""

    def __init__(self, *, requests_per_second: float, rng: random.Random) -> None:
        self.state: State = "open"
        self.reason = ""  # of the last transition
        self.demand = Demand()
        self.set_apart = 0.0  # requests per second that are reserved for lists
        self.hinted = Frequency()  # of polls that a list has triggered
        self._budget = requests_per_second
        self.rate = requests_per_second
        """Requests per second that this process may send: its share of the budget."""
        self._rng = rng
        self._place = -inf  # the next request's place in the sequence: places are a whole gap apart
        self._last = -inf  # when the last one was due
        self._slot = -inf  # when the next one may be sent: its place plus jitter
        self._until = -inf  # nothing is sent before
        self._told_until = -inf  # the part of that from the provider's own Retry-After
        self._closed_at = -inf  # results of earlier requests say nothing new about a back-off
        self._probing_until = -inf  # a probe is in flight; if it is never reported, the next one is sent then
        self._failures = 0
        self._missed_one = False
        self._throttled = False
        self._slowdown = 1.0
        self._order_errors = 0
        self._pauses = 0

    def set_budget(self, requests_per_second: float) -> None:
        """Use this budget from the next call of `share` on."""
        self._budget = requests_per_second

    def key_changed(self, now: float) -> None:
        """Ignore the results of requests with the old key, and probe a paused account at once."""
        self._closed_at = now
        self._probing_until = -inf
        if self.state == "paused":
            self._pauses = 0
            self._until = max(self._told_until, now + NEW_KEY)

    def share(self, fraction: float) -> None:
        """Set this process's share of the budget, 0 to 1.

        It applies at once: the time until the next request is rescaled to the new rate.
        """
        before, self.rate = self.rate, self._budget * min(1.0, max(fraction, LEAST_SHARE))
        if self.rate != before and self._last > -inf:
            self._place = self._last + (self._place - self._last) * before / self.rate
            self._slot = self._last + (self._slot - self._last) * before / self.rate

    def stretch(self) -> float:
        """Return the factor by which all intervals must grow so that the demand fits the budget; at least 1."""
        return max(1.0, self.demand.total / self.for_polls)

    @property
    def for_polls(self) -> float:
        """Requests per second that are left for regular polls of single orders."""
        return max(self.rate * HEADROOM - self.set_apart - self.hinted.per_second, self.rate * LEAST_FOR_POLLS)

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be sent; 0.0: now."""
        return max(0.0, self._until - now, self._probing_until - now, self._slot - now)

    def admit(self, now: float, *, hinted: bool = False) -> float:
        """Return 0.0 if one request must be sent now, and count it; else the seconds until the next call.

        `hinted`: it is the poll of an order that changed in a list. Unless the state is `open`, the request is the one
        probe. Report its result; if a probe is never reported, another one follows.
        """
        wait = self.wait(now)
        if wait == 0.0:
            if self.state != "open":
                self._probing_until = now + PROBE_LOST
            self._next_place(now)
            self.hinted.note(now, times=int(hinted))
        return wait

    def reserve(self, now: float) -> float:
        """Reserve the next slot of an open account; return the seconds until it. Use it then, or not at all."""
        wait = self.wait(now)
        self._next_place(now + wait)
        return wait

    def went_late(self, seconds: float) -> None:
        """Charge a request again that is sent so much later than it was admitted: its slot then stayed empty.

        At most one gap, however late it is: ten requests that were late together wait for ten gaps, not for ten times
        their lateness.
        """
        late = min(seconds, self._slowdown / self.rate)
        self._place += late
        self._slot += late

    @property
    def probes_key(self) -> bool:
        """Return whether the probe is the cheap check of the key and not a poll: the key was wrong, or polls failed."""
        return self.state == "paused" or (self.state == "backing_off" and self._failures > 1)

    def told_to_wait(self, now: float) -> float:
        """Return the remaining seconds of the provider's Retry-After; 0.0: none."""
        return max(0.0, self._told_until - now)

    def resume(self, seconds: float, reason: str, now: float) -> None:
        """Continue a Retry-After from before this process was started."""
        self._closed_at = now
        self._until = self._told_until = now + min(seconds, RETRY_AFTER[1])
        self._throttled, self._slowdown = True, SLOWEST
        self.state, self.reason = "backing_off", reason

    def report(self, error: ProviderError | None, *, started: float, now: float) -> Transition | None:
        """Take the result of a request that was admitted at `started`; `None`: it succeeded.

        Returns a transition if the state has changed.
        """
        if started <= self._closed_at:
            self._note_retry_after(error, now)
            self._until = max(self._until, self._told_until)
            return None
        if self._shows_that_it_works(error):
            self._count_order_errors(error)
            if self._order_errors < ERRORS_OF_ORDERS:
                return self._answered(now)
        if error is None or error.kind in {"throttled", "transient"} or _says_when(error):
            return self._back_off(error or ProviderError("transient", "none"), now)
        if error.kind == "auth" or self.state == "paused":
            self._slowdown = SLOWEST
            self._pauses += self.state != "paused"
            return self._close("paused", error, PROBE_EVERY * 2.0 ** min(self._pauses - 1, MOST_PAUSES), now)
        return self._answered(now)

    def _shows_that_it_works(self, error: ProviderError | None) -> bool:
        """Return whether the provider works and accepts the key, whatever the result of this request is."""
        if error is None:
            return True
        if error.kind in {"auth", "throttled"} or _says_when(error):
            return False
        if self.state == "paused":
            return error.answered and error.kind != "transient"
        return error.answered or error.kind != "transient"

    def _count_order_errors(self, error: ProviderError | None) -> None:
        """Count the provider's own errors in a row; the first success also ends the row of pauses."""
        self._order_errors = self._order_errors + 1 if error is not None and error.kind == "transient" else 0
        if error is None:
            self._pauses = 0

    def _note_retry_after(self, error: ProviderError | None, now: float) -> None:
        """Remember the provider's Retry-After, within its limits."""
        if error is not None and error.retry_after is not None:
            low, high = RETRY_AFTER
            self._told_until = max(self._told_until, now + min(max(error.retry_after, low), high))

    def _back_off(self, error: ProviderError, now: float) -> Transition | None:
        if self.state == "paused":
            return self._close("paused", error, PROBE_EVERY, now)
        is_lost = error.kind == "transient" and not error.answered and error.retry_after is None
        if is_lost and self.state == "open" and not self._missed_one:
            self._missed_one, self._slowdown = True, max(self._slowdown, 2.0)
            return None  # after one lost connection the next request waits twice as long; only if that fails, all do
        doubled = 2.0 ** min(self._failures, 10)
        self._failures += 1
        # A slow restart is for providers that throttle, not for lost connections.
        self._throttled = self._throttled or error.kind == "throttled"
        self._slowdown = SLOWEST if error.kind == "throttled" else min(SLOWEST, 2 * doubled)
        last = BACKOFF_LAST if self._throttled else FAILURES_LAST
        return self._close("backing_off", error, min(last, doubled) * (1 + self._rng.random() / 2), now)

    def _close(self, state: State, error: ProviderError, seconds: float, now: float) -> Transition | None:
        """Send nothing for so long, or for as long as the Retry-After says."""
        self._note_retry_after(error, now)
        self._closed_at = now
        self._probing_until = -inf
        self._until = max(self._until, self._told_until, now + seconds)
        if state == "paused" and self.state == "paused":
            return None  # keep the first reason
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
    """Return whether the error has a Retry-After, whatever else it says."""
    return error.retry_after is not None and error.kind != "auth"
