"""Who is calling: only `Tokens.verify` makes a `Caller`, from the head of a request whose body is unread."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from receiver.settings import PingMeAccount

FINGERPRINT: Final = 12  # of 64 hexadecimal digits: enough to tell an installation's tokens apart


class RawRequest(NamedTuple):
    """The head of a request that is not authenticated; its body is unread."""

    token: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated account."""

    account: str
    user_id: str | None
    token: str = field(default="", compare=False)
    """The `fingerprint` of the token that was shown."""


class Tokens:
    """The tokens of all accounts, by digest, so that this table does not hold the tokens themselves."""

    def __init__(self, accounts: Iterable[PingMeAccount]) -> None:
        """Raises `ValueError` when two accounts share a token."""
        self._callers: dict[bytes, tuple[bytes, Caller]] = {}
        for account in accounts:
            for token in account.tokens:
                digest = _digest(token.get_secret_value())
                caller = Caller(account.name, account.user_id, fingerprint(token.get_secret_value()))
                if self._callers.setdefault(digest, (digest, caller))[1].account != account.name:
                    message = f"account {account.name!r} has a callback token of another account: give each its own"
                    raise ValueError(message)

    def verify(self, request: RawRequest) -> Caller | None:
        """Return whose token this is, or None. Its time does not depend on how much of a token was right."""
        digest = _digest(request.token)
        expected, caller = self._callers.get(digest, (b"", None))
        return caller if hmac.compare_digest(expected, digest) else None


def fingerprint(token: str) -> str:
    """Return a short name for a token, which cannot be used in its place."""
    return _digest(token).hex()[:FINGERPRINT]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
