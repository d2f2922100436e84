"""Records of the topics as a trace reads them, and a Kafka of lists."""

from collections.abc import AsyncIterator

from bus.kafka.reader import ReadRecord, Start
from bus.record import build
from bus.settings import KafkaSettings
from schemas.messages import Message, WatchEnded
from schemas.timestamps import to_text

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000


def record(
    message: Message, offset: int, *, time_ms: int = NOW_MS, via: str = "kafka", instance: str = "one"
) -> ReadRecord:
    built = build(message, topic_prefix="", instance=instance)
    headers = dict(built.headers) | {"smsbus_via": via.encode()}
    return ReadRecord(built.partition, offset, time_ms, built.key, built.value, headers)


def end_of(watch: str, number: str | None = None, at_ms: int = NOW_MS) -> WatchEnded:
    order = {"provider": "grizzlysms", "account": "pool", "order_kind": "activation", "order_id": "7"}
    recipient = f"+{number}" if number else None
    return WatchEnded(
        watch_id=watch, recipient=recipient, reason="expired", sms_count=0, ended_at=to_text(at_ms), **order
    )


class Topics:
    """In place of `bus.kafka.reader.read`: what is asked of it is noted."""

    def __init__(self, records: dict[str, list[ReadRecord]]) -> None:
        self.records = records
        self.asked: list[tuple[str, Start]] = []

    async def read(self, kafka: KafkaSettings, topic: str, *, start: Start, follow: bool, only) -> AsyncIterator:
        assert not follow
        self.asked.append((topic, start))
        for each in self.records.get(topic, []):
            if each.timestamp_ms >= start.value and (only is None or each.partition in only):
                yield each
