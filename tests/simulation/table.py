"""The real `WatchTable` of a replica, which follows the topics of a Kafka in memory."""

from collections import defaultdict
from collections.abc import Iterator

from bus.kafka.reader import ReadRecord
from bus.settings import KafkaSettings
from pollers.watches.watch_table import WatchTable
from schemas.topics import STATES, WATCHES
from tests.simulation.clock import EPOCH, START
from tests.simulation.kafka import Kafka
from tests.simulation.loop import Loop

AT_ONCE = 100  # records; then the loop's other work has its turn
NOBODY = KafkaSettings(bootstrap_servers="127.0.0.1:1")


class Follower:
    """Gives the table every record, a little later than it was written; nothing while Kafka cannot be reached."""

    def __init__(self, kafka: Kafka, replica: str, loop: Loop) -> None:
        self.table = WatchTable(NOBODY, now_ms=loop.wall_ms)
        self.table.behind = True
        self._kafka = kafka
        self._replica = replica
        self._loop = loop
        self._offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._read = 0
        self._waking = False
        kafka.on_record.append(self._wake)
        kafka.on_return.append(self._wake)
        loop.call_later(0.5, self._fill)

    def _fill(self) -> None:
        if not self._kafka.reaches(self._replica):
            self._loop.call_later(1.0, self._fill)
            return
        there = [
            (WATCHES, partition, command.key, command.value)
            for partition, commands in enumerate(self._kafka.commands)
            for command in commands
        ]
        there += [
            (STATES, partition, key, value)
            for partition, states in enumerate(self._kafka.states)
            for key, value in states.items()
        ]
        self._read = len(self._kafka.records)
        self._take_some(iter(there))

    def _take_some(self, records: Iterator[tuple[str, int, str, bytes | None]]) -> None:
        for number, record in enumerate(records, 1):
            self._take(*record)
            if number == AT_ONCE:
                self._loop.call_soon(self._take_some, records)
                return
        self.table.caught_up()
        self._wake()

    def _wake(self) -> None:
        if not self._waking and not self.table.behind:
            self._waking = True
            self._loop.call_later(self._kafka.faults.way(), self._follow)

    def _follow(self) -> None:
        self._waking = False
        if not self._kafka.reaches(self._replica):
            return
        records = self._kafka.records[self._read : self._read + AT_ONCE]
        self._read += len(records)
        for record in records:
            self._take(WATCHES if record.is_command else STATES, record.partition, record.key, record.value)
        if self._read < len(self._kafka.records):
            self._wake()

    def _take(self, topic: str, partition: int, key: str, value: bytes | None) -> None:
        self._offsets[topic, partition] += 1
        written = int((EPOCH + self._loop.time() - START) * 1000)
        self.table.take(topic, ReadRecord(partition, self._offsets[topic, partition], written, key.encode(), value, {}))
