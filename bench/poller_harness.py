"""The pollers on a real Kafka, with watches to poll. Only the ticks are ours, so that they take turns."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from app.wiring import poller_on
from bench.poll_clients import Turn
from bus.kafka import topics
from bus.kafka_bus import KafkaBus
from bus.record import partition_of
from bus.settings import BusSettings, KafkaSettings
from bus.sharding.commands import CommandWriter
from pollers.poller import Poller
from pollers.scheduling.account import Account
from pollers.settings import PollersSettings
from pollers.shard_states import StateLog
from pollers.watch_commands import WatchRequest
from providers.client import Client
from providers.observation import Observation, Unfinished, Waiting
from schemas.messages import Watch
from schemas.topics import WATCH_PARTITIONS

READY_SECONDS: Final = 60.0
RESTING: Final = 10**6  # polls that seem to be in flight: the scheduler starts none


class Quiet:
    """The part of a provider's client that a poll needs; it responds at once, without a network."""

    has_full_text = False

    async def poll(self, order_kind: str, order_id: str, unfinished: Unfinished | None = None) -> Observation:  # noqa: ARG002 - it never has anything
        return Waiting()


@dataclass
class Counting:
    """A shard's log that counts its commits."""

    log: StateLog
    commits: int = 0
    states: int = 0

    async def open(self) -> dict[str, bytes]:
        return await self.log.open()

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        await self.log.commit(states)
        self.commits += 1
        self.states += len(states)

    async def close(self) -> None:
        await self.log.close()


def watches(account: str, count: int, partition: int | None = None) -> list[Watch]:
    """Return watches that do not end; with a partition those of one shard."""
    now_ms = time.time_ns() // 1_000_000
    found = (
        WatchRequest(
            account=account,
            order_id=str(10**15 + number),
            recipient=f"+1201555{number:06d}",
            expires_at="2099-01-01T00:00:00.000Z",
        ).watch(now_ms)
        for number in itertools.count()
    )
    ours = (each for each in found if partition is None or _partition(each) == partition)
    return list(itertools.islice(ours, count))


def _partition(watch: Watch) -> int:
    return partition_of(watch.key().encode(), WATCH_PARTITIONS)


class Alone:
    """Whether no other process has watches."""

    behind, filled = False, True

    def others(self, account: str, mine: frozenset[int]) -> float:  # noqa: ARG002 - the table's
        return 0.0


@dataclass
class Watching:
    """A service that polls nothing between its turns."""

    service: Poller
    account: Account

    def turn(self, part: int = 1) -> Turn:
        """Poll by the schedule, with this part of the account's budget."""

        def before() -> None:
            self.account.throttle.share(1 / part)
            self._spread()

        return Turn(self._look, before)

    def quiet_turn(self) -> Turn:
        """Run the schedule without requests, to measure everything except the poll."""
        client = self.account.client

        async def quiet(seconds: float) -> int:
            self.account.client = cast("Client", Quiet())
            try:
                return await self._look(seconds)
            finally:
                self.account.client = client

        return Turn(quiet, self._spread)

    def counted(self, partition: int) -> Counting:
        shard = self.service.shards[partition]
        shard.states._state_log = counting = Counting(shard.states._state_log)
        return counting

    def _spread(self) -> None:
        """All watches have become due during the other turns: reschedule them over one interval."""
        for shard in self.service.shards.values():
            for kept in shard.watches.values():
                self.service.scheduler.plan(shard, kept.state, soon=False)

    async def _look(self, seconds: float) -> int:
        before, scheduler = self._asked(), self.service.scheduler
        scheduler._in_flight -= RESTING
        scheduler._serve_soon()
        await asyncio.sleep(seconds)
        scheduler._in_flight += RESTING
        while scheduler._in_flight > RESTING:
            await asyncio.sleep(0.01)
        return self._asked() - before

    def _asked(self) -> int:
        return sum(self.account.outcomes.values())


@asynccontextmanager
async def watching(
    bootstrap_servers: str, directory: Path, account: Account, watched: Sequence[Watch], settings: PollersSettings
) -> AsyncIterator[Watching]:
    """Run the pollers with these watches on separate topics; yields once all states are committed."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=f"{account.name}.")
    await topics.create(kafka)
    writer = CommandWriter(kafka)
    for watch in watched:
        await writer.put(watch.key(), watch.to_json())
    await writer.close()
    bus = KafkaBus(kafka, BusSettings(journal_dir=directory / account.name), instance="bench")
    await bus.start()
    service = poller_on(kafka, bus, {account.name: account}, settings, Alone())
    service.scheduler._in_flight = RESTING
    try:
        service._core = [service._spawn(service._group.run(service))]
        await _ready(service, len(watched))
        yield Watching(service, account)
    finally:
        await service.stop()
        await bus.stop(1.0)


async def _ready(service: Poller, count: int) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while sum(kept.committed >= 0 for shard in service.shards.values() for kept in shard.watches.values()) < count:
            await asyncio.sleep(0.1)
