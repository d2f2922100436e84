"""The producer guard: one aiokafka producer, replaced when it is poisoned.

Measured on aiokafka 0.14 and kept as tests (tests/integration/test_aiokafka_facts.py): an idempotent batch waits for an
absent broker without end, and that is right, since it then arrives in order; but after any failed batch the sequence
numbers no longer match and every later one would be refused; `stop` hangs without a broker. So a batch in flight
is left alone, a failed one means a new producer, and stopping has a timeout. What the broker refuses for its content is
not a fault of the connection: then a new producer id is enough, and other lanes notice nothing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer, errors
from aiokafka.producer.transaction_manager import NO_PRODUCER_EPOCH, NO_PRODUCER_ID, PidAndEpoch

from bus.contract import Via
from bus.durations import Durations
from bus.ending import end
from bus.kafka.client import PRODUCER_STOP_TIMEOUT, discard, options
from bus.publishing import BatchRejected, RetryBatch, retry_pause
from bus.record import Record, TopicPartition, with_via
from bus.settings import KafkaSettings

log = structlog.get_logger()

REQUEST_TIMEOUT: Final = 5.0  # seconds; with it, lanes resumed 4 s after a killed broker came back
START_TIMEOUT: Final = 15.0
SILENCE: Final = 2.0  # a batch in flight for longer: Kafka counts as unavailable (a failover takes about 5 s)
LOST: Final = 60.0  # no known broker responds: check whether others do, at the configured addresses
STALL: Final = 60.0  # nothing acknowledged for so long, although metadata requests succeed
LOOK: Final = 1.0  # how often the guard looks at the sender task and the stall
ACK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
UNREACHABLE: Final = "unreachable"
ASK: Final = 5.0  # how often it asks for metadata, so that an idle bus also notices that Kafka is unavailable


class InvalidRecordError(errors.BrokerResponseError):  # type: ignore[misc] # aiokafka has no types
    """Kafka's INVALID_RECORD, which aiokafka 0.14 does not know (it would say UnknownError)."""

    errno = 87
    message = "INVALID_RECORD"


errors.kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)

REFUSALS: Final[dict[type[Exception], str]] = {
    errors.MessageSizeTooLargeError: "too_large_for_the_topic",
    errors.RecordListTooLargeError: "too_large_for_the_topic",
    InvalidRecordError: "invalid_record",
}
"""Errors of a record itself, by reason. Every other error means "try again later".

So does a timestamp too far in the future (by default an hour): that is a wrong clock, which will be corrected.
"""


