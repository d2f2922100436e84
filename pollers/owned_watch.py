"""One watch in the memory of the poller that owns it; compact, since there may be a hundred thousand."""

from typing import Final

from bus.contract import Receipt
from pollers.tracking import expiry
from pollers.tracking.state import WatchState
from providers.results import Action
from schemas.messages import WatchEnded

_NONE: Final[tuple[Receipt, ...]] = ()


class OwnedWatch:
    """A watch's state, its messages that are not published yet, and the action requested of the provider.

    The state is kept as JSON (about 400 bytes; the object takes seven times that) and parsed on access.
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
        self.receipts = _NONE  # for messages that may not be published yet
        self.end_message: WatchEnded | None = None  # accepted last, once the SMS that it counts are published
        self.action: Action | None = None
        self.admitted_at: float | None = None  # when the account's budget was charged for the action
        self.action_in_flight = False
        self.polling = False  # no action starts during a poll: the response would describe the order before the action
        self.taking = False  # a step is being accepted; the next one builds on its result
        self.unseen = unseen and not self.ended  # restored, and not polled since: the predecessor may have been further
        self.not_durable = False  # the bus did not accept what a poll has shown; that step is taken before any other
        self.committed = committed  # the newest revision that this process has committed
        self.committed_as = 0  # the hash of that state: another owner's may have the same revision
        self.attempted_as = 0  # the hash of the newest state that this process tried to commit

    @property
    def state(self) -> WatchState:
        """Parse it (15 µs). Each access returns a new, equal object; compare `revision` to see if it has changed."""
        return WatchState.from_json(self.packed)

    @state.setter
    def state(self, state: WatchState) -> None:
        self.packed = state.to_json()
        self.revision = state.revision
        self.ended = state.ended is not None
        # When something happens without a response of the provider: the watch ends, or is forgotten.
        self.time_limit_ms = expiry.forget_ms(state) if self.ended else expiry.overdue_ms(state)

    def may_have_seen(self) -> bool:
        """Return whether an answer may have shown an SMS that is not durable yet: the watch must not end now."""
        return self.polling or self.taking or self.not_durable

    def add_receipt(self, receipt: Receipt) -> None:
        """Note a durable message, which must be in Kafka before the state is committed."""
        self.receipts = (*self.receipts, receipt)

    def all_published(self) -> bool:
        """Return whether all its messages, or their dead letters, are in Kafka."""
        if self.receipts:
            self.receipts = tuple(receipt for receipt in self.receipts if receipt.delivery.outcome is None)
        return not self.receipts

    def is_settled(self) -> bool:
        """Return whether everything that the state counts as published is published."""
        return self.all_published() and self.end_message is None
