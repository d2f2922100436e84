"""Each SMS once, whatever happens to this program: confluent-kafka, and SQLite for what was handled.

python consumer.py SMS.db    KAFKA (127.0.0.1:9092), TOPIC (sms.received.v1) and GROUP (codes) are variables
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterable

import confluent_kafka

AT_ONCE = 500


def opened(path: str) -> sqlite3.Connection:
    """Return the database. Its primary key drops repeats; delete rows once they are older than 8 days."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE IF NOT EXISTS sms (id TEXT PRIMARY KEY, recipient TEXT, code TEXT, text TEXT)")
    return db


def take(db: sqlite3.Connection, values: Iterable[bytes]) -> None:
    """Keep the SMS of a batch that are not there yet, all or none."""
    with db:
        db.executemany(
            "INSERT OR IGNORE INTO sms VALUES (:id, :recipient, :code, :text)", [json.loads(value) for value in values]
        )


def consume(consumer: confluent_kafka.Consumer, db: sqlite3.Connection) -> None:
    """Handle what comes, then commit: a crash in between repeats, and loses nothing."""
    while True:
        batch = consumer.consume(AT_ONCE, timeout=1.0)
        for message in batch:
            if error := message.error():
                print(error, file=sys.stderr)
        if values := [message.value() for message in batch if not message.error()]:
            take(db, values)
            consumer.commit(asynchronous=False)


def main(path: str) -> None:
    """Run until something fails: a supervisor (systemd, Kubernetes) starts it again."""
    settings = {
        "bootstrap.servers": os.environ.get("KAFKA", "127.0.0.1:9092"),
        "group.id": os.environ.get("GROUP", "codes"),
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    consumer = confluent_kafka.Consumer(settings)
    consumer.subscribe([os.environ.get("TOPIC", "sms.received.v1")])
    consume(consumer, opened(path))


if __name__ == "__main__":
    main(sys.argv[1])
