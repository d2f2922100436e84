"""`smsbus rejected …` on a real broker: what a later parser accepts is published once, under its own id."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from app import wiring
from app.admin.rejected import RejectedApi
from app.cli import cli
from app.cli import rejected as commands
from app.cli.exit import Code
from app.process import now_ms
from app.settings.load import Settings
from bus.kafka import topics
from bus.kafka.client import KafkaAway
from bus.kafka.reader import BEGINNING, ReadRecord, read
from bus.kafka.writer import RecordWriter
from bus.record import build
from bus.settings import KafkaSettings
from receiver import pingme
from receiver.auth import Caller
from receiver.settings import PingMeAccount
from receiver.stages import VerifiedRequest
from schemas import timestamps
from schemas.messages import Message, SmsReceived, SmsRejected
from schemas.topics import RECEIVED, REJECTED
from tests.kafka_fixtures import TestKafka

pytestmark = pytest.mark.usefixtures("process_is_restored")
SHOP = Caller("shop", None)
OBSERVED_MS = 1_795_000_000_000
NUMBER = "16470000000"


def callback(text: str, to: str = NUMBER) -> dict[str, str]:
    return {"app": "jd", "from": "14160000000", "to": to, "text": text, "time": "2026-11-01T00:00:00Z"}


def malformed(text: str) -> bytes:
    """A callback with a comma too many, which a later parser may forgive."""
    return json.dumps(callback(text)).encode() + b","


def parsed(body: bytes, observed_ms: int = OBSERVED_MS) -> list[SmsReceived | SmsRejected]:
    return pingme.messages(VerifiedRequest(pingme.PROVIDER, SHOP, "application/json", body, observed_ms)).messages


@pytest.fixture
def newer_parser_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on the parser forgives a comma too many."""
    present = pingme._json
    return lambda: monkeypatch.setattr(pingme, "_json", lambda text: present(text.rstrip(",")))


