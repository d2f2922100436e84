"""What the integration tests share."""

import pytest

from bus.kafka import topics
from bus.settings import KafkaSettings
from tests.audited import _audited, audit  # noqa: F401 - fixtures: every bus is audited
from tests.kafka_fixtures import TestKafka


@pytest.fixture
async def settings(kafka: TestKafka, topic_prefix: str) -> KafkaSettings:
    """A prefix on the one broker, with all topics."""
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    await topics.create(settings)
    return settings
