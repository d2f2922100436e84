"""What a lane and the producer say to each other: how a batch is given, and what it means when it is not taken."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from bus.contract import Via
from bus.record import Record, TopicPartition

RETRY_FIRST: Final = 0.2  # seconds; doubles to RETRY_LAST, with jitter
RETRY_LAST: Final = 5.0


class RetryBatch(Exception):
    """The batch is not acknowledged for a reason that is not its own: try again from the oldest record."""


class BatchRejected(Exception):
    """The broker will never take this batch: some record in it is too large or invalid. `reason` is a machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Publish(Protocol):
    """How a lane reaches Kafka: return when all records are acknowledged, in order, with acks=all."""

    async def __call__(self, key: TopicPartition, records: Sequence[Record], via: Via) -> None:
        """Raise `RetryBatch` or `BatchRejected`; then nothing is known to be in Kafka."""
        ...


DeadLetter = Callable[[Record, str], Awaitable[str]]
"""Make the dead letter of a refused record durable; its id."""


def retry_pause(failures: int, rng: random.Random) -> float:
    """Return the seconds before the next try, after so many failures in a row before this one."""
    return min(RETRY_FIRST * 2.0 ** min(failures, 10), RETRY_LAST) * rng.uniform(0.5, 1.0)
