"""One account at run time: its client, its gate, and who waits in line for it."""

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import structlog

from pollers.observation import Observation, SeenSms, Trouble
from pollers.providers.client import Client
from pollers.state import Action, ActResult
from pollers.throttle import AccountThrottle
from pollers.wheel import WaitQueue

T = TypeVar("T")

ACTION_TIMEOUT: Final = 5.0  # seconds; the licence to act is younger than this plus two

_log = structlog.get_logger("pollers")


class Account:
    """Every request of one account goes through here, and is counted by its gate."""

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
        self.zone = zone  # of the provider's times that state none
        self.throttle = AccountThrottle(requests_per_second=requests_per_second, rng=rng)
        self.queue = WaitQueue(self.throttle)
        self.outcomes: dict[str, int] = {}  # of looks, by machine word: for the metrics
        self.answered_at = 0.0  # when an answer last said something, seconds since 1970
        self._loop = asyncio.get_running_loop()

    async def observe(self, order_kind: str, order_id: str) -> Observation:
        """Look once; the gate hears how it ended."""
        return await self._reported(self.client.observe(order_kind, order_id))

    async def full_text(self, order_id: str) -> SeenSms | None:
        """Fetch the text that an answer was too short for; None when it cannot be had now."""
        return await self.client.full_text(order_id) if self.throttle.state == "open" else None

    async def act(self, order_kind: str, order_id: str, action: Action) -> ActResult | Trouble:
        """Do it once, in bounded time. A time-out is trouble: nobody knows whether it was done.

        While the account backs off nothing is done: the state still says what is wanted, and the next look drives it.
        """
        if self.throttle.state != "open":
            return Trouble("transient", "account_waits")
        started, result = self._loop.time(), await self._act(order_kind, order_id, action)
        trouble = result if isinstance(result, Trouble) else None
        self._report(trouble, started)
        _log.info("acted", account=self.name, action=action, result=trouble.word if trouble else result)
        return result

    async def probe(self) -> None:
        """Ask whether a paused account works again."""
        await self._reported(self.client.alive())

    async def _act(self, order_kind: str, order_id: str, action: Action) -> ActResult | Trouble:
        try:
            return await asyncio.wait_for(self.client.act(order_kind, order_id, action), ACTION_TIMEOUT)
        except TimeoutError:
            return Trouble("transient", "action_timeout")

    async def _reported(self, request: Coroutine[Any, Any, T]) -> T:
        started = self._loop.time()
        answer = await request
        trouble = answer if isinstance(answer, Trouble) else None
        word = trouble.word if trouble else type(answer).__name__.lower()
        self.outcomes[word] = self.outcomes.get(word, 0) + 1
        self._report(trouble, started)
        return answer

    def _report(self, trouble: Trouble | None, started: float) -> None:
        if trouble is None:
            self.answered_at = time.time()
        transition = self.throttle.report(trouble, started=started, now=self._loop.time())
        if transition is None:
            return
        say = _log.info if transition.state == "open" else _log.warning
        words = {"reason": transition.reason, "seconds": round(transition.seconds)}
        say("account_" + transition.state, account=self.name, **words)
