"""One account at run time: its client, its throttle, and its queue."""

import asyncio
import random
import time
from collections.abc import Coroutine, Mapping
from math import ceil, inf
from typing import Any, Final, TypeVar

import structlog

from bus.durations import Durations
from pollers.scheduling.list_hint import FEW
from pollers.scheduling.throttle import HEADROOM, PROBE_EVERY, AccountThrottle
from pollers.scheduling.timer_wheel import WaitQueue
from pollers.tracking.answer_notes import name
from pollers.tracking.expiry import GONE_MS
from providers.client import Another, Client
from providers.observation import Gone, Observation, ProviderError, SeenSms, Unfinished
from providers.results import Action, ActResult, Balance
from schemas.timestamps import LATEST_MS

T = TypeVar("T")

ACTION_TIMEOUT: Final = 5.0  # seconds; the licence to act is younger than this plus two
FULL_TEXTS: Final = 2  # attempts: an SMS is published only once, so a text that is missing then stays missing
SLOW_TEXT: Final = 5.0  # seconds: an SMS whose code is known does not wait longer for its text
UNKNOWN: Final = 3  # responses in a row
BAD_ACTIONS: Final = 10  # in a row: the provider does not offer this, and further requests are useless
NO_LIST: Final = frozenset({"bad_action", "too_large"})
"""Errors of the list of open orders that say nothing about the account: there is no list, or it is too large."""
WAITS: Final = ProviderError("transient", "account_waits")  # nothing was sent: the account is backing off or paused
KEY_REFUSED: Final = "its orders will not be polled: correct api_key, `smsbus check` tries it"
# Seconds. A request has at most 15, an action 5.
RESPONSE_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
# Seconds, from a turn of the loop to a budget that is far too small.
DELAY_BUCKETS: Final = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
# Seconds: the resolution of uvloop's clock; it rounds shorter delays to 0 and does not advance meanwhile.
CLOCK: Final = 0.001

_log = structlog.get_logger("pollers")


