"""What shards rely on: the fenced memory, the group, the commands. One suite for the real ones and for their twins.

The real ones run on a broker; the twins of `tests.simulation` in virtual time. What only a process that stands still
can show is in `tests/simulation/test_group.py`.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from bus.kafka import topics
from bus.record import partition_of
from bus.settings import KafkaSettings
from bus.sharding.commands import Command, CommandWriter
from bus.sharding.group import ShardGroup
from bus.sharding.state_log import Fenced, NotCommitted, StateLog
from schemas.topics import WATCH_PARTITIONS
from tests.kafka_fixtures import TestKafka
from tests.simulation.faults import Faults
from tests.simulation.group import Coordinator, TwinGroup
from tests.simulation.kafka import Kafka
from tests.simulation.loop import Driver
from tests.simulation.twins import TwinLog, TwinWriter

ALL = frozenset(range(WATCH_PARTITIONS))


class Real:
    """The real ones, on a broker."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._opened: list[Any] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        await topics.create(self._settings)
        try:
            await work
        finally:
            for each in self._opened:
                await each.close()

    def log(self, partition: int) -> StateLog:
        self._opened.append(log := StateLog(self._settings, partition, group="g"))
        return log

    def writer(self) -> CommandWriter:
        self._opened.append(writer := CommandWriter(self._settings))
        return writer

    def group(self, member: "Member") -> tuple[Any, Coroutine[Any, Any, None]]:
        group = ShardGroup(self._settings, group=self._settings.topic("pollers"))
        return group, group.run(member)


class Twin:
    """The twins, in virtual time."""

    def __init__(self, seed: int) -> None:
        self._driver = Driver(random.Random(seed))
        self._loop = self._driver.loop("test")
        self._kafka = Kafka(self._loop, Faults(random.Random(seed)))
        self._coordinator = Coordinator(self._kafka)
        self._seats = 0

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            self._driver.complete(work, self._loop)
        finally:
            self._driver.end()

    def log(self, partition: int) -> TwinLog:
        return TwinLog(self._kafka, partition, f"owner of {partition}")

    def writer(self) -> TwinWriter:
        return TwinWriter(self._kafka, "writer")

    def group(self, member: "Member") -> tuple[Any, Coroutine[Any, Any, None]]:
        self._seats += 1
        group = TwinGroup(self._kafka, self._coordinator, f"member-{self._seats}", self._seats)
        return group, group.run(member)


Side = Real | Twin


