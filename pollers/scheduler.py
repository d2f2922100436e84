"""When each watch is looked at, and what comes of it: wait → fetch → advance."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from bus.contract import BusFull
from pollers import ending
from pollers.account import Account
from pollers.advance import advance, is_news
from pollers.curve import Curve
from pollers.identity import with_full_text
from pollers.observation import Last, NoCode, Observation, Trouble
from pollers.owned_watch import OwnedWatch
from pollers.schedule import Waiting, demand, first_look, next_look
from pollers.settings import PollersSettings
from pollers.shard import Shard
from pollers.state import WatchState
from pollers.wheel import Wheel
from schemas import timestamps

TICK: Final = 1 / 16  # seconds between two looks at the wheel; exact in binary, so that no tick is taken twice
BAD_ACTION: Final = "bad_action"
CLOCK: Final = 0.001  # seconds: uvloop's; of less it makes nothing, and its clock stands still meanwhile
SOON: Final = 0.2  # seconds: a wish, an action or a full bus is followed by a look


@dataclass(slots=True)
class Plan:
    """When and for whom a watch is looked at."""

    shard: Shard
    account: Account
    demand: float = 0.0  # requests a second, as it counts at the account's gate
    looked_ms: int = 0  # when the last look without an SMS was answered: what the curve learns from


class Scheduler:
    """The looks of one process. Belongs to one event loop; somebody calls `tick` every `TICK` seconds."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        settings: PollersSettings,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        now_ms: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self.plans: dict[str, Plan] = {}
        self._accounts = accounts
        self._settings = settings
        self._spawn = spawn
        self._now_ms = now_ms
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._wheel = Wheel(now=self._loop.time(), tick=TICK)
        self._curves: defaultdict[tuple[str, str | None], Curve] = defaultdict(Curve)
        self._due: set[str] = set()  # accounts that a timer will serve: one each, however many looks end meanwhile
        self._in_flight = 0

    def plan(self, shard: Shard, state: WatchState, *, soon: bool) -> None:
        """Look soon, or for the first time spread over an interval; at an ended watch no more."""
        watch_id = state.watch.watch_id
        if state.ended is not None or state.watch.account not in self._accounts:
            self.drop(watch_id)
            return
        plan = self.plans.get(watch_id)
        if plan is None or plan.shard is not shard:
            self.drop(watch_id)
            plan = self.plans[watch_id] = Plan(shard, self._accounts[state.watch.account], looked_ms=state.looked_ms)
        seconds = SOON if soon else self._seconds(plan, state, first=True)
        self._wheel.schedule(watch_id, self._loop.time() + seconds)

    def drop(self, watch_id: str) -> None:
        """Look no more, until it is planned again."""
        plan = self.plans.pop(watch_id, None)
        if plan is not None:
            self._wheel.cancel(watch_id)
            plan.account.queue.leave(watch_id)
            plan.account.throttle.wants(before=plan.demand, after=0.0)

    def tick(self) -> None:
        """Send whoever is due and may go."""
        for watch_id in self._wheel.due(self._loop.time()):
            if plan := self.plans.get(watch_id):
                plan.account.queue.join(watch_id)
        for account in self._accounts.values():
            self._serve(account)

    def _serve(self, account: Account) -> None:
        """Start every look that the gate admits now, and come back when it admits the next."""
        now = self._loop.time()
        if (
            account.throttle.state == "paused" and account.throttle.reason != BAD_ACTION
        ):  # that one only a look can disprove
            if self.plans and account.throttle.admit(now) == 0.0:
                self._spawn(account.probe())
            return
        while self._in_flight < self._settings.workers and (watch_id := account.queue.admitted(now)):
            self._in_flight += 1
            self._spawn(self._look(watch_id, account))
        wait = account.throttle.wait(now)
        if account.queue and wait < TICK and self._in_flight < self._settings.workers and account.name not in self._due:
            self._due.add(account.name)
            self._loop.call_later(ceil(wait / CLOCK) * CLOCK, self._serve_again, account)

    def _serve_again(self, account: Account) -> None:
        self._due.discard(account.name)
        self._serve(account)

    async def _look(self, watch_id: str, account: Account) -> None:
        try:
            plan = self.plans.get(watch_id)
            kept = plan.shard.watches.get(watch_id) if plan else None
            if plan is None or kept is None or kept.looking:
                return
            seconds = self._settings.max_interval  # even a bug does not end the looking
            kept.looking = True
            try:
                seconds = SOON if kept.acting else await self._look_once(plan, kept)
            finally:
                kept.looking = False
                if self.plans.get(watch_id) is plan:
                    self._wheel.schedule(watch_id, self._loop.time() + seconds)
        finally:
            self._in_flight -= 1
            self._serve(account)

    async def _look_once(self, plan: Plan, kept: OwnedWatch) -> float:
        """One step of a watch: fetch, advance, accept. Return in how many seconds to look again."""
        before = kept.state
        observation = await self._fetch(plan.account, before)
        shard = plan.shard
        if self.plans.get(before.watch.watch_id) is not plan or shard.watches.get(before.watch.watch_id) is not kept:
            return SOON
        now_ms = self._now_ms()
        unchanged = kept.revision == before.revision
        step = advance(before if unchanged else kept.state, observation, now_ms, zone=plan.account.zone)
        if not unchanged:
            step = step._replace(action=None)  # a wish came while we looked: what it wants needs a look of its own
        try:
            await shard.take(before.watch.watch_id, step)
        except BusFull:
            return SOON * 5
        self._learn(plan, before, step.state, observation, now_ms)
        if step.state.ended is not None:
            self.drop(before.watch.watch_id)
        return self._seconds(plan, step.state, first=False)

    async def _fetch(self, account: Account, state: WatchState) -> Observation:
        watch = state.watch
        observation = await account.observe(watch.order_kind, watch.order_id)
        if account.client.has_full_text and isinstance(observation, Last | NoCode) and is_news(state, observation):
            full = await account.full_text(watch.order_id)
            if isinstance(observation, Last):
                return Last(with_full_text(observation.sms, full))
            return Last(full) if full is not None else observation
        return observation

    # ---- when -------------------------------------------------------------------------------------------------------

    def _seconds(self, plan: Plan, state: WatchState, *, first: bool) -> float:
        gate, settings = plan.account.throttle, self._settings
        waiting, curve, stretch = _waiting(state, self._now_ms()), self._curve(state), gate.stretch()
        look = first_look if first else next_look
        seconds = look(waiting, curve, settings, stretch=stretch, chance=self._rng.random())
        usual = next_look(waiting, curve, settings, stretch=stretch, chance=0.0) if first else seconds
        wanted = demand(usual, settings, stretch=stretch)
        gate.wants(before=plan.demand, after=wanted)
        plan.demand = wanted
        return seconds

    def _curve(self, state: WatchState) -> Curve:
        return self._curves[state.provider, state.watch.service]

    def _learn(self, plan: Plan, before: WatchState, after: WatchState, observation: Observation, now_ms: int) -> None:
        """Tell the curve of the first SMS of an order: when it came, or that it did not."""
        if isinstance(observation, Trouble) or before.newest is not None or before.watch.order_kind == "rent":
            return
        opened_ms = timestamps.to_epoch_ms(before.watch.opened_at)
        since, until = (max(0.0, (at - opened_ms) / 1000) for at in (plan.looked_ms, now_ms))
        self._curve(before).looked(since, until, arrived=after.newest is not None)
        plan.looked_ms = now_ms


def _waiting(state: WatchState, now_ms: int) -> Waiting:
    opened_ms = timestamps.to_epoch_ms(state.watch.opened_at)
    since_ms = state.awaited_since_ms
    remaining = (ending.deadline_ms(state) - now_ms) / 1000
    if state.watch.order_kind == "rent":
        return Waiting("rent", 0.0, remaining)
    if state.newest is None:
        return Waiting("first", max(0.0, (now_ms - opened_ms) / 1000), remaining)
    if since_ms is not None:
        return Waiting("next", max(0.0, (now_ms - since_ms) / 1000), remaining)
    return Waiting("idle", 0.0, remaining)
