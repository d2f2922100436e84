"""The dead letter of a record that Kafka refuses for itself, or whose row in the journal is damaged."""

import base64
from hashlib import sha256
from typing import Any, Final

from bus.record import Record
from schemas.identity import rejected_id
from schemas.messages import SmsRejected
from schemas.timestamps import to_text

PREFIX_BYTES: Final = 64 * 1024  # of an oversized value: enough to see what it was, small enough for any topic
_UNKNOWN: Final = "unknown"


def of_refused(record: Record, reason: str, *, now_ms: int) -> SmsRejected:
    """Return what goes to the dead-letter topic instead. The same record gives the same id."""
    provider, account = _source(record)
    return SmsRejected(
        id=rejected_id(provider, account, "publish", reason, record.value),
        provider=provider,
        account=account,
        received_via=_UNKNOWN,
        stage="publish",
        reason=reason,
        **evidence(record.value),
        facts={"refused_id": record.id, "refused_topic": record.topic},
        observed_at=to_text(now_ms),
    )


def evidence(body: bytes) -> dict[str, Any]:
    """Return the fields of a dead letter that keep a body: the exact bytes, of an oversized one a prefix."""
    return {
        "body_base64": base64.b64encode(body[:PREFIX_BYTES]).decode(),
        "body_bytes": len(body),
        "body_sha256": sha256(body).hexdigest(),
        "body_complete": len(body) <= PREFIX_BYTES,
    }


def _source(record: Record) -> tuple[str, str]:
    """Provider and account from `ce_source`; a damaged row has no headers that could be believed."""
    parts = record.source.split("/")
    _, _, provider, account = parts if len(parts) == 4 else ("", "", _UNKNOWN, _UNKNOWN)
    return provider, account
