"""Each SMS once, whatever happens to this program: aiokafka, and SQLite for what was handled.

python consumer.py SMS.db    KAFKA (127.0.0.1:9092), TOPIC (sms.received.v1) and GROUP (aiokafka) are variables
"""

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

REPEATS_COME_WITHIN = 9 * 24 * 3600  # seconds: the topic keeps records for 7 to 8 days
AT_ONCE = 500  # SMS in a transaction
LOOK_EVERY = 60.0  # seconds
KEPT = ("recipient", "code", "freshness", "observed_at", "text")


class Stuck(Exception):
    """Kafka has records, and the consumer does not bring them."""


def opened(path: str) -> sqlite3.Connection:
    """Return the database: what was handled, and the memory against repeats."""
    db = sqlite3.connect(path, check_same_thread=False)
    db.executescript(
        "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS seen_at ON seen (at);"
        "CREATE TABLE IF NOT EXISTS sms (id, recipient, code, freshness, observed_at, text)"
    )
    return db


def sms_of(record: ConsumerRecord) -> dict[str, str | None] | None:
    """Return what is kept of an SMS; a missing key is null. What is none is named, and skipped."""
    try:
        sms = json.loads(record.value)
        kept = {"id": sms["id"], **{key: sms.get(key) for key in KEPT}}
        "".join([kept["id"], *(each for each in kept.values() if each is not None)]).encode()  # all of it is text
        return kept
    except (TypeError, ValueError, KeyError, RecursionError):
        print(f"no SMS, skipped: {record.topic}/{record.partition}@{record.offset}", file=sys.stderr)
        return None


def take(db: sqlite3.Connection, batch: Iterable[Mapping[str, str | None]]) -> None:
    """Handle what was not handled before. Memory and work are one transaction: a crash leaves both or none."""
    now = int(time.time())
    with db:
        for sms in batch:
            if db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (sms["id"], now)).rowcount:
                db.execute(
                    "INSERT INTO sms VALUES (:id, :recipient, :code, :freshness, :observed_at, :text)", sms
                )  # your work
        db.execute("DELETE FROM seen WHERE at < ?", (now - REPEATS_COME_WITHIN,))


async def consume(consumer: AIOKafkaConsumer, db: sqlite3.Connection) -> None:
    """Handle what comes, then commit: a crash in between repeats, and loses nothing."""
    while True:
        parts = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
        if found := [sms_of(record) for records in parts.values() for record in records]:
            await asyncio.to_thread(take, db, filter(None, found))  # in a thread: here it would hold up the heartbeats
            try:
                await consumer.commit()
            except CommitFailedError:
                print("the partitions moved: whoever has them now reads these again", file=sys.stderr)


async def watch(consumer: AIOKafkaConsumer, every: float = LOOK_EVERY) -> None:
    """End where nothing came for a while although Kafka has more: aiokafka can fall silent when a broker restarts."""
    before: dict[TopicPartition, int] = {}
    while True:
        await asyncio.sleep(every)
        try:
            async with asyncio.timeout(every):
                ends = await consumer.end_offsets([*before])
                now = {part: await consumer.position(part) for part in consumer.assignment()}
        except (KafkaError, TimeoutError):
            before = {}  # Kafka is away, or partitions move: a restart would not help
            continue
        if stuck := [part for part, at in before.items() if now.get(part) == at < ends[part]]:
            raise Stuck(*stuck)
        before = now


async def main(path: str) -> None:
    """Run until something fails: a supervisor (systemd, Kubernetes) starts it again."""
    consumer = AIOKafkaConsumer(
        os.environ.get("TOPIC", "sms.received.v1"),
        bootstrap_servers=os.environ.get("KAFKA", "127.0.0.1:9092"),
        group_id=os.environ.get("GROUP", "aiokafka"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer, asyncio.TaskGroup() as tasks:
        tasks.create_task(consume(consumer, opened(path)))
        tasks.create_task(watch(consumer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
