"""What the program runs on in these runs, in place of Kafka's client, a thread, and the machine's clock."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest.mock import patch

from aiokafka import errors

from app.settings import retirement
from bus.journal import claim
from bus.kafka import producer
from bus.kafka.client import KafkaAway
from receiver import intake
from receiver.allowance import Allowance
from receiver.strangers import Strangers
from tests.simulation.kafka import Kafka

if TYPE_CHECKING:
    from tests.simulation.receiver.process import ReceiverProcess
    from tests.simulation.receiver.town import ReceiverTown

FSYNC: Final = (0.002, 0.02)  # seconds of a commit
READING: Final = 1e-6  # seconds of the processor for a byte of a callback: a quarter of a second for the largest
LARGEST: Final = 200_000  # bytes of a record: somebody has lowered the limit of the topic of SMS
UNUSED: Final = 600.0  # seconds without a use, instead of a day, until an old token may be removed
WORKS_FOR: Final = 60.0  # real seconds after which a journal's thread is believed dead


# ---- Kafka ---------------------------------------------------------------------------------------------------------


class Arrived(NamedTuple):
    """One record of a message topic."""

    at: float
    by: str
    topic: str
    partition: int
    id: str
    value: bytes


class Producer:
    """Stands for `AIOKafkaProducer`: what it sends waits for an absent Kafka, and may arrive though it was dropped."""

    def __init__(self, town: "ReceiverTown", **_: object) -> None:
        self._town = town
        self._by = asyncio.get_running_loop().name  # type: ignore[attr-defined]
        self._sending: set[asyncio.Task[None]] = set()
        self._closed = False
        self._sender = self._txn_manager = self
        self.sender_task: asyncio.Task[bool] | None = None
        self.client = self
        self._md_update_fut: asyncio.Future[bool] | None = None
        self._sync_task = None

    def has_pid(self) -> bool:
        """There are no numbers to be given anew."""
        return False

    async def start(self) -> None:
        """Connect."""
        await self._ask(lambda: None, producer.REQUEST_TIMEOUT)
        self.sender_task = asyncio.create_task(asyncio.Event().wait())

    async def force_metadata_update(self) -> bool:
        """Ask for metadata."""
        return await self._ask(lambda: True, producer.REQUEST_TIMEOUT)

    async def flush(self) -> None:
        """Wait for what is in flight."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def close(self) -> None:
        """End; what did not arrive will not."""
        for task in self._sending:
            task.cancel()

    def create_batch(self) -> "Batch":
        """Return an empty one."""
        return Batch()

    async def send_batch(self, batch: "Batch", topic: str, *, partition: int) -> asyncio.Future[None]:
        """Return the future of its acknowledgement."""
        task = asyncio.create_task(self._ask(lambda: self._arrive(batch, topic, partition), None))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return asyncio.shield(task)

    async def _ask(self, do: Callable[[], Any], patience: float | None) -> Any:
        return await self._town.kafka.ask(self._by, do, patience=patience)

    def _arrive(self, batch: "Batch", topic: str, partition: int) -> None:
        if topic == "sms.received.v1" and any(len(value) > LARGEST for _, value in batch.records):
            raise errors.MessageSizeTooLargeError
        fate = self._town.faults.fate()
        if fate != "refused":
            now = self._town.loop.time()
            self._town.arrived += [Arrived(now, self._by, topic, partition, key, value) for key, value in batch.records]
        if fate != "done":
            self._town.kafka.happened(fate)
            raise errors.KafkaTimeoutError


