"""The receiver on Apache Kafka whose topics take as little as they may: what is answered 200 is there whole."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiokafka.admin import NewTopic
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.kafka import topics
from bus.kafka.brokers import admin
from bus.kafka.reader import BEGINNING, read
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from schemas.messages import SmsReceived, SmsRejected
from schemas.topics import LEAST_MESSAGE_BYTES
from tests.kafka_fixtures import TestKafka
from tests.messages import OBSERVED_MS

KIB = 1024
TOKEN = "shop-token-0123456789"
LARGEST = 360 * KIB  # of `receiver.max_body`


@pytest.fixture
async def settings(kafka: TestKafka, topic_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    least = {"max.message.bytes": str(LEAST_MESSAGE_BYTES)}
    async with admin(settings) as client:
        names = [settings.topic(each.TOPIC) for each in (SmsReceived, SmsRejected)]
        await client.create_topics([NewTopic(name, 6, 1, topic_configs=least) for name in names])
    await topics.create(settings)
    assert await topics.check(settings) == []
    return settings


@asynccontextmanager
async def opened(bus: KafkaBus) -> AsyncIterator[str]:
    accounts = [PingMeAccount(name="shop", tokens=(SecretStr(TOKEN),))]
    receiver = ReceiverSettings(host="127.0.0.1", port=0, max_body=LARGEST)
    receiver = CallbackServer(
        bus, accounts, receiver, clock_ms=lambda: OBSERVED_MS, metrics=ReceiverMetrics(CollectorRegistry())
    )
    await bus.start()
    await receiver.start()
    try:
        yield f"http://127.0.0.1:{receiver.port}/v1/pingme/{TOKEN}"
    finally:
        await receiver.stop(1.0)
        await bus.stop(5.0)


def swollen(size: int) -> bytes:
    return b'{"to":"16470000000","text":"a"}'.replace(b"a", b"\x01" * (size - 30))


async def test_what_would_be_too_large_a_record_is_a_dead_letter_whole_and_kafka_refuses_nothing(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    fits = [
        b'{"to":"16470000000","text":"code is 5611"}',
        b'{"to":"16470000000","from":"%b","text":""}' % (b"x" * 250_000),
        swollen(80 * KIB),
    ]
    large = [swollen(96 * KIB), swollen(LARGEST)]
    bus = KafkaBus(settings, BusSettings(journal_dir=tmp_path), instance="t")

    async with opened(bus) as url, aiohttp.ClientSession() as session:
        answers = []
        for body in [*fits, *large]:
            async with session.post(url, data=body) as answer:
                answers.append((answer.status, (await answer.json())["status"]))
        await bus.drained()

    received = [
        json.loads(each.value or b"") async for each in read(settings, SmsReceived.TOPIC, start=BEGINNING, follow=False)
    ]
    letters = [
        json.loads(each.value or b"") async for each in read(settings, SmsRejected.TOPIC, start=BEGINNING, follow=False)
    ]
    assert answers == [(200, "accepted")] * 3 + [(200, "rejected")] * 2
    assert [each["text"] for each in received] == [json.loads(body, strict=False)["text"] for body in fits]
    assert [each["reason"] for each in letters] == ["record_too_large"] * 2
    assert [base64.b64decode(each["body_base64"]) for each in letters] == large
    assert bus.producer_failures == {}
    assert bus.ledger.balanced
