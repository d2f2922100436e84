"""The dead letter of an event that a target refused. It has what is needed to send the event to that target again.

Of an event that is too large for it, that is the place on its topic, for as long as Kafka keeps the event there.
"""

import re
from typing import Final, Protocol

from bus.kafka.writer import RecordWriter
from bus.record import build, with_via
from bus.settings import KafkaSettings
from inbox.item import Item
from schemas import identity
from schemas.dead_letter import UNKNOWN, rejected
from schemas.messages import SmsRejected

STAGE: Final = "forward"
MOST_BYTES: Final = 256 * 1024  # in base64 they fit into every topic; of a larger event its place is kept, too
_ACCOUNT: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Letters(Protocol):
    """Where dead letters go."""

    async def put(self, letter: SmsRejected) -> None:
        """Return when it is in Kafka. Raises `bus.kafka.client.KafkaAway` where it may still arrive."""


class LetterWriter:
    """Writes dead letters to their topic."""

    def __init__(self, kafka: KafkaSettings, instance: str) -> None:
        """`instance` names this process."""
        self._prefix, self._instance = kafka.topic_prefix, instance
        self._writer = RecordWriter(kafka)

    async def put(self, letter: SmsRejected) -> None:
        """See `Letters.put`."""
        record = build(letter, topic_prefix=self._prefix, instance=self._instance)
        headers = with_via(record.headers, "kafka")
        await self._writer.put(
            record.topic, record.partition, record.key, record.value, headers, timestamp_ms=record.timestamp_ms
        )

    async def close(self) -> None:
        """Close in bounded time."""
        await self._writer.close()


def letter_of(item: Item, *, forward: str, status: int, now_ms: int) -> SmsRejected:
    """Return the dead letter of an event; the same event, refused by the same target, gives the same id."""
    account, reason = item.account if _ACCOUNT.fullmatch(item.account) else UNKNOWN, f"http_{status}"
    letter = rejected(
        item.value,
        provider=item.provider,
        account=account,
        received_via=STAGE,
        stage=STAGE,
        reason=reason,
        facts={
            "forward": forward,
            "refused_id": item.id,
            "refused_topic": item.part.topic,
            "place": f"{item.part.partition}@{item.offset}",
        },
        observed_ms=now_ms,
        keep=MOST_BYTES,
    )
    target = forward.encode() + b"\n"  # two targets refuse the same event twice
    return letter.model_copy(
        update={"id": identity.rejected_id(item.provider, account, STAGE, reason, target + item.value)}
    )
