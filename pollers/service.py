"""The pollers of one process: which shards are ours, whom to look at when, and who may be asked."""

import asyncio
import random
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bus.client import KafkaAway
from bus.commands import SESSION_MS, Command, CommandGroup, CommandWriter
from bus.contract import Bus, BusFull, Receipt
from bus.record import partition_of
from bus.settings import KafkaSettings
from bus.state_log import Fenced, StateLog
from bus.topics import WATCH_PARTITIONS
from pollers import ending
from pollers.accounts import Account
from pollers.advance import advance, is_news
from pollers.commands import dead_letter, read_command
from pollers.curve import Curve
from pollers.identity import with_full_text
from pollers.kept import Kept
from pollers.observation import Last, NoCode, Observation, Trouble
from pollers.schedule import Waiting, demand, first_look, next_look
from pollers.settings import PollersSettings
from pollers.shard import Shard
from pollers.state import Action, ActResult, WatchState
from pollers.wheel import Wheel
from schemas import timestamps
from schemas.messages import Message

GROUP: Final = "smsbus-pollers"
TICK: Final = 1 / 16  # seconds between two looks at the wheel; exact in binary, so that no tick is taken twice
BAD_ACTION: Final = "bad_action"
SOON: Final = 0.2  # seconds: a wish, an action or a full bus is followed by a look

_log = structlog.get_logger("pollers")


@dataclass(slots=True)
class Plan:
    """When and for whom a watch is looked at."""

    shard: Shard
    account: Account
    demand: float = 0.0  # requests a second, as it counts at the account's gate
    looked_ms: int = 0  # when the last look without an SMS was answered: what the curve learns from


