"""Who is calling: only `Tokens.verify` makes a `Caller`, from the head of a request whose body is unread."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from receiver.settings import PingMeAccount

FINGERPRINT: Final = 12  # digits of 64: nobody has so many tokens that two would be alike


class RawRequest(NamedTuple):
    """The head of a request as a stranger sent it; its body is unread."""

    token: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Caller:
    """An account whose token was shown."""

    account: str
    user_id: str | None
    token: str = field(default="", compare=False)
    """The `fingerprint` of the token that was shown."""


class Tokens:
    """The tokens of all accounts, by digest: a table in memory does not hold what opens the door."""

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
        """Return whose token this is, or None. Its time says nothing about how much of a token was right."""
        digest = _digest(request.token)
        expected, caller = self._callers.get(digest, (b"", None))
        return caller if hmac.compare_digest(expected, digest) else None


def fingerprint(token: str) -> str:
    """Return what a token may be called by: it tells ours apart, and opens nothing."""
    return _digest(token).hex()[:FINGERPRINT]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
