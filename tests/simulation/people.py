"""Whoever uses the program: buys orders, has them watched, asks for things, and reads what is published."""

import asyncio
import json
from typing import TYPE_CHECKING, Final

from bus.kafka.client import KafkaAway
from bus.record import partition_of
from sandbox.orders import Order
from sandbox.plan import PlannedSms, drawn
from sandbox.settings import OrderRequest
from sandbox.sms import OrderKind, Provider
from schemas.messages import SmsReceived
from tests.simulation.kafka import SHARDS, Published
from tests.simulation.twins import TwinWriter
from tests.simulation.watches import LIFETIME, Asked, Case

if TYPE_CHECKING:
    from tests.simulation.town import Town

TRIES: Final = 30  # of a POST that was answered 503, some seconds apart


class People:
    """On a loop that never stands still, through an API that is always there."""

    def __init__(self, town: "Town") -> None:
        self.cases: dict[str, Case] = {}
        self._town = town
        self._writer = TwinWriter(town.kafka, "api")
        self._requests = 0
        self._rng = town.random("people")

    # ---- orders ----------------------------------------------------------------------------------------------------

    def buy(
        self, provider: Provider, kind: OrderKind, *, sms: int, lifetime: float, pace: float = 1.0, gap: float = 1.0
    ) -> Order:
        """Open an order that gets so many SMS, in times that the seed decides."""
        plan = tuple(drawn(sms, curve="mixture", pace=pace, rng=self._rng))
        return self._town.world.open(OrderRequest(provider=provider, kind=kind, sms=plan, lifetime=lifetime, gap=gap))

    def buy_rent(self, provider: Provider, *, sms: int, over: float, before: int = 0) -> Order:
        """Open a rent that gets its SMS evenly, `before` of them before anybody watches."""
        times = [self._rng.uniform(-86_400, -3_600) for _ in range(before)]
        times += [self._rng.uniform(0, over) for _ in range(sms)]
        plan = tuple(PlannedSms(at=at) for at in sorted(times))
        return self._town.world.open(OrderRequest(provider=provider, kind="rent", sms=plan, lifetime=over + 600))

    async def watch(
        self, provider: Provider, kind: OrderKind, order: Order, *, until: float | None = None, after_sms: str = "keep"
    ) -> Case:
        """Have an order watched, `until` so many seconds from now."""
        now = self._town.loop.time()
        case = Case(provider, kind, order, now, now + (until or LIFETIME[kind]), until is not None, after_sms)
        self.cases[case.watch_id] = case
        await self.request(case, "watch", states_end=until is not None)
        return case

    # ---- requests --------------------------------------------------------------------------------------------------

    async def request(self, case: Case, desired: str, *, after: int | None = None, states_end: bool = False) -> None:
        """POST until it is taken; what is known of the watch decides as the API does."""
        self._requests += 1
        request_id = f"r{self._requests}"
        ends = case.ends
        value = case.record(desired, request_id, after=after, states_end=states_end)
        for _ in range(TRIES):
            try:
                await self._writer.put(case.watch_id, value)
            except KafkaAway:
                await asyncio.sleep(5.0)
            else:
                case.asked.append(Asked(self._town.loop.time(), desired, request_id, after, ends))
                return

    def state(self, case: Case) -> dict[str, object]:
        """Return the committed state; nothing of one that is none."""
        partition = partition_of(case.watch_id.encode(), SHARDS)
        found: dict[str, object] = json.loads(self._town.kafka.states[partition].get(case.watch_id, b"{}"))
        return found

    # ---- reading ---------------------------------------------------------------------------------------------------

    def wants_more(self, record: Published) -> None:
        """Ask for the next SMS as soon as one is published, while the order has more to come."""
        if not isinstance(record.message, SmsReceived):
            return
        case = self.cases.get(record.message.watch_id or "")
        if case is None or case.kind == "rent" or record.message.sequence is None:
            return
        if record.message.sequence + 1 < len(case.order.sms):
            counted = self._rng.choice((None, record.message.sequence + 1))
            self._town.spawn(self._next(case, self._rng.choice((0.0, 0.02, 0.2, 3.0)), counted))

    async def _next(self, case: Case, pause: float, after: int | None) -> None:
        await asyncio.sleep(pause)
        await self.request(case, "next", after=after)
