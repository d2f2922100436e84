"""A test SMS: one callback to this process's own receiver, over HTTP, as PingMe would send it."""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import aiohttp

from receiver.request_head import PINGME
from receiver.settings import PingMeAccount

TIMEOUT_SECONDS: Final = 10.0  # more than the receiver takes to make a message durable, or to refuse it
TO: Final = "12015550100"  # of the numbers that belong to nobody
SENDER: Final = "smsbus"
SERVICE: Final = "test"
TEXT: Final = "Test SMS from smsbus: your code is {}."
ANY_USER: Final = "smsbus"
"""For accounts that accept any userId."""


class Answer(NamedTuple):
    """The receiver's response."""

    http: int
    """0: there was none."""
    status: str = ""
    """`accepted` or `rejected`."""
    id: str = ""
    reason: str = ""


class OwnCallback:
    """Posts test SMS to the receiver at `origin`."""

    def __init__(self, origin: Callable[[], str], accounts: Callable[[], Sequence[PingMeAccount]]) -> None:
        """`origin`: the receiver's URL; `accounts`: those of the present settings."""
        self._origin = origin
        self._accounts = accounts

    async def send(self, name: str) -> Answer | None:
        """Send one SMS with a code that no other has; None: there is no such account. Raises nothing of the network."""
        account = next((each for each in self._accounts() if each.name == name), None)
        if account is None:
            return None
        url = f"{self._origin()}{PINGME}{account.tokens[0].get_secret_value()}"
        try:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, json=fields(account.user_id, datetime.now(UTC)), allow_redirects=False) as response,
            ):
                return _answer(response.status, await response.json(content_type=None))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return Answer(0)


def fields(user_id: str | None, now: datetime) -> dict[str, str]:
    """Return a callback's fields."""
    return {
        "app": SERVICE,
        "from": SENDER,
        "to": TO,
        "userId": user_id or ANY_USER,
        "text": TEXT.format(f"{secrets.randbelow(900_000) + 100_000}"),
        "time": now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
    }


def _answer(http: int, said: Any) -> Answer:  # noqa: ANN401 - JSON
    texts = {name: text for name, text in said.items() if isinstance(text, str)} if isinstance(said, dict) else {}
    return Answer(http, *(texts.get(name, "") for name in ("status", "id", "reason")))
