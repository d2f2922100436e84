"""Everything of one run: clock, Kafka, providers, replicas, people; and the record of what happened."""

from hashlib import blake2b
from typing import Any, Final, NamedTuple

from bus.record import partition_of
from sandbox.settings import GrizzlySmsSettings, Scenario
from sandbox.world import World
from tests.simulation.clock import START, TrueTime
from tests.simulation.group import Coordinator, TwinGroup
from tests.simulation.kafka import SHARDS
from tests.simulation.people import People
from tests.simulation.place import Place
from tests.simulation.plan import Plan
from tests.simulation.providers import Providers
from tests.simulation.replica import Replica
from tests.simulation.watching import Watching

EXPECTED: Final = frozenset({"command_unreadable", "state_unreadable"})
FENCED: Final = "another process runs it"


class Open(NamedTuple):
    """A watch that is open: on which shard, and since when."""

    partition: int
    since: float


class Town(Place):
    """Made for one seed and one plan; `run` it once."""

    def __init__(self, plan: Plan, seed: int, hours: float) -> None:
        super().__init__(seed, hours)
        self.plan = plan
        self.coordinator = Coordinator(self.kafka)
        scenario = Scenario(grizzlysms=GrizzlySmsSettings(no_cancel=0.0, page=10, active_list=plan.lists))
        self.world = World(scenario, rng=self.random("world"), clock=TrueTime(self.clock))
        self.providers = Providers(self.world, self.loop, self.random("network"))
        self.people = People(self)
        self.replicas = [Replica(self, f"replica-{number}") for number in range(1, plan.replicas + 1)]
        self.watching = Watching(self)
        self._seats = 0

    def group(self, replica: str) -> TwinGroup:
        """Return a new membership, on the running loop."""
        self._seats += 1
        return TwinGroup(self.kafka, self.coordinator, replica, self._seats)

    # ---- what is so now ----------------------------------------------------------------------------------------------

    def open_orders(self) -> list[Open]:
        """Return the watches that the committed states know as open, and those that were asked for just now."""
        now = self.loop.time()
        return [
            Open(partition_of(case.watch_id.encode(), SHARDS), case.asked[0].at)
            for case in self.people.cases.values()
            if case.readable and case.asked and case.ends > now and not self.people.state(case).get("ended")
        ]

    def last_request_of(self, replica: str) -> float:
        """Return when it last asked a provider anything; the beginning if never."""
        asked = (each.sent for each in reversed(self.providers.log.all) if each.replica == replica)
        return next(asked, START)

    def owned_since(self, replica: str) -> float:
        """Return when it last got a shard."""
        return max((each.at for each in self.coordinator.history if each.replica == replica), default=START)

    # ---- life --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Let all of it happen."""
        self.listen()
        for replica in self.replicas:
            replica.start()
        for begin in self.plan.begins:
            self.spawn(begin(self))
        self.spawn(self.watching.run())
        self.driver.run(self.clock.now + self.seconds)
        self.driver.end()

    def digest(self) -> str:
        """Return what stands for all that happened: equal for equal seeds, in any process."""
        sums = blake2b(digest_size=8)
        for request in self.providers.log.all:
            sums.update(f"{request.sent:.6f} {request.replica} {request.order} {request.outcome}\n".encode())
        for record in self.kafka.published:
            sums.update(f"{record.at:.6f} {record.replica} {record.message.event_id}\n".encode())
        sums.update(f"{self.driver.steps} {len(self.kafka.commits)} {self.notes}".encode())
        return sums.hexdigest()

    def is_expected(self, name: str, event: dict[str, Any]) -> bool:
        """Replicas die, and tomorrow's program has written."""
        return name in EXPECTED or event.get("reason") == FENCED
