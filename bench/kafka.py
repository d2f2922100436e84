"""A real Apache Kafka for a run, with its log in memory, and the contents of its topic."""

import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Consumer, Message, TopicPartition

from app.local_kafka.cluster import local_kafka, open_cluster
from app.local_kafka.config import HOST, ClientPorts
from bench.contenders import TOPIC
from bench.machine import ROOT, on
from bench.server import Command, free_port, server
from bus.kafka import topics
from bus.kafka.brokers import admin
from bus.settings import KafkaSettings
from schemas.topics import MESSAGE_PARTITIONS

MEMORY: Final = Path("/dev/shm")
READ_SECONDS: Final = 30.0
MIB: Final = 2**20
# A round is read back right after it: what is older needs no memory.
SOON_GONE: Final = {"retention.bytes": str(64 * MIB), "segment.bytes": str(32 * MIB), "file.delete.delay.ms": "1000"}


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a directory in memory if possible: a disk's fsyncs would only make the servers idle."""
    with tempfile.TemporaryDirectory(prefix="smsbus-bench-", dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


class Brokers(NamedTuple):
    """The addresses for servers, and for us."""

    address: str
    direct: str


@asynccontextmanager
async def kafka(directory: Path, cores: Collection[int]) -> AsyncIterator[Brokers]:
    """Run a broker with our topics on these cores."""
    async with AsyncExitStack() as stack:
        with on(cores):
            cluster = await stack.enter_async_context(local_kafka(directory / "kafka", fast=False))
        await make_topics(cluster.bootstrap_servers)
        yield Brokers(cluster.bootstrap_servers, cluster.bootstrap_servers)


@asynccontextmanager
async def far_kafka(directory: Path, cores: Collection[int], round_trip_ms: int) -> AsyncIterator[Brokers]:
    """Run three brokers with our topics on these cores, every record on all of them, a round trip away."""
    ports = {number: ClientPorts(listens=free_port(), advertised=free_port()) for number in (1, 2, 3)}
    ways = [f"{each.advertised}:{each.listens}" for each in ports.values()]
    network = Command([sys.executable, str(ROOT / "bench" / "delay.py"), str(round_trip_ms), *ways])
    with on(cores):
        cluster = await open_cluster(directory / "kafka", nodes=3, port=None, fast=False, held=True, clients=ports)
        try:
            await cluster.start()
            with server(network, ports[3].advertised, cores, directory / "network.log"):
                await make_topics(cluster.bootstrap_servers)
                address = ",".join(f"{HOST}:{each.advertised}" for each in ports.values())
                yield Brokers(address, cluster.bootstrap_servers)
        finally:
            await cluster.stop()


async def make_topics(bootstrap_servers: str) -> None:
    """Create the topics of the contract, with less retention."""
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers)
    await topics.create(settings)
    async with admin(settings) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, configs=SOON_GONE)])


class Log:
    """The topic that all write to, read as any consumer does."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._settings = {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "bench",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
        }

    def ends(self) -> list[int]:
        """Return the current end of each partition."""
        with self._consumer() as consumer:
            return _ends(consumer)

    def since(self, begins: list[int], least: int = 0) -> list[Message]:
        """Return all records from there to now; with `least` as soon as there are so many, if ever."""
        with self._consumer() as consumer:
            missing = max(least, sum(_ends(consumer)) - sum(begins))
            consumer.assign([TopicPartition(TOPIC, number, offset) for number, offset in enumerate(begins)])
            records: list[Message] = []
            while len(records) < missing:
                some = consumer.consume(min(10_000, missing - len(records)), READ_SECONDS)
                if not some:
                    break
                records += [record for record in some if record.error() is None]
            return records

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = Consumer(self._settings)
        try:
            yield consumer
        finally:
            consumer.close()


def _ends(consumer: Consumer) -> list[int]:
    partitions = [TopicPartition(TOPIC, number) for number in range(MESSAGE_PARTITIONS)]
    return [consumer.get_watermark_offsets(each, timeout=READ_SECONDS)[1] for each in partitions]
