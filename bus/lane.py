"""One partition's queue, in memory or on disk, never both. The receiver's fast lane is something else.

In memory: one batch in flight, what arrives meanwhile is the next. When the oldest record has waited `spill_after`, or
the queue reaches its bound, everything unacknowledged goes to the journal, the batch in flight included, in order, in
one transaction: the lane is *spilled*. From then on accepting is appending to the journal, and the lane sends its rows
in row order. A row is deleted after its ack; no rows left: back to memory.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

import structlog

from bus.contract import NotDurable, Outcome, Via
from bus.dead_letter import DAMAGED
from bus.deliveries import Deliveries, PendingRecord
from bus.ending import end
from bus.journal.journal import Journal, JournalUnwritable, Row, Stored
from bus.journal.rows import RowName, found
from bus.journal.skipped import Skip, take_out
from bus.publishing import BatchRejected, DeadLetter, Publish, RetryBatch, retry_pause
from bus.record import Record, TopicPartition
from bus.settings import BusSettings

log = structlog.get_logger()

BATCH_BYTES: Final = 240 * 1024  # below the producer's max_batch_size of 256 KiB; Record.size is an upper bound
BATCH_RECORDS: Final = 2_000  # of tiny records; keeps one batch's work on the loop at about 10 ms
MOMENT: Final = 3.0  # seconds to wait for a row in flight that should be skipped; a refusal takes milliseconds


@dataclass(frozen=True, slots=True)
class _Batch:
    """The lane's oldest records: from memory (`entries`) or from the journal (`rows`)."""

    entries: list[PendingRecord]
    rows: list[Row]

    @property
    def records(self) -> list[Record]:
        return [entry.record for entry in self.entries] or [row.record for row in self.rows]

    def __len__(self) -> int:
        return len(self.entries) or len(self.rows)

    @property
    def via(self) -> Via:
        return "kafka" if self.entries else "journal"


