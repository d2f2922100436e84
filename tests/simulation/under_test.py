"""The one place that knows how the program's parts are put together, and what of their inside is looked at."""

import random
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pollers.poller import Poller
from pollers.scheduling.account import Account
from pollers.scheduling.learned import Learned
from pollers.settings import PollersSettings
from providers import PROVIDERS
from sandbox import routing
from tests.simulation.providers import HOST, SimFetcher
from tests.simulation.table import Follower
from tests.simulation.twins import TwinLog, TwinWriter

if TYPE_CHECKING:
    from tests.simulation.replica import Replica


def accounts_of(replica: "Replica") -> dict[str, Account]:
    """Return the accounts of all three providers, with real clients; made on the replica's loop."""
    town = replica.town
    return {
        name: Account(
            name,
            name,
            PROVIDERS[name](
                api_key=SecretStr(town.world.accounts[name].settings.key),
                base_url=HOST + routing.BASES[name],
                fetcher=SimFetcher(town.providers, name, replica.loop),
            ),
            requests_per_second=town.plan.rate,
            rng=random.Random(f"{replica.seed} {name}"),
        )
        for name in town.world.accounts
    }


def poller_of(replica: "Replica") -> Poller:
    """Return the pollers of one process, made on its loop."""
    town = replica.town
    return Poller(
        replica.bus,
        accounts_of(replica),
        PollersSettings(),
        group=town.group(replica.name),
        writer=TwinWriter(town.kafka, replica.name),
        state_log=lambda partition: TwinLog(town.kafka, partition, replica.name),
        table=Follower(town.kafka, replica.name, replica.loop).table,
        now_ms=replica.loop.wall_ms,
        rng=random.Random(f"{replica.seed} poller"),
        learned=replica.learned,
    )


class Kept(Learned):
    """What a process has learned, kept across its restarts without a disk: what was not saved is not known."""

    def load(self) -> None:
        """Know what was saved, and no more."""
        self.curves, self.waits = dict(self._saved_curves()), dict(self._saved_waits())

    def save(self, waits: object) -> None:
        """Keep it."""
        self.__dict__["saved"] = ({key: curve.to_json() for key, curve in self.curves.items()}, dict(self.waits))

    def _saved_curves(self) -> object:
        from pollers.scheduling.arrival_curve import Curve

        curves, _ = self.__dict__.get("saved", ({}, {}))
        return {key: Curve.from_json(text) for key, text in curves.items()}

    def _saved_waits(self) -> object:
        _, waits = self.__dict__.get("saved", ({}, {}))
        return waits


# ---- what is looked at inside ----------------------------------------------------------------------------------------


def demand(poller: Poller) -> dict[str, tuple[float, float]]:
    """Return what is booked at each account, and the sum of what its live plans have booked."""
    plans = poller.scheduler.plans
    return {
        name: (
            account.throttle.demand.total,
            sum(booked for watch_id, booked in account.throttle.demand._of.items() if watch_id in plans),
        )
        for name, account in poller.accounts.items()
    }


def planned(poller: Poller) -> set[str]:
    """Return the ids that are planned, timed, in a queue, or followed in a list."""
    scheduler = poller.scheduler
    queued = {key.removeprefix("!") for each in poller.accounts.values() for rank in each.queue._ranks for key in rank}
    listed = {row.watch_id for follower in scheduler.lists.values() for row in follower.hint._rows.values()}
    booked = {watch_id for account in poller.accounts.values() for watch_id in account.throttle.demand._of}
    return set(scheduler.plans) | set(scheduler._timers._ticks) | set(scheduler._actions) | queued | listed | booked


def watched(poller: Poller) -> set[str]:
    """Return the ids of the watches that this process has and that have not ended."""
    return {
        watch_id for shard in poller.shards.values() for watch_id, owned in shard.watches.items() if not owned.ended
    }


def tasks(poller: Poller) -> int:
    """Return how many tasks are under way."""
    return len(poller._tasks) + len(poller._keepers) + sum(len(shard._tasks) for shard in poller.shards.values())
