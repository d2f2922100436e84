"""What Kafka answers to a user who may not create topics."""

import pytest
from aiokafka.errors import InvalidReplicationFactorError, TopicAuthorizationFailedError

from bus.kafka import topics
from bus.kafka.topics import TopicsError


@pytest.mark.parametrize(
    ("code", "advised"),
    [(TopicAuthorizationFailedError.errno, True), (InvalidReplicationFactorError.errno, False)],
    ids=["no right", "another reason"],
)
def test_who_may_not_create_topics_is_told_who_may(code: int, advised: bool) -> None:
    with pytest.raises(TopicsError) as refused:
        topics._created([("one", code, None), ("two", code, None)])

    first, _, *advice = refused.value.lines
    assert first.startswith("Kafka did not create topic one: ")
    assert ["as an administrator" in line for line in advice] == [True] * advised
