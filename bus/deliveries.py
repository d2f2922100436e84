"""What this process knows of every id: pending, durable, ended. And the ledger, which must add up.

It only saves work (a repeat is not published again); the guarantee is the deterministic id.
"""

import asyncio
from collections import OrderedDict
from typing import Final, Literal, get_args
from weakref import WeakValueDictionary

from bus.contract import Delivery, Ledger, NotDurable, NotDurableCause, Outcome, Receipt
from bus.record import Record

_IN_KAFKA: Final[dict[Outcome, Delivery]] = {
    "published": Delivery("kafka", "published"),
    "rejected": Delivery("kafka", "rejected"),
}
"""The usual end of a record: one shared object, since many are remembered."""
_REFUSED: Final = Delivery("kafka", "rejected")
"""The end of one that Kafka refused: when it comes again it is tried again, since somebody may have raised a limit."""


class PendingRecord:
    """A record that is not durable yet, and all who wait for it."""

    __slots__ = ("acknowledged", "arrived", "durable", "is_handoff", "record", "seq", "size", "waiters")

    def __init__(self, record: Record, arrived: float, *, is_handoff: bool = False) -> None:
        self.record = record
        self.size = record.size
        self.arrived = arrived  # the loop's time, seconds
        self.is_handoff = is_handoff  # the dead letter of a record that Kafka refused: see `Deliveries`
        self.acknowledged = False
        self.seq: int | None = None  # its row in the journal
        self.durable = False
        self.waiters: list[tuple[asyncio.Future[Receipt], bool]] = []

    def wait(self, *, duplicate: bool = False) -> asyncio.Future[Receipt]:
        """Return a separate future: cancelling it affects neither the record nor other waiters."""
        waiter: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.waiters.append((waiter, duplicate))
        return waiter


