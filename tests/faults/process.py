"""One process of ours that can die, sleep and come back."""

import signal
import time
from collections.abc import MutableMapping
from pathlib import Path

from tests.e2e.program import Installation, Replica
from tests.faults.history import Fault


class Part:
    """`smsbus serve` of one role: each start is a new generation with the same data, journal and ports."""

    def __init__(self, role: str, number: int, directory: Path, bootstrap_servers: str, topic_prefix: str) -> None:
        self.name = f"{role.removesuffix('s')}-{number}"
        self.role = role
        self.generation = 0
        self.wrapper: tuple[str, ...] = ()
        """A command that runs it, from its next start on."""
        self.settings: MutableMapping[str, str] = {}
        """Without `SMSBUS_`; from its next start on."""
        directory /= self.name
        directory.mkdir(parents=True)
        self.installation = Installation(directory, bootstrap_servers, topic_prefix)
        self._replica: Replica | None = None
        self._left: Fault | None = None
        self._absences: list[Fault] = []

    @property
    def label(self) -> str:
        """Name the process: `receiver-1#2` is the second start of receiver 1."""
        return f"{self.name}#{self.generation}"

    @property
    def replica(self) -> Replica:
        """The process of the newest start, alive or not."""
        assert self._replica, f"{self.name} was never started"
        return self._replica

    @property
    def url(self) -> str:
        """Where callbacks are posted to; the same for all generations."""
        return self.replica.url

    @property
    def admin(self) -> str:
        return self.replica.admin

    @property
    def present(self) -> bool:
        """It serves, as far as we have a hand in it."""
        return self._left is None and self._replica is not None and self._replica.process.returncode is None

    @property
    def absences(self) -> list[Fault]:
        """When it was dead, stood still or was asked to end; named by what was done to it."""
        return [*self._absences, *([self._left._replace(until=time.time())] if self._left else [])]

    @property
    def crashed(self) -> bool:
        """It has ended, and nobody made it."""
        return self._left is None and self._replica is not None and self._replica.process.returncode is not None

    async def start(self) -> None:
        """Start the next generation; it serves when this returns."""
        self.generation += 1
        self._replica = await self.installation.serve("--role", self.role, wrapper=self.wrapper, **self.settings)
        self._is_back()

    async def kill(self) -> None:
        """As `kill -9` does; also while it is paused."""
        self._leaves("killed")
        await self.replica.kill()

    async def terminate(self) -> int:
        """Ask it to stop; return its exit code when it has."""
        self._leaves("terminated", ending=True)
        return await self.replica.terminate()

    def pause(self) -> None:
        self._leaves("paused")
        self.replica.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.replica.process.send_signal(signal.SIGCONT)
        self._is_back()

    async def come_back(self) -> None:
        """Whatever a case has left behind: go on, or start again."""
        if self._replica and self._replica.process.returncode is None:
            self.resume()
        else:
            await self.start()

    async def close(self) -> None:
        for replica in self.installation.replicas:
            await replica.kill()

    def _leaves(self, how: str, *, ending: bool = False) -> None:
        left = Fault(f"{self.label} {how}", time.time(), time.time(), (self.name,), ending)
        if self._left is None or (self._left.ending and not ending):
            self._left = left

    def _is_back(self) -> None:
        if self._left:
            self._absences.append(self._left._replace(until=time.time()))
        self._left = None
