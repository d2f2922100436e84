"""Kafka answers and does not take what we send: it is said why, once, and it ends by itself."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from bus.contract import Receipt
from bus.kafka import topics
from bus.kafka.brokers import admin
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import SmsReceived, SmsRejected
from schemas.topics import ALL, RECEIVER_TOPICS
from tests.kafka_fixtures import TestKafka
from tests.messages import rejected, sms

RECOVERY = 40.0  # seconds


@pytest.fixture
async def settings(kafka: TestKafka, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    small = NewTopic(settings.topic(SmsReceived.TOPIC), 6, 1, topic_configs={"max.message.bytes": "3000"})
    async with admin(settings) as client:
        await client.create_topics([small])
    await topics.create(settings)
    return settings


@pytest.fixture
def needed() -> frozenset[str]:
    return ALL


@pytest.fixture
async def bus(
    settings: KafkaSettings, needed: frozenset[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KafkaBus]:
    monkeypatch.setattr("bus.kafka_bus.PROBE_EVERY", 0.05)
    monkeypatch.setattr("bus.health.ASK_EVERY", 0.5)
    bus = KafkaBus(settings, BusSettings(journal_dir=tmp_path), instance="t", topics=needed, rng=random.Random(0))
    await bus.start()
    first = await bus.accept(sms("16470000000", 0))
    await first.published
    yield bus
    await bus.stop(1.0)


async def until(holds: Callable[[], bool], within: float = RECOVERY) -> None:
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)


async def accepted_until(bus: KafkaBus, holds: Callable[[], bool]) -> list[Receipt]:
    """Accept one SMS after the other; a deleted topic takes some for a while yet."""
    receipts: list[Receipt] = []
    async with asyncio.timeout(RECOVERY):
        while not holds():
            receipts.append(await bus.accept(sms("16470000000", len(receipts) + 1)))
            await asyncio.sleep(0.1)
    return receipts


async def in_kafka(*receipts: Receipt) -> set[str]:
    return set(await asyncio.wait_for(asyncio.gather(*(receipt.published for receipt in receipts)), RECOVERY))


async def test_the_log_says_where_kafka_does_not_answer_and_which_command_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("bus.kafka_bus.PROBE_EVERY", 0.02)
    nobody = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")
    bus = KafkaBus(nobody, BusSettings(journal_dir=tmp_path), instance="t")
    with capture_logs() as logs:
        await bus.start()
        await until(lambda: any(line["event"] == "kafka_away" for line in logs))
        await bus.stop(1.0)

    [away] = [line for line in logs if line["event"] == "kafka_away"]
    assert (away["bootstrap_servers"], away["error"]) == (nobody.bootstrap_servers, "KafkaConnectionError")
    assert "`smsbus check`" in away["hint"]


@pytest.mark.unaudited("it deletes the topic")
@pytest.mark.parametrize("needed", [RECEIVER_TOPICS])
async def test_topics_that_a_receiver_may_not_even_see_are_nothing_that_is_wrong(
    bus: KafkaBus, settings: KafkaSettings
) -> None:
    gone = [settings.topic(name) for name in (SmsReceived.TOPIC, "sms.watches.v1")]
    async with admin(settings) as client:
        await client.delete_topics(gone)
    with capture_logs() as logs:
        receipts = await accepted_until(bus, lambda: "topics_misconfigured" in bus.condition().degraded)
        await topics.create(settings)
        await in_kafka(*receipts)

    [said] = [line for line in logs if line["event"] == "topics_misconfigured"]
    assert said["problems"] == [f"topic {gone[0]} is missing: run `smsbus topics create`"]


@pytest.mark.unaudited("it deletes the topic")
async def test_a_deleted_topic_is_named_with_the_command_that_makes_it_again(
    bus: KafkaBus, settings: KafkaSettings
) -> None:
    async with admin(settings) as client:
        await client.delete_topics([settings.topic(SmsReceived.TOPIC)])
    with capture_logs() as logs:
        receipts = await accepted_until(bus, lambda: "topics_misconfigured" in bus.condition().degraded)
        await asyncio.sleep(2)
        await topics.create(settings)
        ends = await in_kafka(*receipts)
        await until(lambda: "topics_misconfigured" not in bus.condition().degraded)

    said = [line for line in logs if line["event"].startswith("topics_")]
    [missing] = said[0]["problems"]
    assert ends == {"published"}
    assert [line["event"] for line in said] == ["topics_misconfigured", "topics_misconfigured_no_more"]
    assert missing == f"topic {settings.topic(SmsReceived.TOPIC)} is missing: run `smsbus topics create`"


async def test_refused_records_are_said_once_and_counted_and_it_is_over_when_no_more_come(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.health.QUIET", 1.0)
    with capture_logs() as logs:
        receipts = [await bus.accept(sms("16470000000", n, text="x" * 4000)) for n in range(1, 4)]
        ends = await in_kafka(*receipts)
        degraded = bus.condition().degraded
        await until(lambda: bus.condition().degraded == ())

    said = [line for line in logs if line["event"].startswith("records_")]
    assert ends == {"rejected"}
    assert "records_refused" in degraded
    assert [(line["event"], line.get("records"), line.get("reason")) for line in said] == [
        ("records_refused", None, "too_large_for_the_topic"),
        ("records_refused_no_more", 3, None),
    ]
    assert said[0]["id"] == receipts[0].id
    assert "`smsbus topics check`" in said[0]["hint"]


async def test_a_refused_dead_letter_is_said_once_and_shown_until_its_topic_takes_it(
    kafka: TestKafka, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.kafka_bus.PROBE_EVERY", 0.05)
    monkeypatch.setattr("bus.health.QUIET", 10.0)
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    name = settings.topic(SmsRejected.TOPIC)
    async with admin(settings) as client:
        await client.create_topics([NewTopic(name, 6, 1, topic_configs={"max.message.bytes": "3000"})])
    await topics.create(settings)
    bus = KafkaBus(settings, BusSettings(journal_dir=tmp_path), instance="t", rng=random.Random(0))
    await bus.start()
    with capture_logs() as logs:
        receipt = await bus.accept(rejected(b"x" * 4000), key="one")
        await until(lambda: bus.producer_failures.get("MessageSizeTooLargeError", 0) >= 3)
        refused = bus.condition().degraded
        async with admin(settings) as client:
            await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "9000"})])
        ends = await in_kafka(receipt)
        await until(lambda: "dead_letter_refused" not in bus.condition().degraded)
    await bus.stop(1.0)

    said = [line for line in logs if line["event"].startswith("dead_letter_")]
    assert (ends, "dead_letter_refused" in refused) == ({"rejected"}, True)
    assert [line["event"] for line in said] == ["dead_letter_refused", "dead_letter_refused_no_more"]
    assert said[0]["hint"].endswith(f"smsbus journal skip {receipt.id}")
