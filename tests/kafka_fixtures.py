"""A real Apache Kafka for tests: `kafka` (one node) and `kafka3` (three), each started once a session when first used.

The brokers belong to an event loop in a thread of their own, since the loop of a test ends with the test.
What a test leaves dead or paused is started again before the next test.
"""

import asyncio
import itertools
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.local_kafka.cluster import Cluster, open_cluster
from app.local_kafka.jars import kafka_classpath
from app.local_kafka.node import Node

_numbers = itertools.count(1)


class LoopThread:
    """An event loop in a thread; `run` works from any thread, `call` from any other event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.submit(work).result()

    async def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.wrap_future(self.submit(work))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class TestNode:
    """`app.local_kafka.node.Node`, to be awaited on the loop of a test."""

    __test__ = False

    def __init__(self, node: Node, home: LoopThread) -> None:
        self._node = node
        self._home = home

    @property
    def pid(self) -> int | None:
        return self._node.pid

    @property
    def address(self) -> str:
        return self._node.address

    @property
    def runs(self) -> bool:
        return self._node.runs

    async def start(self) -> None:
        await self._home.call(self._node.start())

    async def stop(self) -> None:
        await self._home.call(self._node.stop())

    async def kill(self) -> None:
        await self._home.call(self._node.kill())

    async def pause(self) -> None:
        await self._home.call(self._node.pause())

    async def resume(self) -> None:
        await self._home.call(self._node.resume())


class TestKafka:
    """A running cluster; `kill`, `start`, `stop`, `pause` and `resume` are those of all its nodes."""

    __test__ = False

    def __init__(self, cluster: Cluster, home: LoopThread) -> None:
        self.bootstrap_servers = cluster.bootstrap_servers
        self.nodes = [TestNode(node, home) for node in cluster.nodes]
        self._cluster = cluster
        self._home = home

    async def start(self) -> None:
        """Start what does not run; returns when all nodes serve."""
        await self._home.call(self._cluster.start())

    async def stop(self) -> None:
        await self._home.call(self._cluster.stop())

    async def kill(self) -> None:
        await self._home.call(self._cluster.kill())

    async def pause(self) -> None:
        await self._each(TestNode.pause)

    async def resume(self) -> None:
        await self._each(TestNode.resume)

    async def _each(self, do: Callable[[TestNode], Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*map(do, self.nodes))

    def heal(self) -> None:
        """Make all nodes run and serve, whatever a test left behind."""
        self._home.run(self._heal())

    async def _heal(self) -> None:
        await asyncio.gather(*(node.resume() for node in self._cluster.nodes))
        await self._cluster.start()


@contextmanager
def running_kafka(directory: Path, nodes: int) -> Iterator[TestKafka]:
    """Run a cluster of a test's own; its data is removed afterwards."""
    home = LoopThread()
    cluster: Cluster = home.run(open_cluster(directory, nodes=nodes, port=None, fast=True, held=True))
    try:
        home.run(cluster.start())
        yield TestKafka(cluster, home)
    finally:
        home.run(cluster.kill())
        home.close()
        shutil.rmtree(directory)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka's jars now if a test will need them: during a test, sockets reach loopback only."""
    if session.config.option.collectonly:
        return
    if any("kafka_jars" in getattr(item, "fixturenames", ()) for item in session.items):
        asyncio.run(kafka_classpath())


@pytest.fixture(scope="session")
def kafka_jars() -> None:
    """To be used by tests that start a Kafka in this process themselves."""


@pytest.fixture(scope="session")
def kafka(kafka_jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """One node, shared by the session."""
    with running_kafka(tmp_path_factory.mktemp("kafka"), 1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka3(kafka_jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """Three nodes with quick fail-over, shared by the session."""
    with running_kafka(tmp_path_factory.mktemp("kafka3"), 3) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _kafka_heals(request: pytest.FixtureRequest) -> Iterator[None]:
    """A failed test must not leave a dead broker to the next one."""
    yield
    for name in {"kafka", "kafka3"} & set(request.fixturenames):
        request.getfixturevalue(name).heal()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test of the session has."""
    return f"t{next(_numbers)}."
