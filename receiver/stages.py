"""The types between the stages of a callback. Each stage takes only what the previous one returns.

No request without a valid token is parsed: only `auth.Tokens.verify` makes a `Caller`, and without one there is no
`VerifiedRequest`.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from receiver.auth import Caller
from schemas import timestamps
from schemas.dead_letter import rejected
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


class Callbacks(NamedTuple):
    """The messages of one request, in its order."""

    messages: list[SmsReceived | SmsRejected]
    is_array: bool
    unknown: frozenset[str] = frozenset()
    """Keys that no document names, as they came."""
    lacks_user: bool = False
    """There is no `userId`, and the settings have one to compare it with."""


class InvalidCallback(Exception):
    """This callback is not an SMS that we can represent: it becomes a dead letter, and the response is 200."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


def dead_letter(request: VerifiedRequest, refused: InvalidCallback, elements: tuple[int, ...] = ()) -> SmsRejected:
    """Return the dead letter with the exact bytes. `elements`: the indexes of an array's refused elements."""
    facts = {"content_type": _UNSAFE.sub("?", request.content_type[:100])} if request.content_type else {}
    if elements:
        facts["elements"] = " ".join(map(str, elements))
    return rejected(
        request.body,
        provider=request.provider,
        account=request.caller.account,
        received_via="callback",
        stage=refused.stage,
        reason=refused.reason,
        facts=facts,
        observed_ms=request.observed_ms,
        element=elements[0] if elements else None,
        keep=None,
    )
