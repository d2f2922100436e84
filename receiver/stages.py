"""The types of the way through this door. Each stage takes only what the stage before it gives.

A `RawRequest` has no body, so nothing of a stranger can be parsed; only `Tokens.verify` makes a `Caller`, and without
one there is no `VerifiedRequest`.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from receiver.settings import PingMeAccount
from schemas import identity, timestamps
from schemas.messages import SmsReceived, SmsRejected

FINGERPRINT: Final = 12  # digits of 64: nobody has so many tokens that two would be alike
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9/+;=., _-]")


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


@dataclass
class VerifiedRequest:
    """A whole request of a known caller."""

    provider: str
    caller: Caller
    content_type: str
    body: bytes
    observed_ms: int
    """When the last byte was read."""

    @property
    def observed_at(self) -> str:
        """The same moment in the contract's spelling."""
        return timestamps.to_text(self.observed_ms)

    @cached_property
    def evidence(self) -> tuple[str, str]:
        """The body in base64 and its sha256."""
        return base64.b64encode(self.body).decode(), hashlib.sha256(self.body).hexdigest()


class Callbacks(NamedTuple):
    """What one request became, in its order."""

    messages: list[SmsReceived | SmsRejected]
    is_array: bool


class InvalidCallback(Exception):
    """This callback is no SMS that we can represent: dead-letter it, answer 200, never ask for it again."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


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


def dead_letter(request: VerifiedRequest, refused: InvalidCallback, elements: tuple[int, ...] = ()) -> SmsRejected:
    """Return the record that keeps the exact bytes. `elements`: of an array, those that were refused, as the first."""
    account = request.caller.account
    body_base64, body_sha256 = request.evidence
    facts = {"content_type": _UNSAFE.sub("?", request.content_type[:100])} if request.content_type else {}
    if elements:
        facts["elements"] = " ".join(map(str, elements))
    first = elements[0] if elements else None
    return SmsRejected(
        id=identity.rejected_id(request.provider, account, refused.stage, refused.reason, request.body, first),
        provider=request.provider,
        account=account,
        received_via="callback",
        stage=refused.stage,
        reason=refused.reason,
        body_base64=body_base64,
        body_bytes=len(request.body),
        body_sha256=body_sha256,
        body_complete=True,
        facts=facts,
        observed_at=request.observed_at,
    )
