"""A Kafka in memory: what all replicas of a run see of each other. Its loop never stands still.

A request that was sent arrives, whatever becomes of whoever sent it: killed, standing still, or tired of waiting.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from bus.record import partition_of
from bus.sharding.state_log import Fenced, NotCommitted
from schemas.messages import Message
from tests.simulation.faults import Faults
from tests.simulation.loop import Loop

T = TypeVar("T")

SHARDS: Final = 12
TOMBSTONES_STAY: Final = 24 * 3600.0  # seconds, then a compaction removes them, too
LARGEST: Final = 1_000_000  # bytes of a record


class Command(NamedTuple):
    """A record of the watches topic. `value` None is a tombstone, `forgets` its header."""

    offset: int
    key: str
    value: bytes | None
    forgets: str | None
    at: float
    """Seconds of the run's clock; so are all times here."""


class Commit(NamedTuple):
    """A transaction on the states topic that holds."""

    at: float
    partition: int
    replica: str
    states: Mapping[str, bytes | None]


class Published(NamedTuple):
    """A record of a message topic."""

    at: float
    replica: str
    via: str
    message: Message
    key: str


class Record(NamedTuple):
    """One record of either compacted topic, in the order in which they were written."""

    is_command: bool
    partition: int
    key: str
    value: bytes | None


class Incident(NamedTuple):
    """Something after which a message may come twice: `fenced`, `unknown`, `crash`. `partition` None: of any."""

    at: float
    partition: int | None
    what: str


