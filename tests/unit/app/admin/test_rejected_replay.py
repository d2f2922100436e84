"""`POST /v1/rejected/{id}/replay`: of a letter that the inbox has, once, and within a limited time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.admin import rejected as api_module
from app.admin.rejected import READ_SECONDS, RejectedApi, ReplayRequest
from app.rejected import replaying
from bus.kafka import reader
from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.kafka.writer import RecordWriter, WriteForbidden
from bus.record import Record
from bus.settings import KafkaSettings
from receiver import pingme
from receiver.auth import Caller
from receiver.settings import PingMeAccount
from schemas.documents.openapi import openapi
from schemas.topics import RECEIVED
from tests.inbox_part import Topics as InboxTopics
from tests.inbox_part import inbox_of
from tests.messages import rejected, sms
from tests.unit.app.rejected.rejected_letters import OBSERVED_MS, SMS, refused, request
from tests.unit.app.trace.trace_records import Topics, record

pytestmark = pytest.mark.loopback
LETTER = refused(SMS, Caller("shop", "other"))
WAS = pingme.normalize(request(b""), SMS)


class Served:
    """The route, with an inbox that has some letters, and a Kafka of lists."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.user_id: str | None = None
        self.now = 0.0
        self.seconds_of_a_record = 0.0
        self.error: Exception | None = None
        self.topics = Topics({RECEIVED: []})
        self.written: list[Record] = []
        self.inbox_topics = InboxTopics(now_ms=OBSERVED_MS)
        for each in (LETTER, rejected(b"hello"), sms()):
            self.inbox_topics.publish(each)
        self.inbox = inbox_of(self.inbox_topics)
        self.client: Any = None
        monkeypatch.setattr(reader, "read", self._read)
        monkeypatch.setattr(replaying, "_write", self._write)

    async def _read(self, *arguments: object, **more: Any) -> AsyncIterator[ReadRecord]:
        async for each in self.topics.read(*arguments, **more):
            self.now += self.seconds_of_a_record
            yield each

    async def _write(self, _: RecordWriter, record: Record) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.written.append(record)
        self.topics.records[RECEIVED].append(
            ReadRecord(record.partition, 0, record.timestamp_ms, record.key, record.value, dict(record.headers))
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Served"]:
        application = web.Application()
        RejectedApi(
            self.inbox,
            KafkaSettings(),
            lambda: [PingMeAccount(name="shop", tokens=("a-token-a-token-a-token",), user_id=self.user_id)],
            instance="one",
            now_ms=lambda: OBSERVED_MS + 1,
            clock=lambda: self.now,
        ).add_to(application.router)
        self.inbox.following.start()
        async with TestClient(TestServer(application)) as self.client:
            yield self
        await self.inbox.following.stop()

    async def post(self, letter: str, body: str = "") -> tuple[int, Any]:
        async with self.client.post(f"/v1/rejected/{letter}/replay", data=body) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    async with Served(monkeypatch).open() as served:
        yield served


async def test_a_dry_run_says_what_would_be_published_and_publishes_nothing(served: Served) -> None:
    status, answer = await served.post(LETTER.id, '{"dry_run": true}')

    assert (status, served.written) == (200, [])
    assert answer == {"letters": 1, "sms": [WAS.id], "already": 0, "failing": {}, "published": False}


async def test_what_is_accepted_is_published_and_a_second_time_nothing_is(served: Served) -> None:
    (_, first), (_, second) = await served.post(LETTER.id), await served.post(LETTER.id, "{}")

    assert (first["sms"], first["published"]) == ([WAS.id], True)
    assert (second["sms"], second["already"], second["published"]) == ([], 1, False)
    [written] = served.written
    assert (written.id, written.timestamp_ms) == (WAS.id, OBSERVED_MS + 1)


async def test_who_asks_twice_at_once_publishes_once(served: Served) -> None:
    answers = await asyncio.gather(*(served.post(LETTER.id) for _ in range(3)))

    assert sorted(answer["published"] for _, answer in answers) == [False, False, True]
    assert len(served.written) == 1


async def test_the_accounts_are_those_of_the_present_settings(served: Served) -> None:
    served.user_id = "other"
    _, before = await served.post(LETTER.id)
    served.user_id = SMS["userId"]
    _, after = await served.post(LETTER.id)

    assert (before["failing"], before["published"]) == ({"user_mismatch": 1}, False)
    assert after["published"]


async def test_what_still_fails_is_no_error(served: Served) -> None:
    status, answer = await served.post(rejected(b"hello").id)

    assert (status, answer["failing"], answer["published"]) == (200, {"not_json": 1}, False)
    assert served.topics.asked == []


@pytest.mark.parametrize(
    ("letter", "body", "status", "reason"),
    [
        ("nobody", "", 404, "unknown_letter"),
        (sms().id, "", 404, "unknown_letter"),
        (LETTER.id, "no", 400, "invalid_request"),
        (LETTER.id, '{"dry_run": 1}', 400, "invalid_request"),
        (LETTER.id, '{"dryrun": true}', 400, "invalid_request"),
    ],
    ids=["unknown", "an SMS", "no JSON", "no truth value", "a typing error"],
)
async def test_wrong_requests_publish_nothing(served: Served, letter, body, status, reason) -> None:
    found, answer = await served.post(letter, body)

    assert (found, answer["reason"], served.written) == (status, reason, [])


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [(KafkaAway("away"), 503, "kafka_away"), (WriteForbidden("Kafka does not let this user write"), 403, "forbidden")],
    ids=["away", "forbidden"],
)
async def test_what_kafka_does_not_take_is_said(served: Served, error, status, reason) -> None:
    served.error = error

    found, answer = await served.post(LETTER.id)

    assert (found, answer["reason"]) == (status, reason)


async def test_reading_whether_it_is_there_has_a_limit_and_then_nothing_is_published(served: Served) -> None:
    served.topics.records[RECEIVED] = [record(sms("16470000000", n), n) for n in range(50)]
    served.seconds_of_a_record = READ_SECONDS / 10

    status, answer = await served.post(LETTER.id)

    assert (status, answer["reason"], served.written) == (503, "too_long", [])


async def test_before_the_inbox_is_filled_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(monkeypatch)
    served.inbox_topics.away = True

    async with served.open():
        status, answer = await served.post(LETTER.id)

    assert (status, answer["reason"]) == (503, "not_ready")


def test_the_document_is_what_the_program_takes_and_answers() -> None:
    described = openapi()["components"]["schemas"]

    assert set(described["ReplayRequest"]["properties"]) == set(ReplayRequest.model_fields)
    assert api_module.REPLAY in openapi()["paths"]
