"""A shard: the watches of one partition, their states, and what must be committed before anything is done.

The order of a step is: message, then state, then action, each confirmed before the next. Any crash or unknown commit
then means "look again, same id". While Kafka is away messages are safe in the journal, states wait here, looking goes
on, and nobody acts.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Protocol

import structlog

from bus.contract import BusFull, Receipt
from bus.state_log import NotCommitted
from pollers.advance import Step, acted, opened, wanted
from pollers.observation import Trouble
from pollers.owned_watch import OwnedWatch
from pollers.state import Action, ActResult, WatchState
from schemas import timestamps
from schemas.messages import Message, Watch, WatchEnded

COMMIT_EVERY: Final = 0.05  # seconds; what gathers meanwhile shares a transaction of 40-80 ms
LICENCE: Final = 2.0  # seconds for which our own confirmed commit lets us act
NEW_OWNER: Final = 10.0  # seconds without acting: the predecessor may still have an action under way
SWEEP_EVERY: Final = 600.0
KEEP_ENDED_MS: Final = 7 * 24 * 60 * 60 * 1000
AT_ONCE: Final = 500  # watches; then the loop's other work has its turn
RETRY: Final = 1.0  # seconds between two tries of what Kafka or the journal did not take

_log = structlog.get_logger("pollers")


class Log(Protocol):
    """The part of `bus.state_log.StateLog` that a shard needs."""

    async def open(self) -> dict[str, bytes]: ...  # noqa: D102 - see there
    async def commit(self, states: Mapping[str, bytes | None]) -> None: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102


class Surroundings(Protocol):
    """What a shard asks of the process it runs in (`pollers.poller.Poller`)."""

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """See `bus.contract.Bus.accept`."""
        ...

    async def act(self, state: WatchState, action: Action) -> ActResult | Trouble:
        """Do it at the provider, once, within the action's time-out."""
        ...

    def provider_of(self, account: str) -> str | None:
        """Return the provider of a configured account, None for one that we do not have."""
        ...

    def look_at(self, shard: "Shard", state: WatchState, *, soon: bool) -> None:
        """Plan the next look; at an ended watch none."""
        ...

    def catch_up(self, partition: int) -> None:
        """Call `caught_up` once every command that lies on the shard by now was given to `command`."""
        ...

    async def is_ours(self, partition: int) -> bool:
        """Ask Kafka whether the group still gives this shard to us; False, too, while it does not answer."""
        ...

    async def erase(self, watch_id: str, partition: int) -> None:
        """Take the command away from its partition; a failure is only a delay."""
        ...

    def now_ms(self) -> int:
        """Return the wall clock."""
        ...


async def _breathe(number: int) -> None:
    """Let others have their turn, now and then."""
    if number % AT_ONCE == 0:
        await asyncio.sleep(0)


