"""All accounts share the journal: once it is half full, an account with more than half of its bytes has to wait.

Otherwise anyone with one account's callback URL could fill it while Kafka is unavailable, and all SMS would be refused.
"""

from bus.contract import NotDurable
from bus.health import Refusals
from schemas.messages import Message

HINT = (
    "it fills the journal while Kafka is unavailable, and room is kept for others: bring Kafka back; "
    "if its callback URL leaked, rotate its token and remove the old one: "
    "`smsbus callback rotate {}`, then `--retire --force`"
)


class Shares:
    """The accounts of which something was refused because they hold too much. Belongs to one event loop."""

    def __init__(self) -> None:
        self.refused: dict[str, int] = {}
        """The number of refused messages, by account."""
        self._refusals: dict[str, Refusals] = {}

    def refuse(self, account: str, now: float) -> NotDurable:
        """Count one more and return the error for its sender; the first one is logged. `now` is the loop's time."""
        self.refused[account] = self.refused.get(account, 0) + 1
        if account not in self._refusals:
            self._refusals[account] = Refusals("over_share", account=account)
        self._refusals[account].add(now=now, hint=HINT.format(account))
        return NotDurable("over_share")

    def update(self, now: float) -> None:
        """End the alarm of accounts that were not refused for a while."""
        for each in self._refusals.values():
            each.update(now)

    @property
    def words(self) -> list[str]:
        """The degraded reasons: one for each account with a refused message within the last minute."""
        return [f"over_share:{account}" for account, each in self._refusals.items() if each.alarm.holds]


def is_limited(message: Message) -> bool:
    """Tell whether others decide how many of these arrive: senders of callbacks, who can retry."""
    return getattr(message, "received_via", None) == "callback"
