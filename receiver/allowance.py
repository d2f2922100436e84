"""What one PingMe account may cost, so that a leaked callback URL hurts nobody but its account. A process's own.

A plain SMS costs nothing. What costs is charged when it is known, so a bucket can be overdrawn; while it is empty, or
too many requests are in flight, the account is refused before anything of a request is inflated or parsed. What is no
plain SMS is taken one after the other: 99 SMS in one array are 99 records, and ten such arrays at once were 300
callbacks of others answered 503.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from bus.health import Alarm
from receiver.settings import ReceiverSettings

MOST_PLAIN: Final = 4096  # bytes of a callback that cost nothing; an SMS is 1 KiB
PLAIN_RECORD: Final = 6 * 1024  # bytes of a record that cost nothing: 4 KiB in any script, and what we add
LARGE: Final = 5e-8  # seconds that each byte beyond that is charged as: 2 MB at once, which fills no lane
LETTER_BYTES: Final = 1024  # of a dead letter's record, beside the callback that it keeps in base64
AT_ONCE: Final = 60.0  # seconds' worth of the rate may be used at once
QUICK: Final = 0.0005  # seconds of processor time for reading one callback; a plain one takes a tenth of it
BUSY_SECONDS: Final = 0.1  # of processor time beyond that, at once
BUSY_SHARE: Final = 0.1  # a second
QUIET: Final = 60.0  # seconds after the last refused request, until that is over
RETRY_AFTER: Final = 5  # seconds, where nothing says when there is room again
OVER: Final = "over_allowance"
TOO_MANY: Final = "too_many_at_once"
_HINTS: Final = {
    OVER: "large, packed or unreadable callbacks beyond receiver.allowance: {}; "
    "or raise receiver.allowance and restart",
    TOO_MANY: "more callbacks at once than receiver.max_in_flight, or too many that are no plain SMS: {}; "
    "or raise receiver.max_in_flight and restart",
}
_LEAKED: Final = (
    "if the callback URL leaked, rotate its token and remove the old one: "
    "`smsbus callback rotate {}`, then `--retire --force`"
)


def is_plain(body: bytes) -> bool:
    """Tell whether a callback, which must not be packed, is small and no array: one SMS, if any."""
    brace = body.find(b"{")
    return len(body) <= MOST_PLAIN and body.find(b"[", 0, brace if brace >= 0 else len(body)) < 0


class Limited(Exception):
    """The account has had enough for now: answer the problem of this name, for it alone."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Bucket:
    """`most` at once, and `rate` more a second. What is taken from it may overdraw it."""

    __slots__ = ("_clock", "_filled_at", "_level", "_most", "_rate")

    def __init__(self, most: float, rate: float, clock: Callable[[], float]) -> None:
        self._most, self._rate, self._clock = most, rate, clock
        self._level, self._filled_at = most, clock()

    def take(self, amount: float) -> None:
        """Use that much of it."""
        self._fill()
        self._level -= amount

    def is_empty(self) -> bool:
        """Tell whether it is used up. Nearly always that takes no look at the clock."""
        if self._level <= 0:
            self._fill()
        return self._level <= 0

    def seconds_to_wait(self) -> float:
        """Return how long it is empty if nobody takes anything."""
        self._fill()
        return max(0.0, -self._level / self._rate)

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._most, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now


class Allowance:
    """What one account has left. Whoever begins a callback of it ends it."""

    def __init__(
        self,
        account: str,
        settings: ReceiverSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` is in seconds, and never goes back."""
        self.account = account
        self._clock, self._sleep = clock, sleep
        self._in_flight = 0
        self._most_in_flight = settings.max_in_flight
        self._bytes = Bucket(settings.allowance * AT_ONCE, settings.allowance, clock)
        self._busy = Bucket(BUSY_SECONDS, BUSY_SHARE, clock)
        self._turn = asyncio.Lock()  # it is first come, first served
        self._trouble = Alarm("account_limited", "account_limited_no_more")
        self._refused = 0
        self._quiet_from = 0.0

    def begin(self) -> None:
        """One more of its callbacks is in flight."""
        self._in_flight += 1

    def end(self) -> None:
        """One of them is answered, or given up."""
        self._in_flight -= 1

    def refusal(self) -> str | None:
        """Return the problem that a callback, which has begun, is refused with; None: take it."""
        if self._in_flight > self._most_in_flight:
            return TOO_MANY
        return OVER if self._bytes.is_empty() else None

    def check(self) -> None:
        """Raise `Limited` where there is a `refusal`."""
        if problem := self.refusal():
            raise Limited(problem)

    def pay(self, size: int, paid: int = 0) -> None:
        """Charge a callback of so many bytes, received or inflated, `paid` of which it was charged for before."""
        if size > MOST_PLAIN:
            self._bytes.take(size - max(paid, MOST_PLAIN))

    def pay_letter(self, size: int) -> None:
        """Charge the dead letter that keeps so many bytes."""
        self._bytes.take(size * 4 / 3 + LETTER_BYTES)

    def pay_time(self, seconds: float, callbacks: int = 1) -> None:
        """Charge what reading a request of so many callbacks took of the processor."""
        if seconds > QUICK * callbacks:
            self._busy.take(seconds - QUICK * callbacks)

    def pay_record(self, size: int) -> None:
        """Charge the record of so many bytes that a callback became, as if it had taken long to read."""
        if size > PLAIN_RECORD:
            self._busy.take((size - PLAIN_RECORD) * LARGE)

    def is_busy(self) -> bool:
        """Tell whether its callbacks, also plain ones, are taken in turns: the last took long to read, or swelled."""
        return self._busy.is_empty()

    @asynccontextmanager
    async def turn(self, patience: float) -> AsyncIterator[None]:
        """Be the only callback of the account that is taken in turns; raises `Limited` after `patience` seconds.

        A turn begins when the account's share of the processor has paid for those before it.
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
        """Note that a request was refused, said once a spell; return the seconds after which another may be taken."""
        self._refused += 1
        self._quiet_from = self._clock() + QUIET
        hint = _HINTS[problem].format(_LEAKED.format(self.account))
        self._trouble.begin(account=self.account, reason=problem, hint=hint)
        return max(1, math.ceil(self._bytes.seconds_to_wait())) if problem == OVER else RETRY_AFTER

    def is_limited(self) -> bool:
        """Tell whether a request was refused within the last minute; when it is over that is said once."""
        if self._clock() >= self._quiet_from:
            self.forget()
        return self._trouble.holds

    def forget(self) -> None:
        """Have it said that it is over, if it is not yet: its account is gone, or quiet."""
        self._trouble.end(account=self.account, refused=self._refused)
        self._refused = 0
