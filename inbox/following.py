"""Keeping the tail at the end of the topics, whatever becomes of the brokers, and saying how far it is."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, Protocol

import structlog

from bus.kafka.client import KafkaAway, is_cancelled, seen
from bus.kafka.reader import ReadRecord
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import Part, Positions
from inbox.cursor import named
from inbox.settings import InboxSettings
from inbox.tail import HOUR_MS, MadeAnew, Tail

LOOK_EVERY: Final = 1.0  # seconds between two questions where the topics end
BLIND_AFTER: Final = 5.0  # seconds without an answer to it, when nothing is asked: while it connects
ANSWER_SECONDS: Final = 2.0  # for brokers to answer a question; they take milliseconds, or half a second behind a fetch
A_MOMENT: Final = 0.2  # more, in which a loop that was blocked for so long reads an answer that is there
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

    def has_read_all(self) -> bool:
        """Whether every partition could be read."""


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
        self._failure: BaseException | None = None  # what ended the reading; None: everything has been read since
        self._said: set[tuple[str, str]] = set()  # degraded reasons that hold and what is behind them, as in the log
        self._saying: asyncio.Task[None] | None = None
        self._is_silent = False  # the last question has no answer in time
        self._seen: Positions = {}  # where the topics ended a while ago: the tail should have reached that
        self._seen_at = self._answered_at = self._fetched_at = clock()
        self._asking: asyncio.Task[Positions | None] | None = None
        self._asking_next: asyncio.Task[Positions | None] | None = None

    def start(self) -> None:
        """Begin to read; Kafka need not be there."""
        self._task = asyncio.create_task(self.follow())
        self._saying = asyncio.create_task(self._say_on())

    def alive(self) -> bool:
        """Whether it reads, or tries to; it never ends by itself."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None and self._saying is not None:
            self._task.cancel()
            self._saying.cancel()
            await asyncio.wait([self._task, self._saying])

    # ---- how far it is -------------------------------------------------------------------------------------------

    async def wait_filled(self, seconds: float) -> bool:
        """Wait until the topics were read to their ends, at most so many seconds; return whether they were."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._filled.wait()
        return False

    @property
    def is_blind(self) -> bool:
        """Kafka does not let a topic be read, or has not answered for a while."""
        return isinstance(self._failure, TopicsError) or self._is_unanswered

    @property
    def _is_unanswered(self) -> bool:
        return self._is_silent or self._clock() - min(self._answered_at, self._fetched_at) > BLIND_AFTER

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
        # A cancellation is a stray one, as in `follow`, or nobody waits.
        with suppress(KafkaAway, TopicsError, TimeoutError, asyncio.CancelledError):
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
                self._is_silent |= self._failure is not None and self._filled.is_set()  # it failed again
                self._failure = error
            await asyncio.sleep(RETRY)

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
                if self._failure is not None and reader.has_read_all():
                    self._failure = None
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
            ends = await self._asked(reader)
            if any(end < read_to[part] for part, end in ends.items()):
                raise MadeAnew
            self._judge(ends)
            await asyncio.sleep(LOOK_EVERY)

    async def _asked(self, reader: Reader) -> Positions:
        """Ask where the topics end; it is blind once that takes too long, until there is an answer."""
        question = asyncio.ensure_future(reader.ends())
        try:
            for seconds in (ANSWER_SECONDS, A_MOMENT):
                await asyncio.wait([question], timeout=seconds)
            self._is_silent |= not question.done()
            return await question
        finally:
            question.add_done_callback(seen)
            question.cancel()

    def _judge(self, ends: Positions) -> None:
        self._is_silent, self._answered_at = False, self._clock()
        now = self._answered_at
        if now - self._seen_at < LATE:
            return
        if self._has_reached(self._seen):
            self.behind_since = None
        elif self.behind_since is None:
            self.behind_since = now
        self._seen, self._seen_at = ends, now

    # ---- the log -------------------------------------------------------------------------------------------------

    async def _say_on(self) -> None:
        while True:
            self._say()
            await asyncio.sleep(LOOK_EVERY)

    def _say(self) -> None:
        """Log what begins, once for each failure that is behind it, and what is over."""
        holds = self.degraded()
        for over in sorted({word for word, _ in self._said} - {*holds}):
            _log.info(f"{over}_no_more")
        self._said = {each for each in self._said if each[0] in holds}
        seconds = ANSWER_SECONDS if self._is_silent else BLIND_AFTER
        failure = self._failure or KafkaAway(f"no broker has answered for {seconds:.0f} seconds")
        if "inbox_blind" in holds and ("inbox_blind", _kind(failure)) not in self._said:
            self._said.add(("inbox_blind", _kind(failure)))
            _log.warning("inbox_blind", error=type(failure).__name__, **_details(failure))
        if "inbox_behind" in holds and ("inbox_behind", "") not in self._said:
            self._said.add(("inbox_behind", ""))
            _log.warning("inbox_behind", records=self.behind_records)


def _kind(failure: BaseException) -> str:
    """Return what two failures have in common that need one line; one about topics names them."""
    return str(failure) if isinstance(failure, TopicsError) else type(failure).__name__


def _details(failure: BaseException) -> dict[str, Any]:
    known = isinstance(failure, (KafkaAway, TopicsError, TimeoutError))
    return {"reason": str(failure)} if known else {"exc_info": failure}
