"""An inbox on topics in memory: the real one, with a reader that has neither brokers nor waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part, Positions
from bus.settings import KafkaSettings
from inbox.asking import Ended, Inbox, Page
from inbox.cursor import Cursor
from inbox.filters import Filter
from inbox.following import BLIND_AFTER, Following
from inbox.settings import InboxSettings
from inbox.tail import Tail
from pollers.watches.watch_table import WatchTable
from schemas import timestamps
from schemas.messages import Message, Watch
from schemas.topics import MESSAGE_PARTITIONS, RECEIVED, REJECTED, WATCH_ENDED

PARTS = [Part(topic, number) for topic in (RECEIVED, REJECTED, WATCH_ENDED) for number in range(MESSAGE_PARTITIONS)]
HURRY = 100
"""How many times shorter than asked every wait is."""


class Topics:
    """What the reader reads."""

    def __init__(self, *, now_ms: int, cluster: str = "memory") -> None:
        self.now_ms = now_ms
        self.cluster = cluster
        self.away = False
        self.seconds = 0.0
        """What the inbox takes for the monotonic time."""
        self._records: dict[Part, list[ReadRecord]] = {part: [] for part in PARTS}
        self._next: Positions = {}
        self._more = asyncio.Event()

    @asynccontextmanager
    async def open_reader(self) -> AsyncIterator["Topics"]:
        self._asked()
        yield self

    async def ends(self) -> Positions:
        self._asked()
        return {part: len(records) for part, records in self._records.items()}

    async def begins(self, since_ms: int, at_most: int) -> Positions:
        return dict.fromkeys(PARTS, 0)

    def place(self, positions: Positions) -> None:
        self._next = {**positions}
        self._more.set()

    def has_read_all(self) -> bool:
        return not self.away

    async def fetch(self) -> list[tuple[Part, ReadRecord]]:
        await self._more.wait()
        self._more.clear()
        new = [(part, record) for part, next_ in self._next.items() for record in self._records[part][next_:]]
        self._next = {part: len(records) for part, records in self._records.items()}
        return new

    def publish(self, message: Message, partition: int = 0, *, via: str = "kafka", at_ms: int | None = None) -> None:
        """Add a record as the bus makes it; `at_ms`: when the message was observed, if not at its own time."""
        at_ms = timestamps.to_epoch_ms(message.event_time) if at_ms is None else at_ms
        headers = {"ce_id": message.event_id.encode(), "smsbus_via": via.encode()}
        self.put(Part(message.TOPIC, partition), message.to_json(), at_ms, headers)

    def put(self, part: Part, value: bytes, at_ms: int, headers: dict[str, bytes]) -> None:
        """Add any record."""
        records = self._records[part]
        records.append(ReadRecord(part.partition, len(records), at_ms, b"key", value, headers))
        self._more.set()

    def go_away(self) -> None:
        """Answer nothing from now on, and for so long already that the inbox calls itself blind."""
        self.away = True
        self.seconds += BLIND_AFTER + 1

    def _asked(self) -> None:
        if self.away:
            raise KafkaAway("away")


class QuickFollowing(Following):
    """The following, with seconds that pass in no time."""

    async def wait_filled(self, seconds: float) -> bool:
        return await super().wait_filled(seconds / HURRY)


class QuickInbox(Inbox):
    """The inbox, with seconds that pass in no time."""

    async def wait(self, wanted: Filter, cursor: Cursor, seconds: float, **more: Any) -> Page:
        return await super().wait(wanted, cursor, seconds / HURRY, **more)

    async def wait_in_order(
        self, wanted: Filter, sequence: int, ended: Callable[[], Ended | None], seconds: float, **more: Any
    ) -> Page:
        return await super().wait_in_order(wanted, sequence, ended, seconds / HURRY, **more)


class TableInMemory(WatchTable):
    """The table of the watches, without brokers: what they have that it has not read yet is `unread`."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings())
        self.unread: list[Watch] = []
        self.away = False

    async def catch_up(self) -> None:
        if self.away:
            raise KafkaAway("away")
        while self.unread:
            self.put(self.unread.pop(0))


def inbox_of(topics: Topics, settings: InboxSettings | None = None) -> QuickInbox:
    """Return an inbox that reads nothing yet."""
    settings = settings or InboxSettings()
    following = QuickFollowing(
        Tail(settings), settings, topics.open_reader, now_ms=lambda: topics.now_ms, clock=lambda: topics.seconds
    )
    return QuickInbox(following, now_ms=lambda: topics.now_ms)
