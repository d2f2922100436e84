"""Replaying: what the present parser accepts of dead letters is published, unless its id is on the topic already."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from app.rejected.parsing import Outcome
from bus.kafka import reader
from bus.kafka.reader import ReadRecord
from bus.kafka.writer import RecordWriter
from bus.record import Record, build, partition_of, with_via
from bus.settings import KafkaSettings
from schemas.messages import SmsReceived
from schemas.topics import RECEIVED


@dataclass
class Plan:
    """What a replay does with the dead letters that were selected."""

    letters: set[str] = field(default_factory=set)
    """The ids of the dead letters."""
    sms: dict[str, SmsReceived] = field(default_factory=dict)
    """To be published, by id, in the order in which they came."""
    already: int = 0
    """SMS whose ids are on the topic: replayed before, or received again since."""
    failing: Counter[str] = field(default_factory=Counter)
    """Callbacks that still fail, by reason."""

    def add(self, letter: str, outcomes: Iterable[Outcome]) -> None:
        """Take one dead letter. The same SMS of several letters is published once."""
        self.letters.add(letter)
        for outcome in outcomes:
            if outcome.sms is None:
                self.failing[outcome.reason] += 1
            else:
                self.sms.setdefault(outcome.sms.id, outcome.sms)

    def leave(self, ids: Collection[str]) -> None:
        """Leave out what is on the topic already."""
        for each in ids:
            if self.sms.pop(each, None) is not None:
                self.already += 1

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "letters": len(self.letters),
            "sms": [*self.sms],
            "already": self.already,
            "failing": dict(self.failing.most_common()),
        }


async def published(kafka: KafkaSettings, plan: Plan, on_read: Callable[[ReadRecord], None]) -> set[str]:
    """Return which of its SMS are on the topic now; only their partitions are read. Raises `KafkaAway`.

    `on_read` is told each record; what it raises ends the reading.
    """
    wanted = {each.encode(): each for each in plan.sms}
    partitions = {partition_of(sms.key().encode()) for sms in plan.sms.values()}
    found = set[str]()
    records = reader.read(kafka, RECEIVED, start=reader.BEGINNING, follow=False, only=partitions)
    async with aclosing(records):
        async for record in records:
            on_read(record)
            if each := wanted.get(record.headers.get("ce_id", b"")):
                found.add(each)
    return found


async def publish(kafka: KafkaSettings, plan: Plan, *, instance: str, now_ms: Callable[[], int]) -> AsyncIterator[str]:
    """Publish its SMS one after the other, so that those of one number keep their order; yield each acknowledged id.

    Raises `KafkaAway`: the rest is not published, and the same replay once more goes on with it.
    """
    writer = RecordWriter(kafka)
    try:
        for sms in plan.sms.values():
            await _write(writer, _record(sms, kafka, instance, now_ms()))
            yield sms.id
    finally:
        await writer.close()


async def _write(writer: RecordWriter, record: Record) -> None:
    headers = with_via(record.headers, "replay")
    await writer.put(record.topic, record.partition, record.key, record.value, headers, record.timestamp_ms)


def _record(sms: SmsReceived, kafka: KafkaSettings, instance: str, at_ms: int) -> Record:
    """Return its record, with the time of the replay: by the SMS's own, Kafka might delete it at once."""
    return build(sms, topic_prefix=kafka.topic_prefix, instance=instance)._replace(timestamp_ms=at_ms)
