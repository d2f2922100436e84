"""What clients ask the inbox: pages, waits and streams, each with the cursor to go on from."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final, NamedTuple

from bus.durations import Durations
from bus.kafka.topics_reader import Part, Positions
from inbox.cursor import Cursor, Place, mark_of
from inbox.filters import Filter
from inbox.following import ANSWER_SECONDS, Blind, Following
from inbox.item import Item
from inbox.lasting import Closing, Lasting
from inbox.tail import Gone

AT_ONCE: Final = 500  # events that are looked at before other tasks get their turn
CLOCKS_MS: Final = 5_000
"""How much older than its beginning an SMS may be that satisfies a wait: clocks differ, publishing takes a moment."""
SURE: Final = 3  # looks after the end of a watch, until all its SMS are here: what is not was no match, or forgotten
LOOK_EVERY: Final = 1.0  # seconds between two looks whether a waited-for watch has ended
WAIT_BUCKETS: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)  # seconds


class Page(NamedTuple):
    """Events in order, and the cursor after them."""

    items: list[Item]
    cursor: Cursor


class OtherFilter(Exception):
    """The cursor was made with another filter. One that was made without any belongs to all."""


class Ended(NamedTuple):
    """How the newest opening of a watch ended."""

    reason: str
    sms_count: int
    """How many SMS the watch had: their sequences are 0 to this less one."""
    cancelled_here: bool = False
    """Its order was cancelled by a command, and not by the provider."""


class WatchEnded(Exception):
    """The watch ended without the SMS that was waited for. The text is the reason."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class Inbox:
    """Answers from a tail that `following` fills."""

    def __init__(self, following: Following, *, now_ms: Callable[[], int]) -> None:
        self.following = following
        self.lasting = Lasting()
        self.waits = Durations(WAIT_BUCKETS)
        """How long the waits lasted that ended with an SMS."""
        self._tail = following.tail
        self._now_ms = now_ms

    async def stop(self) -> None:
        """End all waits and streams, and read no more."""
        self.lasting.close()
        await self.following.stop()

    async def now(self, wanted: Filter) -> Cursor:
        """Return the cursor after all that is published by now, as the brokers say. Raises `Blind` and `Closing`."""
        if self.lasting.is_closed:
            raise Closing
        since_ms = self._now_ms()  # what comes while they are asked is news
        ends = await self._ends()
        return self._cursor(wanted, {part: self._tail.place(part, end) for part, end in ends.items()}, since_ms)

    def here(self, wanted: Filter) -> Cursor:
        """Return the cursor after all that the inbox has read by now."""
        ends = {part: end for part, end in self._tail.ends.items() if part.topic in wanted.topics}
        places = {part: self._tail.place(part, end) for part, end in ends.items()}
        return self._cursor(wanted, places, self._now_ms())

    def since(self, wanted: Filter, since_ms: int) -> Cursor:
        """Return the cursor before each partition's first event that is not older; 0: before all that are here."""
        return self._cursor(wanted, self._tail.begins(since_ms), since_ms)

    async def check(self, cursor: Cursor, wanted: Filter) -> None:
        """Return if all that follows it and matches is here.

        Raises `OtherFilter`; `Gone` if it is too old, or of other brokers; `Blind` if they do not answer.
        """
        if not wanted.owns(cursor.filter):
            raise OtherFilter  # it has moved past what that one did not match
        self._check(cursor)
        if _is_past(cursor, self._tail.ends):  # another replica has read further, or its topic is not there any more
            if _is_past(cursor, await self._ends()):
                raise Gone
            self._check(cursor)

    def _check(self, cursor: Cursor) -> None:
        if cursor.cluster != self.following.cluster:
            raise Gone
        self._tail.check(cursor.places)

    @property
    def hours(self) -> float:
        """How long it keeps events."""
        return self.following.settings.hours

    def get(self, event_id: str) -> Item | None:
        """Return an event; None: it is not here."""
        return self._tail.get(event_id)

    # ---- pages ---------------------------------------------------------------------------------------------------

    async def newest(self, wanted: Filter, limit: int, most_bytes: int = sys.maxsize) -> Page:
        """Return the newest events, oldest first: at most `limit`, of at most so many bytes, but always one."""
        cursor, items, size = self.here(wanted), deque[Item](), 0
        async with aclosing(self._matching(wanted, self.since(wanted, 0))) as matching:
            async for item in matching:
                items.append(item)
                size += len(item.value)
                while len(items) > limit or (size > most_bytes and len(items) > 1):
                    size -= len(items.popleft().value)
        return Page([*items], cursor)

    async def after(
        self, wanted: Filter, cursor: Cursor, limit: int, most_bytes: int = sys.maxsize, *, since_ms: int = 0
    ) -> Page:
        """Return the first events after a checked cursor that are not older than `since_ms`.

        At most `limit`; it ends with the event that brings them to so many bytes.
        """
        items, size, end = list[Item](), 0, self.here(wanted)
        async with aclosing(self._matching(wanted, cursor)) as matching:
            async for item in matching:
                if item.time_ms >= since_ms:
                    items.append(item)
                    size += len(item.value)
                    cursor = _past(cursor, item)
                if len(items) == limit or size >= most_bytes:
                    return Page(items, cursor)
        return Page(items, _furthest(cursor, end))

    # ---- waiting -------------------------------------------------------------------------------------------------

    async def wait(
        self, wanted: Filter, cursor: Cursor, seconds: float, *, look: Callable[[], None] | None = None
    ) -> Page:
        """Wait for the next event after a checked cursor that is news: observed since then, and live.

        With a filter of freshness that decides. The page is empty if none came within so many seconds. Raises `Blind`
        if Kafka does not answer then, and `Gone` if the topics were made anew or those of another cluster. `look` is
        called every second; what it raises ends the wait.
        """
        oldest_ms, resets = cursor.since_ms - CLOCKS_MS, self._tail.resets
        wanted = wanted._replace(freshness=wanted.freshness or "live")

        def is_news(item: Item) -> bool:
            return item.time_ms >= oldest_ms and item.offset >= cursor.places[item.part].offset

        async with self._first(wanted, cursor, is_news) as found:
            for left in _until(found, seconds):
                if look is not None:
                    look()
                await asyncio.wait([found], timeout=left if look is None else min(left, LOOK_EVERY))
            await self._confirm(found)
        if self._tail.resets != resets:
            raise Gone
        return self._found(found, cursor, self.here(wanted))

    async def wait_in_order(
        self,
        wanted: Filter,
        sequence: int,
        ended: Callable[[], Ended | None],
        seconds: float,
        *,
        catch_up: Callable[[], Awaitable[None]],
        look: Callable[[], None],
    ) -> Page:
        """Wait for an activation's first SMS with at least this sequence, which may be here already.

        `ended` says how the watch ended, as far as is known here; None: it is open. After `catch_up` that includes
        every opening. Raises `WatchEnded` where no such SMS can come any more, and `Blind`. `look`: as in `wait`.
        """
        async with self._first(wanted, self.since(wanted, 0), lambda item: _is_next(item, sequence)) as found:
            looks = 0
            for left in _until(found, seconds):
                over = ended()
                looks = looks + 1 if over is not None else 0
                if over is not None and (over.sms_count <= sequence or (looks > SURE and self._is_complete())):
                    await catch_up()
                    if found.done():
                        break
                    if ended() == over:
                        raise WatchEnded(over)
                look()
                await asyncio.wait([found], timeout=min(left, LOOK_EVERY))
            await self._confirm(found)
        return self._found(found, self.since(wanted, 0), self.here(wanted))

    @asynccontextmanager
    async def _first(
        self, wanted: Filter, cursor: Cursor, is_news: Callable[[Item], bool]
    ) -> AsyncIterator[asyncio.Future[Item]]:
        """Look for news after a cursor, then yield what will be the first one; if it came, the wait is counted."""
        began = asyncio.get_running_loop().time()
        found: asyncio.Future[Item] = asyncio.get_running_loop().create_future()

        def take(item: Item) -> None:
            if not found.done() and is_news(item):
                found.set_result(item)

        with self._tail.subscribed(wanted, take):
            here = await self._first_here(wanted, cursor, is_news)
            first = found if here is None else here
            yield first
        if first.done():
            self.waits.observe(asyncio.get_running_loop().time() - began)

    async def _first_here(
        self, wanted: Filter, cursor: Cursor, is_news: Callable[[Item], bool]
    ) -> asyncio.Future[Item] | None:
        async with aclosing(self._matching(wanted, cursor)) as matching:
            async for item in matching:
                if is_news(item):
                    here: asyncio.Future[Item] = asyncio.get_running_loop().create_future()
                    here.set_result(item)
                    return here
        return None

    async def _confirm(self, found: asyncio.Future[Item]) -> None:
        """Return if something is found, or the brokers answer: then nothing came. Raises `Blind`."""
        if found.done():
            return
        if self.following.is_blind:
            raise Blind
        await self._ends()

    async def _ends(self) -> Positions:
        """Return where the topics end; who waits does so with a time limit of its own. Raises `Blind`."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.following.ends()
        except TimeoutError:
            raise Blind from None

    def _is_complete(self) -> bool:
        """Tell whether all that was published a while ago is here, or was."""
        return not self.following.degraded()

    def _found(self, found: asyncio.Future[Item], cursor: Cursor, end: Cursor) -> Page:
        if found.done():
            return Page([found.result()], _past(cursor, found.result()))
        if self.following.is_blind:
            raise Blind
        return Page([], _furthest(cursor, end))

    # ---- streams -------------------------------------------------------------------------------------------------

    async def stream(self, wanted: Filter, cursor: Cursor, *, idle: float) -> AsyncGenerator[Page]:
        """Yield the events after a checked cursor as they come; an empty page after `idle` seconds without any.

        The cursor of an empty page is after all that has been read, so it does not grow old on a busy topic.

        Raises `Gone` once its reader is so slow that what follows is not in the inbox any more, and once the topics
        were made anew or are those of another cluster.
        """
        come, resets, is_quiet = asyncio.Event(), self._tail.resets, False
        with self._tail.subscribed(wanted, lambda _: come.set()):
            while True:
                self._check(cursor)
                if self._tail.resets != resets:
                    raise Gone
                come.clear()
                page = await self.after(wanted, cursor, AT_ONCE)
                cursor = page.cursor
                if page.items or is_quiet:
                    yield page
                is_quiet = len(page.items) < AT_ONCE and not await _is_set(come, idle)

    # ---- cursors -------------------------------------------------------------------------------------------------

    async def _matching(self, wanted: Filter, cursor: Cursor) -> AsyncGenerator[Item]:
        """Yield what is here after a cursor and matches."""
        for number, item in enumerate(self._tail.items(wanted, cursor.places), start=1):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            if wanted.matches(item):
                yield item

    def _cursor(self, wanted: Filter, places: dict[Part, Place], since_ms: int) -> Cursor:
        ours = {part: place for part, place in places.items() if part.topic in wanted.topics}
        return Cursor(self.following.cluster, wanted.digest(), since_ms, ours)


def _until(found: asyncio.Future[Item], seconds: float) -> Iterator[float]:
    """Yield how many seconds are left, until it is found or none are: once at least, if it is not found already."""
    deadline = asyncio.get_running_loop().time() + seconds
    left = seconds
    while not found.done():
        yield left
        if (left := deadline - asyncio.get_running_loop().time()) <= 0:
            return


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False


def _past(cursor: Cursor, item: Item) -> Cursor:
    return cursor.moved(item.part, Place(item.offset + 1, mark_of(item.id)))


def _is_past(cursor: Cursor, ends: Positions) -> bool:
    return any(place.offset > ends[part] for part, place in cursor.places.items())


def _furthest(one: Cursor, other: Cursor) -> Cursor:
    """Return the first cursor with every partition moved to where either is."""
    return one._replace(places={part: max(place, other.places[part]) for part, place in one.places.items()})


def _is_next(item: Item, sequence: int) -> bool:
    return item.sequence is not None and item.sequence >= sequence and item.freshness != "replayed"
