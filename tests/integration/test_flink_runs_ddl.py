"""The generated DDL, run by Apache Flink on a real Kafka that holds the golden examples."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

import schemas
from bus.kafka import topics
from bus.record import build, partition_of, with_via
from bus.settings import KafkaSettings
from schemas.documents.flink import Brokers, flink, table_name
from schemas.messages import VALUES, Message, SmsReceived, Value
from schemas.topics import WATCH_PARTITIONS
from tests.flink import rows_of, run_sql
from tests.unit.schemas.test_documents import MODELS

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
EXAMPLES = sorted((Path(schemas.__file__).parent / "examples").glob("*.json"))
BOUNDED = "\n".join(
    f"ALTER TABLE `{table_name(value)}` SET ('scan.bounded.mode' = 'latest-offset');" for value in VALUES
)
QUERIES = """
SET 'table.local-time-zone' = 'UTC';
SELECT 'sms', id, COALESCE(code, '-'), CAST(observed_at AS STRING), record_key, DECODE(record_headers['ce_id'], 'UTF-8')
  FROM sms_received;
SELECT 'extra', id, provider_fields['carrier'] FROM sms_received WHERE provider_fields IS NOT NULL;
SELECT 'letter', id, body_bytes, body_complete FROM sms_rejected;
SELECT 'ended', watch_id, sms_count, CAST(ended_at AS STRING) FROM sms_watch_ended;
SELECT 'watch', watch_id, desired, CAST(opened_at AS STRING) FROM sms_watches;
SELECT 'hour', CAST(window_start AS STRING), COUNT(*)
  FROM TABLE(TUMBLE(TABLE sms_received, DESCRIPTOR(observed_at), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
"""


def examples() -> list[Value]:
    return [MODELS[path.name.partition(".")[0]].model_validate_json(path.read_text("utf-8")) for path in EXAMPLES]


async def publish(kafka: KafkaSettings) -> list[Value]:
    values = examples()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for value in values:
            await producer.send_and_wait(kafka.topic(value.TOPIC), **record(value))
    return values


def record(value: Value) -> dict[str, Any]:
    key = value.key().encode()
    if not isinstance(value, Message):
        return {"value": value.to_json(), "key": key, "partition": partition_of(key, WATCH_PARTITIONS)}
    made = build(value, topic_prefix="", instance="a")
    return {
        "value": made.value,
        "key": key,
        "partition": made.partition,
        "headers": with_via(made.headers, "kafka"),
        "timestamp_ms": made.timestamp_ms,
    }


def sql_time(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")


async def test_flink_reads_every_topic_by_the_generated_tables(kafka, topic_prefix, tmp_path):
    installation = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    await topics.create(installation)
    values = await publish(installation)
    tables = flink(Brokers(servers=kafka.bootstrap_servers, topic_prefix=topic_prefix))
    batch = "SET 'execution.runtime-mode' = 'batch';\nSET 'sql-client.execution.result-mode' = 'tableau';\n"

    printed = await asyncio.to_thread(run_sql, tmp_path, batch + tables + BOUNDED + QUERIES)

    found = rows_of(printed)
    of = {model: [value for value in values if type(value) is model] for model in VALUES}
    by_name = {model.__name__: list_ for model, list_ in of.items()}
    assert found["sms"] == sorted(
        (sms.id, sms.code or "-", sql_time(sms.observed_at), sms.key(), sms.id) for sms in of[SmsReceived]
    )
    assert [sms.provider_fields["carrier"] for sms in of[SmsReceived] if "carrier" in (sms.provider_fields or {})] == [
        carrier for _, carrier in found["extra"] if carrier != "<NULL>"
    ]
    assert found["letter"] == sorted(
        (letter.id, str(letter.body_bytes), str(letter.body_complete).upper()) for letter in by_name["SmsRejected"]
    )
    assert found["ended"] == sorted(
        (end.watch_id, str(end.sms_count), sql_time(end.ended_at)) for end in by_name["WatchEnded"]
    )
    assert found["watch"] == sorted(
        (watch.watch_id, watch.desired, sql_time(watch.opened_at)) for watch in by_name["Watch"]
    )
    assert sum(int(count) for _, count in found["hour"]) == len(of[SmsReceived])


def test_a_table_that_flink_does_not_understand_is_seen(tmp_path):
    broken = flink().replace("TIMESTAMP_LTZ(3)", "TIMESTAMP_OF_OURS(3)", 1)

    with pytest.raises(AssertionError, match=r"\[ERROR\]"):
        run_sql(tmp_path, broken)


def test_the_committed_tables_are_taken_with_brokers_that_want_a_login(tmp_path):
    secured = flink(Brokers(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512"))
    plans = "\n".join(f"EXPLAIN SELECT * FROM `{table_name(value)}`;" for value in VALUES)

    printed = run_sql(tmp_path, secured + plans)

    assert printed.count("Optimized Execution Plan") == len(VALUES)
