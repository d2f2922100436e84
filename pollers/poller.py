"""The pollers of one process: it runs the shards that the group assigns to it."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Final, Protocol

import structlog

from bus.contract import Bus, NotDurable
from bus.durations import Durations
from bus.kafka.client import SESSION_MS, KafkaAway, is_cancelled
from bus.record import partition_of
from bus.sharding.commands import Command
from bus.sharding.group import Member
from bus.sharding.state_log import Fenced
from pollers import shard_erasure, shard_states
from pollers.scheduling.account import Account
from pollers.scheduling.learned import SAVE_EVERY, Learned, ToldToWait
from pollers.scheduling.scheduler import Scheduler
from pollers.settings import PollersSettings
from pollers.shard import Shard
from pollers.timed_state_log import TimedStateLog
from pollers.watch_commands import dead_letter, read_command
from schemas.topics import WATCH_PARTITIONS

GROUP: Final = "smsbus-pollers"
HEARTBEAT: Final = 1.0  # seconds between two checks of the clock, the budget's shares and the degraded reasons
JOINING: Final = 15.0  # seconds without group, shards or commits until the process is degraded; rebalances take less
COMMIT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
OVERDUE: Final = 60.0  # seconds that a poll may wait for its turn until the process is degraded
OVERLOADED: Final = 60.0  # seconds of expected delay of an SMS until the account is degraded
LONGER_MS: Final = 1000  # by which a Retry-After must have changed to be saved at once
GROWS_AFTER: Final = 3.5  # seconds: how old the other processes' view of our watches may be
FIRST_WATCH: Final = 0.45  # requests a second, for a watch that is not in the table yet
RESTART: Final = (
    1.0,
    60.0,
)  # seconds until a shard that has ended by itself is run again: the first pause, the longest

_log = structlog.get_logger("pollers")


class Group(shard_states.Group, Protocol):
    """The part of `bus.sharding.group.ShardGroup` that a poller needs."""

    joined: bool

    async def run(self, member: Member) -> None: ...  # noqa: D102 - see there
    def lose_all(self) -> None: ...  # noqa: D102
    def start_again(self, partition: int) -> None: ...  # noqa: D102


class Writer(shard_erasure.Writer, Protocol):
    """The part of `bus.sharding.commands.CommandWriter` that a poller needs."""

    async def close(self) -> None: ...  # noqa: D102 - see there


class Table(Protocol):
    """The part of `pollers.watches.watch_table.WatchTable` that a poller needs."""

    @property
    def behind(self) -> bool: ...  # noqa: D102 - see there
    @property
    def filled(self) -> bool: ...  # noqa: D102
    def others(self, account: str, mine: frozenset[int]) -> float: ...  # noqa: D102


class Poller:
    """Implements `bus.sharding.group.Member`. Belongs to one event loop; `start`, then `stop`."""

    def __init__(
        self,
        bus: Bus,
        accounts: Mapping[str, Account],
        settings: PollersSettings,
        *,
        group: Group,
        writer: Writer,
        state_log: Callable[[int], shard_states.StateLog],
        table: Table,
        now_ms: Callable[[], int],
        rng: random.Random,
        learned: Learned | None = None,
    ) -> None:
        self.shards: dict[int, Shard] = {}
        self.accounts = accounts
        self.now_ms = now_ms
        self.unreadable_commands = 0
        self.commits = Durations(COMMIT_BUCKETS)
        self._bus = bus
        self._group = group
        self._writer = writer
        self._state_log = state_log
        self._table = table
        self._learned = learned or Learned()
        self._loop = asyncio.get_running_loop()
        self._shares: dict[str, list[tuple[float, float]]] = {}
        self._keepers: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._core: list[asyncio.Task[None]] = []
        self._without_group_since = self._without_shards_since = self._loop.time()
        self._logged_reasons: frozenset[str] = frozenset()
        self._resume_waits()
        self.scheduler = Scheduler(
            accounts, settings, spawn=self._spawn, now_ms=now_ms, rng=rng, curves=self._learned.curves
        )

    # ---- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Join the group."""
        self._core = [self._spawn(self._group.run(self)), self._spawn(self._beat())]

    async def stop(self) -> None:
        """Leave the group; the next owner polls again what was not committed."""
        await self.scheduler.stop()
        keepers, self._keepers = self._keepers, {}
        while tasks := [*self._tasks, *(keeper for keeper in keepers.values() if not keeper.done())]:
            for task in tasks:  # what ends may start something still
                task.cancel()
            await asyncio.wait(tasks)
        self._save_learned()
        await self._writer.close()

    def alive(self) -> bool:
        """Return whether group and heartbeat are running; they never end by themselves."""
        return bool(self._core) and not any(task.done() for task in self._core)

    async def _beat(self) -> None:
        beaten = saved = self._loop.time()
        while True:
            if self._loop.time() - beaten > SESSION_MS / 1000:
                self._group.lose_all()  # the process was suspended: others own its shards by now
            beaten = self._loop.time()
            self._share_budgets()
            self.scheduler.review_lists()
            self._say_what_is_wrong()
            if beaten - saved > SAVE_EVERY or self._is_told_to_wait_longer():
                saved = beaten
                self._save_learned()
            await asyncio.sleep(HEARTBEAT)

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

    def on_shards(self, ours: frozenset[int]) -> None:
        """Run these shards and no others."""
        for lost in self._keepers.keys() - ours:
            self._keepers.pop(lost).cancel()
            self._let_go(lost)
        for new in sorted(ours - self._keepers.keys()):
            self._keep(new)
        self._share_budgets()
        _log.info("shards", ours=sorted(ours))

    def _keep(self, partition: int) -> None:
        self.shards[partition] = self._new_shard(partition)
        keeper = self._keepers[partition] = self._loop.create_task(self._run(partition))
        keeper.add_done_callback(lambda ended: self._keeper_ended(partition, ended))

    def _new_shard(self, partition: int) -> Shard:
        return Shard(
            partition,
            log=TimedStateLog(self._state_log(partition), self.commits),
            bus=self._bus,
            scheduler=self.scheduler,
            group=self._group,
            writer=self._writer,
            accounts=self.accounts,
            now_ms=self.now_ms,
        )

    async def _run(self, partition: int) -> None:
        """Run a shard until it is lost. One that ends by itself is released and, after a pause, run again."""
        first, longest = RESTART
        pause = first
        while True:
            began = self._loop.time()
            why = await _outcome(self.shards[partition])
            pause = first if self._loop.time() - began > longest else pause
            _log.error("shard_ended", partition=partition, reason=why, again_in=round(pause))
            self._let_go(partition)
            await asyncio.sleep(pause)
            pause = min(longest, pause * 2)
            self.shards[partition] = self._new_shard(partition)
            self._group.start_again(partition)

    def _keeper_ended(self, partition: int, ended: asyncio.Task[None]) -> None:
        """Run a shard again that is still ours, whatever ended it."""
        if self._keepers.get(partition) is ended:
            _log.error("shard_ended", partition=partition, reason="its task was cancelled", again_in=0)
            self._let_go(partition)
            self._keep(partition)
            self._group.start_again(partition)

    def _let_go(self, partition: int) -> None:
        shard = self.shards.pop(partition, None)
        for watch_id in shard.let_go() if shard else ():
            self.scheduler.drop(watch_id)

    def on_caught_up(self, partition: int) -> None:
        """See `Shard.caught_up`."""
        if shard := self.shards.get(partition):
            shard.caught_up()

    def on_command(self, command: Command) -> None:
        """Pass a record to its shard; one in the wrong partition is forwarded to the right one."""
        shard = self.shards.get(command.partition)
        if shard is None:
            return
        if partition_of(command.key.encode(), WATCH_PARTITIONS) != command.partition:
            if command.value is not None:
                self._spawn(self._forward(command.key, command.value, command.partition))
            return
        watch = read_command(command.key, command.value) if command.value is not None else None
        if command.value is not None and watch is None:
            shard.unreadable_command(command.key)
            self._spawn(self._reject(command))
        else:
            shard.command(command.key, watch, forgets=command.forgets)

    async def _forward(self, key: str, value: bytes, lies_in: int) -> None:
        """Move a record that a client with another partitioner wrote to the partition of its shard."""
        try:
            await self._writer.put(key, value)
            await self._writer.erase(key, lies_in)
        except KafkaAway:
            _log.warning("command_not_forwarded", partition=lies_in)  # it is still there: the next reader forwards it

    async def _reject(self, command: Command) -> None:
        self.unreadable_commands += 1
        _log.error("command_unreadable", partition=command.partition, hint="it is kept in sms.rejected.v1")
        try:
            letter = dead_letter(command.value or b"", command.partition, self.now_ms())
            await self._bus.accept(letter, key=command.key or None)
        except NotDurable:
            _log.warning("command_not_rejected", partition=command.partition)

    # ---- budgets, and what is kept across a restart --------------------------------------------------------------

    def _share_budgets(self) -> None:
        """Divide each account's budget in proportion to the demand of its watches, in this process and in others."""
        mine = frozenset(self._keepers)
        for account in self.accounts.values():
            account.throttle.share(self._least_share(account.name, self._share(account.name, mine)))
        self.scheduler.budgets_changed()

    def _least_share(self, account: str, share: float) -> float:
        """Return the smallest share of the last seconds: it grows only once the others know that theirs has shrunk."""
        now = self._loop.time()
        if not self._keepers:
            self._shares.pop(account, None)
            return share  # nothing is polled here, so there is no earlier share to compare with
        recent = [(at, each) for at, each in self._shares.get(account, ()) if now - at < GROWS_AFTER]
        self._shares[account] = [*recent, (now, share)]
        return min(each for _, each in self._shares[account])

    def _share(self, account: str, mine: frozenset[int]) -> float:
        if self._table.behind or not self._table.filled:
            return len(mine) / WATCH_PARTITIONS
        others = self._table.others(account, mine)
        own = self._table.others(account, frozenset(range(WATCH_PARTITIONS)) - mine) or FIRST_WATCH
        return own / (own + others)

    def _waits(self) -> dict[str, ToldToWait]:
        now, now_ms = self._loop.time(), self.now_ms()
        throttles = {name: account.throttle for name, account in self.accounts.items()}
        return {
            name: ToldToWait(now_ms + round(throttle.told_to_wait(now) * 1000), throttle.reason)
            for name, throttle in throttles.items()
            if throttle.told_to_wait(now)
        }

    def _is_told_to_wait_longer(self) -> bool:
        known = {name: wait.until_ms for name, wait in self._learned.waits.items()}
        return any(wait.until_ms - known.get(name, 0) > LONGER_MS for name, wait in self._waits().items())

    def _resume_waits(self) -> None:
        for name, wait in self._learned.waits.items():
            seconds = (wait.until_ms - self.now_ms()) / 1000
            if seconds > 0 and name in self.accounts:
                self.accounts[name].throttle.resume(seconds, wait.reason, self._loop.time())

    def _save_learned(self) -> None:
        self._learned.waits = self._waits()
        self._learned.save(self._learned.waits)

    # ---- what is wrong -------------------------------------------------------------------------------------------

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reasons; docs/operations.md says what each means."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[str]:
        yield from self._reasons_of_shards()
        if self._table.behind:
            yield "watch_table_behind"
        if self.oldest_due() > OVERDUE:
            yield "polls_overdue"
        for account in self.accounts.values():
            if account.throttle.state != "open":
                yield f"account_{account.throttle.state}:{account.name}"
            elif self.scheduler.expected_delay(account) > OVERLOADED:
                yield f"account_overloaded:{account.name}"
            if account.orders_unknown(self.now_ms()):
                yield f"orders_unknown:{account.name}"
            yield from (f"{kind}s_paused:{account.name}" for kind in account.paused_kinds())
        if any(follower.is_off for follower in self.scheduler.lists.values()):
            yield "bulk_hint_off"

    def _reasons_of_shards(self) -> Iterator[str]:
        now, running = self._loop.time(), [shard for shard in self.shards.values() if shard.running]
        if self._group.joined:
            self._without_group_since = now
        if running:
            self._without_shards_since = now
        if now - self._without_group_since > JOINING:
            yield "no_group"
        if self._keepers and now - self._without_shards_since > JOINING:
            yield "no_shards"
        if len(running) < len(self._keepers):
            yield "shard_restoring"
        yield from sorted(self._uncommitted(now))

    def _uncommitted(self, now: float) -> set[str]:
        """Return a reason for each error that has kept shards from committing their states for a while."""
        each = [shard.states.uncommitted for shard in self.shards.values()]
        return {
            f"states_not_committed:{one.error}" for one in each if one.since is not None and now - one.since > JOINING
        }

    def runs(self, partition: int) -> bool:
        """Return whether this process runs the shard of this partition."""
        return partition in self.shards and self.shards[partition].running

    def paused(self, account: str) -> str | None:
        """Return why an account is paused: the provider's code; None: it is not, or is not polled by this process."""
        throttle = self.accounts[account].throttle if account in self.accounts else None
        return throttle.reason if throttle is not None and throttle.state == "paused" else None

    def expected_delay(self, account: str) -> float | None:
        """Return how many seconds the SMS of a new watch waits for its poll, if that is long enough to mention."""
        delay = self.scheduler.expected_delay(self.accounts[account]) if account in self.accounts else 0.0
        return delay if delay > OVERLOADED else None

    def oldest_due(self) -> float:
        """Return for how many seconds the oldest due poll has been waiting, of accounts that may be polled."""
        return max((account.oldest_due() for account in self.accounts.values()), default=0.0)

    def _facts(self, reason: str) -> dict[str, object]:
        """Return further fields for the log line."""
        if reason != "polls_overdue":
            return {}
        worst = max(self.accounts.values(), key=lambda account: account.oldest_due())
        return {"account": worst.name, "oldest_due": round(worst.oldest_due())}

    def _say_what_is_wrong(self) -> None:
        """Write one log line when a reason begins, and one when it is over."""
        logged_elsewhere = ("account_paused", "account_backing_off", "bulk_hint_off")
        reasons = frozenset(reason for reason in self._reasons() if not reason.startswith(logged_elsewhere))
        for reason in sorted(reasons - self._logged_reasons):
            _log.warning("degraded", reason=reason, **self._facts(reason))
        for reason in sorted(self._logged_reasons - reasons):
            _log.info("degraded_no_more", reason=reason)
        self._logged_reasons = reasons


async def _outcome(shard: Shard) -> str:
    """Run a shard to its end; return why it ended. Raises `CancelledError` only if this task was cancelled."""
    try:
        await shard.run()
    except Fenced:
        return "another process runs it"
    except asyncio.CancelledError:
        if is_cancelled():
            raise
        return "a stray CancelledError"
    except Exception as error:  # noqa: BLE001 - whatever the error, the shard is released and run again
        _log.exception("shard_failed", partition=shard.partition)
        return type(error).__name__
    return "it returned"
