"""A command that reads Kafka says so where the environment names a service, and no Kafka."""

import pytest

from app.cli.exit import kafka_of
from app.settings.load import load

URL = {"SMSBUS_URL": "http://smsbus.example:8081"}
KAFKA = {"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "kafka-1:9092"}


@pytest.mark.parametrize(
    ("variables", "is_said"), [({}, False), (URL, True), (KAFKA, False), (URL | KAFKA, False), (KAFKA | URL, False)]
)
def test_which_kafka_is_read_is_said_where_a_service_was_named_instead(
    environment, capsys, monkeypatch, tmp_path, variables, is_said
):
    monkeypatch.chdir(tmp_path)
    environment(variables)

    kafka = kafka_of(load())

    said = capsys.readouterr()
    assert kafka.bootstrap_servers == variables.get("SMSBUS_KAFKA__BOOTSTRAP_SERVERS", "localhost:9092")
    assert (said.out, "not the service of SMSBUS_URL" in said.err, "localhost:9092" in said.err) == (
        "",
        is_said,
        is_said,
    )
