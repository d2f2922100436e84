"""One watch in a poller's memory, small: a hundred thousand of them shall fit beside each other."""

from typing import Final

from bus.contract import Receipt
from pollers.tracking import expiry
from pollers.tracking.state import WatchState
from providers.results import Action
from schemas.messages import WatchEnded

_NONE: Final[tuple[Receipt, ...]] = ()


class OwnedWatch:
    """A watch's state, what it still owes the topics, and what is wanted of the provider.

    The state is kept as its JSON (some 400 bytes; the object takes seven times that) and read when it is asked for.
    """

    __slots__ = (
        "action",
        "action_in_flight",
        "admitted_at",
        "attempted_as",
        "committed",
        "committed_as",
        "end_message",
        "ended",
        "not_durable",
        "packed",
        "polling",
        "receipts",
        "revision",
        "taking",
        "time_limit_ms",
        "unseen",
    )

    def __init__(self, state: WatchState, *, committed: int = -1, unseen: bool = False) -> None:
        self.state = state
        self.receipts = _NONE  # of messages that may not be published yet
        self.end_message: WatchEnded | None = None  # accepted last, after the SMS that it counts are published
        self.action: Action | None = None
        self.admitted_at: float | None = None  # when the account's budget was charged for the action
        self.action_in_flight = False
        self.polling = False  # an action would make the answer under way one of before it: it waits for the poll's end
        self.taking = False  # a step is being accepted: the next one builds on what comes of it
        self.unseen = unseen and not self.ended  # restored, and no answer since: it may have been further than this
        self.not_durable = False  # a poll of it showed something that the bus did not take
        self.committed = committed  # newest revision that we committed
        self.committed_as = 0  # its hash: another owner's state may have the same revision
        self.attempted_as = 0  # of the newest state that we tried to commit

    @property
    def state(self) -> WatchState:
        """Read it: 15 µs. Two readings are equal, not identical; compare `revision` to see whether it has changed."""
        return WatchState.from_json(self.packed)

    @state.setter
    def state(self, state: WatchState) -> None:
        self.packed = state.to_json()
        self.revision = state.revision
        self.ended = state.ended is not None
        # When something must happen without an answer of the provider: it ends, or it is forgotten.
        self.time_limit_ms = expiry.forget_ms(state) if self.ended else expiry.overdue_ms(state)

    def owes(self, receipt: Receipt) -> None:
        """A message of it is durable, and is to be in Kafka before its state is committed."""
        self.receipts = (*self.receipts, receipt)

    def published(self) -> bool:
        """All its messages are in Kafka, or their dead letters are."""
        if self.receipts:
            self.receipts = tuple(receipt for receipt in self.receipts if receipt.delivery.outcome is None)
        return not self.receipts

    def is_settled(self) -> bool:
        """Everything that the state says was published is."""
        return self.published() and self.end_message is None
