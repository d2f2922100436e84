"""`smsbus watch …` on a real broker: what it writes, what it finds, and what it refuses to guess."""

import asyncio
import json
import time

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.cli import watch as watch_commands
from app.cli.exit import Code
from bus.kafka import topics
from bus.kafka.reader import BEGINNING, read
from bus.record import partition_of
from bus.settings import KafkaSettings
from bus.sharding.state_log import StateLog
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from schemas import timestamps
from schemas.topics import WATCH_PARTITIONS, WATCHES
from tests.kafka_fixtures import TestKafka

pytestmark = pytest.mark.usefixtures("process_is_restored")
ORDER = ("pool", "7", "--number", "33774545375")


class Commands:
    """The commands, on topics of their own."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["watch", *arguments])

    def add(self, *arguments: str) -> str:
        added = self("add", *arguments)
        assert added.exit_code == Code.OK, added.stderr
        return added.stdout.strip()

    def records(self) -> list[dict]:
        async def all_of_them() -> list[dict]:
            records = read(self.kafka, WATCHES, start=BEGINNING, follow=False)
            return [json.loads(record.value or b"null") async for record in records]

        return sorted(asyncio.run(all_of_them()), key=lambda record: record["opened_at"])

    def commit(self, watch_id: str, **values: object) -> None:
        """Be the watch's shard, once."""

        async def once() -> None:
            log = StateLog(self.kafka, partition_of(watch_id.encode(), WATCH_PARTITIONS), group="g")
            await log.open()
            await log.commit({watch_id: state.to_json()})
            await log.close()

        record = next(record for record in reversed(self.records()) if record["watch_id"] == watch_id)
        names = ("account", "order_kind", "order_id", "recipient", "message_type", "after_sms", "client_ref")
        order = {name: record[name] for name in names}
        watch = WatchRequest(**order, expires_at="2031-01-01T00:00:00.000Z").watch(0)
        applied = {"applied": record["request_id"]}
        state = WatchState(watch=watch, provider="grizzlysms", key="1", looked_ms=0, **applied, **values)
        asyncio.run(once())


