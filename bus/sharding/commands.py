"""A command on the watches topic, and its writer."""

from dataclasses import dataclass
from typing import Final

from bus.kafka.writer import RecordWriter
from bus.record import partition_of
from bus.settings import KafkaSettings
from schemas.topics import WATCH_PARTITIONS, WATCHES

FORGETS: Final = "smsbus_forgets"  # a tombstone's header: it withdraws nothing, and names the request that it forgets


@dataclass(frozen=True, slots=True)
class Command:
    """One record of the watches topic; `value` None is a tombstone."""

    partition: int
    key: str
    value: bytes | None
    forgets: str | None = None
    """For a tombstone of ours: the request that it forgets. None: an operator withdrew the watch."""


class CommandWriter:
    """Writes commands to the partition that is theirs; connects with the first one."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._topic = kafka.topic(WATCHES)
        self._writer = RecordWriter(kafka)

    async def put(self, key: str, value: bytes) -> None:
        """Return when the command is in Kafka (acks=all). Raises `bus.kafka.writer.WriteForbidden`.

        Raises `bus.kafka.client.KafkaAway` where it may still arrive.
        """
        await self._send(key, value, partition_of(key.encode(), WATCH_PARTITIONS), [])

    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None:
        """Delete a command from a partition. `forgets`: housekeeping up to this request; nothing is withdrawn."""
        await self._send(key, None, partition, [] if forgets is None else [(FORGETS, forgets.encode())])

    async def close(self) -> None:
        """Close in bounded time."""
        await self._writer.close()

    async def _send(self, key: str, value: bytes | None, partition: int, headers: list[tuple[str, bytes]]) -> None:
        await self._writer.put(self._topic, partition, key.encode(), value, headers)
