"""The one builder of dead letters: what is kept of a body that could not be represented or published."""

import base64
from hashlib import sha256
from typing import Final

from schemas import identity, timestamps
from schemas.messages import SmsRejected

PREFIX_BYTES: Final = 64 * 1024  # of an oversized body: enough to see what it was, small enough for any topic
UNKNOWN: Final = "unknown"  # if neither the account nor the way it was received is known


def rejected(
    body: bytes,
    *,
    provider: str = UNKNOWN,
    account: str = UNKNOWN,
    received_via: str = UNKNOWN,
    stage: str,
    reason: str,
    facts: dict[str, str],
    observed_ms: int,
    element: int | None = None,
    keep: int | None = PREFIX_BYTES,
) -> SmsRejected:
    """Return the dead letter of these bytes. The same bytes, refused for the same reason, give the same id.

    `element`: the first bad one of an array. `keep`: the most bytes to keep, None: all; size and SHA-256 are
    those of the whole body.
    """
    kept = body[:keep]
    return SmsRejected(
        id=identity.rejected_id(provider, account, stage, reason, body, element),
        provider=provider,
        account=account,
        received_via=received_via,
        stage=stage,
        reason=reason,
        body_base64=base64.b64encode(kept).decode(),
        body_bytes=len(body),
        body_sha256=sha256(body).hexdigest(),
        body_complete=len(kept) == len(body),
        facts=facts,
        observed_at=timestamps.to_text(observed_ms),
    )
