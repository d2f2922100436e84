"""When the inbox says that it cannot read: brokers that do not respond, and rights that are missing."""

import asyncio
from contextlib import asynccontextmanager

from bus.kafka.client import KafkaAway
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import Part
from inbox.following import BLIND_AFTER, Following
from inbox.settings import InboxSettings
from inbox.tail import Tail
from schemas.topics import RECEIVED
from tests.virtual_time import virtual

PART = Part(RECEIVED, 0)


class Reader:
    """Brokers that say where the topics end; what they say of the rest is a test's."""

    cluster = "c"

    def __init__(self, fetch_fails: Exception | None = None, ends_fail: Exception | None = None) -> None:
        self.fetch_fails, self.ends_fail = fetch_fails, ends_fail

    async def ends(self):
        if self.ends_fail is not None:
            raise self.ends_fail
        return {PART: 1}

    async def begins(self, since_ms, at_most):
        return {PART: 0}

    def place(self, positions):
        pass

    def has_read_all(self):
        return self.is_read

    async def fetch(self):
        await asyncio.sleep(0.5)
        self.is_read = self.fetch_fails is None
        if self.fetch_fails is not None:
            raise self.fetch_fails
        return []


def following(reader: Reader) -> Following:
    @asynccontextmanager
    async def open_reader():
        yield reader

    settings = InboxSettings()
    clock = asyncio.get_running_loop().time
    made = Following(Tail(settings), settings, open_reader, now_ms=lambda: 0, clock=clock)
    made.start()
    return made


@virtual
async def test_it_starts_until_it_is_filled_or_blind():
    reads = following(Reader(ends_fail=KafkaAway()))
    at_once = (reads.is_starting(), reads.degraded())
    await asyncio.sleep(BLIND_AFTER + 1)

    assert at_once == (True, ())
    assert (reads.is_starting(), reads.degraded(), reads.alive()) == (False, ("inbox_blind",), True)


@virtual
async def test_who_may_see_the_topics_and_not_read_them_is_blind():
    reads = following(Reader(fetch_fails=TopicsError(["give it Read"])))
    await asyncio.sleep(0.6)

    assert (reads.is_starting(), reads.degraded()) == (False, ("inbox_blind",))


@virtual
async def test_who_reads_slowly_is_behind_and_not_blind():
    reads = following(Reader())
    await asyncio.sleep(BLIND_AFTER + 10)

    assert (reads.is_starting(), reads.degraded()) == (True, ("inbox_behind",))
