"""The group of pollers: membership, and reading the commands of our shards.

A shard is a partition of the topic. Group membership decides who runs which; the fence of `state_log` is the truth
about ownership, since an isolated member does not learn that it lost a shard.
"""

import asyncio
from typing import Any, Final, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition, errors
from aiokafka.protocol.group import HeartbeatRequest

from bus.health import hint
from bus.kafka.client import FAILURES, away, check_fetching, group_consumer, is_cancelled, stop_consumer
from bus.settings import KafkaSettings
from bus.sharding.commands import FORGETS, Command
from schemas.topics import WATCHES

POLL_MS: Final = 200
AT_ONCE: Final = 200  # commands of 20-50 us each; then the loop's other work runs
SILENCE: Final = 30.0  # seconds without a response from the brokers: leave the group and rejoin
ASK_TIMEOUT: Final = 5.0
BACKOFF: Final = 1.0

log = structlog.get_logger()


class Member(Protocol):
    """The callbacks of a group, on its event loop, one call at a time."""

    def on_shards(self, ours: frozenset[int]) -> None:
        """Called with our shards whenever they may have changed."""

    def on_command(self, command: Command) -> None:
        """Called with each command on our shards, from the first one on."""

    def on_caught_up(self, partition: int) -> None:
        """Called once all commands from before the shard's assignment, or before `catch_up`, have been seen."""


class ShardGroup(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """One membership: `run` it."""

    def __init__(self, kafka: KafkaSettings, *, group: str) -> None:
        self.joined = False
        """Whether the group has assigned us shards, or none, and we are still a member.

        After a failed session only once the next one has lasted a while. Without the right to read it fails at once.
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
        self._generation = -1  # of the group, that our shards were assigned in

    async def run(self, member: Member) -> None:
        """Be in the group until cancelled; after any failure, rejoin.

        After a failure shards are ours until the next assignment: without Kafka there is only their memory.
        When we leave, others take them, and none is ours any longer.
        """
        self._member = member
        while True:
            try:
                await self._session()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                self._say_left("CancelledError")  # a stray one: closing a TLS connection under uvloop raises it
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
        """Drop all shards, and rejoin; also for a process that was suspended longer than the session."""
        self._positions.clear()
        self._ends.clear()
        self._asked.clear()
        self.joined = False
        if self._member is not None:
            self._member.on_shards(frozenset())
        self._rejoin.set()

    def start_again(self, partition: int) -> None:
        """Deliver every command of this shard again, from the first one on: its owner has been replaced."""
        if partition in self._positions:
            self._positions[partition] = 0
            self._ask_anew(partition)
            part = TopicPartition(self._topic, partition)
            if self._consumer is not None and part in self._consumer.assignment():  # else the next one begins there
                self._consumer.seek(part, 0)

    def catch_up(self, partition: int) -> None:
        """Call `on_caught_up` again once every command that is on this shard now has been seen."""
        if partition in self._positions:
            self._ask_anew(partition)

    async def is_ours(self, partition: int) -> bool:
        """Ask the brokers whether this shard is assigned to us now; also False when they do not respond.

        They accept a heartbeat of the generation that assigned it only from one of its members: a process that was
        suspended may not be one any longer. A commit would ask the same, but when it is refused aiokafka joins again as
        a new member. The old one is then a ghost that the next rebalance waits for; commits sent meanwhile are refused
        after it, and so on, for a minute and longer (tests/integration/test_group_on_brokers.py).
        """
        consumer = self._consumer
        if consumer is None or partition not in self._positions:
            return False
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                return await _is_current(consumer, self._generation)
        except FAILURES:
            return False

    def _ask_anew(self, partition: int) -> None:
        """Ask for this shard's end, and ignore responses to earlier requests."""
        self._ends[partition] = None
        self._asked.discard(partition)

    async def _session(self) -> None:
        self._rejoin.clear()
        self._assigned = False
        consumer = self._consumer = group_consumer(self._kafka, self._group)
        consumer.subscribe([self._topic], listener=self)
        try:
            async with asyncio.timeout(SILENCE):  # `wait_for` of Python 3.11 can lose a cancellation
                await consumer.start()
            await self._follow(consumer)
        finally:
            await stop_consumer(consumer)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        loop = asyncio.get_running_loop()
        heard = asked = loop.time()
        while not self._rejoin.is_set():
            check_fetching(consumer)
            for part, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)).items():
                for record in records:
                    self._deliver(part, record)
            await asyncio.sleep(0)  # records that are fetched already are returned without a pause
            await self._catch_up(consumer)
            if loop.time() - asked > SILENCE / 3:
                asked = loop.time()
                if await _answers(consumer):
                    heard = loop.time()
                    self._holds()
                elif loop.time() - heard > SILENCE:
                    raise away(self._kafka)

    def _holds(self) -> None:
        """The failure of the last session has not recurred in this one."""
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
        """Ask once for all: the response comes behind that of a fetch, which waits half a second for new commands."""
        asked = self._asked = {partition for partition, end in self._ends.items() if end is None}
        if not asked:
            return
        ends = await consumer.end_offsets([TopicPartition(self._topic, partition) for partition in asked])
        for part, end in ends.items():
            if part.partition in asked:  # otherwise it is lost meanwhile, or must be requested again
                self._ends[part.partition] = end

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called at the start of every rebalance with all shards; the next assignment shows what changed."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start new shards at their first command; kept ones continue."""
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
        if self._consumer is not None:
            self._generation = self._consumer._coordinator.generation  # noqa: SLF001 - it tells nobody else
        if self._member is not None:
            self._member.on_shards(ours)


async def _is_current(consumer: AIOKafkaConsumer, generation: int) -> bool:
    """Tell whether the coordinator has this member in this generation, also while the next one forms."""
    coordinator = consumer._coordinator  # noqa: SLF001 - its own heartbeats have consequences
    if coordinator is None:
        return False  # it replaces another and is not connected yet
    request = HeartbeatRequest(coordinator.group_id, generation, coordinator.member_id)
    answer = await coordinator._send_req(request)  # noqa: SLF001
    return answer.error_code in {0, errors.RebalanceInProgressError.errno}


async def _answers(consumer: AIOKafkaConsumer) -> bool:
    try:
        async with asyncio.timeout(ASK_TIMEOUT):
            await consumer.topics()
    except FAILURES:
        return False
    return True