class Shard:
    """Runs from its assignment to its loss; `run` raises `Fenced` when another process owns it."""

    def __init__(self, partition: int, log: Log, surroundings: Surroundings) -> None:
        self.partition = partition
        self.watches: dict[str, OwnedWatch] = {}
        self._log = log
        self._around = surroundings
        self._commands: dict[str, bytes | None] = {}  # newest of each watch, not applied yet; None: withdrawn
        self._caught_up = asyncio.Event()
        self._dirty: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._may_act_from = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- commands ----------------------------------------------------------------------------------------------

    def command(self, watch_id: str, value: bytes | None) -> None:
        """Take the newest word about a watch, a `Watch` as it lies on the topic; None: it was taken away.

        It is applied with the next commit, once we have caught up.
        """
        self._commands[watch_id] = value

    def caught_up(self) -> None:
        """Every command of before `Surroundings.catch_up` was given to `command`."""
        self._caught_up.set()

    async def _apply_commands(self) -> None:
        commands, self._commands = self._commands, {}
        for number, (watch_id, value) in enumerate(commands.items()):
            await _breathe(number)
            try:
                await self._apply(watch_id, value)
            except BusFull:
                self._commands.setdefault(watch_id, value)

    async def _apply(self, watch_id: str, value: bytes | None) -> None:
        kept = self.watches.get(watch_id)
        watch = Watch.model_validate_json(value) if value is not None else None
        if kept is None:
            if watch is not None:
                await self._open(watch)
        elif kept.taking:
            self._commands.setdefault(watch_id, value)
        else:
            await self._wish(kept, watch)

    async def _wish(self, kept: OwnedWatch, watch: Watch | None) -> None:
        """A state without a command ends: whoever took the command away does not want the watch any longer."""
        state = kept.state
        watch = watch or state.watch.model_copy(update={"desired": "stop"})
        step = wanted(state, watch, self._around.now_ms())
        if step.state is not state:  # after a restart all commands come once more
            await self._take(kept, step)
            self._around.look_at(self, kept.state, soon=True)

    async def _open(self, watch: Watch) -> None:
        provider = self._around.provider_of(watch.account)
        if provider is None:
            _log.warning("watch_of_unknown_account", account=watch.account, watch_id=watch.watch_id)
            return
        kept = self.watches[watch.watch_id] = OwnedWatch(opened(watch, provider, self._around.now_ms()))
        self._dirty.add(watch.watch_id)
        await self._take(kept, wanted(kept.state, watch, self._around.now_ms()))
        self._around.look_at(self, kept.state, soon=False)

    # ---- a step ------------------------------------------------------------------------------------------------

    async def take(self, watch_id: str, step: Step) -> None:
        """A look's outcome: messages are durable when it returns. Raises `BusFull`: then nothing has advanced."""
        if kept := self.watches.get(watch_id):
            await self._take(kept, step)

    async def _take(self, kept: OwnedWatch, step: Step) -> None:
        kept.taking = True
        try:
            for message in step.messages:
                if isinstance(message, WatchEnded):
                    kept.ending = message
                else:
                    kept.owes(await self._around.accept(message, key=step.state.key))
        finally:
            kept.taking = False
        if step.state.revision != kept.revision or step.action is not None:
            self._dirty.add(step.state.watch.watch_id)
        if step.state.revision != kept.revision:
            kept.state = step.state
        kept.action = step.action  # what an earlier step wanted may not be wanted any longer

    # ---- life --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Fence, restore, catch up, then commit and act until cancelled. Raises `Fenced`."""
        try:
            await self._restore()
            await self._catch_up()
            self._may_act_from = self._loop.time() + NEW_OWNER
            for watch_id in set(self.watches) - set(self._commands):
                self._commands[watch_id] = None
            for number, kept in enumerate(list(self.watches.values())):
                await _breathe(number)
                self._around.look_at(self, kept.state, soon=False)
            await self._go_on()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._log.close()

    async def _catch_up(self) -> None:
        """Know every command that is older than the restored states, as the owner: a watch without one will end.

        Restoring may have taken long, and the shard may have been another's meanwhile, who opened newer watches.
        """
        self._caught_up.clear()
        self._around.catch_up(self.partition)
        await self._caught_up.wait()
        while not await self._around.is_ours(self.partition):  # noqa: ASYNC110 - asking again is all one can do
            await asyncio.sleep(RETRY)

    async def _go_on(self) -> None:
        sweep_at = 0.0
        while True:
            await self._apply_commands()
            await self._commit()
            if self._loop.time() >= sweep_at:
                sweep_at = self._loop.time() + SWEEP_EVERY
                await self._sweep()
            await asyncio.sleep(COMMIT_EVERY)

    async def _sweep(self) -> None:
        """Forget what ended long ago, command and state together: nobody else removes them from compacted topics."""
        long_ago = timestamps.to_text(self._around.now_ms() - KEEP_ENDED_MS)
        old = [
            watch_id
            for watch_id, kept in self.watches.items()
            if kept.ended and watch_id not in self._dirty and kept.state.watch.expires_at < long_ago
        ]
        for watch_id in old:
            await self._around.erase(watch_id, self.partition)
        if old:
            try:
                await self._log.commit(dict.fromkeys(old))
            except NotCommitted:
                await self._restore()
                return
        for watch_id in old:
            del self.watches[watch_id]

    async def _restore(self) -> None:
        """Open the log, however long Kafka is away; what we had in memory wins only over what we know ourselves.

        Opening fences: a process that slept must not do it to its successor, so the group is asked first.
        """
        while True:
            try:
                if await self._around.is_ours(self.partition):
                    restored = await self._log.open()
                    break
            except NotCommitted as error:
                _log.warning("shard_not_restored", partition=self.partition, error=str(error))
            await asyncio.sleep(RETRY)
        for number, (watch_id, value) in enumerate(restored.items()):
            await _breathe(number)
            self._merge(watch_id, WatchState.from_json(value))

    def _merge(self, watch_id: str, restored: WatchState) -> None:
        kept = self.watches.get(watch_id)
        if kept is not None and restored.revision in {kept.committed, kept.attempted}:
            kept.committed = restored.revision
            if kept.revision != restored.revision:
                self._dirty.add(watch_id)
            return
        self.watches[watch_id] = OwnedWatch(restored, committed=restored.revision, attempted=restored.revision)
        if self._may_act_from:  # we were running: otherwise `run` plans the looks when all is restored
            self._around.look_at(self, restored, soon=True)

    async def _commit(self) -> None:
        if not self._dirty:
            return
        await self._accept_endings()
        ready = {each: kept for each in self._dirty if (kept := self.watches.get(each)) and kept.is_settled()}
        if not ready:
            return
        revisions = {watch_id: kept.revision for watch_id, kept in ready.items()}
        for watch_id, revision in revisions.items():
            ready[watch_id].attempted = revision
        try:
            await self._log.commit({watch_id: kept.packed for watch_id, kept in ready.items()})
        except NotCommitted as error:
            _log.warning("states_not_committed", partition=self.partition, error=str(error), states=len(ready))
            await self._restore()
            return
        confirmed_at = self._loop.time()
        for watch_id, kept in ready.items():
            kept.committed = revisions[watch_id]
            if kept.revision == revisions[watch_id]:
                self._dirty.discard(watch_id)
                self._act_on(kept, confirmed_at)

    async def _accept_endings(self) -> None:
        """The end of a watch comes last, when the SMS that it counts are published."""
        ending = [kept for each in self._dirty if (kept := self.watches.get(each)) and kept.ending and kept.published()]
        await asyncio.gather(*map(self._accept_ending, ending))

    async def _accept_ending(self, kept: OwnedWatch) -> None:
        if kept.ending is not None:
            with suppress(BusFull):
                kept.owes(await self._around.accept(kept.ending))
                kept.ending = None

    # ---- acting ------------------------------------------------------------------------------------------------

    def _act_on(self, kept: OwnedWatch, confirmed_at: float) -> None:
        """Act only on what is committed, by us, a moment ago."""
        if kept.action is None or kept.acting or kept.looking or not kept.is_settled():
            return
        watch_id = kept.state.watch.watch_id
        if confirmed_at < self._may_act_from:
            self._loop.call_at(self._may_act_from + COMMIT_EVERY, self._dirty.add, watch_id)  # commit again, then act
            return
        action, kept.action, kept.acting = kept.action, None, True
        task = self._loop.create_task(self._do(kept, action, confirmed_at))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, kept: OwnedWatch, action: Action, confirmed_at: float) -> None:
        try:
            if self._loop.time() - confirmed_at > LICENCE:
                return  # the state still says what is wanted: the next look drives it again
            result = await self._around.act(kept.state, action)
            if self.watches.get(kept.state.watch.watch_id) is kept:
                await self._take(kept, acted(kept.state, action, result, self._around.now_ms()))
                self._around.look_at(self, kept.state, soon=True)
        finally:
            kept.acting = False
