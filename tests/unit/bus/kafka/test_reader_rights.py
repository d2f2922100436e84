"""Reading a topic that this user may see and not read."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from bus.kafka.reader import fetched
from bus.kafka.topics import TopicsError


class Forbidden:
    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("sms.received.v1", number) for number in range(6)}

    async def getmany(self, **_: Any) -> Any:
        raise TopicAuthorizationFailedError({"sms.received.v1"})


async def test_who_may_not_read_a_topic_is_told_which_and_what_is_missing() -> None:
    with pytest.raises(TopicsError) as refused:
        await fetched(Forbidden())  # type: ignore[arg-type,unused-ignore]

    assert refused.value.lines == [
        "Kafka does not let this user read topic sms.received.v1: give it Read and Describe on it"
    ]
