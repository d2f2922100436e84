"""Each SMS once, whatever happens to this program: confluent-kafka, and SQLite for what was handled.

python consumer.py SMS.db    KAFKA (127.0.0.1:9092), TOPIC (sms.received.v1) and GROUP (confluent-kafka) are variables
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterable

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

AT_ONCE = 500
KEPT = ("recipient", "code", "freshness", "observed_at", "text")
INSERT = (
    "INSERT OR IGNORE INTO sms (id, recipient, code, freshness, observed_at, text)"
    " VALUES (:id, :recipient, :code, :freshness, :observed_at, :text)"
)
MOVED = {KafkaError._NO_OFFSET, KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS}  # noqa: SLF001 - so it is called


def opened(path: str) -> sqlite3.Connection:
    """Return the database. Its primary key drops repeats; rows may go 9 days after they came (`at`, in seconds)."""
    db = sqlite3.connect(path)
    db.execute(
        "CREATE TABLE IF NOT EXISTS sms (id TEXT PRIMARY KEY, recipient, code, freshness, observed_at, text,"
        " at INTEGER DEFAULT (CAST(strftime('%s') AS INTEGER)))"
    )
    return db


def sms_of(message: confluent_kafka.Message) -> dict[str, str | None] | None:
    """Return what is kept of an SMS; a missing key is null. What is none is named, and skipped."""
    try:
        sms = json.loads(message.value())
        kept = {"id": sms["id"], **{key: sms.get(key) for key in KEPT}}
        "".join([kept["id"], *(each for each in kept.values() if each is not None)]).encode()  # all of it is text
        return kept
    except (TypeError, ValueError, KeyError, RecursionError):
        print(f"no SMS, skipped: {message.topic()}/{message.partition()}@{message.offset()}", file=sys.stderr)
        return None


def take(db: sqlite3.Connection, batch: Iterable[dict[str, str | None]]) -> None:
    """Keep the SMS of a batch that are not there yet, all or none."""
    with db:
        db.executemany(INSERT, batch)


def consume(consumer: confluent_kafka.Consumer, db: sqlite3.Connection) -> None:
    """Handle what comes, then commit: a crash in between repeats, and loses nothing."""
    while True:
        batch = consumer.consume(AT_ONCE, timeout=1.0)
        for error in filter(None, (message.error() for message in batch)):
            if error.fatal():
                raise KafkaException(error)
            print(error, file=sys.stderr)  # it goes on by itself
        if found := [sms_of(message) for message in batch if not message.error()]:
            take(db, filter(None, found))
            commit(consumer)


def commit(consumer: confluent_kafka.Consumer) -> None:
    """Commit what was handled. Of partitions that moved meanwhile, whoever has them now reads it again."""
    try:
        consumer.commit(asynchronous=False)
    except KafkaException as failed:
        if failed.args[0].code() not in MOVED:
            raise


def main(path: str) -> None:
    """Run until SIGTERM, or until something fails: a supervisor (systemd, Kubernetes) starts it again."""
    settings = {
        "bootstrap.servers": os.environ.get("KAFKA", "127.0.0.1:9092"),
        "group.id": os.environ.get("GROUP", "confluent-kafka"),
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    consumer = confluent_kafka.Consumer(settings)
    try:
        consumer.subscribe([os.environ.get("TOPIC", "sms.received.v1")])
        consume(consumer, opened(path))
    finally:
        consumer.close()  # others get its partitions at once, not after its session


if __name__ == "__main__":
    main(sys.argv[1])
