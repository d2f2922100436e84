"""The dead letter of a record that Kafka refuses for its content, or whose row in the journal is damaged."""

from typing import Final

from bus.record import Record
from schemas.dead_letter import UNKNOWN, rejected
from schemas.messages import SmsRejected

DAMAGED: Final = "journal_row_damaged"
"""The reason of a record that no broker refused: its row in a journal is not what was written."""


def of_refused(record: Record, reason: str, *, now_ms: int) -> SmsRejected:
    """Return what goes to the dead-letter topic instead. The same record gives the same id."""
    provider, account = _source(record)
    return rejected(
        record.value,
        provider=provider,
        account=account,
        stage="publish",
        reason=reason,
        facts={"refused_id": record.id, "refused_topic": record.topic},
        observed_ms=now_ms,
    )


def _source(record: Record) -> tuple[str, str]:
    """Provider and account from `ce_source`; the headers of a damaged row cannot be trusted."""
    parts = record.source.split("/")
    _, _, provider, account = parts if len(parts) == 4 else ("", "", UNKNOWN, UNKNOWN)
    return provider, account