class Service:
    """Implements `pollers.shard.Surroundings`. Belongs to one event loop; `start`, then `stop`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        bus: Bus,
        accounts: Mapping[str, Account],
        settings: PollersSettings,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self.shards: dict[int, Shard] = {}
        self.plans: dict[str, Plan] = {}
        self.accounts = accounts
        self._kafka = kafka
        self._bus = bus
        self._settings = settings
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._loop = asyncio.get_running_loop()
        self._wheel = Wheel(now=self._loop.time(), tick=TICK)
        self._curves: dict[tuple[str, str | None], Curve] = {}
        self._writer = CommandWriter(kafka)
        self._group = CommandGroup(
            kafka,
            group=kafka.topic(GROUP),
            on_shards=self._on_shards,
            on_command=self._on_command,
            on_caught_up=self._on_caught_up,
        )
        self._running: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._core: list[asyncio.Task[None]] = []
        self._due: set[str] = set()  # accounts that a timer will serve: one each, however many looks end meanwhile
        self._in_flight = 0

    # ---- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Join the group and begin to tick."""
        self._core = [self._spawn(self._group.run()), self._spawn(self._tick_for_ever())]

    async def stop(self) -> None:
        """Leave the group; what was not committed is looked at again by whoever comes next."""
        tasks = [*self._tasks, *self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._writer.close()

    def alive(self) -> bool:
        """The group and the ticking run; they never end by themselves."""
        return bool(self._core) and not any(task.done() for task in self._core)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("poller_task_failed", exc_info=error)

    # ---- shards ------------------------------------------------------------------------------------------------

    def _on_shards(self, ours: frozenset[int]) -> None:
        for lost in set(self.shards) - ours:
            self._lose(lost)
        for new in ours - set(self.shards):
            self.shards[new] = Shard(new, StateLog(self._kafka, new, group=self._kafka.topic(GROUP)), self)
            self._running[new] = self._loop.create_task(self._run(new, self.shards[new]))
        for account in self.accounts.values():
            account.gate.share(len(ours), WATCH_PARTITIONS)
        _log.info("shards", ours=sorted(ours))

    def _lose(self, partition: int) -> None:
        shard = self.shards.pop(partition)
        self._running.pop(partition).cancel()
        for watch_id in shard.kept:
            self._drop(watch_id)

    async def _run(self, partition: int, shard: Shard) -> None:
        try:
            await shard.run()
        except Fenced:
            _log.warning("shard_fenced", partition=partition)
        except Exception:  # noqa: BLE001 - a shard that broke is given back, whatever broke it
            _log.exception("shard_failed", partition=partition)
        if self.shards.get(partition) is shard:
            self._lose(partition)
            self._group.rejoin(partition)  # only a new assignment may start it again

    def _on_caught_up(self, partition: int) -> None:
        if shard := self.shards.get(partition):
            shard.caught_up()

    def _on_command(self, command: Command) -> None:
        shard = self.shards.get(command.partition)
        if shard is None:
            return
        if partition_of(command.key.encode(), WATCH_PARTITIONS) != command.partition:
            if command.value is not None:
                self._spawn(self._forward(command.key, command.value, command.partition))
            return
        if command.value is not None and read_command(command.key, command.value) is None:
            self._spawn(self._refuse(command))
        else:
            shard.command(command.key, command.value)

    async def _forward(self, key: str, value: bytes, lies_in: int) -> None:
        """A client with another partitioner wrote it: put it where its shard is, then take it away from here."""
        try:
            await self._writer.put(key, value)
            await self._writer.erase(key, lies_in)
        except KafkaAway:
            _log.warning("command_not_forwarded", partition=lies_in)  # it still lies there: its next reader forwards it

    async def _refuse(self, command: Command) -> None:
        try:
            await self._bus.accept(dead_letter(command, self.now_ms()), key=command.key or None)
        except BusFull:
            _log.warning("broken_command_not_kept", partition=command.partition)

    # ---- what a shard asks for -----------------------------------------------------------------------------------

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """See `bus.contract.Bus.accept`."""
        return await self._bus.accept(message, key=key)

    async def act(self, state: WatchState, action: Action) -> ActResult | Trouble:
        """Do it at the provider."""
        account = self.accounts[state.watch.account]
        return await account.act(state.watch.order_kind, state.watch.order_id, action)

    async def erase(self, watch_id: str, partition: int) -> None:
        """Take a command away."""
        try:
            await self._writer.erase(watch_id, partition)
        except KafkaAway:
            _log.warning("command_not_erased", partition=partition)

    async def is_ours(self, partition: int) -> bool:
        """Ask the group."""
        return await self._group.is_ours(partition)

    def provider_of(self, account: str) -> str | None:
        """Return the provider of a polling account of ours."""
        return self.accounts[account].provider if account in self.accounts else None

    def now_ms(self) -> int:
        """Return the wall clock."""
        return time.time_ns() // 1_000_000

    def look_at(self, shard: Shard, state: WatchState, *, soon: bool) -> None:
        """Plan the next look: soon, or for the first time spread over an interval."""
        watch_id = state.watch.watch_id
        if state.ended is not None or state.watch.account not in self.accounts:
            self._drop(watch_id)
            return
        plan = self.plans.get(watch_id)
        if plan is None or plan.shard is not shard:
            self._drop(watch_id)
            plan = self.plans[watch_id] = Plan(shard, self.accounts[state.watch.account], looked_ms=state.looked_ms)
        seconds = SOON if soon else self._seconds(plan, state, first=True)
        self._wheel.schedule(watch_id, self._loop.time() + seconds)

    def _drop(self, watch_id: str) -> None:
        plan = self.plans.pop(watch_id, None)
        if plan is not None:
            self._wheel.cancel(watch_id)
            plan.account.line.leave(watch_id)
            plan.account.gate.wants(before=plan.demand, after=0.0)

    # ---- wait → fetch → advance ------------------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        ticked = self._loop.time()
        while True:
            if self._loop.time() - ticked > SESSION_MS / 1000:
                self._group.lose_all()  # we slept, and others have our shards: what we would see, they have seen
            ticked = self._loop.time()
            for watch_id in self._wheel.due(self._loop.time()):
                if plan := self.plans.get(watch_id):
                    plan.account.line.join(watch_id)
            for account in self.accounts.values():
                self._serve(account)
            await asyncio.sleep(TICK)

    def _serve(self, account: Account) -> None:
        """Start every look that the gate admits now, and come back when it admits the next."""
        now = self._loop.time()
        if account.gate.state == "paused" and account.gate.reason != BAD_ACTION:  # that one only a look can disprove
            if self.plans and account.gate.admit(now) == 0.0:
                self._spawn(account.probe())
            return
        while self._in_flight < self._settings.workers and (watch_id := account.line.admitted(now)):
            self._in_flight += 1
            self._spawn(self._look(watch_id, account))
        wait = account.gate.wait(now)
        if account.line and wait < TICK and self._in_flight < self._settings.workers and account.name not in self._due:
            self._due.add(account.name)
            self._loop.call_later(wait, self._serve_again, account)

    def _serve_again(self, account: Account) -> None:
        self._due.discard(account.name)
        self._serve(account)

    async def _look(self, watch_id: str, account: Account) -> None:
        try:
            plan = self.plans.get(watch_id)
            kept = plan.shard.kept.get(watch_id) if plan else None
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

    async def _look_once(self, plan: Plan, kept: Kept) -> float:
        """One step of a watch: fetch, advance, accept. Return in how many seconds to look again."""
        before = kept.state
        observation = await self._fetch(plan.account, before)
        shard = plan.shard
        if self.shards.get(shard.partition) is not shard or shard.kept.get(before.watch.watch_id) is not kept:
            return SOON
        now_ms = self.now_ms()
        step = advance(kept.state, observation, now_ms, zone=plan.account.zone)
        if kept.revision != before.revision:
            step = step._replace(action=None)  # a wish came while we looked: what it wants needs a look of its own
        try:
            await plan.shard.take(before.watch.watch_id, step)
        except BusFull:
            return SOON * 5
        self._learn(plan, before, step.state, observation, now_ms)
        if step.state.ended is not None:
            self._drop(before.watch.watch_id)
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

    # ---- when --------------------------------------------------------------------------------------------------------

    def _seconds(self, plan: Plan, state: WatchState, *, first: bool) -> float:
        gate, settings = plan.account.gate, self._settings
        waiting, curve, stretch = _waiting(state, self.now_ms()), self._curve(state), gate.stretch()
        look = first_look if first else next_look
        seconds = look(waiting, curve, settings, stretch=stretch, chance=self._rng.random())
        usual = next_look(waiting, curve, settings, stretch=stretch, chance=0.0) if first else seconds
        wanted = demand(usual, settings, stretch=stretch)
        gate.wants(before=plan.demand, after=wanted)
        plan.demand = wanted
        return seconds

    def _curve(self, state: WatchState) -> Curve:
        return self._curves.setdefault((state.provider, state.watch.service), Curve())

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
