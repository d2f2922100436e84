"""One process of the pollers: it starts, stops, is killed, stands still, and starts again."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from pollers.poller import Poller
from tests.simulation import under_test
from tests.simulation.loop import Loop
from tests.simulation.twins import Sent, TwinBus

if TYPE_CHECKING:
    from tests.simulation.town import Town


class Replica:
    """`up` from `start` to `stop` or `kill`; `loop`, `bus` and `poller` are new after each start."""

    loop: Loop
    bus: TwinBus

    def __init__(self, town: "Town", name: str) -> None:
        self.town = town
        self.name = name
        self.up = False
        self.seed = ""
        self.started_at = 0.0
        self.woke_at = 0.0
        self.wrong_by = 0.0
        self.poller: Poller | None = None
        self._starts = 0
        self._disk: deque[Sent] = deque()
        self.learned = under_test.Kept()

    @property
    def asleep(self) -> bool:
        """It stands still."""
        return self.up and self.loop.asleep

    def start(self) -> None:
        """Begin to run, on an event loop of its own."""
        self._starts += 1
        self.seed = f"{self.town.seed} {self.name} {self._starts}"
        self.loop = self.town.driver.loop(self.name)
        self.loop.wrong_by = self.wrong_by
        self.started_at = self.woke_at = self.loop.time()
        self.up = True
        self.loop.create_task(self._run())
        self.town.note("started", self.name)

    async def _run(self) -> None:
        self.bus = TwinBus(self.town.kafka, self.name, self.loop, self._disk)
        self.learned.load()
        self.poller = under_test.poller_of(self)
        self.poller.start()

    def kill(self) -> None:
        """kill -9: nothing of it runs any more; its journal stays."""
        self.up, self.poller = False, None
        self.town.driver.kill(self.loop)
        self.town.kafka.happened("crash")
        self.town.note("killed", self.name)

    async def stop(self) -> None:
        """SIGTERM. Awaited on the town's loop."""
        poller, stopped = self.poller, self.town.loop.create_future()

        async def stopping() -> None:
            if poller is not None:
                await poller.stop()
            self.town.loop.call_soon(stopped.set_result, None)

        self.loop.create_task(stopping())
        await stopped
        self.up, self.poller = False, None
        self.town.driver.kill(self.loop)
        self.town.note("stopped", self.name)

    async def sleep(self, seconds: float) -> None:
        """Stand still for so long (SIGSTOP, a paused VM). Awaited on the town's loop."""
        self.loop.asleep = True
        self.town.note("asleep", self.name)
        await asyncio.sleep(seconds)
        self.loop.asleep = False
        self.woke_at = self.loop.time()
        self.town.kafka.happened("crash")  # what it had under way is done twice, as after a crash
        self.town.note("awake", self.name)

    def step_clock(self, seconds: float) -> None:
        """Let its wall clock be ahead by so much from now on."""
        self.wrong_by = seconds
        if self.up:
            self.loop.wrong_by = seconds
        self.town.note("clock", f"{self.name} {seconds:+.1f}")
