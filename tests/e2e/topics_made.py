"""The topics of a test: made by the program for the first, and like those by a client for all that follow.

A command is a process, which takes a second of a processor.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.e2e.program import Installation

OWN = 1  # the source of a setting that the topic itself has
_made: dict[str, list[tuple[str, int, int, dict[str, str]]]] = {}


async def make_topics(smsbus: Installation) -> None:
    """Make all that `smsbus topics create` makes on this one broker; several hear of new ones at different times."""
    async with admin(smsbus) as client:
        if smsbus.bootstrap_servers in _made:
            await client.create_topics(_like_those(smsbus))
        else:
            assert (await smsbus.run("topics", "create")).code == 0
            _made[smsbus.bootstrap_servers] = [
                (name, *await _form(client, smsbus.topic_prefix + name)) for name in await _names(client, smsbus)
            ]


@asynccontextmanager
async def admin(smsbus: Installation) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an administrative client."""
    client = AIOKafkaAdminClient(bootstrap_servers=smsbus.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def own_settings(client: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    """Return the settings that the topic itself has."""
    (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((*_, entries),) = answer.resources
    return {entry[0]: entry[1] for entry in entries if entry[3] == OWN}


def _like_those(smsbus: Installation) -> list[NewTopic]:
    return [
        NewTopic(smsbus.topic_prefix + name, partitions, replicas, topic_configs=settings)
        for name, partitions, replicas, settings in _made[smsbus.bootstrap_servers]
    ]


async def _names(client: AIOKafkaAdminClient, smsbus: Installation) -> list[str]:
    prefix = smsbus.topic_prefix
    return [name.removeprefix(prefix) for name in await client.list_topics() if name.startswith(prefix)]


async def _form(client: AIOKafkaAdminClient, topic: str) -> tuple[int, int, dict[str, str]]:
    """Return its partitions, the copies of each, and the settings of its own."""
    (described,) = await client.describe_topics([topic])
    partitions = described["partitions"]
    return len(partitions), len(partitions[0]["replicas"]), await own_settings(client, topic)
