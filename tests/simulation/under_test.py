"""The one place that knows how the program's parts are put together, and what of their inside is looked at.

Both the pollers that make their own group, writer and state log are served (their names are replaced for the run), and
those that are given them.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from pydantic import SecretStr

import pollers.poller
from bus.commands import Command
from bus.settings import KafkaSettings
from pollers.account import Account
from pollers.poller import Poller
from pollers.providers import PROVIDERS
from pollers.settings import PollersSettings
from sandbox import endpoints
from tests.simulation.group import TwinGroup
from tests.simulation.providers import HOST, SimFetcher
from tests.simulation.twins import TwinLog, TwinWriter

if TYPE_CHECKING:
    from tests.simulation.replica import Replica

IS_GIVEN_ITS_PARTS = "group" in signature(Poller.__init__).parameters


def accounts_of(replica: "Replica") -> dict[str, Account]:
    """Return the accounts of all three providers, with real clients; made on the replica's loop."""
    town = replica.town
    return {
        name: Account(
            name,
            name,
            PROVIDERS[name](
                api_key=SecretStr(town.world.accounts[name].settings.key),
                base_url=HOST + endpoints.BASES[name],
                fetcher=SimFetcher(town.providers, name, replica.loop),
                **({"status_action": "getStatusV2"} if name == "grizzlysms" and town.plan.texts else {}),
            ),
            requests_per_second=town.plan.rate,
            rng=random.Random(f"{replica.seed} {name}"),
        )
        for name in town.world.accounts
    }


def poller_of(replica: "Replica") -> Poller:
    """Return the pollers of one process, made on its loop."""
    rng, settings = random.Random(f"{replica.seed} poller"), PollersSettings()
    accounts = accounts_of(replica)
    if not IS_GIVEN_ITS_PARTS:
        kafka = KafkaSettings(bootstrap_servers="127.0.0.1:1")
        return Poller(kafka, replica.bus, accounts, settings, rng=rng)
    return _given(replica, accounts, settings, rng)


def _given(replica: "Replica", accounts: Any, settings: PollersSettings, rng: random.Random) -> Poller:
    town = replica.town
    given: dict[str, Any] = {
        "group": town.group(replica.name),
        "writer": TwinWriter(town.kafka, replica.name),
        "state_log": lambda partition: TwinLog(town.kafka, partition, replica.name),
        "now_ms": replica.loop.wall_ms,
        "rng": rng,
    }
    return Poller(replica.bus, accounts, settings, **given)


# ---- pollers that make their own parts -------------------------------------------------------------------------------


class _Callbacks(NamedTuple):
    on_shards: Callable[[frozenset[int]], None]
    on_command: Callable[[Command], None]
    on_caught_up: Callable[[int], None]


class _OwnGroup:
    """`bus.commands.ShardGroup` as it was before it was given its member."""

    def __init__(self, _kafka: object, *, group: str, **callbacks: Any) -> None:
        replica = _running()
        self._callbacks = _Callbacks(**callbacks)
        self._group: TwinGroup = replica.town.group(replica.name)

    async def run(self) -> None:
        await self._group.run(self._callbacks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._group, name)


class _Time:
    """The module `time`, as this replica's clocks have it."""

    @staticmethod
    def time_ns() -> int:
        return _running().loop.wall_ms() * 1_000_000


def _running() -> "Replica":
    return asyncio.get_running_loop().replica  # type: ignore[attr-defined, no-any-return]


def _own_log(_kafka: object, partition: int, *, group: str) -> TwinLog:
    return TwinLog(_running().town.kafka, partition, _running().name)


def _own_writer(_kafka: object) -> TwinWriter:
    return TwinWriter(_running().town.kafka, _running().name)


@contextmanager
def replaced() -> Iterator[None]:
    """Give pollers that make their own parts the twins, for as long as this lasts."""
    if IS_GIVEN_ITS_PARTS:
        yield
        return
    with patch.multiple(pollers.poller, ShardGroup=_OwnGroup, CommandWriter=_own_writer, StateLog=_own_log, time=_Time):
        yield


# ---- what is looked at inside ----------------------------------------------------------------------------------------


def demand(poller: Poller) -> dict[str, tuple[float, float]]:
    """Return what is booked at each account, and the sum of what its plans want."""
    sums = dict.fromkeys(poller.accounts, 0.0)
    for plan in poller.scheduler.plans.values():
        sums[plan.account.name] += plan.demand
    return {name: (account.throttle._demand, sums[name]) for name, account in poller.accounts.items()}


def planned(poller: Poller) -> set[str]:
    """Return the ids that are planned, timed or in a queue."""
    scheduler = poller.scheduler
    queued = {watch_id for account in poller.accounts.values() for watch_id in account.queue._ids}
    return set(scheduler.plans) | set(scheduler._wheel._ticks) | queued


def watched(poller: Poller) -> set[str]:
    """Return the ids of the watches that this process has and that have not ended."""
    return {watch_id for shard in poller.shards.values() for watch_id, kept in shard.watches.items() if not kept.ended}


def tasks(poller: Poller) -> int:
    """Return how many tasks are under way."""
    return len(poller._tasks) + len(poller._running)
