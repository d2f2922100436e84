"""A real Apache Kafka for tests: `kafka` (one node) and `kafka3` (three), each started once a session when first used.

The brokers belong to an event loop in a thread of their own, since the loop of a test ends with the test.
What a test leaves dead or paused is started again before the next test.
"""

import asyncio
import itertools
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from app.local_kafka.cluster import Cluster, open_cluster
from app.local_kafka.config import ClientPorts
from app.local_kafka.layout import is_free
from app.local_kafka.node import Node
from tests.faults.proxy import Proxy
from tests.loop_thread import LoopThread

FOR_TESTS: dict[str, object] = {
    "log.initial.task.delay.ms": 10**12,  # no retention: our messages have fixed dates, older than a topic keeps
    "log.flush.interval.messages": 2**63 - 1,  # no fsync: here nodes are killed, and no power fails
    # Idle nodes beside every test take a third less CPU with fewer threads.
    "num.io.threads": 3,
    "num.network.threads": 2,
}
NOTICED_SECONDS = 1.0  # until a controller that slept, too, shuts out the broker that was silent, and takes it back

LED_SECONDS = 60

_numbers = itertools.count(1)
_CLIENT_PORTS = range(12_000, 20_000)  # below those that a layout takes


class TestNode:
    """`app.local_kafka.node.Node`, to be awaited on the loop of a test."""

    __test__ = False

    def __init__(self, node: Node, home: LoopThread) -> None:
        self.slept = False
        """It was paused since the cluster was last healed."""
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

    @property
    def home(self) -> Path:
        """Its directory."""
        return self._node.home

    def command(self, *main: str) -> list[str]:
        """The command that runs one of Kafka's own programs."""
        return list(self._node._command(*main))

    async def start(self) -> None:
        await self._home.call(self._node.start())

    async def stop(self) -> None:
        await self._home.call(self._node.stop())

    async def kill(self) -> None:
        await self._home.call(self._node.kill())

    async def pause(self) -> None:
        self.slept = True
        await self._home.call(self._node.pause())
        await asyncio.to_thread(self._wait_for_standstill)

    def _wait_for_standstill(self) -> None:
        """On a busy machine some threads go on for a moment after SIGSTOP."""
        deadline = time.monotonic() + 20
        while not self._stands_still():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def _stands_still(self) -> bool:
        try:
            stats = [path.read_text() for path in Path(f"/proc/{self.pid}/task").glob("*/stat")]
        except OSError:  # a thread has just ended
            return False
        return {stat.rpartition(")")[2].split()[0] for stat in stats} <= {"T", "t"}

    async def resume(self) -> None:
        await self._home.call(self._node.resume())


