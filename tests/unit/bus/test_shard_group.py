"""When a shard has caught up: the group asks for the ends of its commands, and believes only the newest answer."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError, TopicAuthorizationFailedError
from structlog.testing import capture_logs

from bus.settings import KafkaSettings
from bus.sharding.commands import Command
from bus.sharding.group import ShardGroup


class Consumer:
    """Three commands lie on each partition; `asked` has the partitions of each request for ends."""

    _coordinator = SimpleNamespace(generation=1)
    _fetcher = SimpleNamespace(_fetch_task=SimpleNamespace(done=lambda: False))

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.assigned: set[TopicPartition] = set()
        self.positions: dict[TopicPartition, int] = {}
        self.while_asking: Callable[[], None] = lambda: None

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked.append(sorted(part.partition for part in parts))
        self.while_asking()
        return dict.fromkeys(parts, 3)

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def seek(self, part: TopicPartition, offset: int) -> None:
        if part not in self.assigned:
            raise IllegalStateError(part)
        self.positions[part] = offset

    async def position(self, part: TopicPartition) -> int:
        return self.positions[part]

    def read_all(self) -> None:
        self.positions = dict.fromkeys(self.positions, 3)


class Member:
    def __init__(self) -> None:
        self.caught_up: list[int] = []

    def on_shards(self, ours: frozenset[int]) -> None: ...

    def on_command(self, command: Command) -> None: ...

    def on_caught_up(self, partition: int) -> None:
        self.caught_up.append(partition)


@pytest.fixture
async def group() -> ShardGroup:
    group = ShardGroup(KafkaSettings(), group="g")
    group._consumer, group._member = Consumer(), Member()
    await assign(group, 0, 1, 2)
    return group


async def assign(group: ShardGroup, *partitions: int) -> None:
    parts = {TopicPartition(group._topic, partition) for partition in partitions}
    group._consumer.assigned = parts
    await group.on_partitions_assigned(parts)


async def test_the_ends_of_all_shards_are_asked_for_in_one_request(group):
    await group._catch_up(group._consumer)
    early = list(group._member.caught_up)
    group._consumer.read_all()
    await group._catch_up(group._consumer)

    assert group._consumer.asked == [[0, 1, 2]]
    assert (early, sorted(group._member.caught_up)) == ([], [0, 1, 2])


async def test_an_answer_that_was_on_its_way_is_not_believed_by_who_asks_anew(group):
    group._consumer.read_all()
    group._consumer.while_asking = lambda: group.catch_up(1)
    await group._catch_up(group._consumer)
    first = sorted(group._member.caught_up)
    group._consumer.while_asking = lambda: None
    await group._catch_up(group._consumer)

    assert first == [0, 2]
    assert group._consumer.asked == [[0, 1, 2], [1]]
    assert group._member.caught_up[2:] == [1]


async def test_nothing_is_ours_for_certain_while_another_consumer_connects(group):
    """It was an AttributeError, and ended the shard: a process that had been suspended for 47 s."""
    group._consumer = AIOKafkaConsumer(group_id="g")

    assert not await group.is_ours(1)
    await group._consumer.stop()


async def test_a_shard_that_was_lost_meanwhile_has_nothing_to_catch_up_with(group):
    group._consumer.while_asking = group.lose_all
    await group._catch_up(group._consumer)

    assert group._ends == {}


async def test_without_an_answer_no_shard_has_caught_up_and_the_next_session_asks_again(group):
    def fail() -> None:
        raise KafkaConnectionError

    group._consumer.while_asking = fail
    with pytest.raises(KafkaConnectionError):
        await group._catch_up(group._consumer)
    group._consumer.while_asking = lambda: None
    await assign(group, 0, 1, 2)
    await group._catch_up(group._consumer)

    assert group._consumer.asked == [[0, 1, 2]] * 2
    assert group._member.caught_up == []


async def test_a_shard_that_starts_again_while_nothing_is_assigned_begins_with_its_first_command_then(group):
    group._positions[1] = 3
    group._consumer.assigned = set()
    group.start_again(1)
    await assign(group, 0, 1, 2)

    assert group._consumer.positions[TopicPartition(group._topic, 1)] == 0


async def test_a_group_that_may_be_joined_and_not_read_is_left_with_one_line_and_is_not_joined(group, monkeypatch):
    """Each session was given its shards, and broke at its first read: a line a second, mostly `joined`."""
    sessions, joined = 0, set()

    async def session():
        nonlocal sessions
        sessions += 1
        await assign(group, 0, 1, 2)
        joined.add(group.joined)
        raise TopicAuthorizationFailedError

    monkeypatch.setattr(group, "_session", session)
    monkeypatch.setattr("bus.sharding.group.BACKOFF", 0.0)
    group._say_left("TopicAuthorizationFailedError")
    with capture_logs() as logs:
        running = asyncio.create_task(group.run(group._member))
        while sessions < 5:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    group._assigned = True
    group._holds()
    assert (logs, joined, group.joined) == ([], {False}, True)
