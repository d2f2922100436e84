"""A test SMS: one callback to this process's own receiver, over HTTP, as PingMe would send it."""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from app.process import now_ms
from receiver.request_head import PINGME
from receiver.settings import PingMeAccount
from sandbox.pingme_wire import CallbackResponse, post_callback
from schemas.timestamps import to_text

TO: Final = "12015550100"  # of the numbers that belong to nobody
SENDER: Final = "smsbus"
SERVICE: Final = "test"
TEXT: Final = "Test SMS from smsbus: your code is {}."
ANY_USER: Final = "smsbus"
"""For accounts that accept any userId."""


class OwnCallback:
    """Posts test SMS to the receiver at `origin`."""

    def __init__(self, origin: Callable[[], str], accounts: Callable[[], Sequence[PingMeAccount]]) -> None:
        """`origin`: the receiver's URL; `accounts`: those of the present settings."""
        self._origin = origin
        self._accounts = accounts

    async def send(self, name: str) -> CallbackResponse | None:
        """Send one SMS with a code that no other has; None: there is no such account. Raises nothing of the network."""
        account = next((each for each in self._accounts() if each.name == name), None)
        if account is None:
            return None
        url = f"{self._origin()}{PINGME}{account.tokens[0].get_secret_value()}"
        return await post_callback(url, fields(account.user_id))


def fields(user_id: str | None) -> dict[str, str]:
    """Return a callback's fields."""
    return {
        "app": SERVICE,
        "from": SENDER,
        "to": TO,
        "userId": user_id or ANY_USER,
        "text": TEXT.format(f"{secrets.randbelow(900_000) + 100_000}"),
        "time": to_text(now_ms()),
    }
