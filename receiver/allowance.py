"""Limits per PingMe account and process, so that a leaked callback URL hurts no other account.

A plain SMS costs nothing. The rest is charged once its cost is known, so a bucket can be overdrawn; while it is empty,
or too many requests are in flight, the account is refused before anything of a request is decompressed or parsed. All
but plain SMS is taken one after the other: 99 SMS in one array are 99 records, and ten such arrays at once were 300
callbacks of others answered 503.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

from bus.health import Alarm
from receiver.settings import ReceiverSettings

MOST_PLAIN: Final = 4096  # bytes of a callback that are not charged; an SMS is 1 KiB
PLAIN_RECORD: Final = 6 * 1024  # bytes of a record that are not charged: 4 KiB in any script, and our own fields
LARGE: Final = 5e-8  # seconds charged for each byte beyond that: 2 MB at once, which do not fill a lane
LETTER_BYTES: Final = 1024  # of a dead letter's record, beside the callback that it keeps in base64
AT_ONCE: Final = 60.0  # seconds of the rate may be used at once
QUICK: Final = 0.0005  # CPU seconds for parsing one callback that are not charged; a plain one takes a tenth of it
BUSY_SECONDS: Final = 0.1  # CPU seconds beyond that, at once
BUSY_SHARE: Final = 0.1  # CPU seconds per second
QUIET: Final = 60.0  # seconds without a refused request after which the account counts as recovered
RETRY_AFTER: Final = 5  # seconds, where no time can be computed
OVER: Final = "over_allowance"
TOO_MANY: Final = "too_many_at_once"
_HINTS: Final = {
    OVER: "large, packed or unreadable callbacks beyond receiver.allowance: {}; "
    "or raise receiver.allowance and restart",
    TOO_MANY: "more callbacks at once than receiver.max_in_flight, or too many that are not plain SMS: {}; "
    "or raise receiver.max_in_flight and restart",
}
_LEAKED: Final = (
    "if the callback URL leaked, rotate its token and remove the old one: "
    "`smsbus callback rotate {}`, then `--retire --force`"
)


def is_plain(body: bytes) -> bool:
    """Tell whether an uncompressed callback is small and not an array: at most one SMS."""
    brace = body.find(b"{")
    return len(body) <= MOST_PLAIN and body.find(b"[", 0, brace if brace >= 0 else len(body)) < 0


class Limited(Exception):
    """The account is over a limit: respond with the problem of this name."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Bucket:
    """A token bucket: `most` at once, `rate` more per second. It can be overdrawn."""

    __slots__ = ("_clock", "_filled_at", "_level", "_most", "_rate")

    def __init__(self, most: float, rate: float, clock: Callable[[], float]) -> None:
        self._most, self._rate, self._clock = most, rate, clock
        self._level, self._filled_at = most, clock()

    def take(self, amount: float) -> None:
        """Take that much."""
        self._fill()
        self._level -= amount

    def is_empty(self) -> bool:
        """Tell whether it is used up. Usually the clock is not read."""
        if self._level <= 0:
            self._fill()
        return self._level <= 0

    def seconds_to_wait(self) -> float:
        """Return the seconds until it is no longer overdrawn."""
        self._fill()
        return max(0.0, -self._level / self._rate)

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._most, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now


