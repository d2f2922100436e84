"""The bus: accept → lane → Kafka, and the journals that keep messages across crashes."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from bus.contract import Ledger, NotDurable, NotDurableCause, Outcome, Receipt, promised, refused
from bus.dead_letter import DAMAGED, of_refused
from bus.deliveries import Deliveries, PendingRecord
from bus.durations import Durations
from bus.ending import end
from bus.health import FORBIDDEN, TOPIC_FORBIDDEN, Alarm, Condition, Refusals, TopicsAlarm, hint
from bus.journal.journal import Journal, JournalUnwritable
from bus.journal.rows import RawRow, RowName, Which, found, page
from bus.journal.skipped import Skip
from bus.journal_shares import Shares, is_limited
from bus.journals import ClaimedJournal, Journals
from bus.kafka.producer import Producer
from bus.kafka.topics import check
from bus.lane import Lane
from bus.record import Record, TopicPartition, build
from bus.settings import BusSettings, KafkaSettings
from bus.stuck import Stuck
from schemas.messages import Message, SmsRejected
from schemas.topics import ALL

log = structlog.get_logger()

PROBE_EVERY: Final = 1.0  # seconds between two tries of a journal whose last write failed


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
        """`accounts`: how many accounts share the journal; a single one may use all of it.

        It may be set again. `topics` are those that this process needs, unprefixed: it may lack rights for others.
        """
        self.accounts = accounts
        self._settings = settings
        self._prefix, self._servers = kafka.topic_prefix, kafka.bootstrap_servers
        self._instance = instance
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._now_ms = now_ms
        self._deliveries = Deliveries(remember=settings.dedup_cache_size)
        self._producer = Producer(
            kafka,
            client_id=f"smsbus-{instance}",
            rng=self._rng,
            now_ms=now_ms,
            verify=lambda: check(kafka, topics),
        )
        self._journals = Journals(settings, self._new_lane)
        self._closing = False
        self._unwritable = Alarm("journal_unwritable")
        self._away = Alarm("kafka_away")
        self._topics = TopicsAlarm(lambda: check(kafka, topics))
        self._refusals = Refusals("records_refused")
        self._damaged = Refusals("journal_row_damaged")
        self._shares = Shares()
        self._stuck = Stuck()
        self._housekeeper: asyncio.Task[None] | None = None

    @property
    def ledger(self) -> Ledger:
        """What became of every message of this process."""
        return self._deliveries.ledger

    # ---- start and stop ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Claim and open a journal, queue its rows, begin to connect. Does not wait for Kafka.

        Raises OSError or `JournalUnwritable` when the journal directory cannot be used.
        """
        await self._journals.claim_own()
        self._producer.start()
        self._housekeeper = asyncio.get_running_loop().create_task(self._keep_house(), name="bus housekeeping")

    async def stop(self, deadline: float) -> None:
        """Accept nothing more, publish what waits, for at most `deadline` seconds.

        What is then unacknowledged is in the journal. A second call does nothing.
        """
        if self._closing:
            return
        self._closing = True
        await end(self._housekeeper)
        await self._topics.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._drained()
        await self._producer.stop()  # before the lanes, which then know whether each batch arrived
        await self._journals.close()

    async def drained(self) -> None:
        """Return when nothing is left to publish, in memory or in a journal."""
        while not self._journals.empty:  # noqa: ASYNC110 - looked at rarely
            await asyncio.sleep(0.05)

    async def _drained(self) -> None:
        while self._producer.connected and not self._journals.empty:  # noqa: ASYNC110 - at stop
            await asyncio.sleep(0.02)

    # ---- accepting ---------------------------------------------------------------------------------------------

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """See `bus.contract.Bus.accept`."""
        return await self.submit(message, key=key)

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        """See `bus.contract.Bus.submit`."""
        own = self._journals.own
        if self._closing or own is None:
            self._deliveries.count_not_durable("not_running")
            return refused(NotDurable("the bus is stopping" if self._closing else "the bus has not started"))
        known = self._deliveries.known(message.event_id)
        if known is None:
            record = build(message, topic_prefix=self._prefix, instance=self._instance, key=key)
            if is_limited(message) and self._is_over_share(own, record):
                self._deliveries.count_not_durable("over_share")
                return refused(self._shares.refuse(message.account, asyncio.get_running_loop().time()))
            return self._append(record)
        return promised(known) if isinstance(known, Receipt) else known

    def _is_over_share(self, own: ClaimedJournal, record: Record) -> bool:
        """Tell whether it would go to the journal, of which its account already uses too much. Checked before queueing.

        What a lane holds in memory is not counted.
        """
        if self.accounts < 2 or not own.journal.over_share(record.source):
            return False
        lane = own.lanes.get((record.topic, record.partition))
        return not self._producer.connected or (lane is not None and lane.spilled)

    def _append(self, record: Record, *, is_handoff: bool = False) -> asyncio.Future[Receipt]:
        entry = PendingRecord(record, asyncio.get_running_loop().time(), is_handoff=is_handoff)
        try:
            self._journals.own_lane((record.topic, record.partition)).append(entry)
        except NotDurable as full:
            self._deliveries.count_not_durable("lane_full")
            return refused(full)
        self._deliveries.opened(entry)
        return entry.wait()

    async def _dead_letter(self, record: Record, reason: str) -> str:
        """See `bus.publishing.DeadLetter`."""
        now = asyncio.get_running_loop().time()
        told = self._damaged if reason == DAMAGED else self._refusals
        told.add(now=now, id=record.id, topic=record.topic, reason=reason, **hint(reason))
        letter = of_refused(record, reason, now_ms=self._now_ms())
        known = self._deliveries.known(letter.event_id)
        if known is None:
            await self._append(build(letter, topic_prefix=self._prefix, instance=self._instance), is_handoff=True)
        elif not isinstance(known, Receipt):
            await known
        return letter.event_id

    async def _keep_trying(self, record: Record, reason: str) -> str:
        """A refused dead letter has nowhere to go: it stays in the queue, and an alarm is raised.

        One that is damaged on disk was not refused: what is left of it is a dead letter itself.
        """
        if reason == DAMAGED:
            return await self._dead_letter(record, reason)
        self._stuck.refused(record, reason, asyncio.get_running_loop().time())
        message = "the dead-letter topic refuses a dead letter: raise its max.message.bytes"
        raise NotDurable(message)

    def _new_lane(self, journal: Journal, key: TopicPartition) -> Lane:
        dead_letters = key[0] == self._prefix + SmsRejected.TOPIC
        ends_as: Outcome = "rejected" if dead_letters else "published"
        return Lane(
            key,
            journal=journal,
            deliveries=self._deliveries,
            publish=self._producer.publish,
            dead_letter=self._keep_trying if dead_letters else self._dead_letter,
            ends_as=ends_as,
            settings=self._settings,
            rng=self._rng,
            reachable=lambda: self._producer.connected,
        )

    # ---- housekeeping ------------------------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        """Adopt orphans, close drained ones, retry a journal whose last write failed."""
        while True:
            now = asyncio.get_running_loop().time()
            await self._journals.keep(now)
            if self._journals.own is not None:
                await self._look_after(self._journals.own.journal, now)
            await asyncio.sleep(PROBE_EVERY)

    async def _look_after(self, own: Journal, now: float) -> None:
        """Update the alarms, and retry a journal whose last write failed."""
        if own.unwritable:
            self._unwritable.begin(reason=own.unwritable)
            await own.probe()
        else:
            self._unwritable.end()
        error = self._producer.away_reason
        self._topics.update(error, self._producer.wrong_topics, now)
        if error is None or self._is_of_a_topic():
            self._away.end()
        else:
            self._away.begin(error=error, bootstrap_servers=self._servers, **hint(error))
        for refusals in (self._refusals, self._damaged):
            refusals.update(now)
        self._shares.update(now)
        self._stuck.update(now, is_away=error is not None)

    def _is_of_a_topic(self) -> bool:
        """Whether brokers answer, and it is a single topic that accepts nothing: `topics_misconfigured` names it."""
        error = self._producer.last_error
        is_known = error == TOPIC_FORBIDDEN or (self._topics.alarm.holds and error not in FORBIDDEN)
        return self._producer.reachable and is_known and error in self._producer.wrong_topics.values()

    # ---- for operators -----------------------------------------------------------------------------------------

    @property
    def journals(self) -> list[str]:
        """The names of the journals' directories that this process holds."""
        return [each.claim.directory.name for each in self._journals.claimed]

    async def rows(self, journal: str, which: Which, max_bytes: int) -> list[RawRow]:
        """Return the first of these rows of a journal that this process holds, about `max_bytes` at most.

        Raises `JournalUnwritable` when they cannot be read.
        """
        if (claimed := self._journals.named(journal)) is None:
            return []
        return await claimed.journal.query(lambda connection: page(connection, which, max_bytes))

    async def skip(self, name: RowName) -> Skip:
        """Remove a row that cannot be published, its bytes kept (`bus.journal.skipped`); return the outcome."""
        claimed = self._journals.named(name.journal)
        if claimed is None or self._closing:
            return "elsewhere"
        try:
            row = await found(claimed.journal, name)
            lane = claimed.lanes.get(row.lane) if row is not None else None
            outcome = await lane.skip(name) if lane is not None else "unknown"
        except (JournalUnwritable, OSError) as error:
            log.error("journal_row_not_skipped", journal=name.journal, error=str(error))
            return "unwritable"
        if outcome == "skipped":
            self._stuck.skipped(name.id)
        return "acknowledged" if outcome == "unknown" and self._deliveries.has_ended(name.id) else outcome

    # ---- state -------------------------------------------------------------------------------------------------

    @property
    def over_share(self) -> dict[str, int]:
        """Messages that were refused because their account uses too much of the journal, by account."""
        return self._shares.refused

    @property
    def not_durable(self) -> Mapping[NotDurableCause, int]:
        """Messages that could not be made durable, by cause."""
        return self._deliveries.not_durable_by_cause

    @property
    def acks(self) -> Durations:
        """How long Kafka took to acknowledge batches."""
        return self._producer.acks

    @property
    def journal_max_bytes(self) -> int:
        """The limit of this process's own journal."""
        return self._settings.journal_max_bytes

    @property
    def journal_disk_free_bytes(self) -> int | None:
        """What was free for us on the journals' disk when it was last looked at; None: it was not yet."""
        return self._journals.disk_free_bytes

    @property
    def producer_failures(self) -> dict[str, int]:
        """Failed batches and failed starts by the error's name."""
        return self._producer.failures

    def alive(self) -> bool:
        """Whether every task and thread that must run does."""
        house = self._housekeeper is not None and not self._housekeeper.done()
        return house and self._journals.alive and self._producer.alive

    def condition(self) -> Condition:
        """Return the current state; cheap enough for every probe."""
        own, journals = self._journals.own, [each.journal for each in self._journals.claimed]
        unwritable = own.journal.unwritable if own else "not started"
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
        words = {
            "kafka_away": not self._producer.connected and not self._is_of_a_topic(),
            "journal_unwritable": unwritable is not None,
            "messages_in_journal": self._journals.spilled,
        }
        wrong = [f"takes_nothing:{topic}:{error}" for topic, error in sorted(self._producer.wrong_topics.items())]
        journals, single = (self._journals.unclaimed, self._journals.unreadable), (self._refusals, self._damaged)
        told = (*journals, self._topics.alarm, *(each.alarm for each in single))
        holding = [each.word for each in told if each.holds]
        names = [word for word, holds in words.items() if holds] + holding + wrong
        return names + self._shares.words + self._stuck.words
