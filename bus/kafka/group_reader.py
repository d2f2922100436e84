"""Reading topics as a member of a consumer group whose committed offsets are the progress: nothing else is kept.

Each partition that is ours is read by a task of its own, so one that waits does not hold up the others. The first
assignment of a new group commits where it begins: what comes after that is never skipped, whatever happens.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition, errors

from bus.health import hint
from bus.kafka import brokers
from bus.kafka.client import (
    FAILURES,
    away,
    check_fetching,
    group_consumer,
    is_cancelled,
    seen,
    stop_consumer,
)
from bus.kafka.reader import POLL_MS, ReadRecord, as_read
from bus.kafka.topics_reader import Part
from bus.settings import KafkaSettings
from schemas.topics import TOPICS

NEVER_MS: Final = 2**31 - 1  # a partition may wait for days without being read; heartbeats tell that we live
AT_ONCE: Final = 100
TICK: Final = 0.5  # seconds between two commits
LOOK_EVERY: Final = 5.0  # seconds between two questions where the topics end
ASK_TIMEOUT: Final = 5.0
SILENCE: Final = 30.0  # seconds without an answer to it: leave the group and rejoin
BACKOFF: Final = 1.0

_log = structlog.get_logger("group")


class Place(NamedTuple):
    """Where the reading of a partition begins."""

    offset: int
    is_new: bool = False
    """The group has no progress in it: it is new, or has been away for longer than Kafka keeps its offsets."""
    lost: int = 0
    """Records that Kafka has deleted before they were read."""
    is_anew: bool = False
    """The topic was made anew: what was not read of the former one is gone, nobody knows how much."""


def place(committed: int | None, oldest: int, end: int, since: int | None) -> Place:
    """Return where to begin. `since`: the first offset of the wanted time; None: no time was given."""
    if committed is None:
        return Place(end if since is None else max(since, oldest), is_new=True)
    if oldest <= committed <= end:
        return Place(committed)
    if committed > end:
        return Place(max(since or 0, oldest), is_anew=True)
    return Place(max(since or 0, oldest), lost=max(since or 0, oldest) - committed)


class Share:
    """One of our partitions, while it is ours."""

    def __init__(self, part: Part, full: TopicPartition, offset: int, end: int, consumer: AIOKafkaConsumer) -> None:
        self.part = part
        self.next = offset
        """The offset of the first record that is not handled."""
        self.end = end
        """Where the partition ended lately."""
        self._read: deque[ReadRecord] = deque()  # and not handled
        self._full = full
        self._consumer = consumer

    @property
    def waiting_since_ms(self) -> int | None:
        """The time of the first record that was read and is not handled; None: there is none."""
        return self._read[0].timestamp_ms if self._read else None

    async def read(self) -> list[ReadRecord]:
        """Return what comes within half a second. What was read is handled once `done` says so."""
        batches = await self._consumer.getmany(self._full, timeout_ms=POLL_MS, max_records=AT_ONCE)
        records = [as_read(record) for record in batches.get(self._full, []) if record.offset >= self.next]
        if records and records[0].offset > self.next:  # retention was faster; nothing else leaves gaps in these topics
            _log.warning("forward_lost", partition=self.part.partition, records=records[0].offset - self.next)
        self._read = deque(records)
        return records

    def done(self) -> None:
        """Note that the first of the records that were read is handled, and need not be read again."""
        self.next = self._read.popleft().offset + 1


Work = Callable[[Share], Coroutine[Any, Any, None]]


class GroupReader(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """One member of a group: `run` it."""

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Sequence[str],
        *,
        group: str,
        since_ms: int | None = None,
        on_placed: Callable[[Mapping[Part, Place]], None] = lambda _: None,
    ) -> None:
        """`topics` are unprefixed, `group` is. A new group begins at `since_ms`, None: with what comes from now on.

        `on_placed` is told where each reading begins.
        """
        self.shares: dict[Part, Share] = {}
        self.retention_ms: dict[str, int] = _of_the_contract(topics)
        """For how long Kafka keeps the records of each topic."""
        self.heard_at = 0.0
        """When brokers last answered us as a member of the group, the loop's time."""
        self._kafka = kafka
        self._group = group
        self._since_ms = since_ms
        self._on_placed = on_placed
        self._part_of = {kafka.topic(name): name for name in topics}
        self._work: Work | None = None
        self._tasks: dict[Part, asyncio.Task[None]] = {}
        self._assigned: frozenset[TopicPartition] | None = None  # and not begun
        self._committed: dict[Part, int] = {}
        self._changing = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None
        self._is_member = False  # it was assigned something, or nothing, in this session
        self._left_for: str | None = None

    async def run(self, work: Work) -> None:
        """Be in the group until cancelled; after a failure, rejoin.

        `work` is run for each share while it is ours, and then cancelled; it may take a moment to end.
        """
        self._work = work
        self._heard()
        while True:
            try:
                await self._session()
            except (Exception, asyncio.CancelledError) as error:
                if is_cancelled():
                    raise
                self._say_left(type(error).__name__)  # a stray cancellation, too: closing TLS under uvloop raises it
            await asyncio.sleep(BACKOFF)

    def _say_left(self, error: str) -> None:
        """Log it once, until a session holds."""
        if error != self._left_for:
            self._left_for = error
            _log.warning("group_left", error=error, **hint(error))

    async def _session(self) -> None:
        self._is_member = False
        consumer = self._consumer = group_consumer(self._kafka, self._group, max_poll_interval_ms=NEVER_MS)
        consumer.subscribe(list(self._part_of), listener=self)
        try:
            async with asyncio.timeout(SILENCE):
                await self._ask_retention()
                await consumer.start()
            await self._follow(consumer)
        finally:
            await self._give_up()
            await stop_consumer(consumer)
            self._consumer, self._assigned = None, None

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        loop = asyncio.get_running_loop()
        heard, look_at = loop.time(), loop.time() + LOOK_EVERY  # a session that ends before has not held
        while True:
            check_fetching(consumer)
            consumer._coordinator.check_errors()  # noqa: SLF001 - else only reading raises them, and nobody may read
            await self._begin(consumer)
            for task in self._tasks.values():
                if task.done():
                    task.result()  # raises: work does not end otherwise
            with suppress(errors.CommitFailedError):  # a rebalance; the next assignment begins at what is committed
                async with asyncio.timeout(SILENCE):
                    await self._commit(consumer)
            if loop.time() >= look_at:
                look_at = loop.time() + LOOK_EVERY
                if await self._look(consumer):
                    heard = loop.time()
                elif loop.time() - heard > SILENCE:
                    raise away(self._kafka)
            await asyncio.sleep(TICK)

    # ---- partitions come and go ------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called at the start of every rebalance with all partitions: give all of them up."""
        del revoked
        await self._give_up()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called when a rebalance has ended; reading begins outside of this call, which must not ask brokers."""
        self._assigned = frozenset(assigned)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Begin to read what was assigned: from the progress, or from a first place, which is committed before."""
        async with self._changing:
            assigned = self._assigned
            if assigned is None or self._work is None:
                return
            async with asyncio.timeout(ASK_TIMEOUT):
                places = await self._places(consumer, sorted(assigned)) if assigned else {}
            if self._assigned is not assigned:
                return  # a rebalance has begun
            self._assigned = None
            for full, (begin, end) in places.items():
                consumer.seek(full, begin.offset)
                part = self._part(full)
                self.shares[part] = Share(part, full, begin.offset, end, consumer)
            async with asyncio.timeout(ASK_TIMEOUT):
                await self._commit(consumer)
            self._on_placed({self._part(full): begin for full, (begin, _) in places.items()})
            self._is_member = True
            self._tasks = {part: asyncio.ensure_future(self._work(share)) for part, share in self.shares.items()}

    async def _places(
        self, consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[Place, int]]:
        """Return where to begin, and where the partition ends."""
        committed = dict(zip(parts, await asyncio.gather(*map(consumer.committed, parts)), strict=True))
        # Later, so that no end is before the progress; at once, since a rebalance waits for it.
        oldest, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
        since: dict[TopicPartition, int | None] = dict.fromkeys(parts)
        if self._since_ms is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(parts, self._since_ms))
            since = {part: found[part].offset if found.get(part) else ends[part] for part in parts}
        return {part: (place(committed[part], oldest[part], ends[part], since[part]), ends[part]) for part in parts}

    async def _give_up(self) -> None:
        """End the work, and commit how far it came."""
        self._assigned = None
        async with self._changing:
            tasks, self._tasks = [*self._tasks.values()], {}
            await _end(tasks)
            if self._consumer is not None and self.shares:
                with suppress(*FAILURES):
                    async with asyncio.timeout(ASK_TIMEOUT):
                        await self._commit(self._consumer)
            self.shares, self._committed = {}, {}

    # ---- progress and liveness -------------------------------------------------------------------------------------

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        ahead = {part: share.next for part, share in self.shares.items() if share.next != self._committed.get(part)}
        if ahead:
            await consumer.commit({self._full(part): offset for part, offset in ahead.items()})
            self._committed.update({part: offset for part, offset in ahead.items() if part in self.shares})

    async def _look(self, consumer: AIOKafkaConsumer) -> bool:
        """Ask where our partitions end; return whether brokers answer.

        Raises `KafkaError` if one ends before what was handled: it was made anew, and the next session begins there.
        """
        shares = {self._full(part): share for part, share in self.shares.items()}
        handled = {full: share.next for full, share in shares.items()}
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                ends = await (consumer.end_offsets([*shares]) if shares else consumer.topics())
        except FAILURES:
            return False
        for full, share in shares.items():
            share.end = ends[full]
            if share.end < handled[full]:
                raise errors.OffsetOutOfRangeError
        if self._is_member:
            self._left_for = None
            self._heard()
        return True

    def _heard(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()

    async def _ask_retention(self) -> None:
        """Ask for how long the topics keep what is on them; without the right to know, it is as the contract says."""
        full = frozenset(self._part_of)
        async with brokers.admin(self._kafka) as client:
            there = await brokers.existing(client, configs_of=full)
        told = {self._part_of[name]: there[name].configs.get("retention.ms") for name in full & there.keys()}
        self.retention_ms.update({name: int(text) for name, text in told.items() if text})

    def _part(self, full: TopicPartition) -> Part:
        return Part(self._part_of[full.topic], full.partition)

    def _full(self, part: Part) -> TopicPartition:
        return TopicPartition(self._kafka.topic(part.topic), part.partition)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        seen(task)


def _of_the_contract(topics: Sequence[str]) -> dict[str, int]:
    return {topic.name: int(topic.configs["retention.ms"]) for topic in TOPICS if topic.name in topics}
