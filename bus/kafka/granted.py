"""What this user may do, as the brokers tell it, next to what its role needs."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    NotCoordinatorForGroupError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.transaction import EndTxnRequest, InitProducerIdRequest

from bus.kafka.brokers import DEADLINE
from bus.kafka.client import FAILURES, REQUEST_TIMEOUT_MS, away, options
from bus.kafka.operations import DescribeGroups, Metadata
from bus.settings import KafkaSettings

BITS: Final = {"Read": 1 << 3, "Write": 1 << 4, "Describe": 1 << 8, "IdempotentWrite": 1 << 12}
"""By Kafka's codes of its AclOperation."""
UNKNOWN: Final = -(2**31)
"""What brokers say that do not know it."""
NONE: Final = 0
ALL: Final = -1
CANNOT_ASK: Final = (
    IncompatibleBrokerVersion,  # brokers before 2.3
    NotImplementedError,  # what aiokafka raises for them
    GroupCoordinatorNotAvailableError,
    NotCoordinatorForGroupError,
)


class Right(NamedTuple):
    """What is allowed, and on what, in the terms of Kafka's `kafka-acls.sh`."""

    operations: tuple[str, ...]
    resource: str
    name: str = ""
    pattern: Literal["literal", "prefixed"] = "literal"


class Resource(NamedTuple):
    """What a right is about, in the terms of `Right`."""

    kind: str
    name: str


async def missing(kafka: KafkaSettings, needed: Iterable[Right]) -> list[Right]:
    """Return those rights that this user lacks, each with its missing operations alone. Nothing is changed.

    What brokers do not tell counts as there, and so does everything where they check no rights. Raises `KafkaAway`.
    """
    needed = [*needed]
    client = AIOKafkaClient(**options(kafka), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        async with asyncio.timeout(DEADLINE):
            await client.bootstrap()
            return [*lacking(needed, await _granted(client, needed))]
    except FAILURES as error:
        raise away(kafka) from error
    finally:
        await client.close()


def lacking(needed: Iterable[Right], granted: Mapping[Resource, int]) -> Iterator[Right]:
    """Yield the rights with the operations whose bits are not set."""
    for right in needed:
        bits = granted.get(Resource(right.resource, right.name), UNKNOWN)
        operations = tuple(each for each in right.operations if not bits & BITS[each])
        if bits != UNKNOWN and operations:
            yield right._replace(operations=operations)


async def _granted(client: AIOKafkaClient, needed: Iterable[Right]) -> dict[Resource, int]:
    granted = await _of_topics(client, [right.name for right in needed if right.resource == "topic"])
    asks = {"cluster": _of_cluster, "group": _of_group, "transactional-id": _of_transactions}
    for right in needed:
        if right.resource in asks:
            name = f"{right.name}rights-check" if right.pattern == "prefixed" else right.name
            granted[Resource(right.resource, right.name)] = await asks[right.resource](client, name)
    return granted


async def _of_topics(client: AIOKafkaClient, names: list[str]) -> dict[Resource, int]:
    """Return what may be done with the topics that we may see."""
    try:
        answer = await client.send(client.get_random_node(), Metadata(names))
    except CANNOT_ASK:
        return {}
    return {Resource("topic", name): bits for error, name, _, _, bits in answer.topics if not error}


async def _of_cluster(client: AIOKafkaClient, _: str) -> int:
    """Ask for a producer's id, as every producer does: since Kafka 2.8 Write on any topic is enough for one.

    The cluster's operations in `Metadata` are those of users who may describe it, and ours need not.
    """
    answer = await client.send(client.get_random_node(), InitProducerIdRequest(None, REQUEST_TIMEOUT_MS))
    return NONE if answer.error_code == ClusterAuthorizationFailedError.errno else ALL


async def _of_group(client: AIOKafkaClient, name: str) -> int:
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, name)
        answer = await client.send(node, DescribeGroups(name))
    except GroupAuthorizationFailedError:
        return NONE
    except CANNOT_ASK:
        return UNKNOWN
    [(error, *_, bits)] = answer.groups
    return NONE if error == GroupAuthorizationFailedError.errno else bits if not error else UNKNOWN


async def _of_transactions(client: AIOKafkaClient, name: str) -> int:
    """Ask to end a transaction that does not exist: the right is checked first, and then there is nothing to end."""
    no_transaction: dict[str, Any] = {"producer_id": -1, "producer_epoch": -1, "transaction_result": False}
    answer = await client.send(client.get_random_node(), EndTxnRequest(name, **no_transaction))
    return NONE if answer.error_code == TransactionalIdAuthorizationFailed.errno else ALL
