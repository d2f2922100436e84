"""Keeping the tail at the end of the topics, whatever becomes of the brokers, and saying how far it is."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, Protocol

import structlog

from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import Part, Positions
from bus.sharding.group import is_cancelled
from inbox.cursor import named
from inbox.settings import InboxSettings
from inbox.tail import HOUR_MS, MadeAnew, Tail

LOOK_EVERY: Final = 1.0  # seconds between two questions where the topics end
BLIND_AFTER: Final = 5.0  # seconds without an answer to it
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
        self._task: asyncio.Task[None] | None = None
        self.behind_since: float | None = None
        """By `clock`: since when it is more than `LOOK_EVERY` behind what is published; None: it is not."""
        self.settings = settings
        self._open_reader = open_reader
        self._now_ms = now_ms
        self._clock = clock
        self._reader: Reader | None = None
        self._answered_at = clock()  # when brokers last said where the topics end
        self._asking: asyncio.Task[Positions] | None = None
        self._asking_next: asyncio.Task[Positions] | None = None

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
        """Wait until the topics were read to their ends once, at most so many seconds; return whether they were."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._filled.wait()
        return False

    @property
    def is_blind(self) -> bool:
        """Kafka has not said for a while where the topics end."""
        return self._clock() - self._answered_at > BLIND_AFTER

    @property
    def behind_seconds(self) -> float:
        """For how long it has been behind; 0: it is not."""
        return self._clock() - self.behind_since if self.behind_since is not None else 0.0

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reasons: at most one."""
        if self.is_blind:
            return ("inbox_blind",)
        return ("inbox_behind",) if self.behind_since is not None else ()

    async def ends(self) -> Positions:
        """Ask the brokers, now, where the topics end. Raises `Blind`.

        Those who ask while a question is under way share the next one: an answer to an older question is too old.
        """
        if self._asking_next is None:
            self._asking_next = asyncio.create_task(self._ask_after(self._asking))
        try:
            return await asyncio.shield(self._asking_next)
        except KafkaAway:
            raise Blind from None

    async def _ask_after(self, earlier: asyncio.Task[Positions] | None) -> Positions:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._asking, self._asking_next = self._asking_next, None
        if self._reader is None:
            raise KafkaAway
        return await self._reader.ends()

    # ---- following -----------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Read without end; whatever ends the reading, begin again where it ended."""
        said: type[BaseException] | None = None
        while True:
            try:
                async with self._open_reader() as reader:
                    await self._read(reader)
            except MadeAnew:
                self.tail.reset({})
                _log.warning("inbox_topic_made_anew")
            except (Exception, asyncio.CancelledError) as error:
                if is_cancelled():
                    raise  # otherwise a stray one: closing a TLS connection under uvloop can raise it
                if self.is_blind and type(error) is not said:
                    said = type(error)
                    known = isinstance(error, (KafkaAway, TopicsError))
                    _log.warning("inbox_blind", error=type(error).__name__, exc_info=not known)
            else:
                said = None
            self._reader = None
            await asyncio.sleep(RETRY)

    async def _read(self, reader: Reader) -> None:
        ends = await self._begin(reader)
        self._reader = reader
        looking = asyncio.create_task(self._look(reader))
        try:
            while not looking.done():
                if self._has_reached(ends):
                    self._filled.set()
                await self._take(await reader.fetch())
            await looking  # raises why it ended
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def _begin(self, reader: Reader) -> Positions:
        """Go on where the tail ends, if the topics reach that far and the cluster is the same; else fill it afresh.

        Return where the topics end.
        """
        ends, read_to, cluster = await reader.ends(), self.tail.ends, named(reader.cluster)
        if cluster != self.cluster or any(read_to.get(part, -1) > end for part, end in ends.items()) or not read_to:
            since_ms = self._now_ms() - int(self.settings.hours * HOUR_MS)
            read_to = await reader.begins(since_ms, self.settings.events)
            self.tail.reset(read_to)
            self.cluster = cluster
        reader.place(read_to)
        return ends

    def _has_reached(self, ends: Positions) -> bool:
        return all(self.tail.ends[part] >= end for part, end in ends.items())

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
            ends = await reader.ends()
            self._answered_at = self._clock()
            await asyncio.sleep(LOOK_EVERY)
            if self._has_reached(ends):
                self.behind_since = None
            elif self.behind_since is None:
                self.behind_since = self._clock()
