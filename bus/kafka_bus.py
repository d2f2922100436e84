"""The bus: accept → lane → Kafka, and the journals that carry a message over everybody's crashes."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from bus.contract import Ledger, NotDurable, Outcome, Receipt, promised, refused
from bus.dead_letter import of_refused
from bus.deliveries import Deliveries, PendingRecord
from bus.health import Alarm, Refusals, TopicTrouble, hint
from bus.journal import claim
from bus.journal.rows import RawRow, RowName, Which, found, page
from bus.journal.skipped import Skip
from bus.journal.store import Journal, JournalDamaged, JournalUnwritable
from bus.journal_shares import Shares, is_limited
from bus.kafka.producer import Producer
from bus.kafka.topics import check
from bus.lane import Lane
from bus.record import Record, TopicPartition, build
from bus.settings import BusSettings, KafkaSettings
from bus.stuck import Stuck
from schemas.messages import Message, SmsRejected
from schemas.topics import ALL

log = structlog.get_logger()

PROBE_EVERY: Final = 1.0  # seconds between two tries of a journal that did not take the last write


@dataclass(frozen=True, slots=True)
class Condition:
    """How the bus is, for readiness and metrics."""

    can_accept: bool
    kafka_connected: bool
    journal_rows: int
    journal_bytes: int
    journal_oldest_seconds: float
    degraded: tuple[str, ...] = field(default=())


class _Store:
    """A claimed journal and its lanes: this process's own, or an orphan's while it is drained."""

    def __init__(self, held: claim.Claim, journal: Journal) -> None:
        self.held = held
        self.journal = journal
        self.lanes: dict[TopicPartition, Lane] = {}

    @property
    def empty(self) -> bool:
        return all(lane.empty for lane in self.lanes.values())

    async def close(self) -> None:
        for lane in self.lanes.values():
            await lane.stop()
        await self.journal.close()


class KafkaBus:
    """Implements `bus.contract.Bus`. Belongs to one event loop; `start` before the first `accept`, then `stop`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: BusSettings,
        *,
        instance: str,
        accounts: int = 1,
        topics: frozenset[str] = ALL,
        rng: random.Random | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`accounts`: so many have messages here; where there is one, the journal is all its own.

        It may be set again. `topics` are those that this process needs, unprefixed: others it may not even see.
        """
        self.accounts = accounts
        self._settings = settings
        self._prefix = kafka.topic_prefix
        self._instance = instance
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._now_ms = now_ms
        self._book = Deliveries(remember=settings.dedup_cache_size)
        self._producer = Producer(
            kafka,
            client_id=f"smsbus-{instance}",
            rng=self._rng,
            now_ms=now_ms,
            verify=lambda: check(kafka, topics),
        )
        self._own: _Store | None = None
        self._orphans: list[_Store] = []
        self._closing = False
        self._unwritable = Alarm("journal_unwritable", "journal_writable_again")
        self._aside = Alarm("journal_quarantined", "journal_quarantined_gone")
        self._unkept = Alarm("journal_directory_unreadable", "journal_directory_readable_again")
        self._away = Alarm("kafka_away", "kafka_back")
        self._topics = TopicTrouble(lambda: check(kafka, topics))
        self._refusals = Refusals("records_refused", "records_refused_no_more")
        self._shares = Shares()
        self._stuck = Stuck()
        self._housekeeper: asyncio.Task[None] | None = None

    @property
    def ledger(self) -> Ledger:
        """What became of every message of this process."""
        return self._book.ledger

    # ---- life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Claim and open a journal, queue what is in it, begin to connect. Does not wait for Kafka.

        Raises OSError or `JournalUnwritable` when the journal directory cannot be used.
        """
        while self._own is None:
            with suppress(JournalDamaged):  # set aside by `_open`: take another
                self._own = await self._open(claim.take(self._settings.journal_dir))
        self._producer.start()
        self._housekeeper = asyncio.get_running_loop().create_task(self._keep_house(), name="bus housekeeping")

    async def stop(self, deadline: float) -> None:
        """Accept nothing more, publish what waits while Kafka takes it, for at most `deadline` seconds.

        What is then unacknowledged is in the journal. A second call does nothing.
        """
        if self._closing:
            return
        self._closing = True
        if self._housekeeper is not None:
            self._housekeeper.cancel()
            await asyncio.wait([self._housekeeper])
        await self._topics.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._drained()
        await self._producer.stop()  # before the lanes, which so learn of every batch whether it arrived
        for store in self._stores():
            await store.close()
            store.held.release()

    async def drained(self) -> None:
        """Return when nothing waits any longer, in memory or in a journal."""
        while self._waits():  # noqa: ASYNC110 - looked at rarely
            await asyncio.sleep(0.05)

    async def _drained(self) -> None:
        while self._producer.connected and self._waits():  # noqa: ASYNC110 - at stop
            await asyncio.sleep(0.02)

    def _waits(self) -> bool:
        return not all(store.empty for store in self._stores())

    # ---- accepting ---------------------------------------------------------------------------------------------

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """See `bus.contract.Bus.accept`."""
        return await self.submit(message, key=key)

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        """See `bus.contract.Bus.submit`."""
        if self._closing or self._own is None:
            self.ledger.not_durable += 1
            return refused(NotDurable("the bus is stopping" if self._closing else "the bus has not started"))
        known = self._book.known(message.event_id)
        if known is None:
            record = build(message, topic_prefix=self._prefix, instance=self._instance, key=key)
            if is_limited(message) and self._is_over_share(self._own, record):
                self.ledger.not_durable += 1
                return refused(self._shares.refuse(message.account, asyncio.get_running_loop().time()))
            return self._append(record)
        return promised(known) if isinstance(known, Receipt) else known

    def _is_over_share(self, own: _Store, record: Record) -> bool:
        """Tell whether it would go to the journal, of which its account holds too much. Looked at before it is queued.

        What a lane holds in memory is not counted.
        """
        if self.accounts < 2 or not own.journal.over_share(record.source):
            return False
        lane = own.lanes.get((record.topic, record.partition))
        return not self._producer.connected or (lane is not None and lane.spilled)

    def _append(self, record: Record, *, continues: bool = False) -> asyncio.Future[Receipt]:
        entry = PendingRecord(record, asyncio.get_running_loop().time(), continues=continues)
        try:
            self._lane(self._own_store(), (record.topic, record.partition)).append(entry)
        except NotDurable as full:
            self.ledger.not_durable += 1
            return refused(full)
        self._book.opened(entry)
        return entry.wait()

    async def _dead_letter(self, record: Record, reason: str) -> str:
        """See `bus.publishing.DeadLetter`."""
        self._refusals.add(now=asyncio.get_running_loop().time(), topic=record.topic, reason=reason)
        letter = of_refused(record, reason, now_ms=self._now_ms())
        known = self._book.known(letter.event_id)
        if known is None:
            await self._append(build(letter, topic_prefix=self._prefix, instance=self._instance), continues=True)
        elif not isinstance(known, Receipt):
            await known
        return letter.event_id

    async def _keep_trying(self, record: Record, reason: str) -> str:
        """A refused dead letter has nowhere to go: it stays in the queue, which is said."""
        self._stuck.refused(record, reason, asyncio.get_running_loop().time())
        message = "the dead-letter topic refuses a dead letter: raise its max.message.bytes"
        raise NotDurable(message)

    # ---- lanes and journals ------------------------------------------------------------------------------------

    def _own_store(self) -> _Store:
        if self._own is None:
            message = "the bus has not started"
            raise NotDurable(message)
        return self._own

    def _stores(self) -> list[_Store]:
        return ([self._own] if self._own else []) + self._orphans

    def _lane(self, store: _Store, key: TopicPartition) -> Lane:
        lane = store.lanes.get(key)
        if lane is None:
            dead_letters = key[0] == self._prefix + SmsRejected.TOPIC
            ends_as: Outcome = "rejected" if dead_letters else "published"
            lane = store.lanes[key] = Lane(
                key,
                journal=store.journal,
                book=self._book,
                publish=self._producer.publish,
                dead_letter=self._keep_trying if dead_letters else self._dead_letter,
                ends_as=ends_as,
                settings=self._settings,
                rng=self._rng,
                reachable=lambda: self._producer.connected,
            )
            lane.start()
        return lane

    async def _open(self, held: claim.Claim) -> _Store:
        journal = Journal(held.directory, max_bytes=self._settings.journal_max_bytes)
        try:
            backlog = await journal.open()
        except JournalDamaged as damaged:
            await journal.close()
            log.error("journal_damaged", reason=damaged.reason, moved_to=str(held.quarantine()))
            raise
        except BaseException:
            await journal.close()
            held.release()
            raise
        store = _Store(held, journal)
        for key, rows in backlog.items():
            self._lane(store, key).adopt(rows)
        return store

    async def _keep_house(self) -> None:
        """Adopt orphans, close drained ones, try a journal again that did not take the last write."""
        adopt_at = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            try:
                if now >= adopt_at:
                    adopt_at = now + self._settings.orphan_scan_interval
                    await self._adopt()
                    await self._look_aside()
                for store in [store for store in self._orphans if store.empty]:
                    self._orphans.remove(store)
                    await self._leave(store)
                self._unkept.end()
            except OSError as error:
                self._unkept.begin(error=str(error))
            if self._own is not None:
                await self._look_after(self._own.journal, now)
            await asyncio.sleep(PROBE_EVERY)

    async def _leave(self, store: _Store) -> None:
        """Remove an orphan's directory if its rows are gone, whatever an index says of them; else set it aside."""
        problem = await _unexplained(store)
        await store.close()
        if problem is not None:
            log.error("journal_damaged", reason=problem, moved_to=str(store.held.quarantine()))
            return
        await asyncio.to_thread(store.held.remove)
        log.info("orphan_drained", directory=str(store.held.directory))

    async def _look_after(self, own: Journal, now: float) -> None:
        """Say what began and what is over, and try a journal again that did not take the last write."""
        if own.unwritable:
            self._unwritable.begin(reason=own.unwritable)
            await own.probe()
        else:
            self._unwritable.end()
        error, wrong = self._producer.trouble, self._producer.wrong_topics
        if error is None:
            self._away.end()
        elif not (self._topics.trouble.holds and error in wrong.values()):  # else it has been said, of its topic
            self._away.begin(error=error, **hint(error))
        self._topics.look(error, wrong, now)
        self._refusals.look(now)
        self._shares.look(now)
        self._stuck.look(now, is_away=error is not None)

    async def _look_aside(self) -> None:
        """Say so while a journal waits for a person: what it holds is published by nobody else."""
        if aside := await asyncio.to_thread(claim.unclaimed_in, self._settings.journal_dir):
            hint = "smsbus journal export --directory DIRECTORY --to FILE saves what can be read"
            self._aside.begin(directories=[str(path) for path in aside], hint=hint)
        else:
            self._aside.end()

    async def _adopt(self) -> None:
        for held in await asyncio.to_thread(claim.orphans, self._settings.journal_dir):
            try:
                store = await self._open(held)
            except JournalDamaged:
                continue
            except Exception as error:  # noqa: BLE001 - a broken orphan must not end the housekeeping
                log.error("orphan_unreadable", directory=str(held.directory), error=type(error).__name__)
                continue
            self._orphans.append(store)
            log.info("orphan_adopted", directory=str(held.directory), rows=store.journal.rows)

    # ---- in people's hands -------------------------------------------------------------------------------------

    @property
    def journals(self) -> list[str]:
        """The names of the journals' directories that this process holds."""
        return [store.held.directory.name for store in self._stores()]

    async def rows(self, journal: str, which: Which, max_bytes: int) -> list[RawRow]:
        """Return the first of these rows of a journal that this process holds, about `max_bytes` at most.

        Raises `JournalUnwritable` when they cannot be read.
        """
        store = self._store_named(journal)
        return [] if store is None else await store.journal.look(lambda connection: page(connection, which, max_bytes))

    async def skip(self, name: RowName) -> Skip:
        """Take a row out that cannot be published, its bytes kept (`bus.journal.skipped`); return what became of it."""
        store = self._store_named(name.journal)
        if store is None or self._closing:
            return "elsewhere"
        try:
            row = await found(store.journal, name)
            lane = store.lanes.get(row.lane) if row is not None else None
            outcome = await lane.skip(name) if lane is not None else "unknown"
        except (JournalUnwritable, OSError) as error:
            log.error("journal_row_not_skipped", journal=name.journal, error=str(error))
            return "unwritable"
        if outcome == "skipped":
            self._stuck.skipped(name.id)
        return "acknowledged" if outcome == "unknown" and self._book.has_ended(name.id) else outcome

    def _store_named(self, journal: str) -> _Store | None:
        return next((store for store in self._stores() if store.held.directory.name == journal), None)

    # ---- how it is ---------------------------------------------------------------------------------------------

    @property
    def over_share(self) -> dict[str, int]:
        """Messages that were refused because their account holds too much of the journal, by account."""
        return self._shares.refused

    @property
    def producer_failures(self) -> dict[str, int]:
        """Failed batches and failed starts by the error's name."""
        return self._producer.failures

    def alive(self) -> bool:
        """Every task and thread that must run does."""
        stores = self._stores()
        lanes = all(lane.alive for store in stores for lane in store.lanes.values())
        house = self._housekeeper is not None and not self._housekeeper.done()
        journals = all(store.journal.alive for store in stores) and not (self._own and self._own.journal.damaged)
        return house and lanes and journals and self._producer.alive

    def condition(self) -> Condition:
        """How it is now; cheap enough for every probe."""
        journals = [store.journal for store in self._stores()]
        unwritable = self._own.journal.unwritable if self._own else "not started"
        oldest = [journal.oldest_ms for journal in journals if journal.oldest_ms is not None]
        return Condition(
            can_accept=not self._closing and (self._producer.connected or unwritable is None),
            kafka_connected=self._producer.connected,
            journal_rows=sum(journal.rows for journal in journals),
            journal_bytes=sum(journal.bytes for journal in journals),
            journal_oldest_seconds=max((self._now_ms() - min(oldest)) / 1000, 0.0) if oldest else 0.0,
            degraded=tuple(self._degraded(unwritable)),
        )

    def _degraded(self, unwritable: str | None) -> list[str]:
        spilled = any(lane.spilled for store in self._stores() for lane in store.lanes.values())
        words = {
            "kafka_away": not self._producer.connected,
            "journal_unwritable": unwritable is not None,
            "messages_in_journal": spilled,
        }
        wrong = [f"takes_nothing:{topic}:{error}" for topic, error in sorted(self._producer.wrong_topics.items())]
        told = (self._aside, self._unkept, self._topics.trouble, self._refusals.trouble)
        holding = [each.word for each in told if each.holds]
        names = [word for word, holds in words.items() if holds] + holding + wrong
        return names + self._shares.words + self._stuck.words


async def _unexplained(store: _Store) -> str | None:
    """Return why a drained journal must not be deleted; None: nothing is in it, and everything was published."""
    try:
        rows = await store.journal.rows_left() + sum(lane.lost for lane in store.lanes.values())
    except JournalUnwritable as unreadable:
        return unreadable.reason
    return f"{rows} rows were neither published nor can be read" if rows else None