class Kafka:
    """The topics, and who may write states. `unreachable` are the replicas that are cut off; `away` means all."""

    def __init__(self, loop: Loop, faults: Faults) -> None:
        self.loop = loop
        self.faults = faults
        self.away = False
        self.unreachable: set[str] = set()
        self.commands: list[list[Command]] = [[] for _ in range(SHARDS)]
        self.states: list[dict[str, bytes]] = [{} for _ in range(SHARDS)]
        self.commits: list[Commit] = []
        self.published: list[Published] = []
        self.incidents: list[Incident] = []
        self.outages: list[tuple[float, float, str | None]] = []
        """From when to when somebody (None: everybody) could not reach it; over ones only."""
        self.records: list[Record] = []
        self.on_record: list[Callable[[], None]] = []
        self.on_command: list[Callable[[int], None]] = []
        self.on_published: list[Callable[[Published], None]] = []
        self.on_return: list[Callable[[], None]] = []
        self._ends = [0] * SHARDS
        self._epochs = [0] * SHARDS
        self._waiting: list[tuple[str, Callable[[], None]]] = []
        self._left: dict[str | None, float] = {}

    # ---- reaching it -----------------------------------------------------------------------------------------------

    def reaches(self, replica: str) -> bool:
        """Tell whether this replica's packets arrive."""
        return not self.away and replica not in self.unreachable

    def leave(self, replica: str | None = None) -> None:
        """Be away, for everybody or for one replica."""
        self._left[replica] = self.loop.time()
        if replica is None:
            self.away = True
        else:
            self.unreachable.add(replica)

    def come_back(self, replica: str | None = None) -> None:
        """Be there again. What was sent meanwhile arrives now, unless whoever sent it has given up."""
        if replica is None:
            self.away = False
        else:
            self.unreachable.discard(replica)
        self.outages.append((self._left.pop(replica), self.loop.time(), replica))
        waiting, self._waiting = self._waiting, []
        for sender, served in waiting:
            self._arrive(sender, served)
        for hear in self.on_return:
            hear()

    def all_outages(self) -> list[tuple[float, float, str | None]]:
        """Return the outages, those that last still as far as they have come."""
        return [*self.outages, *((since, self.loop.time(), whom) for whom, since in self._left.items())]

    async def ask(self, replica: str, do: Callable[[], T], *, patience: float | None) -> T:
        """Return what `do` makes of it here. Raises what `do` raises, or `TimeoutError`: it may still be done."""
        caller = asyncio.get_running_loop()
        answer: asyncio.Future[T] = caller.create_future()

        def served() -> None:
            if not answer.cancelled():
                _serve(caller, answer, do, self.loop.time() + self.faults.way())

        self.loop.call_later(self.faults.way(), self._arrive, replica, served)
        async with asyncio.timeout(patience):
            return await answer

    def _arrive(self, replica: str, served: Callable[[], None]) -> None:
        if self.reaches(replica):
            served()
        else:
            self._waiting.append((replica, served))

    # ---- states ----------------------------------------------------------------------------------------------------

    def fence(self, partition: int, replica: str) -> tuple[int, dict[str, bytes]]:
        """Return a new epoch, after which all older ones are fenced, and the newest state of each watch."""
        self._epochs[partition] += 1
        return self._epochs[partition], dict(self.states[partition])

    def commit(self, partition: int, epoch: int, replica: str, states: Mapping[str, bytes | None]) -> None:
        """Write all or none. Raises `Fenced` or `NotCommitted`."""
        if epoch != self._epochs[partition]:
            self.happened("fenced", partition)
            raise Fenced
        if any(value is not None and len(value) > LARGEST for value in states.values()):
            raise NotCommitted("MessageSizeTooLarge")
        fate = self.faults.fate()
        if fate != "refused":
            self._apply(partition, replica, states)
        if fate != "done":
            self.happened(fate, partition)
            raise NotCommitted(fate)

    def _apply(self, partition: int, replica: str, states: Mapping[str, bytes | None]) -> None:
        self.commits.append(Commit(self.loop.time(), partition, replica, states))
        for key, value in states.items():
            if value is None:
                self.states[partition].pop(key, None)
            else:
                self.states[partition][key] = value
            self._written(Record(is_command=False, partition=partition, key=key, value=value))

    def happened(self, what: str, partition: int | None = None) -> None:
        """Note an incident."""
        self.incidents.append(Incident(self.loop.time(), partition, what))

    # ---- commands and messages ---------------------------------------------------------------------------------------

    def append(
        self, key: str, value: bytes | None, *, partition: int | None = None, forgets: str | None = None
    ) -> None:
        """Write a command, to the partition of its key where none is named."""
        at = partition_of(key.encode(), SHARDS) if partition is None else partition
        self.commands[at].append(Command(self._ends[at], key, value, forgets, self.loop.time()))
        self._ends[at] += 1
        self._written(Record(is_command=True, partition=at, key=key, value=value))
        for hear in self.on_command:
            hear(at)

    def _written(self, record: Record) -> None:
        self.records.append(record)
        for hear in self.on_record:
            hear()

    def end(self, partition: int) -> int:
        """Return the offset that the next command gets."""
        return self._ends[partition]

    def commands_from(self, partition: int, offset: int, most: int) -> list[Command]:
        """Return what lies there from this offset on, oldest first."""
        log = self.commands[partition]
        start = bisect_left(log, offset, key=lambda each: each.offset)
        return log[start : start + most]

    def compact(self) -> None:
        """Keep the newest command of each key, and young tombstones."""
        oldest = self.loop.time() - TOMBSTONES_STAY
        for partition, log in enumerate(self.commands):
            newest = {each.key: each.offset for each in log}
            kept = [each for each in log if newest[each.key] == each.offset]
            self.commands[partition] = [each for each in kept if each.value is not None or each.at > oldest]

    def publish(self, replica: str, via: str, message: Message, key: str) -> None:
        """Write a message."""
        record = Published(self.loop.time(), replica, via, message, key)
        self.published.append(record)
        for hear in self.on_published:
            hear(record)


def _serve(caller: Any, answer: asyncio.Future[T], do: Callable[[], T], back_at: float) -> None:
    try:
        value = do()
    except Exception as error:  # noqa: BLE001 - the caller's
        caller.call_at(back_at, _fail, answer, error)
    else:
        caller.call_at(back_at, _settle, answer, value)


def _settle(answer: asyncio.Future[T], value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
