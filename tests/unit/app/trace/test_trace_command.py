"""`smsbus trace` while Kafka is away: what waits for it is found all the same."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from app.trace.searching import HOUR_MS, Search
from bus.kafka import reader
from bus.kafka.client import KafkaAway
from schemas.topics import RECEIVED
from tests.messages import sms
from tests.unit.app.trace.test_trace_waiting import NUMBER, journal_with
from tests.unit.app.trace.trace_records import Topics, record

pytestmark = pytest.mark.usefixtures("process_is_restored")


def test_while_kafka_is_away_the_journals_are_searched(tmp_path: Path, monkeypatch, environment) -> None:
    async def away(*_: object) -> None:
        message = "no Kafka broker answers at localhost:9092"
        raise KafkaAway(message)

    monkeypatch.setattr(Search, "newest", away)
    environment({"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_BUS__JOURNAL_DIR": str(tmp_path / "journal")})
    asyncio.run(journal_with(tmp_path / "journal" / "a", sms(NUMBER)))

    people, program = CliRunner().invoke(cli, ["trace", NUMBER]), CliRunner().invoke(cli, ["trace", NUMBER, "--json"])

    assert (people.exit_code, program.exit_code) == (Code.FAILED, Code.FAILED)
    assert people.stdout.startswith(f"waits for Kafka: {sms(NUMBER).id}, ")
    assert people.stderr.splitlines() == ["smsbus: no Kafka broker answers at localhost:9092"]
    assert [row["id"] for row in json.loads(program.stdout)["waiting"]] == [sms(NUMBER).id]


@pytest.mark.parametrize("rounds", [0, 1])
def test_what_was_read_before_kafka_went_is_shown(tmp_path: Path, monkeypatch, environment, rounds: int) -> None:
    topics, now = Topics({RECEIVED: [record(sms(NUMBER), 7)]}), record(sms(NUMBER), 7).timestamp_ms

    async def goes_away(*arguments: object, **more: object):
        async for each in topics.read(*arguments, **more):
            yield each
        if len(topics.asked) > 3 * rounds:
            message = "no Kafka broker answers at localhost:9092"
            raise KafkaAway(message)

    monkeypatch.setattr(reader, "read", goes_away)
    monkeypatch.setattr("app.process.now_ms", lambda: now + HOUR_MS)
    environment({"SMSBUS_DATA_DIR": str(tmp_path)})

    ended = CliRunner().invoke(cli, ["trace", NUMBER])

    assert ended.exit_code == Code.FAILED
    assert ended.stdout.startswith(f"received {sms(NUMBER).id} ")
    assert ended.stderr.splitlines() == ["smsbus: no Kafka broker answers at localhost:9092"]
