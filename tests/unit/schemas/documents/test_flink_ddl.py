"""The tables of Flink SQL: their text. tests/integration/test_flink_runs_ddl.py runs it."""

import re

import pytest

from schemas.documents.flink import EVENT_TIMES, Brokers, flink, table_name
from schemas.messages import MESSAGES, VALUES


def tables(text: str) -> dict[str, str]:
    return dict(re.findall(r"^CREATE TABLE `(\w+)` \(\n(.*?)^\);$", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("value", VALUES)
def test_a_table_has_every_field_of_its_topic_in_its_order(value):
    columns = re.findall(r"^  `(\w+)` ", tables(flink())[table_name(value)], re.MULTILINE)

    assert [name for name in columns if not name.startswith("record_")] == list(value.model_fields)


def test_every_event_has_a_watermark():
    assert set(EVENT_TIMES) == set(MESSAGES)
    assert all(time in message.model_fields for message, time in EVENT_TIMES.items())


def test_the_tables_read_this_installation_s_topics():
    text = flink(Brokers(servers="a:9092,b:9092", topic_prefix="shop."))

    assert re.findall(r"'topic' = '(.*)'", text) == [f"shop.{value.TOPIC}" for value in VALUES]
    assert set(re.findall(r"'properties.bootstrap.servers' = '(.*)'", text)) == {"a:9092,b:9092"}
    assert "security" not in text


def test_brokers_that_want_a_login_are_named_without_it():
    text = flink(Brokers(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512"))

    assert text.count("'properties.security.protocol' = 'SASL_SSL'") == len(VALUES)
    assert text.count("'properties.sasl.mechanism' = 'SCRAM-SHA-512'") == len(VALUES)
    assert "properties.sasl.jaas.config" in text


def test_brokers_with_tls_alone_have_no_login():
    text = flink(Brokers(security_protocol="SSL", sasl_mechanism="PLAIN"))

    assert "'properties.security.protocol' = 'SSL'" in text
    assert "sasl.mechanism" not in text


def test_a_quote_in_a_comment_stays_inside_it():
    [line] = [line for line in flink().splitlines() if line.startswith("  `service`") and "not comparable" in line]

    assert (
        line == "  `service` STRING COMMENT 'The provider''s word for the service; not comparable across providers.',"
    )
