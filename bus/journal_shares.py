"""The journal is everybody's: above half of it, an account that holds more than half of what is used has to wait.

Else who has one account's callback URL could fill it while Kafka is away, and everybody's SMS would be refused.
"""

from bus.contract import NotDurable
from bus.health import Refusals
from schemas.messages import Message

HINT = (
    "it fills the journal while Kafka is away, and others keep their room: bring Kafka back; "
    "if its callback URL leaked, rotate its token and remove the old one: "
    "`smsbus callback rotate {}`, then `--retire --force`"
)


class Shares:
    """The accounts of which something was refused because they hold too much. Belongs to one event loop."""

    def __init__(self) -> None:
        self.refused: dict[str, int] = {}
        """So many messages were refused, by account."""
        self._refusals: dict[str, Refusals] = {}

    def refuse(self, account: str, now: float) -> NotDurable:
        """Count one more and return what its sender is told; the first one is said. `now` is the loop's time."""
        self.refused[account] = self.refused.get(account, 0) + 1
        if account not in self._refusals:
            self._refusals[account] = Refusals("over_share", "over_share_no_more", account=account)
        self._refusals[account].add(now=now, hint=HINT.format(account))
        return NotDurable("over_share")

    def look(self, now: float) -> None:
        """See for whom it is over."""
        for each in self._refusals.values():
            each.look(now)

    @property
    def words(self) -> list[str]:
        """What readiness says: a word for each account of which something was refused within the last minute."""
        return [f"over_share:{account}" for account, each in self._refusals.items() if each.alarm.holds]


def is_limited(message: Message) -> bool:
    """Tell whether somebody else decides how many of these there are: a callback's sender, who can come again."""
    return getattr(message, "received_via", None) == "callback"
