"""One Kafka node as a service of its own: it serves until it is asked to stop, and ends where the node does."""

import asyncio
from pathlib import Path
from typing import Final

from app.local_kafka.cluster import Cluster, local_kafka
from app.service_manager import ServiceManager
from app.stopping import Stop, stop_on_signals
from bus.kafka import topics
from bus.settings import KafkaSettings

LOOK_SECONDS: Final = 1.0  # between two looks whether the node runs
STOP_SECONDS: Final = 60.0  # it writes what it has, and its segments' ends


async def serve_node(directory: Path, port: int, manager: ServiceManager) -> None:
    """Run a node with its data in `directory` and our topics on it, until SIGTERM or SIGINT.

    Raises `LocalKafkaError` with its last error when it does not start, or ends by itself: who runs us starts us
    again.
    """
    stop = stop_on_signals()
    async with local_kafka(directory, 1, port) as cluster:
        await topics.create(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers))
        manager.ready()
        await _until(stop, cluster)
        manager.stopping(STOP_SECONDS)


async def _until(stop: Stop, cluster: Cluster) -> None:
    asked = asyncio.create_task(stop.wait())
    while not (await asyncio.wait({asked}, timeout=LOOK_SECONDS))[0]:
        for node in cluster.nodes:
            if not node.runs:
                asked.cancel()
                raise node.failed("has ended by itself")
