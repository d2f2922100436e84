"""`smsbus trace` on a real broker, with a journal beside it."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner, Result

from app.cli import cli
from app.cli.exit import Code
from bus.journal.journal import Journal
from bus.kafka import topics
from bus.kafka.writer import RecordWriter
from bus.record import build, partition_of, with_via
from bus.settings import KafkaSettings
from schemas.messages import Message, WatchEnded
from schemas.timestamps import to_text
from tests.kafka_fixtures import TestKafka
from tests.messages import OBSERVED_MS, rejected, sms

pytestmark = pytest.mark.usefixtures("process_is_restored")
NUMBER, OTHER = "16470000000", "16470000001"
PARTITION = partition_of(NUMBER.encode())


class Traced:
    """The command, on topics and a journal of its own."""

    def __init__(self, kafka: KafkaSettings, directory: Path) -> None:
        self.kafka = kafka
        self.directory = directory

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["trace", *arguments])

    def report(self, *arguments: str) -> dict:
        result = self(*arguments, "--json")
        assert result.exit_code == Code.OK, result.stderr
        return json.loads(result.stdout)

    def publish(self, *messages: Message, via: str = "kafka", instance: str = "one") -> None:
        async def all_of_them() -> None:
            writer = RecordWriter(self.kafka)
            for message in messages:
                record = build(message, topic_prefix=self.kafka.topic_prefix, instance=instance)
                headers = with_via(record.headers, via)
                await writer.put(record.topic, record.partition, record.key, record.value, headers, record.timestamp_ms)
            await writer.close()

        asyncio.run(all_of_them())

    def commit(self, name: str, *, offset: int) -> None:
        """As a forwarder of this name does, of the number's partition."""

        async def as_it_does() -> None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.kafka.bootstrap_servers,
                group_id=self.kafka.topic(f"smsbus-forward-{name}"),
                enable_auto_commit=False,
            )
            await consumer.start()
            part = TopicPartition(self.kafka.topic("sms.received.v1"), PARTITION)
            consumer.assign([part])
            await consumer.commit({part: offset})
            await consumer.stop()

        asyncio.run(as_it_does())

    def keep(self, *messages: Message) -> None:
        async def all_of_them() -> None:
            (self.directory / "left").mkdir(parents=True)
            journal = Journal(self.directory / "left", max_bytes=1 << 30)
            await journal.open()
            await journal.append(
                [build(each, topic_prefix=self.kafka.topic_prefix, instance="one") for each in messages]
            )
            await journal.close()

        asyncio.run(all_of_them())


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch, kafka: TestKafka, topic_prefix: str, tmp_path: Path) -> Traced:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    asyncio.run(topics.create(settings))
    values = {"KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "KAFKA__TOPIC_PREFIX": topic_prefix}
    values |= {"DATA_DIR": str(tmp_path), "BUS__JOURNAL_DIR": str(tmp_path / "journal")}
    for name, value in values.items():
        monkeypatch.setenv(f"SMSBUS_{name}", value)
    return Traced(settings, tmp_path / "journal")


def test_an_sms_is_found_by_its_id_with_its_repeats_its_watch_and_its_place(trace: Traced) -> None:
    watched = sms(NUMBER).model_copy(update={"watch_id": "w", "order_kind": "activation", "order_id": "7"})
    end = WatchEnded(
        watch_id="w",
        provider="grizzlysms",
        account="pool",
        order_kind="activation",
        order_id="7",
        reason="finished",
        sms_count=1,
        ended_at=to_text(OBSERVED_MS),
    )
    trace.publish(sms(NUMBER, 1), watched, sms(OTHER), end)
    trace.publish(watched, via="journal", instance="two")

    report = trace.report(watched.id)

    [event, ended] = report["events"]
    assert (event["id"], event["accepted"]["at"], event["accepted"]["instance"]) == (
        watched.id,
        to_text(OBSERVED_MS),
        "one",
    )
    assert [(each["partition"], each["offset"], each["via"], each["instance"]) for each in event["records"]] == [
        (PARTITION, 1, "kafka", "one"),
        (PARTITION, 2, "journal", "two"),
    ]
    assert (event["watch_id"], ended["type"], ended["reason"]) == ("w", "watch_ended", "finished")


def test_it_says_which_targets_have_passed_it(trace: Traced) -> None:
    trace.publish(sms(NUMBER, 1), sms(NUMBER, 2))
    trace.commit("hook", offset=1)

    events = trace.report(NUMBER)["events"]
    shown = trace(NUMBER).stdout

    assert [event["forwards"] for event in events] == [{"hook": True}, {"hook": False}]
    assert ("  forward   hook: passed\n" in shown, "  forward   hook: not yet\n" in shown) == (True, True)


def test_the_sms_of_a_number_are_found_also_where_they_still_wait(trace: Traced) -> None:
    trace.publish(*(sms(NUMBER, n) for n in range(3)), sms(OTHER), rejected(b'{"to": "16470000000",}'))
    trace.keep(sms(NUMBER, 3), sms(OTHER, 1))

    report = trace.report(f"+{NUMBER}")
    shown = trace(NUMBER, "-n", "1")

    assert [event["id"] for event in report["events"] if event["type"] == "received"] == [
        sms(NUMBER, n).id for n in range(3)
    ]
    assert [event["reason"] for event in report["events"] if event["type"] == "rejected"] == ["not_json"]
    assert [row["id"] for row in report["waiting"]] == [sms(NUMBER, 3).id]
    assert f"received {sms(NUMBER, 2).id} pingme/shop live" in shown.stdout.splitlines()
    assert sms(NUMBER, 1).id not in shown.stdout
    assert NUMBER not in shown.stdout
    assert "only the newest 1 of" in shown.stderr


def test_what_is_nowhere_ends_with_1_and_says_how_far_it_looked(trace: Traced) -> None:
    trace.publish(sms(OTHER))

    result = trace(sms(NUMBER).id)
    since = trace(sms(OTHER).id, "--since", to_text(OBSERVED_MS + 1))
    wrong = trace("nobody")

    assert (result.exit_code, since.exit_code, wrong.exit_code) == (Code.FAILED, Code.FAILED, Code.USAGE)
    assert result.stderr.splitlines() == [f"not seen: {trace.directory} does not exist", "smsbus: nothing was found"]
    assert f"read since {to_text(OBSERVED_MS + 1)}" in since.stderr
