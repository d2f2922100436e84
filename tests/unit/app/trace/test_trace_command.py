"""`smsbus trace` while Kafka is away: what waits for it is found all the same."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from app.trace.searching import Search
from bus.kafka.client import KafkaAway
from tests.messages import sms
from tests.unit.app.trace.test_trace_waiting import NUMBER, journal_with

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