@pytest.fixture
def smsbus(monkeypatch: pytest.MonkeyPatch, kafka: TestKafka, topic_prefix: str) -> Commands:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    asyncio.run(topics.create(settings))
    values = {"KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "KAFKA__TOPIC_PREFIX": topic_prefix}
    values |= {"ACCOUNTS__POOL__PROVIDER": "grizzlysms", "ACCOUNTS__POOL__API_KEY": "k"}
    for name, value in values.items():
        monkeypatch.setenv(f"SMSBUS_{name}", value)
    return Commands(settings)


def test_the_same_order_again_is_one_more_request_with_an_end_only_where_it_is_stated(smsbus: Commands) -> None:
    first = smsbus.add(*ORDER)
    again = smsbus.add(*ORDER, "--until", "40m")

    assert first == again
    opened, prolonged = smsbus.records()
    assert opened["request_id"] != prolonged["request_id"]
    assert opened["expires_at"] is None
    minutes = timestamps.to_epoch_ms(prolonged["expires_at"]) - timestamps.to_epoch_ms(prolonged["opened_at"])
    assert minutes == 40 * 60_000


def test_an_ended_watch_is_opened_again_with_other_words_and_a_live_one_is_not(smsbus: Commands) -> None:
    watch_id = smsbus.add(*ORDER)
    smsbus.commit(watch_id)
    refused = smsbus("add", *ORDER, "--type", "call")
    smsbus.commit(watch_id, ended="gone")
    smsbus.add(*ORDER, "--type", "call")

    assert refused.exit_code == Code.FAILED
    assert "is open with another message_type: leave them out, or repeat them as" in refused.stderr
    assert [record["message_type"] for record in smsbus.records()] == ["sms", "call"]


def test_what_is_not_said_again_stays_as_it_was_of_a_live_and_of_an_ended_watch(smsbus: Commands) -> None:
    watch_id = smsbus.add(*ORDER, "--ref", "mine", "--after-sms", "finish")
    smsbus.add("pool", "7", "--until", "40m")
    smsbus.commit(watch_id, ended="gone")
    smsbus.add("pool", "7")

    said = [(each["recipient"], each["client_ref"], each["after_sms"]) for each in smsbus.records()]
    assert said == [("33774545375", "mine", "finish")] * 3


def test_a_clock_that_is_behind_the_pollers_does_not_end_a_watch_at_once(
    smsbus: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    smsbus.commit(smsbus.add(*ORDER))
    true_ns = time.time_ns()
    monkeypatch.setattr(watch_commands, "now_ms", lambda: true_ns // 10**6 - 25 * 60_000)
    added = smsbus("add", "pool", "8", "--until", "20m")

    assert "clock" in added.stderr
    _, late = smsbus.records()
    assert timestamps.to_epoch_ms(late["expires_at"]) > true_ns // 10**6 + 19 * 60_000


@pytest.mark.parametrize(
    ("command", "desired", "after"),
    [
        (("next",), "next", None),
        (("next", "--after", "3"), "next", 3),
        (("finish",), "finish", None),
        (("cancel",), "cancel", None),
        (("stop",), "stop", None),
    ],
)
def test_each_request_is_a_new_record(
    smsbus: Commands, command: tuple[str, ...], desired: str, after: int | None
) -> None:
    smsbus.commit(smsbus.add(*ORDER))
    codes = [smsbus(*command[:1], "pool/7", *command[1:]).exit_code for _ in range(2)]

    assert codes == [Code.OK, Code.OK]
    records = [record for record in smsbus.records() if record["desired"] != "watch"]
    assert [(record["desired"], record["next_after"]) for record in records] == [(desired, after)] * 2
    assert len({record["request_id"] for record in records}) == 2


def test_an_order_that_is_two_live_watches_is_refused_with_both_ids(smsbus: Commands) -> None:
    both = smsbus.add(*ORDER), smsbus.add(*ORDER, "--rent")

    asked = smsbus("cancel", "pool/7")

    assert asked.exit_code == Code.FAILED
    assert all(watch_id in asked.stderr for watch_id in both)
    assert [record["desired"] for record in smsbus.records()] == ["watch", "watch"]


def test_of_a_live_and_an_ended_watch_the_live_one_is_meant(smsbus: Commands) -> None:
    rent, activation = smsbus.add(*ORDER, "--rent"), smsbus.add(*ORDER)
    smsbus.commit(activation, ended="expired")

    shown = smsbus("show", "pool/7")
    asked = smsbus("finish", "pool/7")

    assert json.loads(shown.stdout)["watch_id"] == rent
    assert f"pool/7 has two watches: the other is {activation} (activation, expired)" in shown.stderr
    assert "finish requested; a running `smsbus serve` does it: see `smsbus watch show pool/7`" in asked.stderr
    assert asked.exit_code == Code.OK
    assert [record["watch_id"] for record in smsbus.records() if record["desired"] == "finish"] == [rent]


def test_a_watch_that_has_ended_takes_no_request_but_is_shown(smsbus: Commands) -> None:
    watch_id = smsbus.add(*ORDER)
    smsbus.commit(watch_id, ended="expired", sms_count=2)

    asked = smsbus("next", "pool/7")
    shown = json.loads(smsbus("show", watch_id).stdout)

    assert asked.exit_code == Code.FAILED
    assert "has ended: expired" in asked.stderr
    assert (shown["ended"], shown["sms_count"]) == ("expired", 2)


def test_the_list_has_filters(smsbus: Commands) -> None:
    mine = smsbus.add("pool", "1", "--ref", "mine")
    ended = smsbus.add("pool", "2")
    smsbus.commit(ended, ended="gone")

    def listed(*options: str) -> set[str]:
        return {line.split("\t")[0] for line in smsbus("list", *options).stdout.splitlines()}

    assert (listed(), listed("--all")) == ({mine}, {mine, ended})
    assert (listed("--state", "gone"), listed("--ref", "mine"), listed("--ref", "yours")) == ({ended}, {mine}, set())
    assert (listed("--account", "other"), smsbus("list", "--state", "odd").exit_code) == (set(), Code.USAGE)
