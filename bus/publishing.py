"""The interface between a lane and the producer: how a batch is published, and the errors."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from bus.contract import Via
from bus.record import Record, TopicPartition

RETRY_FIRST: Final = 0.2  # seconds; doubles to RETRY_LAST, with jitter
RETRY_LAST: Final = 5.0


class RetryBatch(Exception):
    """The batch was not acknowledged for a reason outside of it: try again from the oldest record."""


class BatchRejected(Exception):
    """The broker will never accept this batch: a record in it is too large or invalid."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Publish(Protocol):
    """How a lane reaches Kafka: return when all records are acknowledged, in order, with acks=all."""

    async def __call__(self, key: TopicPartition, records: Sequence[Record], via: Via) -> None:
        """Raises `RetryBatch` or `BatchRejected`; then it is unknown what is in Kafka."""
        ...


DeadLetter = Callable[[Record, str], Awaitable[str]]
"""Make the dead letter of a refused record durable; its id."""


def retry_pause(failures: int, rng: random.Random) -> float:
    """Return the seconds before the next try, after so many failures in a row before this one."""
    return min(RETRY_FIRST * 2.0 ** min(failures, 10), RETRY_LAST) * rng.uniform(0.5, 1.0)
