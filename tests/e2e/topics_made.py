"""The topics of a test: made by the program for the first, and like those by a client for all that follow.

A command is a process, which takes a second of a processor.
"""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.e2e.program import Installation

OWN = 1  # the source of a setting that the topic itself has
_made: dict[str, list[tuple[str, int, int, dict[str, str]]]] = {}


async def make_topics(smsbus: Installation) -> None:
    """Make all that `smsbus topics create` makes on this one broker; several hear of new ones at different times."""
    client = AIOKafkaAdminClient(bootstrap_servers=smsbus.bootstrap_servers)
    await client.start()
    try:
        if smsbus.bootstrap_servers in _made:
            await client.create_topics(_like_those(smsbus))
        else:
            assert (await smsbus.run("topics", "create")).code == 0
            _made[smsbus.bootstrap_servers] = [
                (name, *await _form(client, smsbus.topic_prefix + name)) for name in await _names(client, smsbus)
            ]
    finally:
        await client.close()


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
    (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((*_, entries),) = answer.resources
    partitions = described["partitions"]
    return len(partitions), len(partitions[0]["replicas"]), {each[0]: each[1] for each in entries if each[3] == OWN}
