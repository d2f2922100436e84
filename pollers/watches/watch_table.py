"""All watches and their progress, as the topics have them, so that any replica can answer for any shard."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, NamedTuple

import structlog

from bus.kafka.client import KafkaAway, is_cancelled
from bus.kafka.reader import BEGINNING, Reading, ReadRecord, Start, last, read
from bus.kafka.topics import TopicsError
from bus.record import partition_of
from bus.settings import KafkaSettings
from pollers.tracking.state import WatchState
from pollers.watch_commands import LIFETIME_MS
from pollers.watches.open_watches import OpenWatches
from pollers.watches.watch_entry import Entry, Progress, state_in, watch_in
from pollers.watches.watch_listing import ALL, PAGE, Filters, page, place_of
from schemas import timestamps
from schemas.messages import Watch
from schemas.topics import STATES, WATCH_PARTITIONS, WATCHES

AGAIN: Final = 1_000
"""Records of a partition that are read again when following starts: far more than arrive in between."""
RETRY: Final = 1.0
AT_ONCE: Final = 500  # records before other tasks get their turn

_log = structlog.get_logger("pollers")


class Known(NamedTuple):
    """What the table knows of a watch."""

    watch_id: str
    watch: Watch | None
    """As in its state; before there is one, and once its reopening was requested, as in its command. None: neither can
    be read."""
    state: WatchState | None
    """The state of an open watch, or the last one of an ended watch."""
    progress: Progress | None
    """None: no readable state of it was committed yet."""
    ended: str | None
    """Why it has ended; None while it is live, and once its reopening was requested."""
    stuck: bool
    """Its state cannot be read: its shard does not process it, and no command changes that."""

    @property
    def unreadable(self) -> bool:
        """It is not processed: its state cannot be read, or there is none and its command cannot be read."""
        return self.stuck or self.watch is None

    @property
    def sms_count(self) -> int:
        """How many SMS were published so far."""
        return self.progress.sms_count if self.progress else 0

    @property
    def expires_at(self) -> str | None:
        """When the watch ends at the latest."""
        if self.watch is None or self.watch.expires_at is not None:
            return self.watch.expires_at if self.watch else None
        lifetime_ms = LIFETIME_MS.get(self.watch.order_kind, 0)
        return timestamps.to_text(timestamps.to_epoch_ms(self.watch.opened_at) + lifetime_ms)


class LivePoll(NamedTuple):
    """Recent values that only the process has that polls the watch."""

    last_polled_ms: int | None
    last_answer: str | None
    """The class of the last response, as in `pollers.tracking.state.WatchState.answer`."""
    next_poll_in: float | None
    """Seconds."""


class Listing(NamedTuple):
    """One page of watches, the cursor of the next (None: this is the last), and how many watches match."""

    watches: list[Known]
    next: str | None
    total: int


class WatchTable:
    """A view of both compacted topics. `fill` once, or `follow` in a task."""

    def __init__(
        self, kafka: KafkaSettings, *, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self.behind = False
        """Kafka could not be read, so the table is not up to date."""
        self.newest_ms = 0
        """When the newest state was written, by the clock of its writer."""
        self._kafka = kafka
        self._filled = asyncio.Event()
        self._entries: dict[str, Entry] = {}
        self._seen: dict[tuple[str, int], int] = {}  # the newest offset that was processed, by topic and partition
        self._read_to: dict[tuple[str, int], int] = {}  # the same, since reading began
        self._now_ms = now_ms
        self._open = OpenWatches(now_ms)
        self._asking: dict[str, list[tuple[str, asyncio.Future[Progress]]]] = {}
        self._commands = Reading()
        self._catching_up = asyncio.Lock()
        self._begun = self._complete = 0  # the numbers of the newest `catch_up` that has begun, and that is complete

    # ---- queries ----------------------------------------------------------------------------------------------

    @property
    def filled(self) -> bool:
        """Both topics were read to their ends once."""
        return self._filled.is_set()

    async def wait_filled(self, seconds: float) -> bool:
        """Wait until it is filled, at most so many seconds; return whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return False
        return True

    def get(self, watch_id: str) -> Known | None:
        """Return what is known of a watch; None for one that was never opened, or is forgotten."""
        entry = self._entries.get(watch_id)
        return _known(entry) if entry is not None and entry.is_known else None

    def state(self, watch_id: str) -> WatchState | None:
        """Return the state of a live watch; None if there is none that can be read."""
        entry = self._entries.get(watch_id)
        return state_in(entry.state) if entry else None

    async def listing(self, filters: Filters = ALL, limit: int = PAGE, after: str | None = None) -> Listing:
        """Return one page, newest first. `after`: the cursor of the page before; `ValueError` for any other text."""
        place = place_of(after) if after is not None else None
        entries = list(self._entries.values())

        def sort_out() -> Listing:  # a tenth of a second for 20,000 watches: in a thread
            found = page(entries, filters, limit, place)
            known = [each for each in map(self.get, found.watch_ids) if each is not None]
            return Listing(known, found.next, found.total)

        return await asyncio.to_thread(sort_out)

    def others(self, account: str, mine: frozenset[int]) -> float:
        """Return the demand, in requests a second, of the account's open watches on partitions that are not `mine`."""
        return self._open.others(account, mine)

    async def applied(self, watch_id: str, request_id: str, seconds: float) -> Progress | None:
        """Wait until the shard has applied a request; return its outcome and the SMS by then.

        None if that takes longer than so many seconds, or if another request was applied right after it.
        """
        entry = self._entries.get(watch_id)
        if entry is not None and entry.applied == request_id:
            return entry.progress
        answered: asyncio.Future[Progress] = asyncio.get_running_loop().create_future()
        asking = self._asking.setdefault(watch_id, [])
        asking.append((request_id, answered))
        try:
            async with asyncio.timeout(seconds):
                return await answered
        except TimeoutError:
            return None
        finally:
            asking.remove((request_id, answered))
            if not asking and self._asking.get(watch_id) is asking:
                del self._asking[watch_id]

    # ---- following ---------------------------------------------------------------------------------------------

    def put(self, watch: Watch) -> None:
        """Add a record that this process has just written, so that the next query includes it."""
        self._take(WATCHES, watch.watch_id, watch.to_json())

    async def fill(self) -> None:
        """Read both topics to their ends. Raises `KafkaAway` or `TopicsError`."""
        await self._read_all()
        if any(self._read_to.get(place, -1) < offset for place, offset in self._seen.items()):
            self._forget_all()  # the topics were created anew
            await self._read_all()
        self.caught_up()

    def caught_up(self) -> None:
        """Note that both topics were read to their ends."""
        self.behind = False
        self._filled.set()

    async def catch_up(self) -> None:
        """Take every request that Kafka has by now, and so every opening; that takes as long as Kafka is away.

        Those who come meanwhile share the next question: the present one may be too early for them. Raises `KafkaAway`
        or `TopicsError`.
        """
        too_early = self._begun
        async with self._catching_up:
            if self._complete > too_early:
                return
            self._begun += 1
            await self._commands.to_end()
            self._complete = self._begun

    async def follow(self) -> None:
        """Keep the table up to date until cancelled."""
        said: type[BaseException] | None = None
        while True:
            try:
                await self.fill()
                said = None
                await self._read_both(last(AGAIN), follow=True)
            except (Exception, asyncio.CancelledError) as error:  # whatever ended reading, start again
                if is_cancelled():
                    raise  # otherwise a stray one: closing a TLS connection under uvloop can raise it
                self.behind = True
                if type(error) is not said:  # log it once, until the table has caught up
                    known = isinstance(error, (KafkaAway, TopicsError))
                    _log.warning("watch_table_behind", error=type(error).__name__, exc_info=not known)
                said = type(error)
                await asyncio.sleep(RETRY)

    async def _read_all(self) -> None:
        self._read_to = {}
        await self._read_both(BEGINNING, follow=False)

    def _forget_all(self) -> None:
        self._seen, self._entries, self._open = {}, {}, OpenWatches(self._now_ms)

    async def _read_both(self, start: Start, *, follow: bool) -> None:
        reads = [asyncio.ensure_future(self._read_topic(topic, start, follow=follow)) for topic in (WATCHES, STATES)]
        try:
            await asyncio.gather(*reads)
        finally:
            for reading in reads:
                reading.cancel()
            await asyncio.wait(reads)

    async def _read_topic(self, topic: str, start: Start, *, follow: bool) -> None:
        number, reading = 0, self._commands if topic == WATCHES else None
        async with aclosing(
            read(self._kafka, topic, start=start, follow=follow, committed=topic == STATES, reading=reading)
        ) as records:
            async for record in records:
                self.take(topic, record)
                number += 1
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)

    def take(self, topic: str, record: ReadRecord) -> None:
        """Process one record of either topic; one that was processed before has no effect."""
        place = (topic, record.partition)
        self._read_to[place] = max(self._read_to.get(place, -1), record.offset)
        if record.offset <= self._seen.get(place, -1):
            return
        self._seen[place] = record.offset
        if topic == STATES:
            self.newest_ms = max(self.newest_ms, record.timestamp_ms)
        self._take(topic, (record.key or b"").decode("utf-8", "replace"), record.value)

    def _take(self, topic: str, watch_id: str, value: bytes | None) -> None:
        entry = self._entries.setdefault(watch_id, Entry(watch_id))
        if topic == STATES:
            entry.take_state(value)
            self._answer(watch_id, entry)
        else:
            entry.take_command(value)
        if entry.is_forgotten:
            del self._entries[watch_id]
        if (opened := entry.open()) is not None:
            account, watch = opened
            self._open.put(watch_id, account, partition_of(watch_id.encode(), WATCH_PARTITIONS), watch)
        else:
            self._open.drop(watch_id)

    def _answer(self, watch_id: str, entry: Entry) -> None:
        for request_id, answered in self._asking.get(watch_id, ()):
            if entry.applied == request_id and entry.progress is not None and not answered.done():
                answered.set_result(entry.progress)


def _known(entry: Entry) -> Known:
    state, watch = state_in(entry.state), watch_in(entry.command)
    if watch is not None and watch.watch_id != entry.watch_id:  # its shard turns it into a dead letter
        watch = None
    stuck = entry.state is not None and state is None
    if entry.ended is not None:
        state = state_in(entry.past)
    return Known(entry.watch_id, state.watch if state else watch, state, entry.progress, entry.ended, stuck)
