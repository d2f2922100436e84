"""From an authenticated callback's body to its response: parse, submit to the bus, respond, count.

Both ways of reading go through here: `server` awaits the future of `submit` in aiohttp's task, `fast_lane` is called
back by it.
"""

import asyncio
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, thread_time
from typing import Any, Final, NamedTuple

import structlog

from bus.contract import Bus, NotDurable, Receipt
from bus.record import size_at_most
from bus.unknown_shapes import UnknownShapes
from receiver import answers, pingme
from receiver.allowance import QUIET, Allowance
from receiver.answers import Response
from receiver.auth import Caller
from receiver.metrics import STRANGER, ReceiverMetrics
from receiver.settings import PingMeAccount, ReceiverSettings
from receiver.stages import Callbacks, InvalidCallback, VerifiedRequest, dead_letter
from receiver.unknown_keys import sample, unknown
from schemas.messages import SmsReceived, SmsRejected

RETRY_AFTER: Final = 5  # seconds: a restart, or a short recovery

SMALL: Final = 320  # bytes; up to here a callback neither makes a large record nor takes `QUICK`; most are smaller

_log = structlog.get_logger("receiver")


class Intake:
    """Takes callbacks of authenticated senders and gives their messages to `bus`."""

    def __init__(
        self,
        bus: Bus,
        accounts: Sequence[PingMeAccount],
        settings: ReceiverSettings | None = None,
        *,
        clock_ms: Callable[[], int],
        metrics: ReceiverMetrics,
        monotonic: Callable[[], float] = monotonic,
        unknown_shapes: UnknownShapes | None = None,
    ) -> None:
        self.bus = bus
        self.allowances: dict[str, Allowance] = {}
        """What each account may still use, by its name."""
        self.closing = False
        """Set it to refuse new requests (503) while those in flight finish."""
        self.leaving = False
        """Set it to close each connection after its next response."""
        self.in_flight = 0
        self.observe_latency = metrics.observe_latency
        self._clock_ms = clock_ms
        self._unknown_shapes = unknown_shapes
        self._settings = settings or ReceiverSettings()
        self._monotonic = monotonic
        self._began = monotonic()
        self.last_used: dict[str, float] = {}
        """When a callback last used a token, by the token's fingerprint; on the monotonic clock, which nobody sets."""
        self._outcomes = metrics.outcomes
        self._counted = {STRANGER: metrics.outcomes(STRANGER)}
        self._timer: asyncio.TimerHandle | None = None
        self.take_accounts(accounts)
        self._rejected = metrics.reasons(pingme.REASONS)
        self._idle = asyncio.Event()

    def take_accounts(self, accounts: Sequence[PingMeAccount]) -> None:
        """Accept these accounts and no others. One that stays keeps its allowance; counters of removed ones stay.

        A callback in flight of a removed account is finished.
        """
        before, self.allowances = self.allowances, {}
        for account in accounts:
            self.allowances[account.name] = before.get(account.name) or Allowance(account.name, self._settings)
            self._counted.setdefault(account.name, self._outcomes(account.name))
        for gone in before.keys() - self.allowances.keys():
            before[gone].forget()

    def begin(self) -> None:
        """Count one more request in flight."""
        self.in_flight += 1

    def end(self) -> None:
        """Count one fewer: it has its response, or its sender has gone."""
        self.in_flight -= 1
        if self.closing and not self.in_flight:
            self._idle.set()

    async def idle(self) -> None:
        """Return when nothing is in flight; set `closing` first."""
        while self.in_flight:
            self._idle.clear()
            await self._idle.wait()

    def callbacks(self, allowance: Allowance, caller: Caller, content_type: str, body: bytes) -> Callbacks:
        """Return a body's messages, charged to the account's allowance; a bug of ours makes a dead letter of it."""
        request = VerifiedRequest(pingme.PROVIDER, caller, content_type, body, self.comes_from(caller))
        return self._noticed(caller, body, _charged(allowance, body, _parse(request)))

    async def callbacks_aside(self, allowance: Allowance, caller: Caller, content_type: str, body: bytes) -> Callbacks:
        """Return the same, parsed in a thread: an array of 99 unusual texts takes half a second."""
        request = VerifiedRequest(pingme.PROVIDER, caller, content_type, body, self.comes_from(caller))
        return self._noticed(caller, body, _charged(allowance, body, await asyncio.to_thread(_parse, request)))

    def _noticed(self, caller: Caller, body: bytes, callbacks: Callbacks) -> Callbacks:
        """Return the callbacks; those with keys that nobody knows are counted, and one of them is a sample."""
        if (callbacks.unknown or callbacks.lacks_user) and self._unknown_shapes is not None:
            news = unknown(callbacks.unknown, body, lacks_user=callbacks.lacks_user)
            self._unknown_shapes.saw(pingme.PROVIDER, caller.account, "callback", news, partial(sample, news, body))
        return callbacks

    def comes_from(self, caller: Caller) -> int:
        """Note that its token was used now, and return the time, milliseconds since 1970."""
        self.last_used[caller.token] = self._monotonic()
        return self._clock_ms()

    def last_used_ms(self, token: str) -> int | None:
        """Return when the token of this fingerprint was last used; None: not since `since_ms`."""
        return self._wall_ms(self.last_used[token]) if token in self.last_used else None

    def since_ms(self) -> int:
        """Return since when uses are noted."""
        return self._wall_ms(self._began)

    def _wall_ms(self, moment: float) -> int:
        """Convert a monotonic moment to milliseconds since 1970 by the present clock: setting it changes no age."""
        return self._clock_ms() - round((self._monotonic() - moment) * 1000)

    def _result(self, message: SmsReceived | SmsRejected, receipt: Receipt) -> answers.Result:
        """Count a durable message and return its part of the response."""
        if isinstance(message, SmsRejected):
            self.count(message.account, "rejected")
            self._rejected[message.reason] += 1
            return answers.Result("rejected", message.reason)
        outcome = "duplicate" if receipt.duplicate else "accepted"
        self.count(message.account, outcome)
        return answers.Result(outcome, receipt.id)

    def submit(self, messages: Sequence[SmsReceived | SmsRejected]) -> asyncio.Future[Any]:
        """Give a request's messages to the bus in their order; return what `response` makes a response of."""
        if len(messages) == 1:
            return self.bus.submit(messages[0])
        return asyncio.gather(*map(self.bus.submit, messages), return_exceptions=True)

    def response(self, callbacks: Callbacks, receipts: asyncio.Future[Any]) -> Response:
        """Count a request's messages and return the response, once the future of `submit` is done."""
        messages = callbacks.messages
        try:
            if len(messages) == 1:
                results = [self._result(messages[0], receipts.result())]
            else:
                results = self._results(messages, receipts.result())
        except NotDurable as full:
            return self.problem(messages[0].account, "not_durable", retry_after=full.retry_after)
        except Exception as error:  # noqa: BLE001 - see `failed`
            return self.failed(error)
        return answers.several(results) if callbacks.is_array else answers.one(results[0])

    def _results(
        self, messages: Sequence[SmsReceived | SmsRejected], receipts: Sequence[Receipt | BaseException]
    ) -> list[answers.Result]:
        """Count the durable ones; raises the error of the first that is not."""
        failed = [receipt for receipt in receipts if isinstance(receipt, BaseException)]
        pairs = zip(messages, receipts, strict=True)
        results = [self._result(message, each) for message, each in pairs if not isinstance(each, BaseException)]
        if failed:
            raise failed[0]
        return results

    def failed(self, error: BaseException | None, event: str = "request_failed") -> Response:
        """Return 503 for an unexpected error of ours or of aiohttp's; the log line has its type and place only."""
        _log.error(event, **_where(error))
        return self.problem(STRANGER, "internal_error", retry_after=RETRY_AFTER)

    def problem(
        self, account: str, reason: str, *, retry_after: int | None = None, allow: str | None = None
    ) -> Response:
        """Count a problem and return the response for it."""
        self.count(account, reason)
        return answers.problem(reason, retry_after=retry_after, allow=allow)

    def limited(self, allowance: Allowance, problem: str) -> Response:
        """Return 429 for an account over a limit; `degraded` shows it for a minute."""
        retry_after = allowance.refused(problem)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(QUIET, self._check_limits)
        return self.problem(allowance.account, problem, retry_after=retry_after)

    def degraded(self) -> tuple[str, ...]:
        """Return `account_limited:NAME` for each account with a callback refused within the last minute."""
        return tuple(f"account_limited:{each.account}" for each in self.allowances.values() if each.is_limited())

    def _check_limits(self) -> None:
        """Log the end of a limit also where nobody asks for `degraded`."""
        self._timer = asyncio.get_running_loop().call_later(QUIET, self._check_limits) if self.degraded() else None

    def count(self, account: str, outcome: str) -> None:
        """Count one request, or one element of an array, by its outcome."""
        self._counted[account][outcome] += 1


