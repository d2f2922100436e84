"""One process of the pollers."""

from collections import deque
from typing import TYPE_CHECKING

from pollers.poller import Poller
from tests.simulation import under_test
from tests.simulation.process import Process
from tests.simulation.twins import Sent, TwinBus

if TYPE_CHECKING:
    from tests.simulation.town import Town


class Replica(Process["Town"]):
    """`bus` and `poller` are new after each start; its journal, and what was saved, stay."""

    bus: TwinBus

    def __init__(self, town: "Town", name: str) -> None:
        super().__init__(town, name)
        self.poller: Poller | None = None
        self._disk: deque[Sent] = deque()
        self.learned = under_test.Kept()

    async def run(self) -> None:
        """Poll."""
        self.bus = TwinBus(self.town.kafka, self.name, self.loop, self._disk)
        self.learned.load()
        self.poller = under_test.poller_of(self)
        self.poller.start()

    async def end(self) -> None:
        """Poll no more."""
        if self.poller is not None:
            await self.poller.stop()

    def gone(self) -> None:
        """Nobody polls."""
        self.poller = None
