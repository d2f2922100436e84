"""The fenced memory of shards and the group that shares them, on a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bus.record import partition_of
from bus.settings import KafkaSettings
from bus.sharding.commands import Command, CommandWriter
from bus.sharding.group import ShardGroup
from bus.sharding.state_log import Fenced, NotCommitted, StateLog
from schemas.topics import WATCH_PARTITIONS
from tests.kafka_fixtures import TestKafka


@pytest.fixture
async def log(settings: KafkaSettings) -> AsyncIterator[StateLog]:
    log = StateLog(settings, 3, group="g")
    yield log
    await log.close()


async def test_what_was_committed_is_restored_newest_first_and_erased_is_gone(
    settings: KafkaSettings, log: StateLog
) -> None:
    assert await log.open() == {}
    await log.commit({"a": b"1", "b": b"1"})
    await log.commit({"a": b"2", "c": b"1"})
    await log.commit({"b": None})

    again = StateLog(settings, 3, group="g")

    assert await again.open() == {"a": b"2", "c": b"1"}
    await again.close()


async def test_opening_fences_whoever_held_the_shard_before(settings: KafkaSettings, log: StateLog) -> None:
    await log.open()
    await log.commit({"a": b"1"})
    heir = StateLog(settings, 3, group="g")
    await heir.open()

    with pytest.raises(Fenced):
        await log.commit({"a": b"stale"})

    await heir.commit({"a": b"2"})
    await heir.close()
    assert await StateLog(settings, 3, group="g").open() == {"a": b"2"}


async def test_a_commit_with_one_refused_record_commits_nothing(settings: KafkaSettings, log: StateLog) -> None:
    await log.open()

    with pytest.raises(NotCommitted):
        await log.commit({"good": b"1", "huge": b"x" * 3_000_000})

    assert await log.open() == {}
    await log.commit({"good": b"2"})
    assert await log.open() == {"good": b"2"}


async def test_a_commit_ends_in_bounded_time_while_the_broker_hangs(
    log: StateLog, kafka: TestKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.sharding.state_log.COMMIT_TIMEOUT", 1.0)
    await log.open()
    await kafka.pause()

    with pytest.raises(NotCommitted):
        await asyncio.wait_for(log.commit({"a": b"1"}), 15)

    await kafka.resume()


class Member:
    """A group member that remembers what it was told."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.shards: frozenset[int] = frozenset()
        self.commands: list[Command] = []
        self.caught_up: set[int] = set()
        self.group = ShardGroup(settings, group=settings.topic("pollers"))
        self.task = asyncio.create_task(self.group.run(self))

    def on_shards(self, ours: frozenset[int]) -> None:
        self.shards = ours
        self.caught_up &= ours

    def on_command(self, command: Command) -> None:
        self.commands.append(command)

    def on_caught_up(self, partition: int) -> None:
        self.caught_up.add(partition)

    async def stop(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


async def until(holds: object, seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.05)


async def test_a_member_sees_all_commands_of_its_shards_from_the_first_on(settings: KafkaSettings) -> None:
    writer = CommandWriter(settings)
    for n in range(20):
        await writer.put(f"watch-{n}", b"{}")
    member = Member(settings)
    await until(lambda: len(member.caught_up) == WATCH_PARTITIONS)

    await writer.put("watch-new", b"{}")
    await until(lambda: len(member.commands) == 21)

    assert {command.key for command in member.commands} == {f"watch-{n}" for n in range(20)} | {"watch-new"}
    assert all(command.partition == partition_of(command.key.encode(), WATCH_PARTITIONS) for command in member.commands)
    await member.stop()
    await writer.close()


async def test_members_share_the_shards_and_the_one_that_stays_takes_them_all(settings: KafkaSettings) -> None:
    first = Member(settings)
    await until(lambda: len(first.shards) == WATCH_PARTITIONS)
    second = Member(settings)
    await until(lambda: len(second.caught_up) == WATCH_PARTITIONS // 2)

    assert len(first.shards) == WATCH_PARTITIONS // 2
    assert not first.shards & second.shards
    await first.stop()
    await until(lambda: len(second.caught_up) == WATCH_PARTITIONS)
    await second.stop()


async def test_a_member_that_does_not_join_again_holds_up_no_request_of_the_others(
    settings: KafkaSettings, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = Member(settings)
    await until(lambda: len(stuck.shards) == WATCH_PARTITIONS)
    stuck.group.on_partitions_revoked = lambda _: asyncio.Event().wait()  # type: ignore[assignment, return-value]

    newcomer = Member(settings)
    await until(lambda: len(newcomer.shards) == WATCH_PARTITIONS)

    assert "JoinGroupRequest" not in caplog.text  # else it would have been a ghost by now, and so would the next
    await newcomer.stop()
    await stuck.stop()


async def test_a_shard_that_is_kept_is_not_read_again(settings: KafkaSettings) -> None:
    writer = CommandWriter(settings)
    for n in range(40):
        await writer.put(f"watch-{n}", b"{}")
    first = Member(settings)
    await until(lambda: len(first.commands) == 40)
    second = Member(settings)
    await until(lambda: second.shards)
    await until(lambda: second.caught_up == set(second.shards))

    assert len(first.commands) == 40
    await second.stop()
    await until(lambda: len(first.caught_up) == WATCH_PARTITIONS)
    assert len(first.commands) > 40
    await first.stop()
    await writer.close()
