"""What `smsbus topics check` says of replicas, without brokers."""

import pytest

from bus.kafka.brokers import TopicDescription
from bus.kafka.topics import _few_replicas


@pytest.mark.parametrize(
    ("replication", "in_sync", "least", "starved"),
    [(3, 3, "2", False), (3, 2, "2", False), (3, 1, "2", True), (1, 1, "2", False), (3, 0, "1", True)],
)
def test_a_topic_that_takes_nothing_for_want_of_replicas_in_sync_is_named(
    replication: int, in_sync: int, least: str, starved: bool
) -> None:
    found = TopicDescription((0, 1), replication, in_sync, led=True, configs={"min.insync.replicas": least})

    lines = list(_few_replicas("sms.received.v1", found, brokers=replication))

    assert [f"{in_sync} replicas in sync" in line and f"min.insync.replicas={least}" in line for line in lines] == [
        True
    ] * starved
