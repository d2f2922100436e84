"""Which targets have passed an event: the committed offsets of their groups, as Kafka has them. Nothing is stored."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bus.kafka import brokers
from bus.kafka.client import KafkaAway
from bus.kafka.topics_reader import Part
from bus.settings import KafkaSettings

FORWARD_GROUPS: Final = "smsbus-forward-"
"""How the group of a target begins, unprefixed; its name follows."""
FRESH: Final = 2.0  # seconds for which an answer is used again
PATIENCE: Final = 2.0  # seconds for an answer: somebody looks at an SMS

Progress = Mapping[str, Mapping[TopicPartition, int]]
"""The committed offsets of each target, by its name."""


class GroupProgress:
    """How far each target is. Those whose groups this user may not describe are left out."""

    def __init__(self, kafka: KafkaSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kafka = kafka
        self._prefix = kafka.topic(FORWARD_GROUPS)
        self._clock = clock
        self._asked: asyncio.Task[Progress | None] | None = None
        self._asked_at = 0.0

    async def passed(self, part: Part, offset: int) -> dict[str, bool] | None:
        """Return for each target that reads this partition whether it is past this record; None: nobody can say now.

        Past it: it was sent, was not wanted, or is a dead letter.
        """
        progress = await self._progress()
        if progress is None:
            return None
        full = TopicPartition(self._kafka.topic(part.topic), part.partition)
        return {name: offsets[full] > offset for name, offsets in sorted(progress.items()) if full in offsets}

    async def _progress(self) -> Progress | None:
        """Return the answer; who asks while one is fresh, or on its way, shares it."""
        now = self._clock()
        if self._asked is None or now - self._asked_at > FRESH:
            self._asked, self._asked_at = asyncio.create_task(self._ask()), now
        return await asyncio.shield(self._asked)

    async def _ask(self) -> Progress | None:
        try:
            async with brokers.admin(self._kafka, within=PATIENCE) as client:
                names = {name for name, *_ in await client.list_consumer_groups() if name.startswith(self._prefix)}
                return {name.removeprefix(self._prefix): await _offsets(client, name) for name in names}
        except KafkaAway:
            return None


async def _offsets(client: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    found = await client.list_consumer_group_offsets(group)
    return {full: committed.offset for full, committed in found.items() if committed.offset >= 0}
