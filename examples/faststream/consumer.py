"""Each SMS once, whatever happens to this program: FastStream, and SQLite for what was handled.

python consumer.py SMS.db    KAFKA (127.0.0.1:9092), TOPIC (sms.received.v1) and GROUP (faststream) are variables
"""

import asyncio
import os
import sqlite3
import sys
from typing import Final

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage
from pydantic import BaseModel, ValidationError

broker: Final = KafkaBroker(
    os.environ.get("KAFKA", "127.0.0.1:9092"),
    allow_auto_create_topics=False,  # the default makes a topic of a wrong name, with one partition
)
INSERT: Final = (
    "INSERT OR IGNORE INTO sms (id, recipient, code, freshness, observed_at, text)"
    " VALUES (:id, :recipient, :code, :freshness, :observed_at, :text)"
)
db: Final = sqlite3.connect(sys.argv[1])
# The primary key drops repeats; rows may go 9 days after they came (`at`, in seconds).
db.execute(
    "CREATE TABLE IF NOT EXISTS sms (id TEXT PRIMARY KEY, recipient, code, freshness, observed_at, text,"
    " at INTEGER DEFAULT (CAST(strftime('%s') AS INTEGER)))"
)


class Sms(BaseModel):
    """What is used here of an event; keys that are not named are ignored, as the contract asks."""

    id: str
    recipient: str | None = None
    code: str | None = None
    freshness: str | None = None
    observed_at: str | None = None
    text: str | None = None


async def as_it_came(message: KafkaMessage) -> bytes:
    """Let FastStream decode nothing: what it fails to decode would come again for ever."""
    return message.body


@broker.subscriber(
    os.environ.get("TOPIC", "sms.received.v1"),
    group_id=os.environ.get("GROUP", "faststream"),
    auto_offset_reset="earliest",
    decoder=as_it_came,
    ack_policy=AckPolicy.NACK_ON_ERROR,  # the default commits before the work: a crash would lose it
)
async def take(message: KafkaMessage) -> None:
    """Keep an SMS that is not there yet. Committed when this returns, and repeated when it raises."""
    try:
        sms = Sms.model_validate_json(
            message.body
        )  # here: an argument `sms: Sms` that is none would come again for ever
    except ValidationError:
        at = message.raw_message
        print(f"no SMS, skipped: {at.topic}/{at.partition}@{at.offset}", file=sys.stderr)
        return
    with db:
        db.execute(INSERT, sms.model_dump())


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