class Producer:
    """Publishes batches for the lanes; (re)connects in the background, forever."""

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        client_id: str,
        rng: random.Random,
        now_ms: Callable[[], int],
        verify: Callable[[], Awaitable[list[str]]] | None = None,
    ) -> None:
        """`verify` asks the configured addresses again what is wrong with the topics; raises if none responds."""
        self.failures: dict[str, int] = {}  # by the error's name, for the metrics
        self.acks = Durations(ACK_BUCKETS)  # of batches, from sending to Kafka's acknowledgement
        self.last_error: str | None = None  # None while there is none
        self._wrong: dict[TopicPartition, str] = {}  # the error of each lane's newest batch, where it failed
        self._kafka = kafka
        self._client_id = client_id
        self._rng = rng
        self._now_ms = now_ms
        self._verify = verify
        self._inner: AIOKafkaProducer | None = None
        self._ready = asyncio.Event()
        self._poisoned = asyncio.Event()
        self._poison = ""  # the error's name
        self._loop = asyncio.get_running_loop()
        self._flights: set[asyncio.Future[Any]] = set()  # one for each batch in flight
        self._reachable = True  # the last metadata request succeeded
        self._asked_at = 0.0  # time of its response, the loop's time
        self._differs: list[str] = []  # problems of the topics on other brokers
        self._replaced_for: str | None = None  # since the last acknowledgement
        self._progress = 0.0  # when a batch was last acknowledged or first in flight, the loop's time
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._task = self._loop.create_task(self._supervise(), name="producer guard")

    @property
    def connected(self) -> bool:
        """Whether a producer is connected, its newest batch did not fail, and none has waited for long."""
        healthy = self._ready.is_set() and self._reachable and self.last_error is None
        return healthy and self._silent_for() < SILENCE

    @property
    def reachable(self) -> bool:
        """Whether brokers answered the last request for metadata."""
        return self._reachable

    @property
    def away_reason(self) -> str | None:
        """Why Kafka accepts nothing: an error's name, `unreachable` or `silent`; None if it does, or is unused."""
        if self.connected or (self.last_error is None and not self._ready.is_set()):
            return None
        if self.last_error is None and self._reachable and self._asked_at <= self._progress:
            return None  # it is silent, and whether it responds is being checked
        return self.last_error or ("silent" if self._reachable else UNREACHABLE)

    @property
    def wrong_topics(self) -> dict[str, str]:
        """Topics that did not accept the newest batch of one of their partitions, with the error's name."""
        return {topic: error for (topic, _), error in self._wrong.items()}

    @property
    def alive(self) -> bool:
        """Whether the supervising task runs."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Stop within little more than PRODUCER_STOP_TIMEOUT, without waiting longer for what is in flight."""
        await end(self._task, again=3 * PRODUCER_STOP_TIMEOUT)  # aiokafka's `close` takes its time
        self._ready.clear()
        if self._inner is not None:
            await self._retire(self._inner)

    async def publish(self, key: TopicPartition, records: Sequence[Record], via: Via) -> None:
        """See `bus.publishing.Publish`."""
        await self._ready.wait()
        inner = self._inner
        if inner is None:
            raise RetryBatch
        began = perf_counter()
        try:
            await self._land(await _send(inner, key, records, via, latest_ms=self._now_ms()))
        except Exception as error:
            self._failed(inner, key, error)
            if word := REFUSALS.get(type(error)):
                raise BatchRejected(word) from error
            raise RetryBatch(_name(error)) from error
        self.acks.observe(perf_counter() - began)
        self._progress = self._loop.time()
        self._reachable = True  # an acknowledgement shows it sooner than the next metadata request
        self.last_error = None
        self._wrong.pop(key, None)
        if not self._wrong:  # otherwise one topic accepts nothing, which is logged already
            self._replaced_for = None

    async def _land(self, acknowledged: asyncio.Future[Any]) -> None:
        """Wait for a batch in flight; raises its error.

        The future is awaited itself: whoever gives the lane's next batch a turn of the loop later misses the next
        request, which aiokafka makes two turns after an acknowledgement, and lanes then take turns in requests of half
        the size. It is `asyncio.shield`'s, so giving up leaves the producer alone.
        """
        if not self._flights:
            self._progress = self._loop.time()
        self._flights.add(acknowledged)
        try:
            await acknowledged
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise _Gone from None
        finally:
            self._flights.discard(acknowledged)

    def _failed(self, inner: AIOKafkaProducer, key: TopicPartition, error: Exception) -> None:
        name = _name(error)
        self.failures[name] = self.failures.get(name, 0) + 1
        if isinstance(error, _Gone):
            return  # the reason for replacing it belongs to another lane
        if type(error) in REFUSALS:
            _renew(inner)
            return
        if name == UNREACHABLE:
            self._reachable = False
            return
        self.last_error = self._wrong[key] = name
        if inner is self._inner and not isinstance(error, _NotSent):
            self._ready.clear()  # at once: the lane retries before the guard gets to run
            self._poison = name
            self._poisoned.set()

    # ---- supervision -------------------------------------------------------------------------------------------

    async def _supervise(self) -> None:
        failures = 0
        while True:
            try:
                await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever keeps a producer from starting: wait and try again
                self._not_connected(error)
                await asyncio.sleep(retry_pause(failures, self._rng))
                failures += 1
                continue
            failures = 0
            reason = await self._until_poisoned()
            if reason != self._replaced_for:  # once, until Kafka accepts something again
                log.warning("producer_replaced", reason=reason)
            self._replaced_for = reason
            await self._replace()

    async def _connect(self) -> None:
        inner = AIOKafkaProducer(
            **options(self._kafka),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,  # the lanes collect; lingering would only add its delay
            max_batch_size=256 * 1024,
            request_timeout_ms=int(REQUEST_TIMEOUT * 1000),
            metadata_max_age_ms=5_000,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await inner.start()
        except BaseException:
            await discard(inner)
            raise
        self._inner = inner
        self._poisoned.clear()
        self._reachable = True
        if self._replaced_for is None:  # otherwise only an acknowledgement shows that this one works
            self.last_error = None
        self._ready.set()
        if self._replaced_for is None:
            log.info("kafka_connected", bootstrap_servers=self._kafka.bootstrap_servers)

    def _not_connected(self, error: Exception) -> None:
        name = type(error).__name__
        self.last_error = name
        self.failures[name] = self.failures.get(name, 0) + 1

    async def _until_poisoned(self) -> str:
        inner, ask_at, elsewhere_at = self._inner, self._loop.time() + ASK, self._loop.time() + LOST
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._poisoned.wait()
                    return self._poison
            if inner is None or _has_ended(inner):
                return "sender_task_ended"
            is_unasked = self._silent_for() > SILENCE and self._asked_at <= self._progress
            if is_unasked or self._loop.time() >= ask_at:
                ask_at = self._loop.time() + ASK
                self._reachable = await _answers(inner)
                self._asked_at = self._loop.time()
                if self._reachable:
                    elsewhere_at = self._loop.time() + LOST
                    if self._silent_for() > STALL:
                        return "stalled"
                elif self._loop.time() >= elsewhere_at:
                    elsewhere_at = self._loop.time() + LOST
                    if await self._is_elsewhere(inner):
                        return "brokers_moved"

    async def _is_elsewhere(self, inner: AIOKafkaProducer) -> bool:
        """Whether other brokers respond at the configured addresses and have our topics, while no known one does.

        aiokafka asks only known brokers. The certificates are read again, too.
        """
        if self._verify is None:
            return False
        try:
            problems = await self._verify()
        except Exception:  # noqa: BLE001 - nobody answers there either, whatever the reason
            return False
        if problems and problems != self._differs:
            log.error("kafka_moved_and_differs", bootstrap_servers=self._kafka.bootstrap_servers, problems=problems)
        self._differs = problems
        return not problems and not await _answers(inner)

    def _silent_for(self) -> float:
        """Return the seconds since something in flight last made progress; 0 with nothing in flight."""
        return self._loop.time() - self._progress if self._flights else 0.0

    async def _replace(self) -> None:
        self._ready.clear()
        if self._inner is not None:
            await self._retire(self._inner)
        self._inner = None  # not earlier: a concurrent `stop` must find it

    async def _retire(self, inner: AIOKafkaProducer) -> None:
        """Let healthy batches end, then drop the producer and fail everything that still waits for it."""
        with suppress(Exception):
            async with asyncio.timeout(PRODUCER_STOP_TIMEOUT):
                await inner.flush()
        await discard(inner)
        for acknowledged in self._flights:
            acknowledged.cancel()


class _NotSent(Exception):
    """The batch never reached the producer's queue: its sequence numbers are untouched. Its text names the error."""


class _Gone(Exception):
    """The producer was replaced while the batch was in flight: it is unknown whether it arrived."""


def _name(error: Exception) -> str:
    """Return its name for the log and the metrics."""
    match error:
        case _NotSent():
            return str(error)
        case _Gone():
            return "ProducerReplaced"
        case _:
            return type(error).__name__


async def _send(
    inner: AIOKafkaProducer, key: TopicPartition, records: Sequence[Record], via: Via, *, latest_ms: int
) -> asyncio.Future[Any]:
    """Give the producer a batch, and return the future of its acknowledgement."""
    batch = inner.create_batch()
    for record in records:
        at_ms = min(record.timestamp_ms, latest_ms)  # the clock was ahead when it was accepted, and has been corrected
        headers = with_via(record.headers, via)
        if batch.append(timestamp=at_ms, key=record.key, value=record.value, headers=headers) is None:
            message = "a record's size was estimated too small"
            raise AssertionError(message)
    try:
        acknowledged: asyncio.Future[Any] = await inner.send_batch(batch, key[0], partition=key[1])
    except errors.UnknownTopicOrPartitionError as error:  # says aiokafka, also where nobody answered what topics exist
        raise _NotSent(type(error).__name__ if await _answers(inner) else UNREACHABLE) from error
    except (errors.KafkaTimeoutError, AssertionError) as error:
        raise _NotSent(type(error).__name__) from error
    return acknowledged


def _renew(inner: AIOKafkaProducer) -> None:
    """Make aiokafka request another producer id before it sends its next batch, as a new producer would.

    This forgets the numbers that a failed batch has used. Reusing them instead would lose a record if the
    broker had accepted the batch in a first try without our knowing. Batches of other lanes that are in flight keep
    their id and numbers.
    """
    numbers = inner._txn_manager  # noqa: SLF001 - there is no public way
    if numbers.has_pid():
        numbers._pid_and_epoch = PidAndEpoch(NO_PRODUCER_ID, NO_PRODUCER_EPOCH)  # noqa: SLF001
        numbers._pid_waiter = asyncio.get_running_loop().create_future()  # noqa: SLF001 - `set_pid_and_epoch` ends it
        numbers._sequence_numbers.clear()  # noqa: SLF001


def _has_ended(inner: AIOKafkaProducer) -> bool:
    """Whether a task has ended that batches need: the sender's, or the one that requests metadata.

    uvloop's `write` to a closing connection raises RuntimeError, which ends the latter (aiokafka issue 1038, 0.14).
    """
    asking = inner.client._sync_task  # noqa: SLF001 - there is no public sign of either's end
    return bool(inner._sender.sender_task.done() or (asking is not None and asking.done()))  # noqa: SLF001


async def _answers(inner: AIOKafkaProducer) -> bool:
    """Do brokers respond? Never takes longer than one request."""
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT):  # `wait_for` of Python 3.11 can lose a cancellation
            return bool(await inner.client.force_metadata_update())
    except Exception:  # noqa: BLE001 - no answer, whatever the reason
        return False
