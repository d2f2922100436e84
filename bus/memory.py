"""The bus without Kafka and without a disk: the same guarantees for as long as the process lives. For tests."""

import asyncio

from bus.contract import Delivery, Ledger, NotDurable, Outcome, Receipt, promised, refused
from schemas.messages import Message, SmsRejected


class MemoryBus:
    """Implements `bus.contract.Bus`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.full = False
        """Set it to make every `accept` raise `NotDurable`."""
        self.ledger = Ledger()
        self._deliveries: dict[str, Delivery] = {}

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        """See `bus.contract.Bus.accept`."""
        return await self.submit(message, key=key)

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:  # noqa: ARG002 - no partitions
        """See `bus.contract.Bus.submit`."""
        if self.full:
            self.ledger.not_durable += 1
            return refused(NotDurable("the memory bus was told to be full"))
        if delivery := self._deliveries.get(message.event_id):
            self.ledger.duplicates += 1
            return promised(Receipt(message.event_id, "kafka", duplicate=True, delivery=delivery))
        return promised(self._accepted(message))

    def _accepted(self, message: Message) -> Receipt:
        self.messages.append(message)
        self.ledger.accepted += 1
        outcome: Outcome = "rejected" if isinstance(message, SmsRejected) else "published"
        self.ledger.rejected += outcome == "rejected"
        self.ledger.published += outcome == "published"
        delivery = self._deliveries[message.event_id] = Delivery("kafka", outcome)
        return Receipt(message.event_id, "kafka", duplicate=False, delivery=delivery)
