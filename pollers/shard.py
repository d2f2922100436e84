"""A shard: the watches of one partition, their states, and the order in which a step is made durable.

A step has this order: message, then state, then action, each confirmed before the next. After a crash or a commit of
unknown outcome the order is polled again, with the same ids. While Kafka is unavailable, messages are kept in the
journal, states wait here, polling continues, and no action is performed. The requests that it applies:
docs/decisions/0001-watch-commands-and-states.md.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from heapq import heappop, heappush
from typing import Any, Final, Protocol

import structlog
from pydantic import ValidationError

from bus.contract import Bus, NotDurable
from bus.kafka.client import KafkaAway
from bus.sharding.state_log import NotCommitted
from pollers.inbox import Inbox, Requests, is_withdrawal, not_applied
from pollers.owned_watch import OwnedWatch
from pollers.scheduling.account import Account
from pollers.tracking.advance import Step, acted, due_end, only_applied, opened, requested, withdrawn
from pollers.tracking.state import WatchState
from pollers.uncommitted import Uncommitted
from pollers.watch_commands import last_applied
from pollers.watches.watch_table import LivePoll
from providers.observation import ProviderError
from providers.results import Action
from schemas.messages import Watch, WatchEnded

COMMIT_EVERY: Final = 0.05  # seconds; what arrives meanwhile shares a transaction of 40-80 ms
# Seconds between two attempts while every dirty state waits for its messages to reach Kafka.
NOTHING_READY: Final = 0.25
ADMITTED: Final = 15.0  # seconds for which an action keeps its slot of the budget; the slowest commit takes 12
NOT_DURABLE_MS: Final = 5_000
LARGEST: Final = 900_000  # bytes of a state; Kafka accepts records of a million
LICENCE: Final = 2.0  # seconds after our own confirmed commit in which an action may start
MANY_TRIES: Final = 2  # of a failed action: after that the order is polled when the action may be repeated, not at once
NEW_OWNER: Final = 10.0  # seconds without actions: one of the previous owner may still be in flight
LONGEST_SLEEP: Final = 60.0  # seconds: deadlines are in wall-clock time, which may jump
AT_ONCE: Final = 50  # watches, at 0.1 to 0.2 ms each, before other tasks get their turn
MESSAGES_AT_ONCE: Final = 20  # messages before other tasks get their turn
ERASE_AT_ONCE: Final = 100
RETRY: Final = 1.0  # seconds between two attempts of what Kafka or the journal did not accept
SLOWEST_RETRY: Final = 5.0

_log = structlog.get_logger("pollers")


class Log(Protocol):
    """The part of `bus.sharding.state_log.StateLog` that a shard needs."""

    async def open(self) -> dict[str, bytes]: ...  # noqa: D102 - see there
    async def commit(self, states: Mapping[str, bytes | None]) -> None: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102


class Scheduler(Protocol):
    """The part of `pollers.scheduling.scheduler.Scheduler` that a shard needs."""

    async def restore(self, shard: "Shard", watches: Iterable[OwnedWatch]) -> None: ...  # noqa: D102 - see there
    def plan(self, shard: "Shard", state: WatchState, *, soon: bool) -> None: ...  # noqa: D102
    def drop(self, watch_id: str) -> None: ...  # noqa: D102
    def queue_action(self, shard: "Shard", watch_id: str) -> None: ...  # noqa: D102
    def live(self, watch_id: str) -> LivePoll | None: ...  # noqa: D102


class Group(Protocol):
    """The part of `bus.sharding.group.ShardGroup` that a shard needs."""

    def catch_up(self, partition: int) -> None: ...  # noqa: D102 - see there
    async def is_ours(self, partition: int) -> bool: ...  # noqa: D102


class Writer(Protocol):
    """The part of `bus.sharding.commands.CommandWriter` that a shard needs."""

    async def put(self, key: str, value: bytes) -> None: ...  # noqa: D102 - see there
    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None: ...  # noqa: D102


async def _breathe(number: int) -> None:
    """Let other tasks run, now and then."""
    if number % AT_ONCE == 0:
        await asyncio.sleep(0)


class Shard:
    """Runs from its assignment to its loss; `run` raises `Fenced` when another process owns it."""

    def __init__(
        self,
        partition: int,
        *,
        log: Log,
        bus: Bus,
        scheduler: Scheduler,
        group: Group,
        writer: Writer,
        accounts: Mapping[str, Account],
        now_ms: Callable[[], int],
    ) -> None:
        self.partition = partition
        self.watches: dict[str, OwnedWatch] = {}
        self.unreadable: set[str] = set()
        """Watches whose state cannot be read, as a newer program may have written it; they are not touched."""
        self.running = False
        """The states are restored and the watches are polled."""
        self.uncommitted = Uncommitted(partition)
        self._log = log
        self._bus = bus
        self._scheduler = scheduler
        self._group = group
        self._writer = writer
        self._accounts = accounts
        self._now_ms = now_ms
        self._inbox = Inbox()
        self._waiting: dict[str, Requests] = {}  # until the first poll of a restored watch
        self._caught_up = asyncio.Event()
        self._something_to_do = asyncio.Event()
        self._dirty: set[str] = set()
        self._agenda: list[tuple[int, str]] = []  # a heap of the watches' time limits
        self._to_forget: list[str] = []
        self._erased: set[str] = set()  # their commands are erased; their states can be erased too
        self._erasing = False
        self._too_large: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._may_act_from = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- requests ----------------------------------------------------------------------------------------------

    def command(self, watch_id: str, watch: Watch | None, *, forgets: str | None = None) -> None:
        """Take the next record of a watch; None: a tombstone. `forgets`: the request that a tombstone of ours erases.

        It is applied with the next commit, once the shard has caught up.
        """
        if watch is not None:
            self._inbox.request(watch_id, watch)
        elif forgets is None:
            self._inbox.withdraw(watch_id)
        elif (again := self._inbox.forget(watch_id, forgets, self.watches.get(watch_id))) is not None:
            self._spawn(self._put_again(watch_id, again))
        self._something_to_do.set()

    def unreadable_command(self, watch_id: str) -> None:
        """Note that a record exists, though it cannot be read: its watch is not withdrawn."""
        self._inbox.present.add(watch_id)

    def caught_up(self) -> None:
        """Note that every command from before `Group.catch_up` was passed to `command`."""
        self._caught_up.set()

    async def _put_again(self, watch_id: str, watch: Watch) -> None:
        while True:
            try:
                return await self._writer.put(watch_id, watch.to_json())
            except KafkaAway:
                await asyncio.sleep(RETRY)

    async def _apply_requests(self) -> None:
        for number, (watch_id, requests) in enumerate(self._inbox.taken()):
            await _breathe(number)
            waiting = self._waiting.pop(watch_id, [])
            if requests[:1] == [None]:
                waiting = []  # the withdrawal also covers what was waiting
            if left := await self._apply_all(watch_id, [*waiting, *requests]):
                self._inbox.put_back(watch_id, left)

    async def _apply_all(self, watch_id: str, requests: list[Watch | None]) -> list[Watch | None]:
        """Apply the requests of one watch in order; return those that must wait for a step in progress.

        Requests about a restored watch wait for its first poll: the previous owner may have published an SMS, or the
        end, that the restored state does not include, and the requests may refer to it.
        """
        if watch_id in self.unreadable:
            return []
        if owned := self.watches.get(watch_id):
            requests = not_applied(owned.state, requests)
            if owned.unseen and not owned.ended and not is_withdrawal(requests):
                self._waiting[watch_id] = requests
                return []
        for place, request in enumerate(requests):
            owned = self.watches.get(watch_id)
            if owned is not None and (owned.taking or owned.end_message is not None):
                return requests[place:]  # one step at a time, and an end is not overwritten
            await _breathe(place + 1)
            await self._apply(owned, request)
        return []

    async def _apply(self, owned: OwnedWatch | None, request: Watch | None) -> None:
        if owned is None:
            if request is not None:
                await self._open(request)
            return
        state, now_ms = owned.state, self._now_ms()
        step = withdrawn(state, now_ms) if request is None else requested(state, request, now_ms)
        if step.state is state:
            return
        if only_applied(state, step.state):
            await self._take(owned, step._replace(action=owned.action))  # an action in progress continues
        else:
            await self._take(owned, step)
            self._scheduler.plan(self, owned.state, soon=True)

    async def _open(self, watch: Watch) -> None:
        account = self._accounts.get(watch.account)
        if account is None:
            _log.warning("watch_of_unknown_account", account=watch.account, watch_id=watch.watch_id)
            return
        owned = self.watches[watch.watch_id] = OwnedWatch(opened(watch, account.provider, self._now_ms()))
        self._mark(watch.watch_id)
        heappush(self._agenda, (owned.time_limit_ms, watch.watch_id))
        if watch.desired != "watch":  # the record that opened it is gone; this one requests something else as well
            await self._take(owned, requested(owned.state, watch, self._now_ms()))
        self._scheduler.plan(self, owned.state, soon=False)

    # ---- a step ------------------------------------------------------------------------------------------------

    async def take(self, watch_id: str, step: Step, *, answered: bool = True) -> None:
        """Take the result of a poll: its messages are durable on return. Raises `NotDurable`: nothing has changed then.

        `answered`: the response was about the order, so that requests which waited for it are applied now.
        """
        if owned := self.watches.get(watch_id):
            owned.not_durable = True
            await self._take(owned, step)
            owned.not_durable = False
            if answered or owned.ended:
                self._seen(watch_id, owned)

    def _seen(self, watch_id: str, owned: OwnedWatch) -> None:
        """Apply what waited for the first poll of a restored watch, or for its end."""
        owned.unseen = False
        if waiting := self._waiting.pop(watch_id, None):
            self._inbox.put_back(watch_id, waiting)
            self._something_to_do.set()

    async def _take(self, owned: OwnedWatch, step: Step) -> None:
        watch_id = step.state.watch.watch_id
        owned.taking = True
        try:
            for number, message in enumerate(step.messages, 1):
                if number % MESSAGES_AT_ONCE == 0:
                    await asyncio.sleep(0)
                if isinstance(message, WatchEnded):
                    owned.end_message = message
                else:
                    owned.add_receipt(await self._bus.accept(message, key=step.state.key))
        finally:
            owned.taking = False
        step = step._replace(state=self._as_polled_last(step.state))
        if step.state.revision != owned.revision or step.action is not None:
            self._mark(watch_id)
        if step.state.revision != owned.revision:
            before, owned.state = owned.time_limit_ms, step.state
            if owned.time_limit_ms != before:
                heappush(self._agenda, (owned.time_limit_ms, watch_id))
        owned.action = step.action  # an action from an earlier step may no longer be requested
        if step.action is not None and owned.admitted_at is None:
            self._scheduler.queue_action(self, watch_id)

    def _mark(self, watch_id: str) -> None:
        """Have this watch's state committed, and its action performed afterwards."""
        self._dirty.add(watch_id)
        self._something_to_do.set()

    # ---- life --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Fence other owners, restore, catch up, then commit and act until cancelled. Raises `Fenced`."""
        try:
            await self._restore()
            await self._catch_up()
            self._may_act_from = self._loop.time() + NEW_OWNER
            self._inbox.withdraw_absent(self.watches)
            await self._scheduler.restore(self, list(self.watches.values()))
            self.running = True
            await self._go_on()
        finally:
            self.running = False
            for task in self._tasks:
                task.cancel()
            await self._log.close()

    def let_go(self) -> list[str]:
        """Give up all watches and return their ids. Polls and actions in progress find that their watch is gone."""
        watch_ids = list(self.watches)
        self.watches.clear()
        return watch_ids

    async def _catch_up(self) -> None:
        """Read every command that is older than the restored states, as the owner: a watch without one will end.

        Restoring may have taken long, and another process may have owned the shard meanwhile and opened newer watches.
        """
        self._caught_up.clear()
        self._group.catch_up(self.partition)
        await self._caught_up.wait()
        while not await self._group.is_ours(self.partition):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(RETRY)

    async def _go_on(self) -> None:
        while True:
            await self._apply_requests()
            await self._check_deadlines()
            committed = await self._commit()
            await self._forget()
            await self._pause(committed=committed)

    async def _pause(self, *, committed: bool) -> None:
        """Sleep until there is something to do, and a moment longer, to collect what arrives meanwhile."""
        self._something_to_do.clear()
        if not self._dirty and not self._inbox:
            until_ms = self._agenda[0][0] - self._now_ms() if self._agenda else LONGEST_SLEEP * 1000
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LONGEST_SLEEP, max(0.0, until_ms / 1000))):
                    await self._something_to_do.wait()
        await asyncio.sleep(COMMIT_EVERY if committed or not self._dirty else NOTHING_READY)

    async def _check_deadlines(self) -> None:
        """End watches that are long past their deadline and collect those that ended long ago: neither needs a poll."""
        now_ms = self._now_ms()
        for number in range(len(self._agenda)):
            if not self._agenda or self._agenda[0][0] > now_ms:
                return
            await _breathe(number)
            time_ms, watch_id = heappop(self._agenda)
            owned = self.watches.get(watch_id)
            if owned is None or owned.time_limit_ms != time_ms:
                continue  # its time limit has changed
            if owned.ended:
                self._to_forget.append(watch_id)
            elif owned.taking or owned.not_durable or owned.action_in_flight:  # an SMS was seen and is not durable yet
                owned.time_limit_ms = now_ms + NOT_DURABLE_MS
                heappush(self._agenda, (owned.time_limit_ms, watch_id))
            else:
                await self._take(owned, due_end(owned.state, now_ms))
                self._seen(watch_id, owned)
                self._scheduler.plan(self, owned.state, soon=False)

    # ---- forgetting --------------------------------------------------------------------------------------------

    async def _forget(self) -> None:
        """Erase watches that ended long ago, command and state: nothing else removes them from compacted topics."""
        if self._to_forget and not self._erasing:
            self._erasing = True
            self._spawn(self._erase_some())
        gone = [each for each in self._erased if self._may_go(each)]
        self._erased.clear()
        if not gone:
            return
        try:
            await self._log.commit(dict.fromkeys(gone))
        except NotCommitted as error:
            self._to_forget += gone
            await self._try_later(error, len(gone))
            return
        self.uncommitted.over()
        for watch_id in gone:
            del self.watches[watch_id]
            self._scheduler.drop(watch_id)

    async def _erase_some(self) -> None:
        batch, self._to_forget = self._to_forget[:ERASE_AT_ONCE], self._to_forget[ERASE_AT_ONCE:]
        try:
            await asyncio.gather(*map(self._erase, batch))
        finally:
            self._erasing = False
            self._something_to_do.set()

    async def _erase(self, watch_id: str) -> None:
        """Erase the command; while Kafka is unavailable, try again in an hour."""
        owned = self.watches.get(watch_id)
        if owned is None or not self._may_go(watch_id):
            return
        try:
            await self._writer.erase(watch_id, self.partition, forgets=last_applied(owned.state))
        except KafkaAway:
            self._loop.call_later(3600.0, lambda: self._to_forget.append(watch_id))
        else:
            self._erased.add(watch_id)

    def _may_go(self, watch_id: str) -> bool:
        owned = self.watches.get(watch_id)
        return bool(owned and owned.ended and watch_id not in self._dirty and watch_id not in self._inbox)

    # ---- states ------------------------------------------------------------------------------------------------

    async def _restore(self) -> None:
        """Open the state log, however long Kafka is unavailable.

        A state in memory is preferred only if this process itself wrote the restored one. Opening fences other owners:
        a process that was suspended must not do that to its successor, so it asks the group first.
        """
        while True:
            try:
                if await self._group.is_ours(self.partition):
                    restored = await self._log.open()
                    break
            except NotCommitted as error:
                self.uncommitted.add("shard_not_restored", str(error), self._loop.time())
            await asyncio.sleep(RETRY)
        if not self._dirty:
            self.uncommitted.over()
        for number, (watch_id, value) in enumerate(restored.items()):
            await _breathe(number)
            self._merge(watch_id, value)

    def _merge(self, watch_id: str, value: bytes) -> None:
        try:
            restored = WatchState.from_json(value)
        except ValidationError as error:
            self._leave_alone(watch_id, error)
            return
        owned = self.watches.get(watch_id)
        if owned is not None and hash(value) in {owned.committed_as, owned.attempted_as}:
            owned.committed, owned.committed_as = restored.revision, hash(value)
            if owned.revision != restored.revision:
                self._mark(watch_id)
            return
        owned = OwnedWatch(restored, committed=restored.revision, unseen=True)
        owned.committed_as = owned.attempted_as = hash(value)
        self.watches[watch_id] = owned
        heappush(self._agenda, (owned.time_limit_ms, watch_id))
        if self.running:  # otherwise `run` plans the polls once everything is restored
            self._scheduler.plan(self, restored, soon=True)

    def _leave_alone(self, watch_id: str, error: ValidationError) -> None:
        """Leave a state alone that cannot be read: the program that wrote it will read it again."""
        if watch_id not in self.unreadable:
            where = ", ".join(sorted({".".join(map(str, each["loc"])) for each in error.errors()}))
            _log.error("state_unreadable", watch_id=watch_id, partition=self.partition, fields=where[:200])
        self.unreadable.add(watch_id)

    async def _commit(self) -> bool:
        """Commit every dirty state whose messages are in Kafka, then perform its action; False: none was ready."""
        await self._accept_end_messages()
        self._leave_out_what_is_too_large()
        ready = {each: owned for each in self._dirty if (owned := self.watches.get(each)) and owned.is_settled()}
        if not ready:
            return False
        revisions = {watch_id: owned.revision for watch_id, owned in ready.items()}
        for owned in ready.values():
            owned.attempted_as = hash(owned.packed)
        try:
            await self._log.commit({watch_id: owned.packed for watch_id, owned in ready.items()})
        except NotCommitted as error:
            await self._try_later(error, len(ready))
            return True
        self.uncommitted.over()
        confirmed_at = self._loop.time()
        for watch_id, owned in ready.items():
            owned.committed, owned.committed_as = revisions[watch_id], owned.attempted_as
            if owned.revision == revisions[watch_id]:
                self._dirty.discard(watch_id)
                self._act_on(watch_id, owned, confirmed_at)
        return True

    async def _try_later(self, error: NotCommitted, states: int) -> None:
        """Open the state log again, with a growing pause where that alone did not help."""
        self.uncommitted.add("states_not_committed", str(error), self._loop.time(), states=states)
        await asyncio.sleep(min(self.uncommitted.commits * RETRY, SLOWEST_RETRY))
        self.uncommitted.commits += 1
        await self._restore()

    def _leave_out_what_is_too_large(self) -> None:
        """Skip states that Kafka would reject for their size: they would hold up all other states of the shard."""
        dirty = {each: owned for each in self._dirty if (owned := self.watches.get(each))}
        for watch_id in [each for each, owned in dirty.items() if len(owned.packed) > LARGEST]:
            self._dirty.discard(watch_id)
            if watch_id not in self._too_large:
                self._too_large.add(watch_id)
                _log.error("state_too_large", watch_id=watch_id, hint="it is still polled, but lost on a restart")

    async def _accept_end_messages(self) -> None:
        """Accept the end of each watch once the SMS that it counts are published: it comes last."""
        ended = [owned for each in self._dirty if (owned := self.watches.get(each)) and owned.end_message]
        await asyncio.gather(*(self._accept_end_message(owned) for owned in ended if owned.all_published()))

    async def _accept_end_message(self, owned: OwnedWatch) -> None:
        if owned.end_message is not None:
            with suppress(NotDurable):
                owned.add_receipt(await self._bus.accept(owned.end_message))
                owned.end_message = None

    def _as_polled_last(self, state: WatchState) -> WatchState:
        """Return the state of an ended watch with its last poll, which alone is no reason to write a state."""
        live = self._scheduler.live(state.watch.watch_id) if state.ended is not None else None
        if live is None or live.last_polled_ms is None:
            return state
        return state.having(noted_ms=live.last_polled_ms, answer=live.last_answer)

    # ---- acting ------------------------------------------------------------------------------------------------

    def admitted(self, watch_id: str) -> None:
        """Perform the action, for which the account's budget is charged now. The state is committed again before."""
        if owned := self.watches.get(watch_id):
            owned.admitted_at = self._loop.time()
            self._mark(watch_id)

    def _act_on(self, watch_id: str, owned: OwnedWatch, confirmed_at: float) -> None:
        """Perform the action if this process committed the state a moment ago, and if the account may be called."""
        if owned.action is None or owned.action_in_flight or owned.polling or not owned.is_settled():
            return
        if confirmed_at < self._may_act_from:
            self._loop.call_at(self._may_act_from + COMMIT_EVERY, self._mark, watch_id)  # commit again, then act
            return
        if owned.admitted_at is None or self._loop.time() - owned.admitted_at > ADMITTED:
            self._scheduler.queue_action(self, watch_id)
            return
        owned.action_in_flight = True
        self._spawn(self._act(watch_id, owned, owned.action, confirmed_at, owned.admitted_at))
        owned.action = owned.admitted_at = None

    async def _act(
        self, watch_id: str, owned: OwnedWatch, action: Action, confirmed_at: float, admitted_at: float
    ) -> None:
        try:
            now = self._loop.time()
            if now - confirmed_at > LICENCE:
                return  # the state still has the requested action: the next poll triggers it again
            state = owned.state
            account = self._accounts[state.watch.account]
            late = now - admitted_at
            result = await account.act(state.watch.order_kind, state.watch.order_id, action, late=late)
            said = result.code if isinstance(result, ProviderError) else result
            _log.info("acted", account=state.watch.account, watch_id=watch_id, action=action, result=said)
            if self.watches.get(watch_id) is owned:
                await self._take(owned, acted(owned.state, action, result, self._now_ms()))
            if self.watches.get(watch_id) is owned:
                self._scheduler.plan(self, owned.state, soon=owned.state.tries < MANY_TRIES)
        finally:
            owned.action_in_flight = False

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("shard_task_failed", partition=self.partition, exc_info=error)
