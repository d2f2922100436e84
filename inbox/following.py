"""Keeping the tail at the end of the topics, whatever becomes of the brokers, and saying how far it is."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, Protocol

import structlog

from bus.kafka.client import KafkaAway, is_cancelled
from bus.kafka.reader import ReadRecord
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import Part, Positions
from inbox.cursor import named
from inbox.settings import InboxSettings
from inbox.tail import HOUR_MS, MadeAnew, Tail

LOOK_EVERY: Final = 1.0  # seconds between two questions where the topics end
BLIND_AFTER: Final = 5.0  # seconds without an answer to it
LATE: Final = 0.99  # seconds after which the tail should have what was published; each look judges the one before
RETRY: Final = 1.0
AT_ONCE: Final = 200  # records before other tasks get their turn

_log = structlog.get_logger("inbox")


class Reader(Protocol):
    """What it reads with: `bus.kafka.topics_reader.TopicsReader`."""

    cluster: str

    async def ends(self) -> Positions:
        """Ask where the topics end."""

    async def begins(self, since_ms: int, at_most: int) -> Positions:
        """Ask where to begin."""

    def place(self, positions: Positions) -> None:
        """Read on from there."""

    async def fetch(self) -> list[tuple[Part, ReadRecord]]:
        """Return what comes."""


class Blind(Exception):
    """Kafka cannot be read, so nobody can tell what is new."""


class Following:
    """Fills a tail. `start`, then `stop`."""

    def __init__(
        self,
        tail: Tail,
        settings: InboxSettings,
        open_reader: Callable[[], AbstractAsyncContextManager[Reader]],
        *,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tail = tail
        self.cluster = 0
        """The cluster's name in cursors."""
        self._filled = asyncio.Event()
        self._must_reset = True  # nothing was read, or the topic was made anew
        self._task: asyncio.Task[None] | None = None
        self.behind_since: float | None = None
        """By `clock`: since when it is more than `LOOK_EVERY` behind what is published; None: it is not."""
        self.settings = settings
        self._open_reader = open_reader
        self._now_ms = now_ms
        self._clock = clock
        self._reader: Reader | None = None
        self._said: type[BaseException] | None = None  # why it was blind when the log last said so
        self._seen: Positions = {}  # where the topics ended a while ago: the tail should have reached that
        self._seen_at = self._answered_at = self._fetched_at = clock()
        self._asking: asyncio.Task[Positions | None] | None = None
        self._asking_next: asyncio.Task[Positions | None] | None = None

    def start(self) -> None:
        """Begin to read; Kafka need not be there."""
        self._task = asyncio.create_task(self.follow())

    def alive(self) -> bool:
        """Whether it reads, or tries to; it never ends by itself."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # ---- how far it is -------------------------------------------------------------------------------------------

    async def wait_filled(self, seconds: float) -> bool:
        """Wait until the topics were read to their ends, at most so many seconds; return whether they were."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._filled.wait()
        return False

    @property
    def is_blind(self) -> bool:
        """For a while Kafka has not said where the topics end, or not let them be read."""
        return self._clock() - min(self._answered_at, self._fetched_at) > BLIND_AFTER

    def is_starting(self) -> bool:
        """The topics are being read for the first time, and nothing is known to be wrong."""
        return not self._filled.is_set() and not self.is_blind

    @property
    def behind_seconds(self) -> float:
        """For how long it has been behind; 0: it is not."""
        return self._clock() - self.behind_since if self.behind_since is not None else 0.0

    @property
    def behind_records(self) -> int:
        """How many records it has still to read, of those that were there when it last looked; 0: it is not behind."""
        if self.behind_since is None:
            return 0
        read_to = self.tail.ends
        return sum(max(0, end - read_to[part]) for part, end in self._seen.items())

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reasons: at most one."""
        if self.is_blind:
            return ("inbox_blind",)
        return ("inbox_behind",) if self.behind_since is not None else ()

    async def ends(self) -> Positions:
        """Ask the brokers, now, where the topics end. Raises `Blind` if they do not say so within seconds.

        Those who ask while a question is under way share the next one: an answer to an older question is too old.
        """
        if self._asking_next is None:
            self._asking_next = asyncio.create_task(self._ask_after(self._asking))
        answer = await asyncio.shield(self._asking_next)
        if answer is None:
            raise Blind
        return answer

    async def _ask_after(self, earlier: asyncio.Task[Positions | None] | None) -> Positions | None:
        """Return the answer; None: there is none, or it is of a lost connection, perhaps to another cluster."""
        if earlier is not None:
            await asyncio.wait([earlier])
        self._asking, self._asking_next = self._asking_next, None
        if (reader := self._reader) is None:
            return None
        with suppress(KafkaAway, TimeoutError, asyncio.CancelledError):  # a stray one, as in `follow`, or nobody waits
            async with asyncio.timeout(BLIND_AFTER):
                ends = await reader.ends()
                return ends if reader is self._reader else None
        return None

    # ---- following -----------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Read without end; whatever ends the reading, begin again where it ended."""
        while True:
            try:
                async with self._open_reader() as reader:
                    await self._read(reader)
            except MadeAnew:
                self._must_reset = True
                _log.warning("inbox_topic_made_anew")
            except (Exception, asyncio.CancelledError) as error:
                if is_cancelled():
                    raise  # otherwise a stray one: closing a TLS connection under uvloop can raise it
                self._say_blind(error)
            await asyncio.sleep(RETRY)

    def _say_blind(self, error: BaseException) -> None:
        if self.is_blind and type(error) is not self._said:
            self._said = type(error)
            known = isinstance(error, (KafkaAway, TopicsError, TimeoutError))
            reason = {"reason": str(error)} if known else {}
            _log.warning("inbox_blind", error=type(error).__name__, exc_info=not known, **reason)

    async def _read(self, reader: Reader) -> None:
        ends = await self._begin(reader)
        self._reader = reader
        looking = asyncio.create_task(self._look(reader))
        try:
            while not looking.done():
                if self._has_reached(ends):
                    self._filled.set()
                async with asyncio.timeout(BLIND_AFTER):
                    records = await reader.fetch()
                self._fetched_at = self._clock()
                await self._take(records)
            await looking  # raises why it ended
        finally:
            self._reader = None
            looking.cancel()
            await asyncio.wait([looking])

    async def _begin(self, reader: Reader) -> Positions:
        """Go on where the tail ends, if that is there and recent; else fill it afresh. Return where the topics end."""
        ends, read_to, cluster = await reader.ends(), self.tail.ends, named(reader.cluster)
        since_ms = self._now_ms() - int(self.settings.hours * HOUR_MS)
        begins = await reader.begins(since_ms, self.settings.events)
        goes_on = all(begins[part] <= offset <= ends[part] for part, offset in read_to.items())
        if self._must_reset or cluster != self.cluster or not goes_on:
            self._filled.clear()
            self.tail.reset(begins)
            self.cluster, self._must_reset = cluster, False
            self._seen, self._seen_at = ends, self._clock()
        reader.place(self.tail.ends)
        return ends

    def _has_reached(self, ends: Positions) -> bool:
        read_to = self.tail.ends
        return all(read_to[part] >= end for part, end in ends.items())

    async def _take(self, records: list[tuple[Part, ReadRecord]]) -> None:
        for index, (part, record) in enumerate(records, start=1):
            self.tail.add(part, record)
            if index % AT_ONCE == 0:
                self.tail.expire(self._now_ms())
                await asyncio.sleep(0)
        self.tail.expire(self._now_ms())

    async def _look(self, reader: Reader) -> None:
        """Ask where the topics end; a second later the tail should have reached that."""
        while True:
            read_to = self.tail.ends
            ends = await reader.ends()
            if any(end < read_to[part] for part, end in ends.items()):
                raise MadeAnew
            self._judge(ends)
            await asyncio.sleep(LOOK_EVERY)

    def _judge(self, ends: Positions) -> None:
        self._answered_at = now = self._clock()
        if not self.is_blind:
            self._said = None
        if now - self._seen_at < LATE:
            return
        if self._has_reached(self._seen):
            self.behind_since = None
        elif self.behind_since is None:
            self.behind_since = now
        self._seen, self._seen_at = ends, now
