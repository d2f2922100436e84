"""The inbox's topics in memory, and a reader of them that fails as the real one does: whenever it waits."""

import asyncio
import heapq
import json
import random
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import Part, Positions
from tests.inbox_records import PARTS

POLL: Final = 0.5
PATIENCE: Final = 20.0  # as `bus.kafka.reader.answered`


class Written(NamedTuple):
    """A record, and when it came to its partition."""

    at: float
    record: ReadRecord
    event: dict[str, Any] | None
    """None: junk."""
    is_repeat: bool


@dataclass
class Log:
    """A partition of one making of its topic. `begin`: the first offset that is not deleted."""

    written: list[Written] = field(default_factory=list)
    begin: int = 0

    @property
    def end(self) -> int:
        return len(self.written)

    def since(self, at: float) -> int:
        """The offset of the first record that came then or later."""
        return bisect_left(self.written, at, key=lambda each: each.at)


class Ends(dict[Part, int]):
    """An answer that knows when it was asked for."""

    asked_at: float


class Topics:
    """What the brokers have."""

    def __init__(self) -> None:
        self.cluster = "first"
        self.away = False
        self.unreadable = False
        """They say where the topics end, and do not let anybody read them."""
        self.logs = {part: Log() for part in PARTS}
        self.makings = dict.fromkeys(PARTS, 0)
        self.answered_at = 0.0
        """When they last said where they end."""
        self.changes = 0
        """How often anything in them changed."""

    def ends(self) -> Positions:
        return {part: log.end for part, log in self.logs.items()}

    def write(
        self, part: Part, event: dict[str, Any] | None, time_ms: int, at: float, *, is_repeat: bool = False
    ) -> None:
        self.changes += 1
        log, value = self.logs[part], b"junk" if event is None else json.dumps(event).encode()
        log.written.append(
            Written(at, ReadRecord(part.partition, log.end, time_ms, b"key", value, {}), event, is_repeat)
        )

    def make_anew(self, topic: str) -> None:
        self.changes += 1
        for part in self.logs:
            if part.topic == topic:
                self.logs[part], self.makings[part] = Log(), self.makings[part] + 1

    def be_another(self) -> None:
        self.cluster += "'"
        for topic in {part.topic for part in self.logs}:
            self.make_anew(topic)

    def delete(self, until: float) -> None:
        """Delete what came before that."""
        self.changes += 1
        for log in self.logs.values():
            while log.begin < log.end and log.written[log.begin].at < until:
                log.begin += 1


@dataclass
class Weather:
    """How often and how a wait of the reader fails; all of it may be changed at any time."""

    rng: random.Random
    fails: float = 0.0
    hangs: float = 0.0
    slow: float = 0.0
    """Seconds that a wait takes, at most."""
    at_once: int = 1_000
    """Records of one fetch."""
    polls: float = 0.1
    """Seconds between two looks whether something came."""

    async def wait(self, *fails: BaseException) -> None:
        rng = self.rng
        if self.slow:
            await asyncio.sleep(rng.uniform(0, self.slow))
        if rng.random() < self.hangs:
            await asyncio.sleep(rng.choice([3.0, 7.0, PATIENCE]))
            raise KafkaAway
        if rng.random() < self.fails:
            raise rng.choice(fails or (KafkaAway(), TopicsError(["no"]), OSError(), asyncio.CancelledError()))


class Reader:
    """As `bus.kafka.topics_reader.TopicsReader`. One that is closed may still answer what it was asked."""

    def __init__(self, topics: Topics, weather: Weather, *, changes: bool) -> None:
        self.cluster = topics.cluster
        self._topics = topics
        self._weather = weather
        self._changes = changes  # it goes on with another cluster at the same address, and takes it for the same
        self._positions: Positions = {}
        self._read_at = -1  # of `Topics.changes`, when there was nothing to read
        self._answered = False
        self._was_refused = False

    async def ends(self) -> Positions:
        asked_at = asyncio.get_running_loop().time()
        await self._reach()
        ends = Ends(self._topics.ends())
        ends.asked_at = asked_at
        await self._weather.wait(KafkaAway(), asyncio.CancelledError())
        self._topics.answered_at = asyncio.get_running_loop().time()
        return ends

    async def begins(self, since_ms: int, at_most: int) -> Positions:
        ends = await self.ends()
        await self._weather.wait()
        young = {part: self._young(log, since_ms) for part, log in self._topics.logs.items()}
        return {
            part: max(end if young[part] is None else young[part], end - at_most)  # type: ignore[type-var]
            for part, end in ends.items()
        }

    def place(self, positions: Positions) -> None:
        assert positions.keys() == self._topics.logs.keys()
        self._positions, self._read_at = dict(positions), -1

    async def fetch(self) -> list[tuple[Part, ReadRecord]]:
        await self._weather.wait()
        if self._topics.unreadable:
            await self._be_refused()
            return []
        until = asyncio.get_running_loop().time() + POLL
        while not (found := self._found()) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(self._weather.polls)
        self._answered = not self._is_cut()
        return found

    def has_read_all(self) -> bool:
        return self._answered

    async def _be_refused(self) -> None:
        """A broker may say so only after as long as the fetch waits: then that ends without anything first."""
        await asyncio.sleep(POLL if not self._was_refused else 0)
        if self._was_refused:
            raise TopicsError(["no"])
        self._was_refused = True

    async def _reach(self) -> None:
        await self._weather.wait(KafkaAway(), asyncio.CancelledError())
        until = asyncio.get_running_loop().time() + PATIENCE
        while self._is_cut():
            await asyncio.sleep(0.2)
            if asyncio.get_running_loop().time() > until:
                raise KafkaAway

    def _is_cut(self) -> bool:
        return self._topics.away or (self._topics.cluster != self.cluster and not self._changes)

    def _found(self) -> list[tuple[Part, ReadRecord]]:
        if self._is_cut() or self._read_at == self._topics.changes:
            return []
        batches, left = [], self._weather.at_once
        for part, position in self._positions.items():
            log = self._topics.logs[part]
            if not log.begin <= position <= log.end:
                position = log.begin  # noqa: PLW2901 - as a consumer whose offset is out of range
            records = [each.record for each in log.written[position : position + left]]
            left -= len(records)
            self._positions[part] = position + len(records)
            batches.append([(part, record) for record in records])
        found = list(heapq.merge(*batches, key=lambda each: each[1].timestamp_ms))
        if not found:
            self._read_at = self._topics.changes
        return found

    @staticmethod
    def _young(log: Log, since_ms: int) -> int | None:
        found = (each.record for each in log.written[log.begin :] if each.record.timestamp_ms >= since_ms)
        return next((record.offset for record in found), None)


@asynccontextmanager
async def open_reader(topics: Topics, weather: Weather) -> AsyncIterator[Reader]:
    """As `bus.kafka.topics_reader.open_reader`."""
    await weather.wait()
    if topics.away:
        await asyncio.sleep(1)
        raise KafkaAway
    reader = Reader(topics, weather, changes=weather.rng.random() < 0.3)
    try:
        yield reader
    finally:
        await asyncio.sleep(weather.rng.uniform(0, weather.slow))
