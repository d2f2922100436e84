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

from bus.contract import Bus, NotDurable
from bus.kafka.client import KafkaAway
from pollers.owned_watch import OwnedWatch
from pollers.scheduling.account import Account
from pollers.shard_actions import ShardActions
from pollers.shard_erasure import ShardErasure, Writer
from pollers.shard_requests import ShardRequests, is_withdrawal, not_applied
from pollers.shard_states import Group, ShardStates, StateLog, breathe
from pollers.tracking.advance import Step, due_end, only_applied, opened, requested, withdrawn
from pollers.tracking.state import WatchState
from pollers.watches.watch_table import LivePoll
from schemas.messages import Watch, WatchEnded

COMMIT_EVERY: Final = 0.05  # seconds; what arrives meanwhile shares a transaction of 40-80 ms
# Seconds between two attempts while every dirty state waits for its messages to reach Kafka.
NOTHING_READY: Final = 0.25
RETRY: Final = 1.0  # seconds between two attempts of what Kafka did not accept
NOT_DURABLE_MS: Final = 5_000
LONGEST_SLEEP: Final = 60.0  # seconds: deadlines are in wall-clock time, which may jump
MESSAGES_AT_ONCE: Final = 20  # messages before other tasks get their turn

_log = structlog.get_logger("pollers")


class Scheduler(Protocol):
    """The part of `pollers.scheduling.scheduler.Scheduler` that a shard needs."""

    async def restore(self, shard: "Shard", watches: Iterable[OwnedWatch]) -> None: ...  # noqa: D102 - see there
    def plan(self, shard: "Shard", state: WatchState, *, soon: bool) -> None: ...  # noqa: D102
    def drop(self, watch_id: str) -> None: ...  # noqa: D102
    def queue_action(self, shard: "Shard", watch_id: str) -> None: ...  # noqa: D102
    def live(self, watch_id: str) -> LivePoll | None: ...  # noqa: D102