class TestKafka:
    """A running cluster; `kill`, `start`, `stop`, `pause` and `resume` are those of all its nodes."""

    __test__ = False

    def __init__(
        self,
        cluster: Cluster,
        home: LoopThread,
        proxies: Sequence[Proxy] = (),
        clients: MutableMapping[int, ClientPorts] | None = None,
    ) -> None:
        self.bootstrap_servers = cluster.bootstrap_servers
        self.proxies = proxies
        self.nodes = [TestNode(node, home) for node in cluster.nodes]
        self._cluster = cluster
        self._home = home
        self._clients = {} if clients is None else clients  # read at each start of a node

    @property
    def client_servers(self) -> str:
        """What to tell those who are to be disturbed: the proxies, if there are any."""
        return ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies) or self.bootstrap_servers

    async def start(self) -> None:
        """Start what does not run; returns when all nodes serve."""
        await self._home.call(self._cluster.start())

    async def led(self) -> None:
        """Return when every partition has a leader: nodes that serve again may still have to become it."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await client.start()
        try:
            async with asyncio.timeout(LED_SECONDS):
                while not all(each["leader"] > 0 for each in _partitions(await client.describe_topics())):
                    await asyncio.sleep(0.1)
        finally:
            await client.close()

    async def stop(self) -> None:
        await self._home.call(self._cluster.stop())

    async def kill(self) -> None:
        await self._home.call(self._cluster.kill())

    async def move(self) -> None:
        """Start all nodes again under new addresses for their clients; nobody listens at the old ones any longer."""
        await asyncio.to_thread(self._move_proxies)
        await self.stop()
        await self.start()

    def _move_proxies(self) -> None:
        moved = [Proxy(proxy.target, self._home) for proxy in self.proxies]
        for number, (old, new) in enumerate(zip(self.proxies, moved, strict=True), 1):
            old.close()
            self._clients[number] = ClientPorts(new.target, new.port)
        self.proxies = moved

    async def pause(self) -> None:
        await self._each(TestNode.pause)

    async def resume(self) -> None:
        await self._each(TestNode.resume)

    async def _each(self, do: Callable[[TestNode], Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*map(do, self.nodes))

    def heal(self) -> None:
        """Make all nodes run and serve, whatever a test left behind."""
        for proxy in self.proxies:
            proxy.heal()
        self._home.run(self._heal())

    def close(self) -> None:
        """Kill all nodes; nothing listens any longer."""
        self._home.run(self._cluster.kill())
        for proxy in self.proxies:
            proxy.close()

    def empty(self) -> None:
        """Delete all topics of the tests so far."""
        self._home.run(self._empty())

    async def _empty(self) -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            await client.start()
            await client.delete_topics([name for name in await client.list_topics() if not name.startswith("__")])
        finally:
            await client.close()

    async def _heal(self) -> None:
        await asyncio.gather(*(node.resume() for node in self._cluster.nodes))
        if any(node.slept for node in self.nodes):
            await asyncio.sleep(NOTICED_SECONDS)
        for node in self.nodes:
            node.slept = False
        await self._cluster.start()


def _partitions(topics: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [partition for topic in topics for partition in topic["partitions"]]


@contextmanager
def running_kafka(
    directory: Path,
    nodes: int,
    *,
    proxied: bool = False,
    clients: Mapping[int, ClientPorts] | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
) -> Iterator[TestKafka]:
    """Run a cluster of a test's own; its data is removed afterwards.

    `proxied` puts a proxy before each node: its clients at `client_servers` reach the node only through that, while the
    nodes among themselves and clients at `bootstrap_servers` notice nothing of what the proxies do. `clients` are ports
    of the nodes for clients alone, `more` what the nodes are told besides.
    """
    home = LoopThread()
    proxies = [Proxy(port, home) for port in free_client_ports(nodes if proxied else 0)]
    ports = {number: ClientPorts(proxy.target, proxy.port) for number, proxy in enumerate(proxies, 1)} | (clients or {})
    opened = open_cluster(
        directory, nodes=nodes, port=None, fast=True, held=True, clients=ports, more=FOR_TESTS | dict(more)
    )
    kafka = TestKafka(home.run(opened), home, proxies, ports)
    try:
        home.run(kafka._cluster.start())
        yield kafka
    finally:
        kafka.close()
        home.close()
        shutil.rmtree(directory)


def free_client_ports(count: int) -> list[int]:
    free = filter(is_free, random.sample(_CLIENT_PORTS, len(_CLIENT_PORTS)))
    return list(itertools.islice(free, count))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka's jars and record its start now if a test will need them: it takes long, and the network."""
    if session.config.option.collectonly:
        return
    if any("kafka_jars" in getattr(item, "fixturenames", ()) for item in session.items):
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(open_cluster(Path(directory), nodes=1, port=None, fast=True, held=True))


@pytest.fixture(scope="session")
def kafka_jars() -> None:
    """To be used by tests that start a Kafka in this process themselves."""


@pytest.fixture(scope="session")
def kafka(kafka_jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """One node, shared by the session."""
    with running_kafka(tmp_path_factory.mktemp("kafka"), 1) as cluster:
        yield cluster


@pytest.fixture
def own_kafka(kafka_jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """One node for one test, which may kill it: the shared one carries what all tests before left on its disk."""
    with running_kafka(tmp_path_factory.mktemp("own_kafka"), 1) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka3(kafka_jars: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """Three nodes with quick fail-over, shared by the session."""
    with running_kafka(tmp_path_factory.mktemp("kafka3"), 3) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _kafka_heals(request: pytest.FixtureRequest) -> Iterator[None]:
    """A failed test must not leave a dead broker to the next one, nor any test its topics.

    With those of two hundred tests, 13,000 partitions, a small broker does little but collect garbage: a topic then had
    no leader for half a minute.
    """
    yield
    for name in {"kafka", "kafka3"} & set(request.fixturenames):
        cluster: TestKafka = request.getfixturevalue(name)
        cluster.heal()
        cluster.empty()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test of the session has."""
    return f"t{next(_numbers)}."
