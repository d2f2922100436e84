"""Each SMS once, whatever happens to this program: FastStream, and SQLite for what was handled.

python consumer.py SMS.db    KAFKA (127.0.0.1:9092), TOPIC (sms.received.v1) and GROUP (codes) are variables
"""

import asyncio
import os
import sqlite3
import sys
from typing import Final

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

broker: Final = KafkaBroker(os.environ.get("KAFKA", "127.0.0.1:9092"))
db: Final = sqlite3.connect(sys.argv[1])
# The primary key drops repeats; rows may go 9 days after they came (`at`, in seconds).
db.execute(
    "CREATE TABLE IF NOT EXISTS sms (id TEXT PRIMARY KEY, recipient TEXT, code TEXT, text TEXT,"
    " at INTEGER DEFAULT (CAST(strftime('%s') AS INTEGER)))"
)


class Sms(BaseModel):
    """What is used here of an event; keys that are not named are ignored, as the contract asks."""

    id: str
    recipient: str | None = None
    code: str | None = None
    text: str | None = None


@broker.subscriber(
    os.environ.get("TOPIC", "sms.received.v1"),
    group_id=os.environ.get("GROUP", "codes"),
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,  # the default commits before the work: a crash would lose it
)
async def take(sms: Sms) -> None:
    """Keep an SMS that is not there yet. Committed when this returns, and repeated when it raises."""
    insert = "INSERT OR IGNORE INTO sms (id, recipient, code, text) VALUES (:id, :recipient, :code, :text)"
    with db:
        db.execute(insert, sms.model_dump())


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