class _Parsed(NamedTuple):
    """A request's messages, the CPU seconds spent on it, and the sizes of records that may be large."""

    callbacks: Callbacks
    seconds: float
    sizes: list[int]


def _parse(request: VerifiedRequest) -> _Parsed:
    is_small = len(request.body) <= SMALL
    began = 0.0 if is_small else thread_time()  # a system call
    sizes: list[int] = []
    try:
        callbacks = pingme.messages(request)
        if not is_small:
            sizes = [size_at_most(each) for each in callbacks.messages if isinstance(each, SmsReceived)]
    except Exception as error:  # noqa: BLE001 - it would fail on every repeat too: keep the bytes, end the repeats
        _log.error("callback_failed", account=request.caller.account, **_where(error))
        callbacks = Callbacks([dead_letter(request, InvalidCallback("normalize", "internal_error"))], is_array=False)
    return _Parsed(callbacks, 0.0 if is_small else thread_time() - began, sizes)


def _charged(allowance: Allowance, body: bytes, parsed: _Parsed) -> Callbacks:
    messages = parsed.callbacks.messages
    allowance.parsed_bytes += len(body)
    allowance.pay_time(parsed.seconds, len(messages))
    for size in parsed.sizes:
        allowance.pay_record(size)
    if SmsRejected in map(type, messages):  # a request has at most one
        allowance.pay_letter(len(body))
    return parsed.callbacks


def _where(error: BaseException | None) -> dict[str, str]:
    """Return what may be logged of an exception: its type and line. Its message may quote an SMS."""
    frames = list(traceback.walk_tb(error.__traceback__ if error else None))
    place = f"{frames[-1][0].f_globals.get('__name__')}:{frames[-1][1]}" if frames else "unknown"
    return {"error": type(error).__name__, "at": place}
