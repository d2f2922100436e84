"""One process of the program: it starts, stops, is killed, stands still, and starts again."""

import asyncio
from typing import Generic, TypeVar

from tests.simulation.loop import Loop
from tests.simulation.place import Place

P = TypeVar("P", bound=Place)


class Process(Generic[P]):
    """`up` from `start` to `stop` or `kill`; its `loop`, and all that runs on it, is new after each start."""

    KIND: type[Loop] = Loop
    loop: Loop

    def __init__(self, town: P, name: str) -> None:
        self.town = town
        self.name = name
        self.up = False
        self.seed = ""
        self.starts = 0
        self.started_at = 0.0
        self.woke_at = 0.0
        self.wrong_by = 0.0
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Put the parts together and start them, on the loop."""
        raise NotImplementedError

    async def end(self) -> None:
        """End them as SIGTERM does, on the loop."""
        raise NotImplementedError

    def gone(self) -> None:
        """Nothing of it runs any more, on no loop."""

    @property
    def asleep(self) -> bool:
        """It stands still."""
        return self.up and self.loop.asleep

    def start(self) -> None:
        """Begin to run, on an event loop of its own."""
        assert not self.up
        self.starts += 1
        self.seed = f"{self.town.seed} {self.name} {self.starts}"
        self.loop = self.town.driver.loop(self.name, self.KIND)
        self.loop.wrong_by = self.wrong_by
        self.started_at = self.woke_at = self.loop.time()
        self.up = True
        self._running = self.loop.create_task(self.run())
        self.town.note("started", self.name)

    def kill(self) -> None:
        """kill -9: nothing of it runs any more; its journal stays."""
        self.up = False
        self.town.driver.kill(self.loop)
        self.gone()
        self.town.kafka.happened("crash")
        self.town.note("killed", self.name)

    async def stop(self) -> None:
        """SIGTERM. Awaited on the town's loop."""
        stopped = self.town.loop.create_future()
        self.town.note("stopping", self.name)

        async def stopping() -> None:
            await self.end()
            self.town.loop.call_soon(stopped.set_result, None)

        self.loop.create_task(stopping())
        await stopped
        self.up = False
        self.town.driver.kill(self.loop)
        self.gone()
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
