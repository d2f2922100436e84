"""The dead letter of a record that Kafka refuses for itself, or whose row in the journal is damaged."""

from typing import Final

from bus.record import Record
from schemas.dead_letter import evidence
from schemas.identity import rejected_id
from schemas.messages import SmsRejected
from schemas.timestamps import to_text

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


def _source(record: Record) -> tuple[str, str]:
    """Provider and account from `ce_source`; a damaged row has no headers that could be believed."""
    parts = record.source.split("/")
    _, _, provider, account = parts if len(parts) == 4 else ("", "", _UNKNOWN, _UNKNOWN)
    return provider, account
