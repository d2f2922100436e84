"""The consumer group in memory: who owns which shard, and the twin of `bus.sharding.group.ShardGroup`."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple

from bus.sharding.commands import Command
from bus.sharding.group import AT_ONCE, Member
from tests.simulation.kafka import SHARDS, Kafka

SESSION: Final = 6.0  # seconds; these are those of the real group
HEARTBEAT: Final = 1.0
REBALANCE: Final = (1.0, 3.0)
SILENCE: Final = 30.0
ASK_PATIENCE: Final = 5.0


class Ownership(NamedTuple):
    """From now on a shard belongs to this replica; None: to nobody."""

    at: float
    partition: int
    replica: str | None


class Coordinator:
    """The broker's side of one group. Seats are kept by the replica's name and a number for each time it joined."""

    def __init__(self, kafka: Kafka) -> None:
        self.history: list[Ownership] = []
        self.owners: dict[int, TwinGroup] = {}
        self._kafka = kafka
        self._beats: dict[TwinGroup, float] = {}
        self._rebalancing = False
        kafka.on_command.append(self._command)
        kafka.on_return.append(self._returned)
        kafka.loop.call_later(HEARTBEAT, self._sweep)

    def join(self, seat: "TwinGroup") -> None:
        """A member comes, as a new one: if it was here before, and left unheard, its old membership ends."""
        self.leave(seat)
        self.beat(seat)

    def beat(self, seat: "TwinGroup") -> None:
        """A heartbeat: one of a seat that was not known joins it."""
        joins = seat not in self._beats
        self._beats[seat] = self._kafka.loop.time()
        if joins:
            self._rebalance()

    def leave(self, seat: "TwinGroup") -> None:
        """A member says that it goes, or is not heard of any more."""
        if self._beats.pop(seat, None) is not None:
            for partition in [each for each, owner in self.owners.items() if owner is seat]:
                self._own(partition, None)
            self._rebalance()

    def owns(self, seat: "TwinGroup", partition: int) -> bool:
        """Tell whether the present generation gives it this shard."""
        return seat in self._beats and self.owners.get(partition) is seat

    def owned_by(self, replica: str) -> frozenset[int]:
        """Return the shards that belong to this replica."""
        return frozenset(partition for partition, owner in self.owners.items() if owner.replica == replica)

    def _rebalance(self) -> None:
        if not self._rebalancing:
            self._rebalancing = True
            self._kafka.loop.call_later(self._kafka.faults.rng.uniform(*REBALANCE), self._assign)

    def _assign(self) -> None:
        """Share all shards among those who are heard of, each keeping what it may (sticky)."""
        if self._kafka.away:
            self._kafka.loop.call_later(HEARTBEAT, self._assign)
            return
        self._rebalancing = False
        heard = self._kafka.loop.time() - REBALANCE[1]
        for silent in [seat for seat, at in self._beats.items() if at < heard]:
            self.leave(silent)
        self._rebalancing = False
        seats = sorted(self._beats, key=lambda seat: seat.number)
        if not seats:
            return
        for partition, seat in _shared(seats, self.owners).items():
            if self.owners.get(partition) is not seat:
                self._own(partition, seat)
        for seat in seats:
            seat.tell(frozenset(partition for partition, owner in self.owners.items() if owner is seat))

    def _own(self, partition: int, seat: "TwinGroup | None") -> None:
        if seat is None:
            self.owners.pop(partition, None)
        else:
            self.owners[partition] = seat
        self.history.append(Ownership(self._kafka.loop.time(), partition, seat.replica if seat else None))

    def _sweep(self) -> None:
        self._kafka.loop.call_later(HEARTBEAT, self._sweep)
        if self._kafka.away:
            return
        heard = self._kafka.loop.time() - SESSION
        for silent in [seat for seat, at in self._beats.items() if at < heard]:
            self.leave(silent)

    def _returned(self) -> None:
        for seat in self._beats:
            self._beats[seat] = self._kafka.loop.time()

    def _command(self, partition: int) -> None:
        if owner := self.owners.get(partition):
            owner.wake()


def _shared(seats: list["TwinGroup"], before: dict[int, "TwinGroup"]) -> dict[int, "TwinGroup"]:
    most, extra = divmod(SHARDS, len(seats))
    room = {seat: most + (place < extra) for place, seat in enumerate(seats)}
    after: dict[int, TwinGroup] = {}
    for partition in range(SHARDS):
        if (seat := before.get(partition)) in room and room[seat]:
            after[partition] = seat
            room[seat] -= 1
    free = [seat for seat, places in room.items() for _ in range(places)]
    return after | dict(zip([each for each in range(SHARDS) if each not in after], free, strict=True))


class TwinGroup:
    """One membership, as `bus.sharding.group.ShardGroup` has it. Made and used on its replica's loop."""

    def __init__(self, kafka: Kafka, coordinator: Coordinator, replica: str, number: int) -> None:
        self.replica = replica
        self.number = number
        self.joined = False
        self._kafka = kafka
        self._coordinator = coordinator
        self._loop = asyncio.get_running_loop()
        self._member: Member | None = None
        self._in_session = False
        self._joins = True
        self._positions: dict[int, int] = {}
        self._ends: dict[int, int | None] = {}
        self._answered = self._loop.time()
        self._waking = False
        self._rejoin = asyncio.Event()
        self._learning: defaultdict[int, int] = defaultdict(int)

    async def run(self, member: Member) -> None:
        """Be a member until cancelled."""
        self._member = member
        try:
            while True:
                self._rejoin.clear()
                self._in_session = self._joins = True
                self._beat()
                await self._rejoin.wait()
                self._leave()
                self._lose()
                await asyncio.sleep(1.0)
        finally:
            self._leave()

    def lose_all(self) -> None:
        """Have no shard any longer, and join again."""
        self.joined = False
        self._lose()
        self._rejoin.set()

    def start_again(self, partition: int) -> None:
        """Give every command of this shard once more, from the first one on."""
        if partition in self._positions:
            self._positions[partition] = 0
            self.catch_up(partition)
            self.wake()

    def catch_up(self, partition: int) -> None:
        """Call `on_caught_up` once every command that lies on this shard by now has been seen."""
        if partition in self._positions:
            self._ends[partition] = None
            self._learning[partition] += 1
            self._loop.call_later(2 * self._kafka.faults.way(), self._learn_end, partition, self._learning[partition])

    async def is_ours(self, partition: int) -> bool:
        """Ask; False, too, when nobody answers."""
        if partition not in self._positions:
            return False
        try:
            owned: Callable[[], bool] = lambda: self._coordinator.owns(self, partition)  # noqa: E731
            return await self._kafka.ask(self.replica, owned, patience=ASK_PATIENCE)
        except TimeoutError:
            return False

    def tell(self, ours: frozenset[int]) -> None:
        """The coordinator's answer to our joining; it arrives a little later, or when we wake."""
        self._loop.call_later(self._kafka.faults.way(), self._assigned, ours)

    def wake(self) -> None:
        """There is a command for us."""
        if not self._waking:
            self._waking = True
            self._loop.call_later(self._kafka.faults.way(), self._deliver)

    def _leave(self) -> None:
        self._in_session = self.joined = False
        if self._kafka.reaches(self.replica):
            self._coordinator.leave(self)

    def _lose(self) -> None:
        self._positions.clear()
        self._ends.clear()
        if self._member:
            self._member.on_shards(frozenset())

    def _beat(self) -> None:
        if not self._in_session:
            return
        self._loop.call_later(HEARTBEAT, self._beat)
        if self._kafka.reaches(self.replica):
            self._answered = self._loop.time()
            (self._coordinator.join if self._joins else self._coordinator.beat)(self)
            self._joins = False
        elif self._loop.time() - self._answered > SILENCE:
            self.joined = False

    def _assigned(self, ours: frozenset[int]) -> None:
        if not self._in_session or self._member is None:
            return
        self.joined = True
        for lost in set(self._positions) - ours:
            del self._positions[lost]
            self._ends.pop(lost, None)
        new = [partition for partition in sorted(ours) if partition not in self._positions]
        for partition in new:
            self._positions[partition] = 0
        self._member.on_shards(ours)
        for partition in new:
            self.catch_up(partition)
        self.wake()

    def _learn_end(self, partition: int, number: int) -> None:
        if partition not in self._positions or self._learning[partition] != number:
            return
        if self._kafka.reaches(self.replica):
            self._ends[partition] = self._kafka.end(partition)
            self.wake()
        else:
            self._loop.call_later(1.0, self._learn_end, partition, number)

    def _deliver(self) -> None:
        self._waking = False
        if self._member is None or not self._in_session:
            return
        if not self._kafka.reaches(self.replica):
            self._loop.call_later(1.0, self.wake)
            return
        room = AT_ONCE
        for partition in sorted(self._positions):
            room -= self._deliver_from(self._member, partition, room)
        for partition, end in list(self._ends.items()):
            if end is not None and self._positions.get(partition, -1) >= end:
                del self._ends[partition]
                self._member.on_caught_up(partition)

    def _deliver_from(self, member: Member, partition: int, room: int) -> int:
        records = self._kafka.commands_from(partition, self._positions[partition], room)
        for record in records:
            if partition not in self._positions:
                return room
            self._positions[partition] = record.offset + 1
            member.on_command(Command(partition, record.key, record.value, record.forgets))
        if self._positions.get(partition, 0) < self._kafka.end(partition):
            if not self._kafka.commands_from(partition, self._positions[partition], 1):
                self._positions[partition] = self._kafka.end(partition)  # compacted away
            else:
                self.wake()
        return len(records)
