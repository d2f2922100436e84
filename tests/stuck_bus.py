"""A bus without a broker, which takes SMS or not as the test wants, and never one kind of dead letter."""

import asyncio
import base64
import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bus.contract import Receipt
from bus.journal import skipped
from bus.journal.journal import FILE_NAME
from bus.journal.rows import RowName, Which
from bus.kafka_bus import KafkaBus
from bus.publishing import BatchRejected, RetryBatch
from bus.record import Record
from bus.settings import BusSettings, KafkaSettings
from tests.messages import rejected

POISON = b"poison"


class StuckBus:
    """A bus whose Kafka is played: it takes SMS once it is open, and never a dead letter with POISON in it."""

    def __init__(self, directory: Path) -> None:
        nowhere, settings = KafkaSettings(bootstrap_servers="127.0.0.1:1"), BusSettings(journal_dir=directory)
        self.bus = KafkaBus(nowhere, settings, instance="t", rng=random.Random(0))
        self.directory = directory
        self.topic: list[str] = []
        self.is_open = False
        self.hangs = asyncio.Event()
        self.flying = asyncio.Event()
        self.bus._producer.publish = self._publish  # type: ignore[method-assign]

    async def _publish(self, key: tuple[str, int], records: Sequence[Record], via: str) -> None:
        if any(base64.b64encode(POISON) in record.value for record in records):
            raise BatchRejected("too_large_for_the_topic")
        if not self.is_open:
            raise RetryBatch
        self.flying.set()
        await self.hangs.wait()
        self.topic += [record.id for record in records]

    async def rows(self) -> list[RowName]:
        [journal, *_] = self.bus.journals
        return [RowName(journal, row.seq, row.id) for row in await self.bus.rows(journal, Which(), 1 << 20)]

    def kept(self) -> list[dict[str, Any]]:
        path = self.directory / skipped.FILE
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def on_disk(self) -> list[str]:
        return on_disk(self.directory / self.bus.journals[0])


def on_disk(directory: Path) -> list[str]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        return [record_id for (record_id,) in connection.execute("SELECT id FROM rows ORDER BY seq")]


async def poisoned(stuck_bus: StuckBus) -> tuple[Receipt, Receipt]:
    """Accept a dead letter that is refused for ever, and one behind it in its lane."""
    stuck = await stuck_bus.bus.accept(rejected(POISON), key="one")
    behind = await stuck_bus.bus.accept(rejected(b"fine"), key="one")
    stuck_bus.is_open = True
    return stuck, behind
