"""What the brokers report about themselves and their topics. Every request has a deadline."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)

from bus.kafka.client import FAILURES, REQUEST_TIMEOUT_MS, KafkaAway, options
from bus.kafka.diagnosis import why_away
from bus.settings import KafkaSettings

DEADLINE: Final = 10.0  # seconds for a whole exchange: a user is waiting


class Address(NamedTuple):
    """Where a broker listens, as it advertises itself."""

    host: str
    port: int


@dataclass(frozen=True)
class TopicDescription:
    """A topic as the brokers describe it. Settings that we may not read are missing in `configs`."""

    partitions: tuple[int, ...]
    replication: int
    in_sync: int  # of the partition that has fewest
    led: bool
    configs: Mapping[str, str]


async def addresses(kafka: KafkaSettings) -> list[Address]:
    """Return the addresses that the brokers advertise, which every client must be able to reach.

    Raises `KafkaAway`.
    """
    client = AIOKafkaClient(**options(kafka), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        async with asyncio.timeout(DEADLINE):
            await client.bootstrap()
        return sorted(Address(broker.host, broker.port) for broker in client.cluster.brokers())
    except FAILURES as error:
        raise KafkaAway(await why_away(kafka)) from error
    finally:
        await client.close()


@asynccontextmanager
async def admin(kafka: KafkaSettings, *, within: float | None = None) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an administrative client for `within` or `DEADLINE` seconds; no response within them is `KafkaAway`."""
    client = AIOKafkaAdminClient(**options(kafka), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        async with asyncio.timeout(within or DEADLINE):
            await client.start()
            yield client
    except NodeNotReadyError as error:
        raise KafkaAway(_unreachable(kafka)) from error
    except (KafkaConnectionError, RequestTimedOutError, TimeoutError) as error:
        raise KafkaAway(await why_away(kafka)) from error
    except (KafkaError, RuntimeError) as error:
        message = f"Kafka at {kafka.bootstrap_servers} could not respond: {type(error).__name__}"
        raise KafkaAway(message) from error
    finally:
        await client.close()


async def nodes(client: AIOKafkaAdminClient) -> list[int]:
    """Return the ids of the brokers that are up."""
    return [broker["node_id"] for broker in (await client.describe_cluster())["brokers"]]


async def existing(
    client: AIOKafkaAdminClient, *, configs_of: frozenset[str] = frozenset()
) -> dict[str, TopicDescription]:
    """Return all existing topics by their full name; with the configurations of those in `configs_of`.

    All of them, since asking for one by name would create it if brokers create topics automatically.
    """
    described = {topic["topic"]: topic["partitions"] for topic in await client.describe_topics()}
    configs = await _configs(client, ConfigResourceType.TOPIC, configs_of & described.keys())
    return {name: _existing(partitions, configs.get(name, {})) for name, partitions in described.items()}


async def creates_topics_freely(client: AIOKafkaAdminClient) -> bool:
    """Tell whether the brokers create topics automatically; False also if we may not read that."""
    some = {str(node) for node in (await nodes(client))[:1]}  # none while all are down
    configs = await _configs(client, ConfigResourceType.BROKER, some)
    return any(config.get("auto.create.topics.enable") == "true" for config in configs.values())


async def not_shown(client: AIOKafkaAdminClient, names: frozenset[str]) -> frozenset[str]:
    """Return those of these missing topics that may exist, because we are not allowed to describe them."""
    resources = await _described(client, ConfigResourceType.TOPIC, names)
    return frozenset(name for code, _, _, name, _ in resources if code == TopicAuthorizationFailedError.errno)


def _existing(partitions: list[dict[str, Any]], configs: Mapping[str, str]) -> TopicDescription:
    return TopicDescription(
        partitions=tuple(sorted(partition["partition"] for partition in partitions)),
        replication=min((len(partition["replicas"]) for partition in partitions), default=0),
        in_sync=min((len(partition["isr"]) for partition in partitions), default=0),
        led=bool(partitions) and all(partition["leader"] >= 0 for partition in partitions),
        configs=configs,
    )


async def _configs(
    client: AIOKafkaAdminClient, kind: ConfigResourceType, names: frozenset[str] | set[str]
) -> dict[str, dict[str, str]]:
    """Return the settings that we may read: being denied that is not an error."""
    resources = await _described(client, kind, names)
    return {
        name: {entry[0]: entry[1] for entry in entries if entry[1] is not None}
        for code, _, _, name, entries in resources
        if code == 0
    }


async def _described(
    client: AIOKafkaAdminClient, kind: ConfigResourceType, names: frozenset[str] | set[str]
) -> list[Any]:
    """Return for each name: an error code, its text, the kind, the name, and the entries."""
    if not names:
        return []
    answers = await client.describe_configs([ConfigResource(kind, name) for name in names])
    return [resource for answer in answers for resource in answer.resources]


def _unreachable(kafka: KafkaSettings) -> str:
    return (
        f"Kafka answers at {kafka.bootstrap_servers}, but not at the addresses that it advertises to its clients: "
        "see the brokers' advertised.listeners (`smsbus check` lists them)"
    )
