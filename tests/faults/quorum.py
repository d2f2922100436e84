"""What the nodes of Kafka are to each other: who is the controller, and whether all replicas are in sync."""

import json
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.e2e.program import Installation, eventually
from tests.kafka_fixtures import TestKafka, TestNode

IN_SYNC_SECONDS = 60


def controller(kafka: TestKafka) -> TestNode:
    """Return the active controller, as the node knows that has seen the latest election.

    From the file in which each node keeps its vote: clients are told of any living broker (KIP-590).
    """
    files = (node.home / "data" / "__cluster_metadata-0" / "quorum-state" for node in kafka.nodes)
    latest = max((json.loads(file.read_text()) for file in files), key=_election)
    return kafka.nodes[latest["leaderId"] - 1]


async def in_sync(smsbus: Installation) -> None:
    """Return when every node has a current copy of every topic, so that the next one may go."""

    async def all_in_sync() -> bool:
        try:
            return all(len(each["isr"]) == len(each["replicas"]) for each in await _partitions(smsbus))
        except (KafkaError, OSError):
            return False

    await eventually(all_in_sync, IN_SYNC_SECONDS, "all replicas are in sync")


def _election(state: dict[str, Any]) -> tuple[int, bool]:
    return state["leaderEpoch"], state["leaderId"] > 0


async def _partitions(smsbus: Installation) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=smsbus.bootstrap_servers)
    try:
        await admin.start()
        return [each for topic in await admin.describe_topics() for each in topic["partitions"]]
    finally:
        await admin.close()