class Commands:
    """The commands, on topics of their own."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["rejected", *arguments])

    def replayed(self, *arguments: str) -> dict:
        result = self("replay", "--json", *arguments)
        assert result.exit_code == Code.OK, result.stderr
        return json.loads(result.stdout)

    def publish(self, *messages: Message) -> None:
        async def all_of_them() -> None:
            writer = RecordWriter(self.kafka)
            for message in messages:
                record = build(message, topic_prefix=self.kafka.topic_prefix, instance="before")
                await writer.put(record.topic, record.partition, record.key, record.value, [*record.headers])
            await writer.close()

        asyncio.run(all_of_them())

    def records(self, topic: str) -> list[ReadRecord]:
        async def all_of_them() -> list[ReadRecord]:
            return [record async for record in read(self.kafka, topic, start=BEGINNING, follow=False)]

        return asyncio.run(all_of_them())


@pytest.fixture
def smsbus(monkeypatch: pytest.MonkeyPatch, kafka: TestKafka, topic_prefix: str) -> Commands:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    asyncio.run(topics.create(settings))
    values = {"KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "KAFKA__TOPIC_PREFIX": topic_prefix}
    values |= {"ACCOUNTS__SHOP__PROVIDER": "pingme", "ACCOUNTS__SHOP__CALLBACK_TOKENS": "token-token-token-token"}
    for name, value in values.items():
        monkeypatch.setenv(f"SMSBUS_{name}", value)
    return Commands(settings)


def texts(records: Sequence[ReadRecord]) -> list[str]:
    return [json.loads(record.value or b"")["text"] for record in records]


def test_what_a_newer_parser_accepts_is_published_once(smsbus, newer_parser_later) -> None:
    [letter] = parsed(malformed("code is 5611"))
    assert isinstance(letter, SmsRejected)
    smsbus.publish(letter)
    assert smsbus.replayed("--yes") == {
        "letters": 1,
        "sms": [],
        "already": 0,
        "failing": {"not_json": 1},
        "published": False,
        "sent": {},
    }

    newer_parser_later()
    [would_be] = parsed(malformed("code is 5611"))
    before_ms = time.time_ns() // 1_000_000
    dry = smsbus.replayed("--dry-run")
    assert smsbus.records(RECEIVED) == []
    first, second = smsbus.replayed("--yes"), smsbus.replayed("--yes")

    assert (dry["sms"], dry["published"]) == ([would_be.id], False)
    assert (first["sms"], first["already"], first["published"]) == ([would_be.id], 0, True)
    assert (second["sms"], second["already"], second["published"]) == ([], 1, False)
    [record] = smsbus.records(RECEIVED)
    event = json.loads(record.value or b"")
    assert event == json.loads(would_be.to_json()) | {"freshness": "replayed"}
    assert event["observed_at"] == timestamps.to_text(OBSERVED_MS)
    assert record.key == NUMBER.encode()
    assert record.headers["smsbus_via"] == b"replay"
    assert record.headers["ce_id"].decode() == would_be.id
    assert record.headers["ce_time"].decode() == timestamps.to_text(OBSERVED_MS)
    assert before_ms <= record.timestamp_ms <= time.time_ns() // 1_000_000
    assert len(smsbus.records(REJECTED)) == 1


def test_what_came_again_since_then_is_not_published_once_more(smsbus, newer_parser_later) -> None:
    smsbus.publish(*parsed(malformed("one")), *parsed(json.dumps(callback("one")).encode()))
    newer_parser_later()

    done = smsbus.replayed("--yes")

    assert (done["sms"], done["already"], done["published"]) == ([], 1, False)
    assert len(smsbus.records(RECEIVED)) == 1


def test_the_sms_of_a_number_are_replayed_in_the_order_in_which_they_came(smsbus, newer_parser_later) -> None:
    came = [f"{n}" for n in range(20)]
    smsbus.publish(*(letter for text in came for letter in parsed(malformed(text))))
    newer_parser_later()

    assert len(smsbus.replayed("--yes")["sms"]) == 20

    assert texts(smsbus.records(RECEIVED)) == came


def test_of_an_array_only_the_refused_elements_are_replayed(smsbus, monkeypatch) -> None:
    bad = {**callback("two"), "from": {"number": "1"}}
    good, letter, _ = parsed(json.dumps([callback("one"), bad, bad | {"text": None}]).encode())
    smsbus.publish(good, letter)
    present = pingme._scalar
    monkeypatch.setattr(
        pingme, "_scalar", lambda callback, name, *more: None if name == "from" else present(callback, name, *more)
    )

    done = smsbus.replayed("--yes")

    assert (len(done["sms"]), done["failing"]) == (1, {"text_missing": 1})
    assert sorted(texts(smsbus.records(RECEIVED))) == ["one", "two"]


def test_letters_are_listed_and_shown_with_what_is_wrong(smsbus, newer_parser_later) -> None:
    [letter], [other] = parsed(malformed("code is 5611")), parsed(b"\xff")
    smsbus.publish(letter, letter, other)
    newer_parser_later()

    lines = smsbus("list").stdout.splitlines()
    assert [line.split("\t")[1:5] for line in lines] == [
        [each.id, "shop", "parse", "not_json"] for each in (letter, other)
    ]
    assert [json.loads(line)["id"] for line in smsbus("list", "--json", "--account", "shop").stdout.splitlines()] == [
        letter.id,
        other.id,
    ]
    for nothing in (["--reason", "too_many"], ["--account", "pool"]):
        assert smsbus("list", *nothing).stdout == ""

    shown = smsbus("show", letter.id)
    assert shown.stdout == malformed("code is 5611").decode() + "\n"
    assert "parse: not_json. The body is neither JSON nor a form" in shown.stderr
    assert f"`smsbus rejected replay {letter.id}` publishes it" in shown.stderr
    assert smsbus("show", other.id).stdout.startswith("00000000  ff")
    assert json.loads(smsbus("show", other.id, "--json").stdout)["body_base64"] == "/w=="


def test_nothing_is_published_that_nobody_confirmed(smsbus, newer_parser_later, monkeypatch) -> None:
    smsbus.publish(*parsed(malformed("one")))
    newer_parser_later()

    refused = smsbus("replay")
    monkeypatch.setattr(commands, "is_terminal", lambda: True)
    said_no = CliRunner().invoke(cli, ["rejected", "replay"], input="n\n")
    assert smsbus.records(RECEIVED) == []
    said_yes = CliRunner().invoke(cli, ["rejected", "replay"], input="y\n")

    assert (refused.exit_code, said_no.exit_code, said_yes.exit_code) == (Code.USAGE, Code.FAILED, Code.OK)
    assert "add --yes to publish, or --dry-run to look" in refused.stderr
    assert NUMBER not in said_yes.stdout
    assert "1 of 1 SMS published" in said_yes.stderr
    assert texts(smsbus.records(RECEIVED)) == ["one"]


def test_a_letter_that_is_not_there_is_named(smsbus) -> None:
    for arguments in (["show", "nobody"], ["replay", "nobody", "--dry-run"]):
        result = smsbus(*arguments)

        assert result.exit_code == Code.FAILED
        assert "there is no dead letter nobody: see `smsbus rejected list`" in result.stderr


def test_a_replay_that_ends_half_way_goes_on_the_next_time(smsbus, newer_parser_later, monkeypatch) -> None:
    smsbus.publish(*parsed(malformed("one")), *parsed(malformed("two")))
    newer_parser_later()
    present, count = RecordWriter.put, iter(range(9))

    async def fails_after_one(self, *record):
        if next(count):
            message = "no Kafka broker answers"
            raise KafkaAway(message)
        await present(self, *record)

    with monkeypatch.context() as patched:
        patched.setattr(RecordWriter, "put", fails_after_one)
        broken = smsbus("replay", "--yes")
    rest = smsbus.replayed("--yes")

    assert broken.exit_code == Code.FAILED
    assert "1 of 2 SMS published" in broken.stderr
    assert (len(rest["sms"]), rest["already"]) == (1, 1)
    assert texts(smsbus.records(RECEIVED)) == ["one", "two"]


async def test_over_http_a_letter_of_the_inbox_is_replayed_once(
    settings: KafkaSettings, newer_parser_later: Callable[[], None]
) -> None:
    [letter] = parsed(malformed("code is 5611"), time.time_ns() // 1_000_000)
    writer = RecordWriter(settings)
    record = build(letter, topic_prefix=settings.topic_prefix, instance="before")
    await writer.put(record.topic, record.partition, record.key, record.value, [*record.headers])
    await writer.close()
    newer_parser_later()
    inbox = wiring.inbox(Settings(kafka=settings), CollectorRegistry())
    account = PingMeAccount(name="shop", tokens=("token-token-token-token",))
    application = web.Application()
    RejectedApi(inbox, settings, lambda: [account], instance="page", now_ms=now_ms).add_to(application.router)
    inbox.following.start()

    async with TestClient(TestServer(application)) as client:
        answers = []
        for body in ({"dry_run": True}, {}, {}):
            async with client.post(f"/v1/rejected/{letter.id}/replay", json=body) as answer:
                answers.append((await answer.json())["published"])
    await inbox.stop()

    assert answers == [False, True, False]
    records = [record async for record in read(settings, RECEIVED, start=BEGINNING, follow=False)]
    assert texts(records) == ["code is 5611"]
    assert records[0].headers["smsbus_instance"] == b"page"