class Deliveries:
    """The deliveries of one process. All methods belong to one event loop and return at once.

    A *hand-off*: of a record that Kafka refuses, the dead letter is made durable first. Until the record is handed over
    it is what counts in the ledger, and its dead letter does not; from then on the dead letter counts in its place.
    """

    def __init__(self, *, remember: int) -> None:
        self.ledger = Ledger()
        self.not_durable_by_cause: dict[NotDurableCause, int] = dict.fromkeys(get_args(NotDurableCause), 0)
        self._remember = remember
        self._waiting: dict[str, PendingRecord] = {}
        self._durable: OrderedDict[str, Delivery] = OrderedDict()  # bounded, newest last
        self._unended: WeakValueDictionary[str, Delivery] = WeakValueDictionary()
        self._handoffs: dict[str, Outcome | Literal["pending"]] = {}  # durable dead letters that do not count yet

    def known(self, record_id: str) -> asyncio.Future[Receipt] | Receipt | None:
        """Return the future for an id that is in progress or durable already, or None for a new one."""
        if entry := self._waiting.get(record_id):
            return entry.wait(duplicate=True)
        delivery = self._durable.get(record_id)
        if delivery is not None and delivery is not _REFUSED:
            self._durable.move_to_end(record_id)
            self.ledger.duplicates += 1
            return Receipt(record_id, delivery.via, duplicate=True, delivery=delivery)
        return None

    def has_ended(self, record_id: str) -> bool:
        """Tell whether it is in Kafka, as far as this process remembers."""
        delivery = self._durable.get(record_id)
        return delivery is not None and delivery.outcome in _IN_KAFKA

    def opened(self, entry: PendingRecord) -> None:
        """Note that a new record waits to become durable."""
        self._waiting[entry.record.id] = entry

    def in_kafka(self, entry: PendingRecord, outcome: Outcome) -> None:
        """Note that Kafka acknowledged it, and that it never was in the journal."""
        self._durable_now(entry, _IN_KAFKA[outcome])
        if entry.is_handoff:
            self._handoffs[entry.record.id] = "rejected"
        else:
            self.ledger.accepted += 1
            self._count(outcome)

    def in_journal(self, entry: PendingRecord) -> None:
        """Note that it is fsynced, and not in Kafka yet."""
        self._durable_in_journal(entry)
        if entry.is_handoff:
            self._handoffs[entry.record.id] = "pending"
        else:
            self.ledger.accepted += 1
            self.ledger.pending += 1

    def already_in_journal(self, entry: PendingRecord) -> None:
        """Its id is a row, which counts as such: it was durable before this process's memory begins."""
        self._durable_in_journal(entry)
        self.ledger.duplicates += not entry.is_handoff

    def already_in_kafka(self, entry: PendingRecord, outcome: Outcome) -> None:
        """Its id is a row that is acknowledged and not deleted yet: it has ended and counted as such."""
        self._durable_now(entry, _IN_KAFKA[outcome])
        self.ledger.duplicates += not entry.is_handoff

    def handed_over(self, entry: PendingRecord, letter_id: str) -> None:
        """Kafka refused it and its dead letter is durable, which counts from now on in its place."""
        self._durable_now(entry, _REFUSED)
        self.ledger.accepted += 1
        self._count(self._handoffs.pop(letter_id, "rejected"))

    def adopted(self, rows: int) -> None:
        """Note that so many rows were found in a journal."""
        self.ledger.adopted += rows
        self.ledger.pending += rows

    def row_ended(self, record_id: str, outcome: Outcome) -> None:
        """Note that a row's record is acknowledged, or was removed by an operator."""
        if self._handoffs.get(record_id) == "pending":
            self._handoffs[record_id] = "skipped" if outcome == "skipped" else "rejected"
        else:
            self.ledger.pending -= 1
            self._count(outcome)
        self._end(record_id, outcome)

    def row_handed_over(self, record_id: str, letter_id: str) -> None:
        """Kafka refused a row's record and its dead letter is durable, which counts from now on in its place."""
        self.ledger.pending -= 1
        self._count(self._handoffs.pop(letter_id, "rejected"))
        self._end(record_id, "rejected")
        if record_id in self._durable:
            self._durable[record_id] = _REFUSED

    def count_not_durable(self, cause: NotDurableCause, messages: int = 1) -> None:
        """Count messages that were refused with `NotDurable`."""
        self.ledger.not_durable += messages
        self.not_durable_by_cause[cause] += messages

    def not_durable(self, entry: PendingRecord, reason: str, *, cause: NotDurableCause, dropped: bool) -> None:
        """Fail all waiters with `NotDurable`; a record that is not `dropped` may still arrive."""
        if dropped:
            self._waiting.pop(entry.record.id, None)
        self.count_not_durable(cause, len(entry.waiters))
        for waiter, _ in entry.waiters:
            if not waiter.done():
                waiter.set_exception(NotDurable(reason))
        entry.waiters.clear()

    def _durable_in_journal(self, entry: PendingRecord) -> None:
        delivery = self._unended[entry.record.id] = Delivery("journal")
        self._durable_now(entry, delivery)

    def _durable_now(self, entry: PendingRecord, delivery: Delivery) -> None:
        record_id = entry.record.id
        self._waiting.pop(record_id, None)
        entry.durable = True
        self._durable[record_id] = delivery
        if len(self._durable) > self._remember:
            self._durable.popitem(last=False)
        for waiter, duplicate in entry.waiters:
            self.ledger.duplicates += duplicate
            if not waiter.done():
                waiter.set_result(Receipt(record_id, delivery.via, duplicate, delivery))
        entry.waiters.clear()

    def _end(self, record_id: str, outcome: Outcome) -> None:
        if delivery := self._unended.pop(record_id, None):
            delivery.end(outcome)

    def _count(self, state: Outcome | Literal["pending"]) -> None:
        if state == "published":
            self.ledger.published += 1
        elif state == "rejected":
            self.ledger.rejected += 1
        elif state == "skipped":
            self.ledger.skipped += 1
        else:
            self.ledger.pending += 1
