"""`smsbus rejected replay` of what a target of forwarding refused: it is sent to that target again, signed as ever."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from app.cli import cli
from app.cli.exit import Code
from app.forwards import secret_of
from bus.kafka import topics
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from bus.kafka.writer import RecordWriter
from bus.record import build
from bus.settings import KafkaSettings
from forwarding.letters import LetterWriter, letter_of
from inbox.item import Item
from schemas.messages import SmsReceived
from schemas.topics import RECEIVED
from tests.kafka_fixtures import TestKafka
from tests.loop_thread import LoopThread
from tests.messages import OBSERVED_MS, sms

pytestmark = pytest.mark.usefixtures("process_is_restored")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Target:
    """A webhook of somebody, with what it took; it runs in a thread, since commands have event loops of their own."""

    def __init__(self) -> None:
        self.status = 200
        self.secret = SECRET
        self.taken: list[dict] = []
        self._loop = LoopThread()
        self.url: str = self._loop.run(self._up())

    async def _up(self) -> str:
        app = web.Application()
        app.router.add_post("/hook", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def _answer(self, request: web.Request) -> web.Response:
        event = Webhook(self.secret).verify(await request.read(), dict(request.headers))
        assert request.headers["ce-id"] == request.headers["webhook-id"] == event["id"]
        assert request.headers["ce-type"] == "smsbus.sms.received.v1"
        if self.status == 200:
            self.taken.append(event)
        return web.Response(status=self.status)

    def close(self) -> None:
        self._loop.run(self._runner.cleanup())
        self._loop.close()


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.close()


class Commands:
    """The commands, on topics of their own."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["rejected", "replay", *arguments])

    def sent(self, *arguments: str) -> dict:
        """What it says was sent, by letter; of a whole run."""
        return json.loads(self(*arguments, "--yes", "--json").stdout)

    def publish(self, message: SmsReceived) -> None:
        """Put an event where `_item` says that the first one is."""

        async def put() -> None:
            writer, built = RecordWriter(self.kafka), build(message, topic_prefix=self.kafka.topic_prefix, instance="x")
            await writer.put(built.topic, 0, built.key, built.value, [*built.headers], built.timestamp_ms)
            await writer.close()

        asyncio.run(put())

    def refuse(self, *messages: SmsReceived, forward: str = "hook") -> list[str]:
        """Put dead letters, as a forwarder of this name does; return their ids."""
        letters = [
            letter_of(_item(n, message), forward=forward, status=422, now_ms=OBSERVED_MS)
            for n, message in enumerate(messages)
        ]

        async def put() -> None:
            writer = LetterWriter(self.kafka, "before")
            for letter in letters:
                await writer.put(letter)
            await writer.close()

        asyncio.run(put())
        return [letter.id for letter in letters]


def _item(offset: int, message: SmsReceived) -> Item:
    built = build(message, topic_prefix="", instance="before")
    record = ReadRecord(0, offset, built.timestamp_ms, built.key, built.value, dict(built.headers))
    item = Item.of(Part(RECEIVED, 0), record)
    assert item
    return item


@pytest.fixture
def replay(
    monkeypatch: pytest.MonkeyPatch, kafka: TestKafka, topic_prefix: str, target: Target, tmp_path: Path
) -> Commands:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    asyncio.run(topics.create(settings))
    values = {"KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "KAFKA__TOPIC_PREFIX": topic_prefix}
    values |= {"DATA_DIR": str(tmp_path), "FORWARDS__HOOK__URL": target.url, "FORWARDS__HOOK__SECRET": SECRET}
    values |= {"FORWARDS__HOOK__ALLOW_PRIVATE": "true"}
    for name, value in values.items():
        monkeypatch.setenv(f"SMSBUS_{name}", value)
    return Commands(settings)


def test_what_a_configured_target_refused_is_sent_to_it_again(replay: Commands, target: Target) -> None:
    one, two = sms(n=1), sms(n=2)
    letters = replay.refuse(one, two)

    looked = replay("--dry-run")
    before = [*target.taken]
    done = replay.sent()

    assert "2 events to send to hook again" in looked.stdout
    assert (before, [event["id"] for event in target.taken]) == ([], [one.id, two.id])
    assert (done["sent"], done["sms"], done["failing"]) == (dict.fromkeys(letters, "200"), [], {})


def test_what_is_too_large_for_a_dead_letter_is_read_from_its_topic(replay: Commands, target: Target) -> None:
    large, other = sms(n=1, text="x" * 400_000), sms(n=2, text="y" * 400_000)
    replay.publish(large)
    one, two = replay.refuse(large, other)

    done = replay.sent()

    assert (done["sent"], done["failing"]) == ({one: "200"}, {"event_deleted": 1})
    assert [event["text"] for event in target.taken] == [large.text]
    assert two not in done["sent"]


def test_what_it_refuses_still_is_said_and_the_rest_is_sent(replay: Commands, target: Target) -> None:
    [letter] = replay.refuse(sms())
    target.status = 422

    result = replay(letter, "--yes")

    assert result.exit_code == Code.FAILED
    assert result.stdout.splitlines()[-1] == f"422 {sms().id} to hook"
    assert "0 of 1 event sent" in result.stderr


def test_a_target_that_is_not_configured_is_named_by_its_url(replay: Commands, target: Target, tmp_path: Path) -> None:
    [letter] = replay.refuse(sms(), forward="mine")
    nowhere = replay.sent()
    never_started = replay.sent("--url", target.url)
    target.secret = secret_of(tmp_path, "mine")  # as its first start makes it

    done = replay.sent("--url", target.url)

    assert nowhere["failing"] == never_started["failing"] == {"unknown_target": 1}
    assert (nowhere["sent"], never_started["sent"]) == ({}, {})
    assert done["sent"] == {letter: "200"}


def test_one_url_is_not_that_of_two_targets(replay: Commands, target: Target, tmp_path: Path) -> None:
    [letter, _] = [*replay.refuse(sms(n=1), forward="mine"), *replay.refuse(sms(n=2), forward="other")]
    target.secret = secret_of(tmp_path, "mine")
    secret_of(tmp_path, "other")

    both = replay("--url", target.url, "--yes")
    before = [*target.taken]
    one = replay(letter, "--url", target.url, "--yes")

    assert (both.exit_code, before) == (Code.USAGE, [])
    assert "these are of mine, other" in both.stderr
    assert (one.exit_code, len(target.taken)) == (Code.OK, 1)


def test_with_a_url_configured_targets_get_nothing(replay: Commands, target: Target, tmp_path: Path) -> None:
    [_, mine] = [*replay.refuse(sms(n=1)), *replay.refuse(sms(n=2), forward="mine")]
    target.secret = secret_of(tmp_path, "mine")

    done = replay.sent("--url", target.url)

    assert (done["sent"], done["failing"]) == ({mine: "200"}, {"configured_target": 1})
    assert [event["id"] for event in target.taken] == [sms(n=2).id]


def test_a_url_that_no_request_may_go_to_is_refused(replay: Commands) -> None:
    result = replay("--url", "http://169.254.169.254/", "--yes")

    assert result.exit_code == Code.USAGE
    assert "link-local" in result.stderr


def test_nothing_is_sent_that_nobody_confirmed(replay: Commands, target: Target) -> None:
    replay.refuse(sms())

    result = replay()

    assert (result.exit_code, target.taken) == (Code.USAGE, [])
    assert "--yes" in result.stderr