@pytest.fixture(params=["broker", "twin", "twin of another seed"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param != "broker":
        yield Twin(len(request.param))
        return
    kafka: TestKafka = request.getfixturevalue("kafka")
    prefix = request.getfixturevalue("topic_prefix")
    yield Real(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix))


class Member:
    """Remembers what it was told."""

    def __init__(self, side: Side) -> None:
        self.shards: frozenset[int] = frozenset()
        self.told: list[frozenset[int]] = []
        self.commands: list[Command] = []
        self.caught_up: set[int] = set()
        self.times_caught_up = 0
        self.group, running = side.group(self)
        self._task = asyncio.get_running_loop().create_task(running)

    def on_shards(self, ours: frozenset[int]) -> None:
        self.shards = ours
        self.told.append(ours)
        self.caught_up &= ours

    def on_command(self, command: Command) -> None:
        self.commands.append(command)

    def on_caught_up(self, partition: int) -> None:
        self.caught_up.add(partition)
        self.times_caught_up += 1

    async def asks_all_the_time(self) -> None:
        while True:
            await asyncio.gather(*(self.group.is_ours(shard) for shard in self.shards))
            await asyncio.sleep(0.01)

    def seen(self, key: str) -> list[bytes | None]:
        return [command.value for command in self.commands if command.key == key]

    async def leave(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def until(holds: Callable[[], object], seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)


# ---- the memory ------------------------------------------------------------------------------------------------------


def test_what_was_committed_is_restored_newest_first_and_what_was_erased_is_gone(side: Side) -> None:
    async def work() -> None:
        log = side.log(3)
        assert await log.open() == {}
        await log.commit({"a": b"1", "b": b"1"})
        await log.commit({"a": b"2", "c": b"1"})
        await log.commit({"b": None})

        assert await side.log(3).open() == {"a": b"2", "c": b"1"}
        assert await side.log(4).open() == {}

    side.run(work())


def test_opening_fences_whoever_held_the_shard_before(side: Side) -> None:
    async def work() -> None:
        log, heir = side.log(3), side.log(3)
        await log.open()
        await log.commit({"a": b"1"})
        assert await heir.open() == {"a": b"1"}

        with pytest.raises(Fenced):
            await log.commit({"a": b"stale"})

        await heir.commit({"b": b"2"})
        assert await side.log(3).open() == {"a": b"1", "b": b"2"}

    side.run(work())


def test_a_commit_with_one_refused_record_commits_nothing_and_the_log_must_be_opened_again(side: Side) -> None:
    async def work() -> None:
        log = side.log(3)
        with pytest.raises(NotCommitted):
            await log.commit({"a": b"never opened"})
        await log.open()

        with pytest.raises(NotCommitted):
            await log.commit({"good": b"1", "huge": b"x" * 3_000_000})
        with pytest.raises(NotCommitted):
            await log.commit({"good": b"1"})

        assert await log.open() == {}
        await log.commit({"good": b"2"})
        assert await log.open() == {"good": b"2"}

    side.run(work())


# ---- the group and the commands --------------------------------------------------------------------------------------


def test_a_member_sees_all_commands_of_its_shards_in_order_from_the_first_and_then_has_caught_up(side: Side) -> None:
    async def work() -> None:
        writer = side.writer()
        for n in range(20):
            await writer.put("one", str(n).encode())
            await writer.put(f"watch-{n}", b"{}")
        await writer.erase("watch-3", partition_of(b"watch-3", WATCH_PARTITIONS))
        member = Member(side)
        await until(lambda: member.caught_up == ALL)

        assert member.seen("one") == [str(n).encode() for n in range(20)]
        assert member.seen("watch-3") == [b"{}", None]
        assert {command.key for command in member.commands} == {"one"} | {f"watch-{n}" for n in range(20)}
        assert all(each.partition == partition_of(each.key.encode(), WATCH_PARTITIONS) for each in member.commands)

        await writer.put("new", b"1")
        await until(lambda: member.seen("new") == [b"1"])
        await member.leave()

    side.run(work())


def test_catching_up_again_is_told_after_every_earlier_command(side: Side) -> None:
    async def work() -> None:
        writer, member = side.writer(), Member(side)
        await until(lambda: member.caught_up == ALL)
        shard = partition_of(b"one", WATCH_PARTITIONS)
        told = member.times_caught_up
        for n in range(50):
            await writer.put("one", str(n).encode())

        member.group.catch_up(shard)
        await until(lambda: member.times_caught_up == told + 1)

        assert len(member.seen("one")) == 50
        await member.leave()

    side.run(work())


def test_a_command_is_taken_away_from_the_partition_that_is_named(side: Side) -> None:
    async def work() -> None:
        writer, member = side.writer(), Member(side)
        shard = partition_of(b"one", WATCH_PARTITIONS)
        other = (shard + 1) % WATCH_PARTITIONS
        await until(lambda: member.shards == ALL)

        await writer.erase("one", other)
        await until(lambda: member.commands)

        assert [(each.partition, each.key, each.value) for each in member.commands] == [(other, "one", None)]
        await member.leave()

    side.run(work())


def test_a_tombstone_of_ours_says_which_request_it_forgets_and_a_persons_says_nothing(side: Side) -> None:
    async def work() -> None:
        writer, member = side.writer(), Member(side)
        shard = partition_of(b"one", WATCH_PARTITIONS)

        await writer.erase("one", shard, forgets="r1")
        await writer.erase("one", shard)
        await until(lambda: len(member.commands) == 2)

        assert [each.forgets for each in member.commands] == ["r1", None]
        await member.leave()

    side.run(work())


def test_members_share_the_shards_and_each_shard_is_its_owners_alone(side: Side) -> None:
    async def work() -> None:
        writer, first = side.writer(), Member(side)
        for n in range(40):
            await writer.put(f"watch-{n}", b"{}")
        await until(lambda: first.caught_up == ALL and len(first.commands) == 40)
        assert await first.group.is_ours(5)

        second = Member(side)
        await until(lambda: second.shards and second.caught_up == second.shards)

        assert len(first.shards) == len(second.shards) == WATCH_PARTITIONS // 2
        assert not first.shards & second.shards
        assert len(first.commands) == 40  # what is kept is not read again
        kept, taken = min(first.shards), min(second.shards)
        assert [await each.group.is_ours(kept) for each in (first, second)] == [True, False]
        assert [await each.group.is_ours(taken) for each in (first, second)] == [False, True]

        await second.leave()
        await until(lambda: first.caught_up == ALL)
        assert not await second.group.is_ours(taken)
        assert len(first.commands) > 40  # what comes anew is read from its beginning
        await first.leave()

    side.run(work())


def test_who_asks_whose_its_shards_are_all_the_time_keeps_no_rebalance_going(side: Side) -> None:
    async def work() -> None:
        members = [Member(side) for _ in range(2)]
        await until(lambda: all(len(each.shards) == WATCH_PARTITIONS // 2 for each in members))
        asking = [asyncio.create_task(each.asks_all_the_time()) for each in members]

        members.append(Member(side))
        await until(lambda: all(len(each.shards) == WATCH_PARTITIONS // 3 for each in members))
        before = [len(each.told) for each in members]
        await asyncio.sleep(15)

        assert [len(each.told) - were for each, were in zip(members, before, strict=True)] == [0, 0, 0]
        for task in asking:
            task.cancel()
        for each in members:
            await each.leave()

    side.run(work())


def test_a_shard_that_starts_again_sees_its_commands_from_the_first_on_and_catches_up(side: Side) -> None:
    async def work() -> None:
        writer, member = side.writer(), Member(side)
        for n in range(5):
            await writer.put("one", str(n).encode())
        await until(lambda: member.caught_up == ALL and len(member.commands) == 5)
        told, shard = member.times_caught_up, partition_of(b"one", WATCH_PARTITIONS)

        member.group.start_again(shard)
        await until(lambda: member.times_caught_up == told + 1)

        assert member.seen("one") == [str(n).encode() for n in range(5)] * 2
        await member.leave()

    side.run(work())


def test_a_member_that_loses_all_is_told_so_at_once_and_begins_anew(side: Side) -> None:
    async def work() -> None:
        writer, member = side.writer(), Member(side)
        await writer.put("one", b"1")
        await until(lambda: member.caught_up == ALL and member.commands)

        member.group.lose_all()
        assert member.shards == frozenset()
        await until(lambda: member.caught_up == ALL)

        assert member.seen("one") == [b"1", b"1"]
        await member.leave()

    side.run(work())
