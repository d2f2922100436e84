"""The bus without Kafka and without a disk: the same promises for as long as the process lives. For tests."""

from bus.contract import BusFull, Delivery, Ledger, Receipt
from schemas.messages import Message, SmsRejected


class MemoryBus:
    """Implements `bus.contract.Bus`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.full = False
        """Set it to make every `accept` raise `BusFull`."""
        self.ledger = Ledger()
        self._deliveries: dict[str, Delivery] = {}

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:  # noqa: ARG002 - no partitions
        """See `bus.contract.Bus.accept`."""
        if self.full:
            self.ledger.unpromised += 1
            reason = "the memory bus was told to be full"
            raise BusFull(reason)
        if delivery := self._deliveries.get(message.event_id):
            self.ledger.duplicates += 1
            return Receipt(message.event_id, "kafka", duplicate=True, delivery=delivery)
        return self._accepted(message)

    def _accepted(self, message: Message) -> Receipt:
        delivery = self._deliveries[message.event_id] = Delivery(message.event_id)
        delivery.via = "kafka"
        self.messages.append(message)
        self.ledger.accepted += 1
        if isinstance(message, SmsRejected):
            self.ledger.rejected += 1
            delivery.end("rejected")
        else:
            self.ledger.published += 1
            delivery.end("published")
        return Receipt(message.event_id, "kafka", duplicate=False, delivery=delivery)
