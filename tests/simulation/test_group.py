"""What a broker in a test cannot show of a group: a member that stands still or is cut off."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from bus.sharding.commands import Command
from bus.sharding.state_log import Fenced, NotCommitted
from tests.simulation.faults import Faults
from tests.simulation.group import SESSION, Coordinator, TwinGroup
from tests.simulation.kafka import SHARDS, Kafka
from tests.simulation.loop import Driver, Loop
from tests.simulation.twins import TwinLog


class Member:
    def __init__(self) -> None:
        self.shards: frozenset[int] = frozenset()

    def on_shards(self, ours: frozenset[int]) -> None:
        self.shards = ours

    def on_command(self, command: Command) -> None: ...
    def on_caught_up(self, partition: int) -> None: ...


class Stage:
    """Two members, each on a loop of its own."""

    def __init__(self) -> None:
        self.driver = Driver(random.Random(1))
        self.kafka = Kafka(self.driver.loop("kafka"), Faults(random.Random(1)))
        self.coordinator = Coordinator(self.kafka)
        self.loops: list[Loop] = []
        self.members: list[Member] = []
        self.groups: list[TwinGroup] = []

    def join(self) -> None:
        number = len(self.loops)
        loop, member = self.driver.loop(f"m{number}"), Member()

        async def run() -> None:
            group = TwinGroup(self.kafka, self.coordinator, loop.name, number)
            self.groups.append(group)
            await group.run(member)

        loop.create_task(run())
        self.loops.append(loop)
        self.members.append(member)
        self.pass_by(8)

    def pass_by(self, seconds: float) -> None:
        self.driver.run(self.driver.clock.now + seconds)

    def is_ours(self, member: int, shard: int) -> bool:
        return bool(self.driver.complete(self.groups[member].is_ours(shard), self.loops[member]))


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.join()
    stage.join()
    yield stage
    stage.driver.end()


def test_a_member_that_stands_still_keeps_its_shards_for_a_session_and_not_longer(stage: Stage) -> None:
    stage.loops[0].asleep = True
    stage.pass_by(SESSION - 2)
    kept = len(stage.members[1].shards)
    stage.pass_by(8)

    assert (kept, len(stage.members[1].shards)) == (SHARDS // 2, SHARDS)


def test_it_believes_in_its_shards_when_it_wakes_and_is_told_better_when_it_asks(stage: Stage) -> None:
    mine = min(stage.members[0].shards)
    stage.loops[0].asleep = True
    stage.pass_by(30)
    stage.loops[0].asleep = False

    assert mine in stage.members[0].shards
    assert not stage.is_ours(0, mine)

    stage.pass_by(10)
    assert len(stage.members[0].shards) == len(stage.members[1].shards) == SHARDS // 2


def test_who_is_cut_off_keeps_believing_and_others_have_its_shards(stage: Stage) -> None:
    mine = min(stage.members[0].shards)
    stage.kafka.leave("m0")
    stage.pass_by(15)

    assert mine in stage.members[0].shards & stage.members[1].shards
    assert not stage.is_ours(0, mine)


def test_while_kafka_is_away_for_all_everybody_keeps_what_it_has(stage: Stage) -> None:
    before = [member.shards for member in stage.members]
    stage.kafka.leave()
    stage.pass_by(120)
    stage.kafka.come_back()
    stage.pass_by(10)

    assert [member.shards for member in stage.members] == before


def test_a_commit_may_say_no_although_it_was_done_and_the_log_shows_it(stage: Stage) -> None:
    log = TwinLog(stage.kafka, 0, "m0")
    stage.kafka.faults.unknown = 1.0

    async def work() -> dict[str, bytes]:
        await log.open()
        with pytest.raises(NotCommitted):
            await log.commit({"a": b"1"})
        return await log.open()

    assert stage.driver.complete(work(), stage.loops[0]) == {"a": b"1"}


def test_a_commit_that_was_sent_before_the_fence_and_arrives_after_it_is_fenced(stage: Stage) -> None:
    log, heir = TwinLog(stage.kafka, 0, "m0"), TwinLog(stage.kafka, 0, "m1")
    stage.driver.complete(log.open(), stage.loops[0])
    stage.kafka.leave("m0")
    late: asyncio.Task[None] = stage.loops[0].create_task(log.commit({"a": b"stale"}))
    stage.pass_by(1)
    stage.driver.complete(heir.open(), stage.loops[1])
    stage.kafka.come_back("m0")
    stage.pass_by(1)

    assert isinstance(late.exception(), Fenced)
    assert stage.kafka.states[0] == {}
