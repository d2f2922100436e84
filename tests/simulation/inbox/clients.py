"""What clients do with inboxes for hours, and what each of them may expect of the answers."""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from bus.kafka.topics_reader import Part
from inbox.asking import Ended, Inbox, Page, WatchEnded
from inbox.cursor import Cursor
from inbox.filters import Filter
from inbox.following import Blind
from inbox.item import Item
from inbox.lasting import Closing
from inbox.tail import Gone
from schemas.topics import RECEIVED
from tests.simulation.inbox.topics import Ends
from tests.simulation.inbox.town import Town, Watch

CLOCKS_MS = 5_000
SURE_SECONDS = 2.1


class Missed(AssertionError):
    """Something that was promised to a client did not come."""

    def __init__(self, said: str, at: float = 0.0) -> None:
        super().__init__(said)
        self.at = at
        """Seconds since the run began."""


def check(*, holds: bool, said: str, **facts: object) -> None:
    """Raise unless it holds."""
    if not holds:
        raise Missed(f"{said}: {facts}")


@dataclass
class Read:
    """What a client has of a stream."""

    cursor: Cursor
    found: list[Item]


class Clients:
    """Those who ask several replicas of the inbox, and look at what they get."""

    def __init__(self, town: Town, inboxes: Collection[Inbox], rng: random.Random) -> None:
        """`inboxes`: those that run now; they are replaced."""
        self.town = town
        self.inboxes = inboxes
        self.rng = rng
        self.counts: dict[str, int] = {}

    def counted(self, what: str) -> None:
        """Remember that it happened, so that a run in which nothing did is seen."""
        self.counts[what] = self.counts.get(what, 0) + 1

    async def answered(self) -> Inbox:
        """Return a replica that answers now."""
        while True:
            inbox = self.rng.choice([*self.inboxes])
            if await inbox.following.wait_filled(0):
                return inbox
            await asyncio.sleep(1)

    # ---- where the topics end ------------------------------------------------------------------------------------

    async def ask(self) -> None:
        """Ask where the topics end, again and again."""
        while True:
            inbox, loop = await self.answered(), asyncio.get_running_loop()
            asked_at = loop.time()
            try:
                ends = await inbox.following.ends()
            except Blind:
                self.counted("ends: blind")
            else:
                assert isinstance(ends, Ends)
                check(holds=ends.asked_at >= asked_at, said="an answer is older than its question", at=asked_at)
                self.counted("ends")
            check(holds=loop.time() - asked_at < 11, said="an answer took too long", seconds=loop.time() - asked_at)
            await asyncio.sleep(self.rng.expovariate(1 / self.town.plan.asks))

    # ---- waits ---------------------------------------------------------------------------------------------------

    async def wait(self) -> None:
        """Wait for a number's SMS, one after the other, on whichever replica, until told that the place is gone."""
        while True:
            number = self.rng.choice(self.town.numbers)
            wanted, part = Filter(recipient=number.digits), number.part
            inbox = await self.answered()
            began_at, began_ms, making = asyncio.get_running_loop().time(), self.town.now_ms(), self.town.making()
            try:
                cursor = await inbox.now(wanted)
            except (Blind, Closing):
                await asyncio.sleep(1)
                continue
            begin, found = cursor.places[part].offset, list[Item]()
            for _ in range(self.rng.randrange(1, 30)):
                try:
                    inbox = await self.answered()
                    async with inbox.lasting.one():
                        await inbox.check(cursor, wanted)
                        page = await inbox.wait(wanted, cursor, self.rng.uniform(0.1, 40))
                        self._check_sure(page)
                except (Blind, Closing) as error:
                    self.counted(f"wait: {type(error).__name__.lower()}")
                    continue
                except Gone:
                    may_be = self.town.making() != making or self.town.may_be_gone(cursor)
                    check(holds=may_be, said="a wait's place is gone", part=part)
                    self.counted("wait: gone")
                    break
                cursor, found = Cursor.of(page.cursor.text(), (RECEIVED,)), found + self.town.no_repeats(page.items)
            if self.town.making() == making:
                self._check_news(part, number.digits, begin, began_at, began_ms, cursor, found)

    def _check_sure(self, page: Page) -> None:
        """Nothing is what came only if the brokers have said so."""
        unanswered = asyncio.get_running_loop().time() - self.town.topics.answered_at
        check(holds=bool(page.items) or unanswered < SURE_SECONDS, said="nobody knew whether it came", of=unanswered)

    def _check_news(
        self, part: Part, digits: str, begin: int, began_at: float, began_ms: int, cursor: Cursor, found: list[Item]
    ) -> None:
        written = self.town.topics.logs[part].written
        for item in found:
            check(holds=written[item.offset].at >= began_at, said="a wait got an SMS from before", item=item)
            check(holds=item.time_ms >= began_ms - CLOCKS_MS - 1, said="a wait got an old SMS", item=item)
        until = cursor.places[part].offset
        news = [
            event["id"]
            for event, each in self.town.firsts(part, begin, until)
            if event["recipient"] == digits
            and event["freshness"] == "live"
            and each.record.timestamp_ms >= cursor.since_ms - CLOCKS_MS
        ]
        got = [item.id for item in found]
        check(holds=got == news, said="waits missed something", got=got, news=news, part=part, begin=begin, until=until)
        self.counts["waited for"] = self.counts.get("waited for", 0) + len(found)

    async def wait_in_order(self) -> None:
        """Wait for each SMS of an activation after the other."""
        while True:
            watch = self.rng.choice(self.town.watches)
            sequence, making = watch.count, self.town.making()
            for _ in range(self.rng.randrange(1, 10)):
                inbox = await self.answered()
                wanted, was_there = Filter(watch_id=watch.id), self._must_have(watch, sequence)
                try:
                    async with inbox.lasting.one():
                        page = await inbox.wait_in_order(
                            wanted,
                            sequence,
                            self._ended(watch),
                            self.rng.uniform(0.5, 30),
                            catch_up=self._catch_up,
                            look=lambda: None,
                        )
                        self._check_sure(page)
                except (Blind, Closing) as error:
                    self.counted(f"in order: {type(error).__name__.lower()}")
                    continue
                except WatchEnded:
                    missed = self._must_have(watch, sequence)
                    check(holds=watch.has_ended and not missed, said="it has not ended", watch=watch)
                    self.counted("in order: ended")
                    break
                if self.town.making() != making:
                    break
                for item in page.items:
                    is_next = item.sequence == sequence or not self.town.keeps_all
                    check(holds=is_next, said="not the next one", item=item, sequence=sequence)
                    self.counted("in order")
                    sequence = (item.sequence or 0) + 1
                late = was_there and not page.items and inbox.following.degraded() == ()
                check(holds=not late, said="a wait in order missed one", watch=watch, sequence=sequence)

    def _must_have(self, watch: Watch, sequence: int) -> bool:
        """Whether each replica that says nothing has this SMS, as nothing was wrong for long."""
        return self.town.keeps_all and self.town.calm_for() > 40 and self.town.has(watch, sequence)

    @staticmethod
    async def _catch_up() -> None:
        """Do nothing: no watch is opened again here."""

    @staticmethod
    def _ended(watch: Watch) -> Callable[[], Ended | None]:
        return lambda: Ended("finished", watch.count) if watch.has_ended else None

    # ---- streams -------------------------------------------------------------------------------------------------

    async def stream(self) -> None:
        """Read a stream that is cut anywhere, and go on with it at any replica."""
        while True:
            inbox = await self.answered()
            wanted = self.rng.choice([Filter(), Filter(freshness="live"), Filter(topics=self.town.topics_of_all)])
            read, making = Read(inbox.here(wanted), []), self.town.making()
            begins = {part: place.offset for part, place in read.cursor.places.items()}
            for _ in range(self.rng.randrange(1, 20)):
                try:
                    inbox = await self.answered()
                    async with inbox.lasting.one():
                        await inbox.check(read.cursor, wanted)
                        await self._read(inbox, wanted, read)
                except (Blind, Closing):
                    continue
                except Gone:
                    may_be = self.town.making() != making or self.town.may_be_gone(read.cursor)
                    check(holds=may_be, said="a stream is gone", cursor=read.cursor)
                    self.counted("stream: gone")
                    break
                await asyncio.sleep(self.rng.expovariate(0.2))
            if self.town.making() == making:
                self._check_stream(wanted, begins, read.cursor, read.found)
                self.counts["streamed"] = self.counts.get("streamed", 0) + len(read.found)

    async def _read(self, inbox: Inbox, wanted: Filter, read: Read) -> None:
        until = asyncio.get_running_loop().time() + self.rng.expovariate(0.05)
        async with aclosing(inbox.stream(wanted, read.cursor, idle=self.town.plan.asks)) as pages:
            async for page in pages:
                if asyncio.get_running_loop().time() > until:
                    return  # what was sent last did not arrive
                read.found += self.town.no_repeats(page.items)
                read.cursor = Cursor.of(page.cursor.text(), wanted.topics)

    def _check_stream(self, wanted: Filter, begins: dict[Part, int], cursor: Cursor, found: list[Item]) -> None:
        for part, begin in begins.items():
            all_of_it = [
                event["id"]
                for event, _ in self.town.firsts(part, begin, cursor.places[part].offset)
                if wanted.freshness in {None, event["freshness"]}
            ]
            got = [item.id for item in found if item.part == part]
            check(holds=got == all_of_it, said="a stream differs", part=part, got=got, all_of_it=all_of_it)
        self.counts["streamed"] = self.counts.get("streamed", 0) + len(found)

    # ---- those who come back ---------------------------------------------------------------------------------------

    async def come_back(self) -> None:
        """Read all pages, leave for long with the cursor of the last one, and go on at any replica."""
        while True:
            wanted = self.rng.choice([Filter(), Filter(freshness="live"), Filter(topics=self.town.topics_of_all)])
            cursor, making, is_gone = (await self.answered()).here(wanted), self.town.making(), False
            while not is_gone and self.town.making() == making:
                read, begins = Read(cursor, []), {part: place.offset for part, place in cursor.places.items()}
                await asyncio.sleep(self.rng.expovariate(1 / self.rng.choice(self.town.plan.sleeps)))
                try:
                    await self._read_pages(wanted, read)
                except Gone:
                    is_gone = True
                    may_be = self.town.making() != making or self.town.may_be_gone(read.cursor)
                    check(holds=may_be, said="a cursor is gone", cursor=read.cursor)
                if self.town.making() == making:
                    self._check_stream(wanted, begins, read.cursor, read.found)
                cursor = read.cursor
                self.counted("pages: gone" if is_gone else "pages")
                self.counts["paged"] = self.counts.get("paged", 0) + len(read.found)

    async def _read_pages(self, wanted: Filter, read: Read) -> None:
        """Read to the end, each page at any replica."""
        limit = self.rng.choice([1, 50, 1000])
        while True:
            inbox = await self.answered()
            try:
                await inbox.check(read.cursor, wanted)
            except Blind:
                await asyncio.sleep(1)
                continue
            page = await inbox.after(wanted, read.cursor, limit)
            read.found += self.town.no_repeats(page.items)
            read.cursor = Cursor.of(page.cursor.text(), wanted.topics)
            if len(page.items) < limit:
                return


def tasks_of(clients: Clients) -> Iterator[asyncio.Task[None]]:
    """Start several of each kind."""
    for _ in range(2):
        for each in (
            *(clients.ask, clients.wait, clients.wait, clients.wait_in_order, clients.stream),
            clients.come_back,
        ):
            yield asyncio.get_running_loop().create_task(each())
