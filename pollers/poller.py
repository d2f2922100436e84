"""The pollers of one process: which shards are ours, and what they ask for."""

import asyncio
import random
import time
from collections.abc import Coroutine, Mapping
from typing import Any, Final

import structlog

from bus.client import KafkaAway
from bus.commands import SESSION_MS, Command, CommandWriter, ShardGroup
from bus.contract import Bus, BusFull, Receipt
from bus.record import partition_of
from bus.settings import KafkaSettings
from bus.state_log import Fenced, StateLog
from bus.topics import WATCH_PARTITIONS
from pollers.account import Account
from pollers.commands import dead_letter, read_command
from pollers.observation import Trouble
from pollers.scheduler import TICK, Scheduler
from pollers.settings import PollersSettings
from pollers.shard import Shard
from pollers.state import Action, ActResult, WatchState
from schemas.messages import Message

GROUP: Final = "smsbus-pollers"

_log = structlog.get_logger("pollers")


class Poller:
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
        self.accounts = accounts
        self._kafka = kafka
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._writer = CommandWriter(kafka)
        self._group = ShardGroup(
            kafka,
            group=kafka.topic(GROUP),
            on_shards=self._on_shards,
            on_command=self._on_command,
            on_caught_up=self._on_caught_up,
        )
        self._running: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._core: list[asyncio.Task[None]] = []
        self.scheduler = Scheduler(
            accounts,
            settings,
            spawn=self._spawn,
            now_ms=self.now_ms,
            rng=rng or random.Random(),  # noqa: S311 - jitter
        )

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

    def degraded(self) -> tuple[str, ...]:
        """Return `account_paused:NAME` or `account_backing_off:NAME` for each account that is not asked now."""
        closed = (account for account in self.accounts.values() if account.throttle.state != "open")
        return tuple(f"account_{account.throttle.state}:{account.name}" for account in closed)

    async def _tick_for_ever(self) -> None:
        ticked = self._loop.time()
        while True:
            if self._loop.time() - ticked > SESSION_MS / 1000:
                self._group.lose_all()  # we slept, and others have our shards: what we would see, they have seen
            ticked = self._loop.time()
            self.scheduler.tick()
            await asyncio.sleep(TICK)

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
            account.throttle.share(len(ours), WATCH_PARTITIONS)
        _log.info("shards", ours=sorted(ours))

    def _lose(self, partition: int) -> None:
        shard = self.shards.pop(partition)
        self._running.pop(partition).cancel()
        for watch_id in shard.watches:
            self.scheduler.drop(watch_id)

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

    def catch_up(self, partition: int) -> None:
        """See `bus.commands.ShardGroup.catch_up`."""
        self._group.catch_up(partition)

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
        """Plan the next look."""
        self.scheduler.plan(shard, state, soon=soon)