class Lane:
    """Accepts in order, publishes in order, loses nothing. Belongs to one event loop.

    The queue is the journal's rows behind `_through`, then `_fresh`. Whenever another task can run:

    - the batch in flight and the records being written are each a prefix of `_fresh`, of `_flying` and of `_writing`
      records; they overlap where a batch in flight is spilled;
    - while the journal has rows of ours that we count, it goes first: `rows > 0` implies `_on_disk`;
    - rows that are acknowledged and not deleted yet are in `_ended`, and none of them is read again.
    """

    def __init__(
        self,
        key: TopicPartition,
        *,
        journal: Journal,
        deliveries: Deliveries,
        publish: Publish,
        dead_letter: DeadLetter,
        ends_as: Outcome,
        settings: BusSettings,
        rng: random.Random,
        reachable: Callable[[], bool] = lambda: False,
    ) -> None:
        """`reachable`: whether Kafka accepts records now, as far as known."""
        self.key = key
        self.rows = 0  # in the journal and not acknowledged, as we count them; what is read decides
        self.lost = 0
        """The number of counted rows that the journal does not return any longer."""
        self._journal = journal
        self._deliveries = deliveries
        self._publish = publish
        self._dead_letter = dead_letter
        self._ends_as = ends_as
        self._settings = settings
        self._rng = rng
        self._reachable = reachable
        self._stopping = False
        self._fresh: deque[PendingRecord] = deque()  # in memory and not in the journal, in order
        self._fresh_bytes = 0
        self._flying = 0  # how many of `_fresh` are in the batch in flight
        self._writing = 0  # how many of `_fresh` are being written to the journal
        self._on_disk = False  # the journal goes first, until a read of it finds nothing
        self._appends = 0  # so many times something was added to the journal
        self._mended = False  # the journal's indexes were rebuilt since a read last found something
        self._through = 0  # newest acknowledged row
        self._ended: list[int] = []  # rows that are acknowledged and still on disk
        self._suspects = 0  # so many of the oldest records are known to contain one that the broker refuses
        self._timer: asyncio.TimerHandle | None = None
        self._work = asyncio.Event()
        self._batch_lock = asyncio.Lock()  # held while a batch is read, sent and settled, and while a row is skipped
        self._fewer = asyncio.Event()  # a row was skipped: try what follows at once
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    # ---- accepting ---------------------------------------------------------------------------------------------

    @property
    def spilled(self) -> bool:
        """Whether the queue is on disk, as far as we count."""
        return self.rows > 0 or self._writing > 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits here."""
        return not self.spilled and not self._on_disk and not self._fresh

    def append(self, entry: PendingRecord) -> None:
        """Queue a record behind all earlier ones. Raises `NotDurable` when the lane's memory is full."""
        records = len(self._fresh) / self._settings.lane_max_records
        size = self._fresh_bytes / self._settings.lane_max_bytes
        if records >= 2 or size >= 2:  # one bound spills; at twice the bound the journal does not keep up either
            message = "the lane is full and the journal does not keep up"
            raise NotDurable(message)
        self._fresh.append(entry)
        self._fresh_bytes += entry.size
        if records >= 1 or size >= 1 or self.spilled:
            self.spill()
        else:
            self._work.set()
        if self._timer is None:
            self._timer = self._loop.call_at(self._loop.time() + self._settings.spill_after, self._tick)

    def spill(self) -> None:
        """Write everything that is only in memory to the journal; what arrives meanwhile is the next write."""
        if not self._writing and self._fresh:
            self._writing = len(self._fresh)
            self._writer = self._loop.create_task(self._write())

    def _tick(self) -> None:
        """While anything is in memory: spill what waits too long, and fail what cannot become durable in time."""
        self._timer = None
        if not self._fresh:
            return
        now = self._loop.time()
        self._expire(now - self._settings.accept_deadline)
        due = self._fresh[0].arrived + self._settings.spill_after
        if now >= due:
            self.spill()
            due = now + self._settings.spill_after
        self._timer = self._loop.call_at(due, self._tick)

    def _expire(self, arrived_before: float) -> None:
        for entry in self._fresh:
            if entry.arrived > arrived_before:
                break
            reason = "neither Kafka nor the journal responds in time"
            self._deliveries.not_durable(entry, reason, cause="too_late", dropped=False)

    # ---- the journal -------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        entries = list(islice(self._fresh, self._writing))
        try:
            stored = await self._journal.append([entry.record for entry in entries])
        except JournalUnwritable as refusal:
            self._not_written(entries, refusal.reason)
        else:
            if not self.rows:
                log.info("lane_spilled", topic=self.key[0], partition=self.key[1], records=len(entries))
            for entry, each in zip(entries, stored, strict=True):
                self._written(entry, each)
            self._flying = 0
            self._on_disk = True
            self._appends += 1
        self._writing = 0
        self._work.set()
        if self.rows:
            self.spill()

    def _written(self, entry: PendingRecord, stored: Stored) -> None:
        self._leave(entry)
        if not stored.is_new:
            self._repeated(entry, is_acknowledged=entry.acknowledged or stored.seq <= self._through)
            return
        entry.seq = stored.seq
        if entry.acknowledged:  # by Kafka, while it was being written: its row is forgotten with the next delete
            self._through = stored.seq
            self._ended.append(stored.seq)
        else:
            self.rows += 1
            self._deliveries.in_journal(entry)

    def _repeated(self, entry: PendingRecord, *, is_acknowledged: bool) -> None:
        """Handle an id that is a row already, which may be acknowledged and not deleted yet."""
        if not is_acknowledged:
            self._deliveries.already_in_journal(entry)
        elif not entry.acknowledged:
            self._deliveries.already_in_kafka(entry, self._ends_as)

    def _not_written(self, entries: list[PendingRecord], reason: str) -> None:
        """Fail the waiting records unless Kafka accepts records now, and so may accept these in time.

        What is in flight cannot be withdrawn; what was not sent is dropped.
        """
        may_wait = self._may_wait_for_kafka()
        flying = [entry for entry in islice(self._fresh, self._flying) if not entry.acknowledged]
        for entry in entries:
            self._leave(entry)
            if not may_wait:
                self._deliveries.not_durable(entry, reason, cause="journal_unwritable", dropped=entry not in flying)
        self._flying = len(flying)
        for entry in reversed([entry for entry in entries if not entry.acknowledged] if may_wait else flying):
            self._fresh.appendleft(entry)
            self._fresh_bytes += entry.size

    def _may_wait_for_kafka(self) -> bool:
        return not self._stopping and not self.rows and not self._on_disk and self._reachable()

    def _leave(self, entry: PendingRecord) -> None:
        self._fresh.popleft()
        self._fresh_bytes -= entry.size

    def adopt(self, rows: int) -> None:
        """Note rows of this lane that were found when the journal was opened: they go first."""
        self.rows += rows
        self._on_disk = self._on_disk or rows > 0
        self._deliveries.adopted(rows)
        self._work.set()

    # ---- publishing --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to publish."""
        self._task = self._loop.create_task(self._run(), name=f"lane {self.key[0]}/{self.key[1]}")

    @property
    def alive(self) -> bool:
        """Whether the publishing task runs."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Write what is still in memory to the journal, and end."""
        self._stopping = True
        await end(self._task)
        async with self._batch_lock:  # a skip in progress is finished first
            self._flying = 0
        while self._fresh:
            self.spill()
            if self._writer is not None:
                await self._writer
        if self._timer is not None:
            self._timer.cancel()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                async with self._batch_lock:
                    batch = await self._next()
                    if batch is not None:
                        await self._send(batch)
                        failures = 0
                if batch is None:
                    await self._idle()
            except (RetryBatch, JournalUnwritable):
                self._flying = 0
                await self._pause(retry_pause(failures, self._rng))
                failures += 1

    async def _pause(self, seconds: float) -> None:
        self._fewer.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._fewer.wait()

    async def _next(self) -> _Batch | None:
        """Return the oldest unacknowledged records; None: none can be sent now."""
        while self._on_disk:
            appends = self._appends
            rows = await self._journal.read(self.key, after=self._through, max_bytes=BATCH_BYTES)
            if rows:
                self._mended = False
                return _Batch([], self._sendable(rows))
            if appends == self._appends:
                await self._found_nothing()
        if not self._fresh or self._writing:
            return None
        entries = self._pack()
        self._flying = len(entries)
        return _Batch(entries, [])

    async def _found_nothing(self) -> None:
        """The journal returns no more rows of this lane: read once more if we counted some, then continue in memory."""
        if self.rows > 0 and not self._mended:
            log.error("journal_rows_missing", topic=self.key[0], partition=self.key[1], rows=self.rows)
            self._mended = True
            await self._journal.mend_index()
            return
        self.lost += max(0, self.rows)
        self.rows = 0
        self._on_disk = False
        log.info("lane_drained", topic=self.key[0], partition=self.key[1])

    def _pack(self) -> list[PendingRecord]:
        entries: list[PendingRecord] = []
        size = 0
        for entry in islice(self._fresh, self._limit()):
            size += entry.size
            if entries and size > BATCH_BYTES:
                break
            entries.append(entry)
        return entries

    def _sendable(self, rows: list[Row]) -> list[Row]:
        """Rows up to the first damaged one; a damaged one alone."""
        intact = list(takewhile(lambda row: row.intact, rows[: self._limit()]))
        return intact or rows[:1]

    def _limit(self) -> int:
        """Return the limit of the next batch: half of the suspects while a refused record is among them."""
        return max(1, self._suspects // 2) if self._suspects else BATCH_RECORDS

    async def _idle(self) -> None:
        self._work.clear()
        if not self._ended:
            await self._work.wait()
            return
        await self._forget()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._work.wait()

    async def _send(self, batch: _Batch) -> None:
        if batch.rows and not batch.rows[0].intact:
            await self._isolate(batch, DAMAGED)
            return
        try:
            await self._publish(self.key, batch.records, batch.via)
        except BatchRejected as refusal:
            await self._isolate(batch, refusal.reason)
        else:
            self._suspects = max(0, self._suspects - len(batch))
            await self._settle(batch)

    async def _isolate(self, batch: _Batch, reason: str) -> None:
        """Halve until the record is found that the broker refuses for its content; it gets a dead letter."""
        self._suspects = len(batch) if len(batch) > 1 else 0
        if len(batch) > 1:
            self._flying = 0
            return
        try:
            letter_id = await self._dead_letter(batch.records[0], reason)
        except NotDurable as full:
            raise RetryBatch(full.reason) from full
        await self._settle(batch, letter_id)

    async def _settle(self, batch: _Batch, letter_id: str | None = None) -> None:
        """The batch has ended, in Kafka or as a dead letter: complete its waiters, delete its rows."""
        self._flying = 0
        ended = [(row.record.id, row.seq) for row in batch.rows]
        for entry in batch.entries:
            if entry.seq is not None:  # spilled while it was in flight
                ended.append((entry.record.id, entry.seq))
            elif not entry.durable:
                self._ended_in_memory(entry, letter_id)
        for record_id, _ in ended:
            self._row_ended(record_id, letter_id)
        if ended:
            self._through = max(self._through, ended[-1][1])
            self._ended += [seq for _, seq in ended]
            await self._forget()

    def _row_ended(self, record_id: str, letter_id: str | None) -> None:
        self.rows -= 1
        if letter_id is None:
            self._deliveries.row_ended(record_id, self._ends_as)
        else:
            self._deliveries.row_handed_over(record_id, letter_id)

    def _ended_in_memory(self, entry: PendingRecord, letter_id: str | None) -> None:
        if self._writing:
            entry.acknowledged = True
        else:
            self._leave(entry)
        if letter_id is None:
            self._deliveries.in_kafka(entry, self._ends_as)
        else:
            self._deliveries.handed_over(entry, letter_id)

    # ---- skipping ----------------------------------------------------------------------------------------------

    async def skip(self, name: RowName) -> Skip:
        """Remove a row that cannot be published (`bus.journal.skipped`). A row that stays in flight is kept."""
        try:
            async with asyncio.timeout(MOMENT):
                await self._batch_lock.acquire()
        except TimeoutError:
            return "under_way"
        try:
            return "under_way" if self._stopping else await self._skip(name)
        finally:
            self._batch_lock.release()

    async def _skip(self, name: RowName) -> Skip:
        row = await found(self._journal, name)
        if row is None:
            return "unknown"
        if row.seq <= self._through:
            return "acknowledged"
        outcome = await take_out(self._journal, name, row)
        if outcome == "skipped":
            self.rows -= 1
            self._deliveries.row_ended(row.id, "skipped")
            self._fewer.set()
            self._work.set()
        return outcome

    async def _forget(self) -> None:
        """Delete acknowledged rows. A failing disk only delays that: nothing is sent twice meanwhile."""
        ended = list(self._ended)
        with suppress(JournalUnwritable):
            await self._journal.delete(ended)
            self._ended = self._ended[len(ended) :]  # Kafka may have taken a row meanwhile, while it was being written
