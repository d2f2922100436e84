"""What the pollers are loaded with: orders of all providers, each with a watch."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

import aiohttp

from tests.e2e.program import ADMIN_HEADER
from tests.faults.load import FAILURES, raise_first
from tests.faults.process import Part
from tests.faults.sandbox import PROVIDERS, Sandbox

AGAIN_SECONDS = 1.0  # before another poller is asked for the same watch
WATCH_SECONDS = 10  # for the answer to a wish for a watch
MOST_WISHES = 100  # that wait at once: while Kafka is away no watch can be opened, and no more orders are
LIFETIME = 120.0  # seconds of an order; its SMS come within the first ten
PLANS = (("activation", "request_next", 3), ("activation", "keep", 1), ("activation", "finish", 1), ("rent", "keep", 2))
"""Kind of order, what follows an SMS, and how many come."""


class Order(NamedTuple):
    """An order at the sandbox; times are seconds since 1970."""

    provider: str
    kind: str
    order: str
    arrives: float
    """When the last of its SMS comes."""
    ends: float
    watched: float
    """When its watch was acknowledged."""

    @property
    def name(self) -> tuple[str, str, str]:
        return (self.provider, self.kind, self.order)


class Orders:
    """Opens orders at a steady rate, of all providers and both kinds, and wishes for a watch of each at a poller."""

    def __init__(self, sandbox: Sandbox, pollers: Sequence[Part], *, rate: float, rng: Random) -> None:
        self.opened: list[Order] = []
        self.rate = rate
        """Orders a second; may be changed while they are opened."""
        self.lifetime = LIFETIME
        """Seconds of an order; may be changed likewise."""
        self._sandbox = sandbox
        self._pollers = pollers
        self._rng = rng
        self._tasks: list[asyncio.Task[None]] = []
        self._opening: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._session = aiohttp.ClientSession(headers=ADMIN_HEADER, timeout=aiohttp.ClientTimeout(total=WATCH_SECONDS))
        self._opening = asyncio.create_task(self._open())

    async def stop(self, seconds: float) -> int:
        """Open no more; return how many orders have no watch after so many seconds."""
        if self._opening:
            self._opening.cancel()
        done, late = await asyncio.wait(self._tasks, timeout=seconds) if self._tasks else (set(), set())
        await self.close()
        raise_first(done)
        return len(late)

    async def close(self) -> None:
        if self._opening:
            for task in (self._opening, *self._tasks):
                task.cancel()
            await asyncio.wait([self._opening, *self._tasks])
            await self._session.close()

    async def _open(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(1 / self.rate)
            while sum(not task.done() for task in self._tasks[-MOST_WISHES:]) == MOST_WISHES:
                await asyncio.sleep(1)
            self._tasks.append(asyncio.create_task(self._open_one(number)))

    async def _open_one(self, number: int) -> None:
        provider = PROVIDERS[number % len(PROVIDERS)]
        kind, after_sms, count = PLANS[number // len(PROVIDERS) % len(PLANS)]
        if kind == "rent" and provider == "smsverified":  # it documents none
            kind, after_sms, count = PLANS[0]
        at = list(itertools.accumulate([self._rng.uniform(1, 6), *(self._rng.uniform(1, 2) for _ in range(count - 1))]))
        opened = await self._sandbox.open_order(provider, kind, at, gap=0.5, lifetime=self.lifetime)
        arrives = time.time() + at[-1]
        await self._watch(opened, after_sms)
        self.opened.append(Order(provider, kind, opened["order"], arrives, opened["ends"], time.time()))

    async def _watch(self, order: dict[str, Any], after_sms: str) -> None:
        """Ask one poller after the other until one has taken the wish."""
        wish = {"account": order["provider"], "order_kind": order["kind"], "order_id": order["order"]}
        wish |= {"recipient": order["number"], "after_sms": after_sms}
        for poller in itertools.cycle(self._rng.sample(self._pollers, len(self._pollers))):
            with suppress(*FAILURES):  # it is dead or asleep: there are others
                async with self._session.post(f"{poller.admin}/v1/watches", json=wish) as answer:
                    if answer.status in (200, 201):
                        return
                    assert answer.status == 503, await answer.text()
            await asyncio.sleep(AGAIN_SECONDS)
