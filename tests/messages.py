"""Small valid messages for tests of the bus."""

import base64
from hashlib import sha256

from schemas.identity import event_id, rejected_id
from schemas.messages import SmsReceived, SmsRejected
from schemas.timestamps import to_text

OBSERVED_MS = 1_795_000_000_000


def sms(
    number: str = "16470000000", n: int = 0, *, text: str | None = None, observed_ms: int = OBSERVED_MS
) -> SmsReceived:
    """An SMS whose id is that of (number, n)."""
    return SmsReceived(
        id=event_id("pingme", "shop", None, None, (number, str(n))),
        provider="pingme",
        account="shop",
        received_via="callback",
        message_type="sms",
        recipient=f"+{number}",
        recipient_raw=number,
        text=f"{number}/{n}" if text is None else text,
        observed_at=to_text(observed_ms),
        freshness="live",
    )


def rejected(body: bytes) -> SmsRejected:
    """A dead letter as the receiver makes it."""
    return SmsRejected(
        id=rejected_id("pingme", "shop", "parse", "not_json", body),
        provider="pingme",
        account="shop",
        received_via="callback",
        stage="parse",
        reason="not_json",
        body_base64=base64.b64encode(body).decode(),
        body_bytes=len(body),
        body_sha256=sha256(body).hexdigest(),
        body_complete=True,
        facts={},
        observed_at=to_text(OBSERVED_MS),
    )
