"""One node: a broker that is its own controller, in a directory of its own."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.local_kafka.config import HOST, ClientPorts, java_command, server_properties
from app.local_kafka.crash_reason import last_words, log_size
from app.local_kafka.errors import LocalKafkaError
from app.local_kafka.layout import Layout, is_free
from app.local_kafka.process import KILL_WITHIN, Process, spawn_free, spawn_held
from bus.kafka.probe import brokers_ready

READY_WITHIN = 60.0  # seconds; it takes 2 to 3, three nodes 5, and a machine may be busy
IN_USE = (
    "port {} is in use by another program (another `smsbus serve --local-kafka`, or `smsbus kafka up`?): stop it, or "
    "choose another port (`serve`: SMSBUS_KAFKA__BOOTSTRAP_SERVERS=localhost:PORT; `kafka up`: --port)"
)
LOOK = 5.0  # seconds for one check whether it serves: on a busy machine a single response can take more than one


@dataclass(frozen=True)
class Launch:
    """How nodes are run: with Java's `options`, and `held` as children that end with us."""

    java: Path
    classpath: str
    options: Sequence[str]
    held: bool
    clients: Mapping[int, ClientPorts] = field(default_factory=dict)  # by the number of the node
    more: Mapping[str, object] = field(default_factory=dict)  # settings of every node


class Node:
    """Node `number` (1, 2, …); its methods return when what they name is done, and may be called in any state."""

    def __init__(self, number: int, layout: Layout, launch: Launch, alive: Callable[[], int]) -> None:
        self.number = number
        self.home = layout.home(number)
        self.address = f"{HOST}:{layout.ports[number - 1].broker}"
        self.process: Process | None = None
        self._layout = layout
        self._launch = launch
        self._alive = alive
        self._child: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The process id of the last start."""
        return self.process.pid if self.process else None

    @property
    def runs(self) -> bool:
        """Whether its process exists; a paused one does."""
        return self.process is not None and self.process.runs()

    async def start(self) -> None:
        """Start it unless it is running; it serves, and sees every running node, when this returns. Data is kept.

        Of three nodes two must run; to begin with fewer, use `Cluster.start`, which starts all before it waits.
        """
        await self.spawn()
        await self.until_ready()

    async def stop(self) -> None:
        """Stop it gracefully, or kill it after a timeout."""
        if self.process:
            await self.process.stop()
        await self._reap()

    async def kill(self) -> None:
        """Kill it as `kill -9` does."""
        if self.process:
            await self.process.end_by(signal.SIGKILL, within=KILL_WITHIN)
        await self._reap()

    async def pause(self) -> None:
        """Pause it: its connections stay open, and it does not respond."""
        if self.process:
            await self.process.send(signal.SIGSTOP)

    async def resume(self) -> None:
        """Resume a paused node."""
        if self.process:
            await self.process.send(signal.SIGCONT)

    async def spawn(self) -> None:
        """Start its process unless it runs, formatting its directory the first time; does not wait until it serves."""
        if await asyncio.to_thread(lambda: self.runs):
            return
        await self._reap()
        formatted = await asyncio.to_thread(self._prepare)
        if not formatted:
            await self._format()
        await self._run("kafka.Kafka", str(self._properties))

    async def until_ready(self) -> None:
        """Return when it serves; raise LocalKafkaError when it ended instead or took longer than READY_WITHIN."""
        deadline = time.monotonic() + READY_WITHIN
        while not await brokers_ready(self.address, await asyncio.to_thread(self._alive), timeout=LOOK):
            if not await asyncio.to_thread(lambda: self.runs):
                raise self.failed("ended while starting")
            if time.monotonic() > deadline:
                raise self.failed(f"is not ready after {READY_WITHIN:.0f} s")

    def failed(self, what: str) -> LocalKafkaError:
        """Return what happened to it, with the last error of its log since its start, and where that log is."""
        reason = last_words(self.home, self._log_start)
        return LocalKafkaError(f"Kafka node {self.number} {what}: {reason} (its log: {self.home / 'kafka.log'})")

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    @property
    def _output(self) -> Path:
        return self.home / "java.out"

    def _prepare(self) -> bool:
        """Write its configuration and return whether its directory has been formatted."""
        ports = self._layout.ports
        for port in ports[self.number - 1]:
            if not is_free(port):
                raise LocalKafkaError(IN_USE.format(port))
        self.home.mkdir(exist_ok=True)
        client = self._launch.clients.get(self.number)
        settings = server_properties(self.number, ports, self.home / "data", client, self._launch.more)
        self._properties.write_text(settings)
        self._log_start = log_size(self.home)
        return (self.home / "data" / "meta.properties").exists()

    async def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", self._layout.cluster_id, "-c", str(self._properties)]
        child = await spawn_held(self._command(*tool), self._output)
        if await child.wait():
            raise self.failed("could not format its directory")

    async def _run(self, *main: str) -> None:
        if self._launch.held:
            self._child = await spawn_held(self._command(*main), self._output)
            pid = self._child.pid
        else:
            pid = await spawn_free(self._command(*main), self._output)
        self.process = Process(pid, self._properties)

    def _command(self, *main: str) -> Sequence[str]:
        launch = self._launch
        return java_command(launch.java, launch.classpath, self.home, main, launch.options)

    async def _reap(self) -> None:
        if self._child:
            await self._child.wait()
            self._child = None
