"""Virtual time, and an inbox on topics in memory."""

import json
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import pytest

from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from inbox.asking import Inbox
from inbox.cursor import named
from inbox.following import Following
from inbox.settings import InboxSettings
from inbox.tail import Tail
from tests.inbox_records import NOW_MS, PARTS
from tests.simulation.inbox.topics import Reader, Topics, Weather, open_reader
from tests.simulation.loop import Driver, Loop

T = TypeVar("T")


class World:
    """An inbox, the topics that it reads, and the loop that both are on."""

    def __init__(self, driver: Driver) -> None:
        self.topics = Topics()
        self.weather = Weather(random.Random(1))
        self.loop: Loop = driver.loop("inbox")
        self._driver = driver
        self._began = driver.clock.now

    def now_ms(self) -> int:
        return NOW_MS + int((self._driver.clock.now - self._began) * 1000)

    def inbox(
        self, *, opened: Callable[[], AbstractAsyncContextManager[Reader]] | None = None, **limits: float
    ) -> Inbox:
        settings = InboxSettings.model_validate(limits)
        following = Following(
            Tail(settings),
            settings,
            opened or (lambda: open_reader(self.topics, self.weather)),
            now_ms=self.now_ms,
            clock=self.loop.time,
        )
        return Inbox(following, now_ms=self.now_ms)

    def started(self, **limits: float) -> Inbox:
        """An inbox that has read what there is."""
        inbox = self.inbox(**limits)
        self.loop.call_soon(inbox.following.start)
        self.pass_time(2)
        return inbox

    def idle(self, **limits: float) -> Inbox:
        """An inbox that does not read: what it has is given to its tail."""
        inbox = self.inbox(**limits)
        inbox.following.cluster = named(self.topics.cluster)
        inbox.following.tail.reset(dict.fromkeys(PARTS, 0))
        inbox.following._reader = Reader(self.topics, self.weather, changes=False)
        return inbox

    def publish(self, part: Part, each: ReadRecord) -> None:
        """Write it at the end of a partition."""
        self.topics.write(part, json.loads(each.value or b""), each.timestamp_ms, self._driver.clock.now)

    def pass_time(self, seconds: float) -> None:
        self._driver.run(self._driver.clock.now + seconds)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        found: T = self._driver.complete(work, self.loop)
        return found

    def later(self, seconds: float, do: Callable[..., object], *given: object) -> None:
        self.loop.call_later(seconds, do, *given)


@pytest.fixture
def world() -> Iterator[World]:
    driver = Driver(random.Random(1))
    yield World(driver)
    driver.end()
    assert driver.errors == []
