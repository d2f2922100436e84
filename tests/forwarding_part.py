"""A forward on a partition in memory: the real one, with a target that says what it is told, in virtual time."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from bus.kafka.client import KafkaAway
from bus.kafka.group_reader import Share, Work
from bus.kafka.topics_reader import Part
from forwarding.delivery import NoResponse, Response
from forwarding.forward import Forward
from inbox.filters import Filter
from schemas.messages import SmsRejected
from schemas.topics import RECEIVED
from tests.inbox_records import NOW_MS, record

WEEK_MS = 7 * 24 * 3_600_000
KEY = b"k" * 24
Answer = Callable[[str], Response | NoResponse]


class Partition:
    """Its records, the group's progress in it, and a consumer of it."""

    def __init__(self, number: int = 0) -> None:
        self.part = Part(RECEIVED, number)
        self.full = TopicPartition(RECEIVED, number)
        self.records: list[ConsumerRecord] = []
        self.committed = 0
        self.position = 0
        self.more = asyncio.Event()
        self.idle = 0

    def publish(self, count: int, **more: object) -> list[str]:
        """Add events; return their ids."""
        for _ in range(count):
            at = len(self.records)
            self.put(json.loads(record(self.part, at, **more).value or b""))
        return [f"{self.part.partition}@{at}" for at in range(len(self.records) - count, len(self.records))]

    def put(self, value: Any, time_ms: int | None = None) -> None:
        kept = record(self.part, len(self.records))
        self.more.set()
        time_ms = kept.timestamp_ms if time_ms is None else time_ms
        self.records.append(
            ConsumerRecord(
                topic=RECEIVED, partition=self.part.partition, offset=len(self.records), timestamp=time_ms,
                timestamp_type=0, key=b"key", value=json.dumps(value).encode(), checksum=None, serialized_key_size=0,
                serialized_value_size=0, headers=(),
            )
        )  # fmt: skip

    async def getmany(self, full: TopicPartition, *, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        if self.position == len(self.records):
            self.more.clear()
            self.idle += 1
            with suppress(TimeoutError):  # a few real ones, then long ones: they are many in a virtual day
                async with asyncio.timeout(timeout_ms / 1000 if self.idle % 100 < 10 else 1e6):
                    await self.more.wait()
        got = self.records[self.position : self.position + max_records]
        self.position += len(got)
        return {full: got} if got else {}

    def share(self) -> Share:
        """It is assigned."""
        self.position = self.committed
        return Share(self.part, self.full, self.committed, len(self.records), self)  # type: ignore[arg-type]


class Reader:
    """The group, with one member that has all partitions."""

    def __init__(self, *partitions: Partition) -> None:
        self.partitions = partitions
        self.heard_at = 1e9
        self.shares: dict[Part, Share] = {}
        self.retention_ms: Mapping[str, int] = {RECEIVED: WEEK_MS}

    async def run(self, work: Work) -> None:
        self.shares = {each.part: each.share() for each in self.partitions}
        tasks = [asyncio.ensure_future(work(share)) for share in self.shares.values()]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self.commit()

    def commit(self) -> None:
        for each in self.partitions:
            each.committed = self.shares[each.part].next
            self.shares[each.part].end = len(each.records)


class Target:
    """It answers as it is told; `taken` are the ids that it answered with 2xx, with the time."""

    def __init__(self, answer: Answer = lambda _: Response(200), seconds: float = 0.01) -> None:
        self.answer = answer
        self.seconds = seconds
        self.asked: list[tuple[float, str]] = []
        self.taken: list[str] = []

    async def send(self, headers: Mapping[str, str], body: bytes) -> Response | NoResponse:
        event_id = headers["ce-id"]
        assert headers["webhook-id"] == event_id == json.loads(body)["id"]
        self.asked.append((asyncio.get_running_loop().time(), event_id))
        outcome = self.answer(event_id)
        if isinstance(outcome, Response) and 200 <= outcome.status < 300:
            self.taken.append(event_id)  # from now on; the answer may not arrive
        await asyncio.sleep(self.seconds)
        return outcome


class Letters:
    """Where dead letters go; `away` makes that many tries fail."""

    def __init__(self, away: int = 0) -> None:
        self.put_there: list[SmsRejected] = []
        self.away = away

    async def put(self, letter: SmsRejected) -> None:
        if self.away:
            self.away -= 1
            raise KafkaAway("away")
        self.put_there.append(letter)


def forward_of(
    reader: Reader, target: Target, letters: Letters | None = None, wanted: Filter | None = None, **more: Any
) -> Forward:
    more = {"jitter": lambda: 0.5, "now": lambda: NOW_MS / 1000, **more}
    return Forward("hook", reader, target, letters or Letters(), wanted or Filter(), key=KEY, **more)
