"""Twins of the `StateLog`, the `CommandWriter` (`bus.sharding`) and the bus, on a Kafka in memory."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Final, NamedTuple

from bus.contract import Delivery, NotDurable, Receipt
from bus.kafka.client import KafkaAway
from bus.sharding.state_log import NotCommitted
from schemas.messages import Message
from tests.simulation.kafka import Kafka
from tests.simulation.loop import Loop

OPEN_PATIENCE: Final = 15.0  # seconds; these three are those of the real ones
COMMIT_PATIENCE: Final = 12.0
PUT_PATIENCE: Final = 10.0
REMEMBERED: Final = 50_000  # ids by which the bus of a process knows repeats
TO_DISK: Final = 1.0  # seconds until the bus gives up on Kafka and takes a message to its journal


class TwinLog:
    """The states of one shard, as `bus.sharding.state_log.StateLog` keeps them."""

    def __init__(self, kafka: Kafka, partition: int, replica: str) -> None:
        self._kafka = kafka
        self._partition = partition
        self._replica = replica
        self._epoch: int | None = None

    async def open(self) -> dict[str, bytes]:
        """Fence the predecessor, return what it has left. Raises `NotCommitted`."""
        self._epoch = None
        try:
            self._epoch, states = await self._kafka.ask(
                self._replica, lambda: self._kafka.fence(self._partition, self._replica), patience=OPEN_PATIENCE
            )
        except TimeoutError as error:
            raise NotCommitted("TimeoutError") from error
        return states

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        """Write all or none. Raises `Fenced` or `NotCommitted`, and is closed after either."""
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            raise NotCommitted("closed")
        written = dict(states)
        try:
            await self._kafka.ask(
                self._replica,
                lambda: self._kafka.commit(self._partition, epoch, self._replica, written),
                patience=COMMIT_PATIENCE,
            )
        except TimeoutError as error:
            raise NotCommitted("TimeoutError") from error
        self._epoch = epoch

    async def close(self) -> None:
        """Let go."""
        self._epoch = None


class TwinWriter:
    """Writes commands, as `bus.sharding.commands.CommandWriter` does."""

    def __init__(self, kafka: Kafka, replica: str) -> None:
        self._kafka = kafka
        self._replica = replica

    async def put(self, key: str, value: bytes) -> None:
        """Return when the command is in Kafka. Raises `KafkaAway`: it may still arrive."""
        await self._send(key, value, None, None)

    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None:
        """Take a command away from a partition."""
        await self._send(key, None, partition, forgets)

    async def close(self) -> None:
        """There is nothing to end."""

    async def _send(self, key: str, value: bytes | None, partition: int | None, forgets: str | None) -> None:
        try:
            await self._kafka.ask(
                self._replica,
                lambda: self._kafka.append(key, value, partition=partition, forgets=forgets),
                patience=PUT_PATIENCE,
            )
        except TimeoutError as error:
            raise KafkaAway("no Kafka broker answers") from error


class Sent(NamedTuple):
    """A message on its way to Kafka."""

    message: Message
    key: str
    delivery: Delivery


class TwinBus:
    """Implements `bus.contract.Bus` for one replica. `disk` outlives the process: its journal, oldest first."""

    def __init__(self, kafka: Kafka, replica: str, loop: Loop, disk: deque[Sent]) -> None:
        self._kafka = kafka
        self._replica = replica
        self._loop = loop
        self._disk = disk
        self._sending: deque[tuple[Sent, asyncio.Future[None]]] = deque()
        self._known: OrderedDict[str, Delivery] = OrderedDict()
        kafka.on_return.append(self._returned)
        self._returned()

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """Return when it is durable, in Kafka or on the disk. Raises `NotDurable`."""
        if delivery := self._known.get(message.event_id):
            return Receipt(message.event_id, delivery.via, duplicate=True, delivery=delivery)
        if self._kafka.faults.is_full():
            await asyncio.sleep(TO_DISK)
            raise NotDurable("the disk of this run is full now and then")
        delivery = Delivery("kafka")
        self._remember(message.event_id, delivery)
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sending.append((Sent(message, key or message.key(), delivery), durable))
        self._kafka.loop.call_later(self._kafka.faults.way(), self._arrive)
        await asyncio.shield(durable)
        return Receipt(message.event_id, delivery.via, duplicate=False, delivery=delivery)

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        """See `bus.contract.Bus.submit`."""
        return asyncio.get_running_loop().create_task(self.accept(message, key=key))

    def _remember(self, event_id: str, delivery: Delivery) -> None:
        self._known[event_id] = delivery
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _arrive(self) -> None:
        """The oldest message under way is there, whichever timer this is: so they keep their order."""
        sent, durable = self._sending.popleft()
        if self._kafka.reaches(self._replica) and not self._disk:
            self._kafka.publish(self._replica, "kafka", sent.message, sent.key)
            self._loop.call_later(self._kafka.faults.way(), _ended, sent.delivery, durable)
        else:
            sent.delivery.via = "journal"
            self._disk.append(sent)
            self._loop.call_later(TO_DISK, _settled, durable)
            self._returned()

    def _returned(self) -> None:
        if self._disk and self._kafka.reaches(self._replica):
            self._loop.call_later(0.2, self._drain)

    def _drain(self) -> None:
        while self._disk and self._kafka.reaches(self._replica):
            sent = self._disk.popleft()
            self._kafka.publish(self._replica, "journal", sent.message, sent.key)
            sent.delivery.end("published")


def _ended(delivery: Delivery, durable: asyncio.Future[None]) -> None:
    delivery.end("published")
    _settled(durable)


def _settled(durable: asyncio.Future[None]) -> None:
    if not durable.done():
        durable.set_result(None)
