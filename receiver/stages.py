"""The types between the stages of a callback. Each stage takes only what the previous one returns.

Nothing of a stranger is parsed: only `auth.Tokens.verify` makes a `Caller`, and without one there is no
`VerifiedRequest`.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from receiver.auth import Caller
from schemas import identity, timestamps
from schemas.messages import SmsReceived, SmsRejected

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9/+;=., _-]")


@dataclass
class VerifiedRequest:
    """A whole request of an authenticated caller."""

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
    """The messages of one request, in its order."""

    messages: list[SmsReceived | SmsRejected]
    is_array: bool


class InvalidCallback(Exception):
    """This callback is not an SMS that we can represent: it becomes a dead letter, and the response is 200."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


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
