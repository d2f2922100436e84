"""The group of pollers: membership, and reading the commands of our shards.

A shard is a partition of the topic. Group membership decides who runs which; the fence of `state_log` is the truth
about ownership, since an isolated member is not told that it lost a shard.
"""

import asyncio
from typing import Any, Final, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from bus.health import hint
from bus.kafka.client import FAILURES, REQUEST_TIMEOUT_MS, away, options, stop_consumer
from bus.settings import KafkaSettings
from bus.sharding.commands import FORGETS, Command
from schemas.topics import WATCHES

SESSION_MS: Final = 6_000  # with it, the shards of a killed member ran elsewhere within 5-6 s
HEARTBEAT_MS: Final = 1_000
# For the others to join again, of whom each hears with its next heartbeat that it has to. The broker keeps a JoinGroup
# waiting for so long; one that ends at the time-out of a request leaves a ghost for whom the next one has to wait.
REBALANCE_MS: Final = 3_000
POLL_MS: Final = 200
AT_ONCE: Final = 200  # commands of 20-50 us each; then the loop's other work has its turn
SILENCE: Final = 30.0  # seconds without an answer from the brokers: leave the group and join again
ASK_TIMEOUT: Final = 5.0
BACKOFF: Final = 1.0

log = structlog.get_logger()


class Member(Protocol):
    """Who is called back, on the group's event loop, one call at a time."""

    def on_shards(self, ours: frozenset[int]) -> None:
        """These shards are ours, whenever that may have changed."""

    def on_command(self, command: Command) -> None:
        """Take each command on our shards, from the first one on."""

    def on_caught_up(self, partition: int) -> None:
        """This shard's commands of before its assignment, or of before `catch_up`, have all been seen."""