class Account:
    """All requests of one account go through here and are counted by its throttle."""

    def __init__(
        self,
        name: str,
        provider: str,
        client: Client,
        *,
        requests_per_second: float,
        zone: str = "UTC",
        rng: random.Random,
    ) -> None:
        self.name = name
        self.provider = provider
        self.client = client
        self.zone = zone  # of the provider's times that have no zone
        self.throttle = AccountThrottle(requests_per_second=requests_per_second, rng=rng)
        self.queue = WaitQueue()
        self.outcomes: dict[str, int] = {}  # of requests, by code: for the metrics
        self.answered_at: float | None = None  # when a request last succeeded, seconds since 1970; None: none has
        self.found_at: float | None = None  # when a poll last found an SMS, seconds since 1970; None: none has
        self.responses = Durations(RESPONSE_BUCKETS)  # of all requests to the provider, failed ones included
        self.delays = Durations(DELAY_BUCKETS)  # of polls: how long each waited once it was due
        self._bad_actions: dict[str, int] = {}  # in a row, by kind of order
        self._key_wrong_at = inf  # when an action last failed with a wrong key; inf: never
        self.observed_at = 0.0  # when a poll last succeeded, by the loop's clock
        self.known_ms = 0  # when an order was last known, milliseconds since 1970
        self.unknown: list[int] = []  # when orders were unknown since then, in the same unit: the first few
        self._heard_at = 0.0  # when any request last succeeded, by the loop's clock
        self._probe_kind_at: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()
        self._open_since = self._loop.time()

    def take(self, client: Client | None, *, requests_per_second: float) -> None:
        """Use this client from the next request on (None: keep the present one), and this budget."""
        self.throttle.set_budget(requests_per_second)
        if client is not None:
            self.client = client
            self._key_wrong_at = inf
            self.throttle.key_changed(self._loop.time())

    # ---- requests ----------------------------------------------------------------------------------------------

    async def poll(
        self, order_kind: str, order_id: str, unfinished: Unfinished | None = None
    ) -> Observation | Unfinished:
        """Send one request of a poll, which the throttle has admitted."""
        answer = await self._reported(self.client.poll(order_kind, order_id, unfinished), "unfinished")
        self._note_bad_action(order_kind, answer)
        if not isinstance(answer, ProviderError):
            self.observed_at = self._loop.time()
        return answer

    async def full_text(self, order_id: str) -> SeenSms | None:
        """Fetch the full text of an SMS; None if that fails twice."""
        for _ in range(FULL_TEXTS):
            if not await self.further():
                return None
            began = self._loop.time()
            answer = await self._reported(self.client.full_text(order_id), "full_text")
            if not isinstance(answer, ProviderError):
                return answer
            if answer.kind != "transient" or self._loop.time() - began > SLOW_TEXT:
                return None
        return None

    async def active(self) -> Mapping[str, str] | ProviderError:
        """Fetch the list of open orders, as the throttle has admitted. A refused list causes no back-off."""
        started = self._loop.time()
        answer = await self.client.active()
        error = answer if isinstance(answer, ProviderError) else None
        self._count("list" if error is None else f"list_{error.code}")
        self._report(None if error and error.code in NO_LIST else error, started)
        return answer

    async def act(
        self, order_kind: str, order_id: str, action: Action, *, late: float = 0.0
    ) -> ActResult | ProviderError:
        """Perform an action, with a time limit, as the throttle has admitted `late` seconds ago.

        After a time-out it is unknown whether it was done: an error. While the account backs off nothing is done: the
        state keeps the requested action, and the next poll triggers it again.
        """
        if self.throttle.state != "open" or self.throttle.told_to_wait(self._loop.time()):
            return WAITS
        self.throttle.went_late(late)
        result = await self._act(order_kind, order_id, action, None)
        if isinstance(result, Another):
            result = await self._act(order_kind, order_id, action, result) if await self.further() else WAITS
        if isinstance(result, Another):
            result = ProviderError("denied", "wrong_status")
        return result

    async def probe(self) -> None:
        """Check whether a paused account works again."""
        await self._reported(self.client.alive(), "key_works")

    async def balance(self) -> Balance | Gone | ProviderError:
        """Ask how much money is left, once the budget has room. Only a throttled request affects the account.

        A refused key is logged: without an order nothing else would show it. Orders that are polled pause the account.
        """
        if not await self.further():
            return WAITS
        started = self._loop.time()
        answer = await self.client.balance()
        error = answer if isinstance(answer, ProviderError) else None
        self._count("balance" if error is None else f"balance_{error.code}")
        if error is not None and error.kind == "auth":
            _log.warning("key_refused", account=self.name, reason=error.code, hint=KEY_REFUSED)
        if error is None or error.kind == "throttled":
            self._report(error, started)
        return answer

    async def further(self) -> bool:
        """Wait for the slot of one more request; False: do not send it, the account is backing off or paused."""
        if self.throttle.state != "open":
            return False
        seconds = self.throttle.reserve(self._loop.time())
        await asyncio.sleep(ceil(seconds / CLOCK) * CLOCK)
        return self.throttle.state == "open" and not self.throttle.told_to_wait(self._loop.time())

    async def _act(
        self, order_kind: str, order_id: str, action: Action, another: Another | None
    ) -> ActResult | ProviderError | Another:
        started = self._loop.time()
        result: ActResult | ProviderError | Another
        try:
            async with asyncio.timeout(ACTION_TIMEOUT):
                result = await self.client.act(order_kind, order_id, action, another.how if another else None)
        except TimeoutError:
            result = ProviderError("transient", "action_timeout")
        error = result if isinstance(result, ProviderError) else None
        self._report(None if error is not None and self._is_about_this_act(error) else error, started)
        return result

    def _is_about_this_act(self, error: ProviderError) -> bool:
        """Return whether a wrong key concerns only actions: it was reported before, and the key worked meanwhile."""
        if error.kind != "auth":
            return False
        before, self._key_wrong_at = self._key_wrong_at, self._loop.time()
        return before < self._heard_at

    # ---- their results --------------------------------------------------------------------------------------

    async def _reported(self, request: Coroutine[Any, Any, T], otherwise: str) -> T:
        """Await a request, count its outcome and report it. `otherwise`: the outcome if it is not an observation."""
        started = self._loop.time()
        answer = await request
        error = answer if isinstance(answer, ProviderError) else None
        self._count(name(answer) if isinstance(answer, Observation) else otherwise)
        self._report(error, started)
        return answer

    def _count(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def _report(self, error: ProviderError | None, started: float) -> None:
        self.responses.observe(self._loop.time() - started)
        if error is None:
            self.answered_at = time.time()
            self._heard_at = self._loop.time()
        transition = self.throttle.report(error, started=started, now=self._loop.time())
        if transition is None:
            return
        if transition.state == "open":
            self._open_since = self._loop.time()
        say = _log.info if transition.state == "open" else _log.warning
        words = {"reason": transition.reason, "next_request_in": round(transition.seconds)}
        say("account_" + transition.state, account=self.name, **words)

    # ---- a kind of order that the provider does not offer ---------------------------------------------------------

    def _note_bad_action(self, kind: str, answer: object) -> None:
        if not isinstance(answer, ProviderError):
            self._bad_actions.pop(kind, None)
        elif answer.code == "bad_action":
            self._bad_actions[kind] = self._bad_actions.get(kind, 0) + 1

    def paused_kinds(self) -> tuple[str, ...]:
        """Return the kinds of order for which BAD_ACTION came ten times in a row; they are tried once a minute."""
        return tuple(sorted(kind for kind, times in self._bad_actions.items() if times >= BAD_ACTIONS))

    def wait_of_kind(self, kind: str, now: float) -> float:
        """Return 0.0 if an order of this kind may be polled, else the seconds until the next attempt."""
        if self._bad_actions.get(kind, 0) < BAD_ACTIONS:
            return 0.0
        wait = self._probe_kind_at.get(kind, 0.0) - now
        if wait <= 0:
            self._probe_kind_at[kind] = now + PROBE_EVERY
        return max(0.0, wait)

    # ---- health ----------------------------------------------------------------------------------------------------

    def note_known(self, now_ms: int, *, known: bool) -> None:
        """Note whether the provider knew an order."""
        if known:
            self.known_ms = now_ms
            self.unknown.clear()
        elif len(self.unknown) < UNKNOWN:
            self.unknown.append(now_ms)

    def orders_unknown(self, now_ms: int) -> bool:
        """Return whether the provider has known none of several orders for half a minute and several responses."""
        if len(self.throttle.demand) <= FEW or len(self.unknown) < UNKNOWN:
            return False
        return now_ms - self.unknown[0] >= GONE_MS

    def last_known_ms(self) -> int:
        """Return when any order was last known; with only a few orders that says nothing: the latest time."""
        return self.known_ms if len(self.throttle.demand) > FEW else LATEST_MS

    def oldest_due(self) -> float:
        """Return for how many seconds the oldest due poll has been waiting while the account may be called."""
        now = self._loop.time()
        return min(self.queue.waiting_for(now), now - self._open_since) if self.throttle.state == "open" else 0.0

    def overdue(self, seconds: float) -> int:
        """Return how many polls have been due for longer than that while the account may be called."""
        now = self._loop.time()
        if self.throttle.state != "open" or now - self._open_since < seconds:
            return 0
        return self.queue.waiting_longer(now, seconds)

    def expected_delay(self) -> float:
        """Return how many seconds an SMS waits for its poll on average.

        Half the mean interval; where a list says which orders have changed, the time that the queue before it takes.
        """
        watches = len(self.throttle.demand)
        if self.throttle.set_apart:
            return max(1 / self.throttle.set_apart, self.queue.before_others() / self.throttle.rate)
        scarce = self.throttle.stretch() > 1
        return watches / (2 * HEADROOM * self.throttle.rate) if scarce else 0.0
