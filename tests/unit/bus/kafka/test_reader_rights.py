"""Reading a topic that this user may see and not read; asking brokers, and being cancelled meanwhile."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from bus.kafka.reader import answered, fetched
from bus.kafka.topics import TopicsError
from bus.settings import KafkaSettings


class Forbidden:
    """A consumer of three topics, of which one may not be read."""

    _fetcher = SimpleNamespace(_fetch_task=SimpleNamespace(done=lambda: False))

    def assignment(self) -> set[TopicPartition]:
        topics = ("sms.received.v1", "sms.rejected.v1", "sms.watch-ended.v1")
        return {TopicPartition(topic, number) for topic in topics for number in range(6)}

    async def getmany(self, **_: Any) -> Any:
        raise TopicAuthorizationFailedError("sms.received.v1")


async def test_who_may_not_read_a_topic_is_told_which_and_what_is_missing() -> None:
    with pytest.raises(TopicsError) as refused:
        await fetched(KafkaSettings(), Forbidden())  # type: ignore[arg-type,unused-ignore]

    assert refused.value.lines == [
        "Kafka does not let this user read topic sms.received.v1: give it Read and Describe on it"
    ]


@pytest.mark.parametrize(
    "named",
    ["sms.received.v1", TopicPartition("sms.received.v1", 3), {"sms.received.v1"}],
    ids=["a fetch", "offsets", "a group"],
)
async def test_however_aiokafka_names_a_topic_that_may_not_be_read_a_question_about_it_says_which(named: Any) -> None:
    async def ends() -> None:
        raise TopicAuthorizationFailedError(named)

    with pytest.raises(TopicsError, match=r"does not let this user read topic sms\.received\.v1: give it Read"):
        await answered(KafkaSettings(), ends())


async def test_who_is_cancelled_just_as_the_answer_comes_is_cancelled() -> None:
    """`asyncio.wait_for` of Python 3.11 returns the answer then, and its task goes on for ever."""
    question: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asking = asyncio.create_task(answered(KafkaSettings(), question))
    await asyncio.sleep(0)

    question.set_result(1)
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