class ShardGroup(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """One membership: `run` it."""

    def __init__(self, kafka: KafkaSettings, *, group: str) -> None:
        self.joined = False
        """The group has given us shards, or said that there are none for us, and did not lose us since.

        After a session that broke: only once the next one has held for a while. One that may not read breaks at once.
        """
        self._kafka = kafka
        self._topic = kafka.topic(WATCHES)
        self._group = group
        self._member: Member | None = None
        self._positions: dict[int, int] = {}  # of our shards
        self._ends: dict[int, int | None] = {}  # of shards that have not caught up; None: to be asked for
        self._asked: set[int] = set()  # of those, whose ends are being asked for
        self._rejoin = asyncio.Event()
        self._left_for: str | None = None  # until a session holds
        self._assigned = False  # in this session
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self, member: Member) -> None:
        """Be in the group until cancelled; whatever breaks, join again.

        When it breaks, shards are ours until the next assignment says otherwise: while Kafka is away their memory is
        all there is. When we leave, others take them, and none is ours any longer.
        """
        self._member = member
        while True:
            try:
                await self._session()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                self._say_left("CancelledError")  # a stray one: closing a TLS connection under uvloop lets one out
            except Exception as error:  # noqa: BLE001 - a group consumer that broke is replaced, whatever broke it
                self._say_left(type(error).__name__)
            else:
                self.lose_all()
            self.joined = False
            await asyncio.sleep(BACKOFF)

    def _say_left(self, error: str) -> None:
        """Log it once, until a session holds."""
        if error != self._left_for:
            self._left_for = error
            log.warning("group_left", error=error, **hint(error))

    def lose_all(self) -> None:
        """Have no shard any longer, and join again: for a process that slept longer than `SESSION_MS`, too."""
        self._positions.clear()
        self._ends.clear()
        self._asked.clear()
        self.joined = False
        if self._member is not None:
            self._member.on_shards(frozenset())
        self._rejoin.set()

    def start_again(self, partition: int) -> None:
        """Give every command of this shard once more, from the first one on: what ran it has ended."""
        if partition in self._positions:
            self._positions[partition] = 0
            self._ask_anew(partition)
            part = TopicPartition(self._topic, partition)
            if self._consumer is not None and part in self._consumer.assignment():  # else the next one begins there
                self._consumer.seek(part, 0)

    def catch_up(self, partition: int) -> None:
        """Call `on_caught_up` again once every command that lies on this shard by now has been seen."""
        if partition in self._positions:
            self._ask_anew(partition)

    async def is_ours(self, partition: int) -> bool:
        """Ask the brokers whether the group gives us this shard now; False, too, when they do not answer.

        They take the position of a present member alone. A process that slept does not know that it is none.
        """
        position = self._positions.get(partition)
        if self._consumer is None or position is None:
            return False
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                await self._consumer.commit({TopicPartition(self._topic, partition): position})
        except FAILURES:
            return False
        return True

    def _ask_anew(self, partition: int) -> None:
        """Ask for this shard's end, and believe no answer that is on its way."""
        self._ends[partition] = None
        self._asked.discard(partition)

    async def _session(self) -> None:
        self._rejoin.clear()
        self._assigned = False
        consumer = self._consumer = AIOKafkaConsumer(
            **options(self._kafka),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_MS,
            partition_assignment_strategy=[StickyPartitionAssignor],
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            metadata_max_age_ms=5_000,
        )
        consumer.subscribe([self._topic], listener=self)
        try:
            await asyncio.wait_for(consumer.start(), SILENCE)
            await self._follow(consumer)
        finally:
            await stop_consumer(consumer)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        loop = asyncio.get_running_loop()
        heard = asked = loop.time()
        while not self._rejoin.is_set():
            for part, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)).items():
                for record in records:
                    self._deliver(part, record)
            await asyncio.sleep(0)  # records that are here already are handed out without a pause
            await self._catch_up(consumer)
            if loop.time() - asked > SILENCE / 3:
                asked = loop.time()
                if await _answers(consumer):
                    heard = loop.time()
                    self._holds()
                elif loop.time() - heard > SILENCE:
                    raise away(self._kafka)

    def _holds(self) -> None:
        """What broke the last session does not break this one."""
        if self._assigned:
            self._left_for, self.joined = None, True

    def _deliver(self, part: TopicPartition, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        if part.partition not in self._positions:
            return  # of an assignment that has ended meanwhile
        if self._member is None:
            return
        self._positions[part.partition] = record.offset + 1
        key, headers = (record.key or b"").decode("utf-8", "replace"), dict(record.headers)
        forgets = (headers[FORGETS] or b"").decode("utf-8", "replace") if FORGETS in headers else None
        self._member.on_command(Command(part.partition, key, record.value, forgets))

    async def _catch_up(self, consumer: AIOKafkaConsumer) -> None:
        await self._ask_for_ends(consumer)
        for partition, end in list(self._ends.items()):
            if end is None:
                continue
            part = TopicPartition(self._topic, partition)
            reached = part in consumer.assignment() and await consumer.position(part) >= end
            if reached and self._ends.get(partition) == end:
                del self._ends[partition]
                if self._member is not None:
                    self._member.on_caught_up(partition)

    async def _ask_for_ends(self, consumer: AIOKafkaConsumer) -> None:
        """Ask once for all: the answer comes behind that of a fetch, which has half a second for new commands."""
        asked = self._asked = {partition for partition, end in self._ends.items() if end is None}
        if not asked:
            return
        ends = await consumer.end_offsets([TopicPartition(self._topic, partition) for partition in asked])
        for part, end in ends.items():
            if part.partition in asked:  # else it is lost meanwhile, or to be asked for anew
                self._ends[part.partition] = end

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called at the start of every rebalance with everything; the next assignment says what really changed."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Begin new shards at their first command; kept ones go on where they are."""
        self._assigned, self.joined = True, self._left_for is None
        ours = frozenset(part.partition for part in assigned)
        for lost in set(self._positions) - ours:
            del self._positions[lost]
            self._ends.pop(lost, None)
            self._asked.discard(lost)
        for part in assigned:
            if part.partition not in self._positions:
                self._positions[part.partition] = 0
                self._ask_anew(part.partition)
            if self._consumer is not None:
                self._consumer.seek(part, self._positions[part.partition])
        if self._member is not None:
            self._member.on_shards(ours)


def is_cancelled() -> bool:
    """Tell whether somebody has cancelled the task that runs this; a stray `CancelledError` comes without."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _answers(consumer: AIOKafkaConsumer) -> bool:
    try:
        async with asyncio.timeout(ASK_TIMEOUT):
            await consumer.topics()
    except FAILURES:
        return False
    return True
