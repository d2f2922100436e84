"""What "accepted" means, for all callers of the bus."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from schemas.messages import Message

Via = Literal["kafka", "journal"]
Outcome = Literal["published", "rejected", "skipped"]
NotDurableCause = Literal["not_running", "lane_full", "too_late", "journal_unwritable", "over_share"]
"""Why a message was not made durable: a closed set, for the metrics."""


class NotDurable(Exception):
    """The message is neither in Kafka nor in the journal (it may still arrive, with the same id).

    The caller asks its sender to retry (the receiver: 503 with Retry-After) or does not advance (a poller).
    """

    def __init__(self, reason: str, retry_after: int = 5) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after  # seconds


class Delivery:
    """The progress of a durable record. Shared by all who sent the same id."""

    __slots__ = ("__weakref__", "_ended", "outcome", "via")

    def __init__(self, via: Via, outcome: Outcome | None = None) -> None:
        self.via = via
        self.outcome = outcome
        self._ended: asyncio.Future[Outcome] | None = None

    def end(self, outcome: Outcome) -> None:
        """Kafka has it (`published`), or has its dead letter (`rejected`), or an operator removed it (`skipped`)."""
        self.outcome = outcome
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(outcome)

    async def ended(self) -> Outcome:
        """Wait for the end; cancelling one waiter does not affect the others."""
        if self.outcome is not None:
            return self.outcome
        if self._ended is None:
            self._ended = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._ended)


class Receipt(NamedTuple):
    """The guarantee that the message with this id is durable and will be in Kafka."""

    id: str
    via: Via
    duplicate: bool
    """True when this id was durable before: nothing new is published."""
    delivery: Delivery

    @property
    def published(self) -> Awaitable[Outcome]:
        """Await it to know that the message is in Kafka, or that Kafka refused it and its dead letter is in Kafka."""
        return self.delivery.ended()


class Bus(Protocol):
    """Implemented by `bus.kafka_bus.KafkaBus` and `bus.memory.MemoryBus`; one contract suite tests both."""

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """Return when the message is durable: in Kafka with acks=all, or fsynced in this process's journal.

        Messages with one key (`key`, else the message's own) keep the order in which they were given. Cancelling the
        caller does not withdraw the message. Raises `NotDurable` when it could not be made durable in time.
        """
        ...

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        """Submit the message now; the future, the caller's own, ends as `accept` does, `NotDurable` included.

        For callers without a task. Cancelling the future does not withdraw the message.
        """
        ...


def refused(full: NotDurable) -> asyncio.Future[Receipt]:
    """Return a future that has failed with this error."""
    future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
    future.set_exception(full)
    return future


def promised(receipt: Receipt) -> asyncio.Future[Receipt]:
    """Return a future with this receipt."""
    future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
    future.set_result(receipt)
    return future


@dataclass(slots=True)
class Ledger:
    """What became of every message of this process. At rest and in flight: `balanced` holds."""

    accepted: int = 0  # became durable here
    adopted: int = 0  # found in a journal: our own after a restart, or an orphan's
    published: int = 0  # in a message topic, acknowledged
    pending: int = 0  # in the journal, not yet acknowledged
    rejected: int = 0  # ended in the dead-letter topic
    skipped: int = 0  # removed by an operator, its bytes kept in a file
    duplicates: int = 0  # recognized from memory, nothing new published
    not_durable: int = 0  # refused with NotDurable

    @property
    def balanced(self) -> bool:
        """Nothing was lost and nothing counted twice."""
        return self.accepted + self.adopted == self.published + self.pending + self.rejected + self.skipped

    def line(self) -> str:
        """Return one line for scripts."""
        return (
            f"ledger accepted={self.accepted} published={self.published} pending={self.pending} "
            f"rejected={self.rejected} skipped={self.skipped} duplicates={self.duplicates}"
        )
