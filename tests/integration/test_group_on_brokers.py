"""The pollers' group on a broker: nobody keeps a rebalance going, and who stopped fetching goes on."""

import asyncio
import time

from bus.kafka.client import SESSION_MS
from bus.sharding.commands import Command, CommandWriter
from bus.sharding.group import ShardGroup
from schemas.topics import WATCH_PARTITIONS


class Member:
    def __init__(self, settings) -> None:
        self.commands: list[Command] = []
        self.told: list[tuple[float, frozenset[int]]] = []
        self.group = ShardGroup(settings, group=settings.topic("pollers"))
        self._tasks = [asyncio.create_task(self.group.run(self)), asyncio.create_task(self._ask())]

    @property
    def shards(self) -> frozenset[int]:
        return self.told[-1][1] if self.told else frozenset()

    def on_shards(self, ours: frozenset[int]) -> None:
        self.told.append((time.monotonic(), ours))

    def on_command(self, command: Command) -> None:
        self.commands.append(command)

    def on_caught_up(self, partition: int) -> None:
        pass

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _ask(self) -> None:
        """Ask for each shard as it is restored, which is all the time."""
        while True:
            await asyncio.gather(*(self.group.is_ours(shard) for shard in self.shards))
            await asyncio.sleep(0.01)


async def test_who_asks_whose_its_shards_are_keeps_no_rebalance_going(settings):
    members = [Member(settings) for _ in range(2)]
    ghost = Member(settings)
    await until(lambda: [len(each.shards) for each in (*members, ghost)] == [4, 4, 4])
    ghost.group._consumer._coordinator._maybe_leave_group = _nothing
    await ghost.leave()  # without a word: for six seconds the brokers believe that it is there
    members.append(Member(settings))
    await until(lambda: [len(each.shards) for each in members] == [4, 4, 4])
    settled = time.monotonic()
    await asyncio.sleep(2 * SESSION_MS / 1000)

    later = [[at - settled for at, _ in each.told if at > settled + SESSION_MS / 1000] for each in members]
    await asyncio.gather(*(each.leave() for each in members))
    assert later == [[], [], []]


async def test_a_member_whose_consumer_has_stopped_fetching_goes_on_with_another_one(settings):
    """A part that was restoring its shards stayed so: under uvloop a closing connection ended the task that fetches."""
    member, writer = Member(settings), CommandWriter(settings)
    await until(lambda: len(member.shards) == WATCH_PARTITIONS)
    broken = member.group._consumer._fetcher

    def fails(*_):
        raise RuntimeError("unable to perform operation; the handler is closed")

    broken._get_actions_per_node = fails
    await until(broken._fetch_task.done)
    await writer.put("one", b"{}")
    await until(lambda: member.commands)

    assert [each.key for each in member.commands] == ["one"]
    await member.leave()
    await writer.close()


async def _nothing() -> None:
    pass


async def until(holds, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
