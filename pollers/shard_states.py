"""The states of a shard's watches: restored from its state log, kept in memory, and committed to it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from pydantic import ValidationError

from bus.sharding.state_log import NotCommitted
from pollers.owned_watch import OwnedWatch
from pollers.tracking.state import WatchState
from pollers.uncommitted import Uncommitted

LARGEST: Final = 900_000  # bytes of a state; Kafka accepts records of a million
RETRY: Final = 1.0  # seconds between two attempts of what Kafka did not accept
SLOWEST_RETRY: Final = 5.0
AT_ONCE: Final = 50  # watches, at 0.1 to 0.2 ms each, before other tasks get their turn

_log = structlog.get_logger("pollers")


class StateLog(Protocol):
    """The part of `bus.sharding.state_log.StateLog` that a shard needs."""

    async def open(self) -> dict[str, bytes]: ...  # noqa: D102 - see there
    async def commit(self, states: Mapping[str, bytes | None]) -> None: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102


class Group(Protocol):
    """The part of `bus.sharding.group.ShardGroup` that a shard needs."""

    def catch_up(self, partition: int) -> None: ...  # noqa: D102 - see there
    async def is_ours(self, partition: int) -> bool: ...  # noqa: D102


class ShardStates:
    """Owns the watches of a shard, the set of those whose states are to be committed, and the state log.

    What it calls raises `Fenced` when another process owns the shard.
    """

    def __init__(
        self,
        partition: int,
        *,
        log: StateLog,
        group: Group,
        wake: Callable[[], object],
        added: Callable[[str, OwnedWatch], None],
    ) -> None:
        """`wake` is called when there is something to commit; `added` for each watch that comes from the state log."""
        self.watches: dict[str, OwnedWatch] = {}
        self.unreadable: set[str] = set()
        """Watches whose state cannot be read, as a newer program may have written it; they are not touched."""
        self.dirty: set[str] = set()
        """Watches whose state is to be committed, and their action performed afterwards."""
        self.uncommitted = Uncommitted(partition)
        self._partition = partition
        self._state_log = log
        self._group = group
        self._wake = wake
        self._added = added
        self._too_large: set[str] = set()
        self._loop = asyncio.get_running_loop()

    def mark(self, watch_id: str) -> None:
        """Have this watch's state committed, and its action performed afterwards."""
        self.dirty.add(watch_id)
        self._wake()

    async def restore(self) -> None:
        """Open the state log, however long Kafka is unavailable.

        A state in memory is preferred only if this process itself wrote the restored one. Opening fences other owners:
        a process that was suspended must not do that to its successor, so it asks the group first.
        """
        while True:
            try:
                if await self._group.is_ours(self._partition):
                    restored = await self._state_log.open()
                    break
            except NotCommitted as error:
                self.uncommitted.add("shard_not_restored", str(error), self._loop.time())
            await asyncio.sleep(RETRY)
        if not self.dirty:
            self.uncommitted.over()
        for number, (watch_id, value) in enumerate(restored.items()):
            await breathe(number)
            self._merge(watch_id, value)

    async def commit(self) -> list[tuple[str, OwnedWatch]] | None:
        """Commit every dirty state whose messages are in Kafka. None: there is none.

        Returns the watches whose state in memory is the committed one: none, if the commit failed.
        """
        self._leave_out_what_is_too_large()
        ready = {each: owned for each in self.dirty if (owned := self.watches.get(each)) and owned.is_settled()}
        if not ready:
            return None
        revisions = {watch_id: owned.revision for watch_id, owned in ready.items()}
        for owned in ready.values():
            owned.attempted_as = hash(owned.packed)
        if not await self._committed({watch_id: owned.packed for watch_id, owned in ready.items()}):
            return []
        for watch_id, owned in ready.items():
            owned.committed, owned.committed_as = revisions[watch_id], owned.attempted_as
        unchanged = [(watch_id, owned) for watch_id, owned in ready.items() if owned.revision == revisions[watch_id]]
        self.dirty.difference_update(watch_id for watch_id, _ in unchanged)
        return unchanged

    async def erase(self, watch_ids: Sequence[str]) -> bool:
        """Erase these watches; False: nothing is erased, since the commit failed."""
        if not await self._committed(dict.fromkeys(watch_ids)):
            return False
        for watch_id in watch_ids:
            del self.watches[watch_id]
        return True

    async def close(self) -> None:
        """Close the state log."""
        await self._state_log.close()

    async def _committed(self, states: Mapping[str, bytes | None]) -> bool:
        """Commit these states. If that fails, open the log again, with a growing pause where that did not help."""
        try:
            await self._state_log.commit(states)
        except NotCommitted as error:
            self.uncommitted.add("states_not_committed", str(error), self._loop.time(), states=len(states))
            await asyncio.sleep(min(self.uncommitted.commits * RETRY, SLOWEST_RETRY))
            self.uncommitted.commits += 1
            await self.restore()
            return False
        self.uncommitted.over()
        return True

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
                self.mark(watch_id)
            return
        owned = OwnedWatch(restored, committed=restored.revision, unseen=True)
        owned.committed_as = owned.attempted_as = hash(value)
        self.watches[watch_id] = owned
        self._added(watch_id, owned)

    def _leave_alone(self, watch_id: str, error: ValidationError) -> None:
        """Leave a state alone that cannot be read: the program that wrote it will read it again."""
        if watch_id not in self.unreadable:
            where = ", ".join(sorted({".".join(map(str, each["loc"])) for each in error.errors()}))
            hint = "it is left unchanged: the version that wrote it reads it"
            _log.error("state_unreadable", watch_id=watch_id, partition=self._partition, fields=where[:200], hint=hint)
        self.unreadable.add(watch_id)

    def _leave_out_what_is_too_large(self) -> None:
        """Skip states that Kafka would reject for their size: they would hold up all other states of the shard."""
        dirty = {each: owned for each in self.dirty if (owned := self.watches.get(each))}
        for watch_id in [each for each, owned in dirty.items() if len(owned.packed) > LARGEST]:
            self.dirty.discard(watch_id)
            if watch_id not in self._too_large:
                self._too_large.add(watch_id)
                _log.error("state_too_large", watch_id=watch_id, hint="it is still polled, but lost on a restart")


async def breathe(number: int) -> None:
    """Let other tasks run, now and then."""
    if number % AT_ONCE == 0:
        await asyncio.sleep(0)