class Shard:
    """Runs from its assignment to its loss; `run` raises `Fenced` when another process owns it."""

    def __init__(
        self,
        partition: int,
        *,
        log: StateLog,
        bus: Bus,
        scheduler: Scheduler,
        group: Group,
        writer: Writer,
        accounts: Mapping[str, Account],
        now_ms: Callable[[], int],
    ) -> None:
        self.partition = partition
        self.running = False
        """The states are restored and the watches are polled."""
        wake = self._something_to_do = asyncio.Event()
        self.states = ShardStates(partition, log=log, group=group, wake=wake.set, added=self._restored)
        self.watches = self.states.watches
        self._requests = ShardRequests()
        self._actions = ShardActions(self, accounts, now_ms)
        self._erasure = ShardErasure(partition, self.states, self._requests, writer, spawn=self.spawn, wake=wake.set)
        self._bus = bus
        self._scheduler = scheduler
        self._group = group
        self._writer = writer
        self._accounts = accounts
        self._now_ms = now_ms
        self._caught_up = asyncio.Event()
        self._time_limits: list[tuple[int, str]] = []  # a heap
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- requests ----------------------------------------------------------------------------------------------

    def command(self, watch_id: str, watch: Watch | None, *, forgets: str | None = None) -> None:
        """Take the next record of a watch; None: a tombstone. `forgets`: the request that a tombstone of ours erases.

        It is applied with the next commit, once the shard has caught up.
        """
        if watch is not None:
            self._requests.request(watch_id, watch)
        elif forgets is None:
            self._requests.withdraw(watch_id)
        elif (again := self._requests.forget(watch_id, forgets, self.watches.get(watch_id))) is not None:
            self.spawn(self._put_again(watch_id, again))
        self._something_to_do.set()

    def unreadable_command(self, watch_id: str) -> None:
        """Note that a record exists, though it cannot be read: its watch is not withdrawn."""
        self._requests.present.add(watch_id)

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
        for number, (watch_id, requests) in enumerate(self._requests.taken()):
            await breathe(number)
            if left := await self._apply_all(watch_id, requests):
                self._requests.put_back(watch_id, left)

    async def _apply_all(self, watch_id: str, requests: list[Watch | None]) -> list[Watch | None]:
        """Apply the requests of one watch in order; return those that must wait for a step in progress.

        Requests about a restored watch wait for its first poll: the previous owner may have published an SMS, or the
        end, that the restored state does not include, and the requests may refer to it.
        """
        if watch_id in self.states.unreadable:
            return []
        if owned := self.watches.get(watch_id):
            requests = not_applied(owned.state, requests)
            if owned.unseen and not owned.ended and not is_withdrawal(requests):
                self._requests.hold(watch_id, requests)
                return []
        for place, request in enumerate(requests):
            owned = self.watches.get(watch_id)
            if owned is not None and (owned.taking or owned.not_durable or owned.end_message is not None):
                return requests[place:]  # one step at a time, and an end is not overwritten
            if owned is not None and owned.may_have_seen() and is_withdrawal([request]):
                return requests[place:]  # what the answer to a poll under way shows comes before the end
            await breathe(place + 1)
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
            await self.accept_step(owned, step._replace(action=owned.action))  # an action in progress continues
        else:
            await self.accept_step(owned, step)
            self.plan(owned, soon=True)

    async def _open(self, watch: Watch) -> None:
        account = self._accounts.get(watch.account)
        if account is None:
            _log.warning("watch_of_unknown_account", account=watch.account, watch_id=watch.watch_id)
            return
        owned = self.watches[watch.watch_id] = OwnedWatch(opened(watch, account.provider, self._now_ms()))
        self.states.mark(watch.watch_id)
        heappush(self._time_limits, (owned.time_limit_ms, watch.watch_id))
        if watch.desired != "watch":  # the record that opened it is gone; this one requests something else as well
            await self.accept_step(owned, requested(owned.state, watch, self._now_ms()))
        self.plan(owned, soon=False)

    # ---- a step ------------------------------------------------------------------------------------------------

    async def take(self, watch_id: str, step: Step, *, answered: bool = True) -> None:
        """Take the result of a poll: its messages are durable on return.

        Raises `NotDurable`: nothing has changed, and the step is kept and taken as soon as the bus accepts it.
        `answered`: the response was about the order, so that requests which waited for it are applied now.
        """
        if owned := self.watches.get(watch_id):
            try:
                await self.accept_step(owned, step)
            except NotDurable:
                owned.not_durable = True
                self.spawn(self._take_later(watch_id, owned, step))
                raise
            if answered or owned.ended:
                self._seen(watch_id, owned)

    async def _take_later(self, watch_id: str, owned: OwnedWatch, step: Step) -> None:
        """Take a step whose SMS the bus refused; the watch is not polled meanwhile, and nothing else happens to it."""
        while owned.not_durable:
            await asyncio.sleep(RETRY)
            with suppress(NotDurable):
                await self.accept_step(owned, step)
                owned.not_durable = False
        self._seen(watch_id, owned)
        self.plan(owned, soon=True)

    async def publish(self, step: Step) -> None:
        """Publish the SMS of a poll that was under way when its watch went to another owner, or ended.

        The next owner's polls show them again, with the same ids, unless the order has ended meanwhile.
        """
        with suppress(NotDurable):
            for message in step.messages:
                if not isinstance(message, WatchEnded):
                    await self._bus.accept(message, key=step.state.key)

    def _seen(self, watch_id: str, owned: OwnedWatch) -> None:
        """Apply what waited for the first poll of a restored watch, or for its end."""
        owned.unseen = False
        if self._requests.release(watch_id):
            self._something_to_do.set()

    async def accept_step(self, owned: OwnedWatch, step: Step) -> None:
        """Make the step's messages durable, then keep its state and its action. Raises `NotDurable`, as `take` does."""
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
            self.states.mark(watch_id)
        if step.state.revision != owned.revision:
            before, owned.state = owned.time_limit_ms, step.state
            if owned.time_limit_ms != before:
                heappush(self._time_limits, (owned.time_limit_ms, watch_id))
        owned.action = step.action  # an action from an earlier step may no longer be requested
        if step.action is not None and owned.admitted_at is None:
            self.queue_action(watch_id)

    # ---- life --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Fence other owners, restore, catch up, then commit and act until cancelled. Raises `Fenced`."""
        try:
            await self.states.restore()
            await self._catch_up()
            self._actions.wait_for_previous_owner()
            self._requests.withdraw_absent(self.watches)
            await self._scheduler.restore(self, list(self.watches.values()))
            self.running = True
            await self._go_on()
        finally:
            self.running = False
            for task in self._tasks:
                task.cancel()
            await self.states.close()

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
            for watch_id in await self._erasure.go_on():
                self._scheduler.drop(watch_id)
            await self._pause(committed=committed)

    async def _pause(self, *, committed: bool) -> None:
        """Sleep until there is something to do, and a moment longer, to collect what arrives meanwhile."""
        self._something_to_do.clear()
        if not self.states.dirty and not self._requests:
            until_ms = self._time_limits[0][0] - self._now_ms() if self._time_limits else LONGEST_SLEEP * 1000
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LONGEST_SLEEP, max(0.0, until_ms / 1000))):
                    await self._something_to_do.wait()
        await asyncio.sleep(COMMIT_EVERY if committed or not self.states.dirty else NOTHING_READY)

    async def _check_deadlines(self) -> None:
        """End watches that are long past their deadline and collect those that ended long ago: neither needs a poll."""
        now_ms = self._now_ms()
        for number in range(len(self._time_limits)):
            if not self._time_limits or self._time_limits[0][0] > now_ms:
                return
            await breathe(number)
            time_ms, watch_id = heappop(self._time_limits)
            owned = self.watches.get(watch_id)
            if owned is None or owned.time_limit_ms != time_ms:
                continue  # its time limit has changed
            if owned.ended:
                self._erasure.add(watch_id)
            elif owned.may_have_seen() or owned.action_in_flight:
                owned.time_limit_ms = now_ms + NOT_DURABLE_MS
                heappush(self._time_limits, (owned.time_limit_ms, watch_id))
            else:
                await self.accept_step(owned, due_end(owned.state, now_ms))
                self._seen(watch_id, owned)
                self.plan(owned, soon=False)

    # ---- states ------------------------------------------------------------------------------------------------

    async def _commit(self) -> bool:
        """Commit every dirty state whose messages are in Kafka, then perform its action; False: none was ready."""
        await self._accept_end_messages()
        committed = await self.states.commit()
        confirmed_at = asyncio.get_running_loop().time()
        for watch_id, owned in committed or ():
            self._actions.start(watch_id, owned, confirmed_at)
        return committed is not None

    def _restored(self, watch_id: str, owned: OwnedWatch) -> None:
        heappush(self._time_limits, (owned.time_limit_ms, watch_id))
        if self.running:  # otherwise `run` plans the polls once everything is restored
            self.plan(owned, soon=True)

    async def _accept_end_messages(self) -> None:
        """Accept the end of each watch once the SMS that it counts are published: it comes last."""
        ended = [owned for each in self.states.dirty if (owned := self.watches.get(each)) and owned.end_message]
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
            owned.admitted_at = asyncio.get_running_loop().time()
            self.states.mark(watch_id)

    def queue_action(self, watch_id: str) -> None:
        """Have `admitted` called when the account may be called."""
        self._scheduler.queue_action(self, watch_id)

    def plan(self, owned: OwnedWatch, *, soon: bool) -> None:
        """Plan the watch's next poll."""
        self._scheduler.plan(self, owned.state, soon=soon)

    # ---- tasks -------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this until it ends, or until the shard does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("shard_task_failed", partition=self.partition, exc_info=error)
