"""What is looked at while a run goes on: the inside of each process, and what it says of itself, once a minute."""

import asyncio
from math import isclose
from typing import TYPE_CHECKING, Final

from tests.simulation import under_test
from tests.simulation.findings import Finding
from tests.simulation.replica import Replica

if TYPE_CHECKING:
    from tests.simulation.town import Town

EVERY: Final = 60.0  # seconds
AGAIN: Final = 2.0  # seconds, then what was found must still be so: a step may just have been under way
STARTING: Final = 60.0  # seconds in which a process need not have joined, restored and polled
MOST_TASKS: Final = 500
SILENT: Final = 90.0  # seconds without any request, though there are watches, that a healthy process never has


class Watching:
    """Belongs to the town's loop."""

    def __init__(self, town: "Town") -> None:
        self.findings: list[Finding] = []
        self.checks = 0
        self._town = town

    async def run(self) -> None:
        """Look, until the run is over."""
        while True:
            await asyncio.sleep(EVERY - AGAIN)
            first = self._check()
            await asyncio.sleep(AGAIN)
            again = {(each.rule, each.whom) for each in self._check()} if first else set()
            self.findings += [each for each in first if (each.rule, each.whom) in again]
            self.checks += 1

    def _check(self) -> list[Finding]:
        return [
            finding
            for replica in self._town.replicas
            if replica.up and not replica.asleep and replica.poller is not None
            for finding in (*self._demand(replica), *self._leftovers(replica), *self._truth(replica))
        ]

    def _demand(self, replica: Replica) -> list[Finding]:
        assert replica.poller is not None
        return [
            self._found("demand", replica, f"{name}: booked {booked:.3f} requests/s, its plans want {wanted:.3f}")
            for name, (booked, wanted) in under_test.demand(replica.poller).items()
            if not isclose(booked, wanted, rel_tol=1e-6, abs_tol=1e-6)
        ]

    def _leftovers(self, replica: Replica) -> list[Finding]:
        assert replica.poller is not None
        left = under_test.planned(replica.poller) - under_test.watched(replica.poller)
        tasks = under_test.tasks(replica.poller)
        found = [self._found("leftovers", replica, f"{each} is planned, but not watched") for each in sorted(left)[:3]]
        if tasks > MOST_TASKS:
            found.append(self._found("leftovers", replica, f"{tasks} tasks are under way"))
        return found

    def _truth(self, replica: Replica) -> list[Finding]:
        """A process that should poll and does not says so."""
        now = self._town.loop.time()
        if now - max(replica.started_at, replica.woke_at) < STARTING or replica.poller is None:
            return []
        if replica.poller.degraded():
            return []
        if not replica.poller.alive():
            return [self._found("truth", replica, "it is not alive, and says that nothing is wrong")]
        ours, orders = self._town.coordinator.owned_by(replica.name), self._town.open_orders()
        waiting = [each for each in orders if each.partition in ours and now - each.since > STARTING]
        asked = self._town.last_request_of(replica.name)
        if waiting and now - asked > SILENT and now - self._town.owned_since(replica.name) > STARTING:
            words = f"it has {len(waiting)} open watches, asked nothing for {now - asked:.0f} s, and says nothing of it"
            return [self._found("truth", replica, words)]
        if not ours and not self._town.coordinator.owners and orders:
            return [self._found("truth", replica, "nobody has a shard, and it says nothing of it")]
        return []

    def _found(self, rule: str, replica: Replica, words: str) -> Finding:
        return Finding(rule, self._town.clock.elapsed, replica.name, words)