class Allowance:
    """What one account may still use. Each `begin` is followed by one `end`."""

    def __init__(
        self,
        account: str,
        settings: ReceiverSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` is in seconds and monotonic."""
        self.account = account
        self.parsed_bytes = 0
        """Of all its callbacks that were parsed."""
        self._clock, self._sleep = clock, sleep
        self._in_flight = 0
        self._incomplete = 0
        self._most_in_flight = settings.max_in_flight
        self._bytes = Bucket(settings.allowance * AT_ONCE, settings.allowance, clock)
        self._busy = Bucket(BUSY_SECONDS, BUSY_SHARE, clock)
        self._turn = asyncio.Lock()  # it is first come, first served
        self._alarm = Alarm("account_limited")
        self._refused = 0
        self._quiet_from = 0.0

    def begin(self) -> None:
        """Count one more callback in flight."""
        self._in_flight += 1

    def end(self) -> None:
        """Count one fewer."""
        self._in_flight -= 1

    def begin_reading(self) -> None:
        """The body of one in flight is incomplete: count it apart meanwhile, so that it takes no whole one's place."""
        self._in_flight -= 1
        self._incomplete += 1

    def end_reading(self) -> None:
        """It is complete, or no longer read: count it as in flight again."""
        self._in_flight += 1
        self._incomplete -= 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Do both around the block. Raises `Limited` where there is a `reading_refusal`."""
        if problem := self.reading_refusal():
            raise Limited(problem)
        self.begin_reading()
        try:
            yield
        finally:
            self.end_reading()

    def reading_refusal(self) -> str | None:
        """Return the problem to refuse an incomplete callback with, before `begin_reading`; None: read on."""
        return TOO_MANY if self._incomplete >= self._most_in_flight else self.refusal()

    def refusal(self) -> str | None:
        """Return the problem to refuse a callback with, after `begin`; None: take it."""
        if self._in_flight > self._most_in_flight:
            return TOO_MANY
        return OVER if self._bytes.is_empty() else None

    def check(self) -> None:
        """Raise `Limited` where there is a `refusal`."""
        if problem := self.refusal():
            raise Limited(problem)

    def pay(self, size: int, paid: int = 0) -> None:
        """Charge a callback of so many bytes, received or decompressed, of which `paid` are charged already."""
        if size > MOST_PLAIN:
            self._bytes.take(size - max(paid, MOST_PLAIN))

    def pay_letter(self, size: int) -> None:
        """Charge a dead letter with so many bytes of body."""
        self._bytes.take(size * 4 / 3 + LETTER_BYTES)

    def pay_time(self, seconds: float, callbacks: int = 1) -> None:
        """Charge the CPU seconds that parsing a request of so many callbacks took."""
        if seconds > QUICK * callbacks:
            self._busy.take(seconds - QUICK * callbacks)

    def pay_record(self, size: int) -> None:
        """Charge a callback's record of so many bytes, as CPU time."""
        if size > PLAIN_RECORD:
            self._busy.take((size - PLAIN_RECORD) * LARGE)

    def is_busy(self) -> bool:
        """Tell whether its callbacks, plain ones included, are taken in turns: the last ones were expensive."""
        return self._busy.is_empty()

    @asynccontextmanager
    async def turn(self, patience: float) -> AsyncIterator[None]:
        """Wait until no other callback of the account has a turn; raises `Limited` after `patience` seconds.

        A turn begins when the account's share of the CPU has paid for those before it.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(patience):
                    await stack.enter_async_context(self._turn)
                    if seconds := self._busy.seconds_to_wait():
                        await self._sleep(seconds)
            except TimeoutError:
                raise Limited(TOO_MANY) from None
            yield

    def refused(self, problem: str) -> int:
        """Count a refused request, logged once until it is over; return the seconds for `Retry-After`."""
        self._refused += 1
        self._quiet_from = self._clock() + QUIET
        hint = _HINTS[problem].format(_LEAKED.format(self.account))
        self._alarm.begin(account=self.account, reason=problem, hint=hint)
        return max(1, math.ceil(self._bytes.seconds_to_wait())) if problem == OVER else RETRY_AFTER

    def is_limited(self) -> bool:
        """Tell whether a request was refused within the last minute. Logs the end of that, once."""
        if self._clock() >= self._quiet_from:
            self.forget()
        return self._alarm.holds

    def forget(self) -> None:
        """Log the end of a limit, if there is one: its account was removed, or has recovered."""
        self._alarm.end(account=self.account, refused=self._refused)
        self._refused = 0