class Batch:
    """Stands for aiokafka's."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []

    def append(self, *, timestamp: int, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]) -> bool:
        """Take a record."""
        self.records.append((dict(headers)["ce_id"].decode(), value))
        return True


async def topics_are_right(kafka: Kafka, by: str) -> list[str]:
    """Stands for `bus.kafka.topics.check`."""
    try:
        return await kafka.ask(by, list, patience=producer.START_TIMEOUT)
    except TimeoutError:
        raise KafkaAway("no Kafka broker answers") from None


# ---- the journal's thread ------------------------------------------------------------------------------------------


class Jobs:
    """Stands for a journal's queue: its thread works while the clock stands still, and its commits take virtual time.

    What is put meanwhile is the next group.
    """

    def __init__(self, town: "ReceiverTown", process: "ReceiverProcess") -> None:
        self._town = town
        self._loop = process.loop
        self._waiting: list[Any] = []
        self._given: queue.SimpleQueue[tuple[list[Any], threading.Event]] = queue.SimpleQueue()
        self._group: list[Any] = []
        self._done = threading.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._thread: threading.Thread | None = None
        self._process = process
        process.journals.append(self)

    # ---- on the loop -----------------------------------------------------------------------------------------------

    def put(self, job: Any) -> None:
        """Ask for it. None: then end."""
        if threading.current_thread() is not threading.main_thread():
            self._group.append(job)
            return
        self._waiting.append(job)
        if job is None:
            self._process.journals.remove(self)
            self._give()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._town.fsyncs.uniform(*FSYNC), self._work)

    def die(self) -> None:
        """End with nothing done of what waits."""
        self._waiting = [None]
        self._give()
        if self._thread is not None:
            self._thread.join(WORKS_FOR)

    def _give(self) -> threading.Event:
        done = threading.Event()
        self._given.put((self._waiting, done))
        self._waiting = []
        return done

    def _work(self) -> None:
        self._timer = None
        if self._waiting and not self._give().wait(WORKS_FOR):
            message = "a journal's thread has ended, or hangs"
            raise AssertionError(message)

    # ---- on the thread ---------------------------------------------------------------------------------------------

    def get(self) -> Any:
        """Wait for the next."""
        self._thread = threading.current_thread()
        if not self._group:
            self._done.set()
            group, self._done = self._given.get()
            self._group = list(group)
        return self._group.pop(0)

    def empty(self) -> bool:
        """Tell whether this group has no more."""
        return not self._group


# ---- all of it -----------------------------------------------------------------------------------------------------


@contextmanager
def in_place(town: "ReceiverTown") -> Iterator[None]:
    """Let the program run on these for as long as it lasts."""

    def here() -> "ReceiverProcess":
        name = asyncio.get_running_loop().name  # type: ignore[attr-defined]
        return next(each for each in town.receivers if each.name == name)

    try_claim, release, parse = claim.try_claim, claim.Claim.release, intake._parse

    def noted_claim(directory: Any) -> claim.Claim | None:
        if claimed := try_claim(directory):
            here().claims.append(claimed)
        return claimed

    def noted_release(claimed: claim.Claim) -> None:
        for each in town.receivers:
            with suppress(ValueError):
                each.claims.remove(claimed)
        release(claimed)

    def now() -> float:
        return town.clock.now

    class Disk(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if town.disk_full and statement.lstrip().startswith(("INSERT", "REPLACE")):
                message = "database or disk is full"
                raise sqlite3.OperationalError(message)
            return super().execute(statement, *values)

    sqlite_connect = sqlite3.connect

    def connect(path: Any, **named: Any) -> sqlite3.Connection:
        return sqlite_connect(path, factory=Disk, **named)

    with ExitStack() as stack:
        for each in (
            patch.object(producer, "AIOKafkaProducer", lambda **named: Producer(town, **named)),
            patch("bus.kafka_bus.check", lambda *_: topics_are_right(town.kafka, here().name)),
            patch("bus.journal.journal.SimpleQueue", lambda: Jobs(town, here())),
            patch.object(claim, "secrets", town.random("names")),
            patch.object(claim, "try_claim", noted_claim),
            patch.object(claim.Claim, "release", noted_release),
            patch.object(intake, "_parse", lambda asked: parse(asked)._replace(seconds=READING * len(asked.body))),
            patch.dict(Allowance.__init__.__kwdefaults__ or {}, clock=now),
            patch.object(Strangers.__init__, "__defaults__", ((), now)),
            patch("app.reloading.reload.logs.configure"),
            patch.object(retirement, "UNUSED", timedelta(seconds=UNUSED)),
            patch("bus.journal.journal.sqlite3.connect", connect),
        ):
            stack.enter_context(each)
        yield
