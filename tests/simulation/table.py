"""The real `WatchTable` of a replica, which follows the topics of a Kafka in memory."""

from collections import defaultdict

from bus.commands import WATCHES
from bus.reader import ReadRecord
from bus.settings import KafkaSettings
from bus.state_log import STATES
from pollers.watch_table import WatchTable
from tests.simulation.clock import EPOCH, START
from tests.simulation.kafka import Kafka
from tests.simulation.loop import Loop

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
        for partition, commands in enumerate(self._kafka.commands):
            for command in commands:
                self._take(WATCHES, partition, command.key, command.value)
        for partition, states in enumerate(self._kafka.states):
            for key, value in states.items():
                self._take(STATES, partition, key, value)
        self._read = len(self._kafka.records)
        self.table.caught_up()

    def _wake(self) -> None:
        if not self._waking and not self.table.behind:
            self._waking = True
            self._loop.call_later(self._kafka.faults.way(), self._follow)

    def _follow(self) -> None:
        self._waking = False
        if not self._kafka.reaches(self._replica):
            return
        records = self._kafka.records
        while self._read < len(records):
            record = records[self._read]
            self._read += 1
            self._take(WATCHES if record.is_command else STATES, record.partition, record.key, record.value)

    def _take(self, topic: str, partition: int, key: str, value: bytes | None) -> None:
        self._offsets[topic, partition] += 1
        written = int((EPOCH + self._loop.time() - START) * 1000)
        self.table.take(topic, ReadRecord(partition, self._offsets[topic, partition], written, key.encode(), value, {}))
