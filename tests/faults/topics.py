"""The topics of one case: stamped with the time of arrival, read as any consumer would, and taken away again."""

from collections.abc import Mapping

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.e2e.program import Installation
from tests.e2e.topic import records
from tests.e2e.topics_made import admin, own_settings
from tests.faults import reading
from tests.faults.history import History

RECEIVED, REJECTED, ENDED = "sms.received.v1", "sms.rejected.v1", "sms.watch-ended.v1"
ALL = (RECEIVED, REJECTED, ENDED, "sms.watches.v1", "sms.watch-states.v1")


async def create(smsbus: Installation) -> None:
    """Create them as a person would. What may be read is stamped by the broker: only so is it known when it arrived."""
    created = await smsbus.run("topics", "create")
    assert created.code == 0, created
    for name in (RECEIVED, REJECTED, ENDED):
        await alter(smsbus, name, {"message.timestamp.type": "LogAppendTime"})


async def alter(smsbus: Installation, name: str, settings: Mapping[str, str]) -> Mapping[str, str]:
    """Change settings of a topic, and return those that it had of its own before."""
    topic = smsbus.topic_prefix + name
    async with admin(smsbus) as client:
        before = await own_settings(client, topic)
        (answer,) = await client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, {**before, **settings})]
        )
        assert not any(code for code, *_ in answer.resources), answer
    return before


async def delete(smsbus: Installation) -> None:
    """Free the brokers of them: a run has as many sets as cases."""
    async with admin(smsbus) as client:
        await client.delete_topics([smsbus.topic_prefix + name for name in ALL])


async def read(smsbus: Installation) -> History:
    """Return everything that lies in them now."""
    return History(
        records=tuple(reading.received(each) for each in await records(smsbus, RECEIVED)),
        rejected=tuple(reading.dead_letter(each) for each in await records(smsbus, REJECTED)),
        ended=tuple(reading.ended(each) for each in await records(smsbus, ENDED)),
    )
