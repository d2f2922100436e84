"""The topics as tables of Flink SQL, for its Kafka connector: DDL with an installation's servers and prefix."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.documents.reader_fields import Kind, ReaderField, reader_fields
from schemas.messages import MESSAGES, VALUES, SmsReceived, SmsRejected, Value, WatchEnded

HEAD: Final = """\
-- The topics of smsbus as tables, made by `smsbus schema export --format flink -`.
-- Flink 2.x with its SQL connector for Kafka. At least once: drop repeats by `id`.
-- An SMS that waited in a journal for Kafka is older than the watermark by as long as it waited.
"""
CREDENTIALS: Final = """\
-- These brokers want a login or TLS: add what Flink shows them, 'properties.sasl.jaas.config' and
-- 'properties.ssl.truststore.location' and their like, to each table. smsbus does not print its own.
"""
TYPES: Final[dict[Kind, str]] = {
    "text": "STRING",
    "time": "TIMESTAMP_LTZ(3)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "map": "MAP<STRING, STRING>",
}
EVENT_TIMES: Final[dict[type[Value], str]] = {
    SmsReceived: "observed_at",
    SmsRejected: "observed_at",
    WatchEnded: "ended_at",
}
LATE: Final = "INTERVAL '1' MINUTE"
"""How long a window waits for what is late."""
METADATA: Final = (
    "`record_key` STRING COMMENT 'The key of the record.'",
    "`record_partition` INT METADATA FROM 'partition' VIRTUAL",
    "`record_offset` BIGINT METADATA FROM 'offset' VIRTUAL",
    "`record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL",
    "`record_headers` MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL",
)
READ: Final = {
    "scan.startup.mode": "earliest-offset",
    "scan.watermark.idle-timeout": "1 min",  # a partition without SMS would hold up every window
    "key.format": "raw",
    "key.fields": "record_key",
    "value.format": "json",
    "value.fields-include": "EXCEPT_KEY",
    "value.json.timestamp-format.standard": "ISO-8601",
}
UNCHECKED: Final = {
    "value.json.ignore-parse-errors": "true"
}  # anybody may write requests: one that is none stops no job


@dataclass(frozen=True)
class Brokers:
    """Where an installation's topics are, as Flink's Kafka client has to know it; no secrets."""

    servers: str = "localhost:9092"
    topic_prefix: str = ""
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None


LOCAL: Final = Brokers()


def flink(brokers: Brokers = LOCAL) -> str:
    """Return the statements that create a table for each topic."""
    head = HEAD if brokers.security_protocol == "PLAINTEXT" else HEAD + CREDENTIALS
    return "\n".join([head, *(_table(value, brokers) for value in VALUES)])


def table_name(value: type[Value]) -> str:
    """Return the name of a topic's table: of `sms.watch-ended.v1` it is `sms_watch_ended`."""
    return value.TOPIC.removesuffix(".v1").replace(".", "_").replace("-", "_")


def _table(value: type[Value], brokers: Brokers) -> str:
    columns = ",\n".join(f"  {part}" for part in _columns(value))
    options = ",\n".join(f"  {_text(name)} = {_text(option)}" for name, option in _options(value, brokers).items())
    comment = _text(value.__doc__ or "")
    return f"CREATE TABLE `{table_name(value)}` (\n{columns}\n) COMMENT {comment} WITH (\n{options}\n);\n"


def _columns(value: type[Value]) -> Iterator[str]:
    yield from map(_column, reader_fields(value))
    yield from METADATA
    if time := EVENT_TIMES.get(value):
        yield f"WATERMARK FOR `{time}` AS `{time}` - {LATE}"


def _column(field: ReaderField) -> str:
    present = " NOT NULL" if field.promised and not field.nullable else ""
    return f"`{field.name}` {TYPES[field.kind]}{present} COMMENT {_text(field.description)}"


def _options(value: type[Value], brokers: Brokers) -> dict[str, str]:
    secured = {}
    if brokers.security_protocol != "PLAINTEXT":
        secured["properties.security.protocol"] = brokers.security_protocol
    if brokers.security_protocol.startswith("SASL") and brokers.sasl_mechanism:
        secured["properties.sasl.mechanism"] = brokers.sasl_mechanism
    return {
        "connector": "kafka",
        "topic": brokers.topic_prefix + value.TOPIC,
        "properties.bootstrap.servers": brokers.servers,
        **secured,
        **READ,
        **({} if value in MESSAGES else UNCHECKED),
    }


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
