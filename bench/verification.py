"""Whether every callback with a 2xx is in Kafka, and whether the contender does the job that it claims."""

import json
from collections.abc import Sequence
from typing import Any, Final, Protocol

from schemas.messages import SmsReceived

HEADERS: Final = frozenset(
    ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "content-type")
)
NEVER_EMPTY: Final = ("id", "recipient", "sender", "sender_kind", "provider_time", "observed_at")
LOOKED_AT: Final = 50


class Record(Protocol):
    """A record as a consumer reads it."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Any: ...


def distinct(records: Sequence[Record]) -> int:
    """Count the SMS by their unique texts, so that repeats and retries do not count."""
    return len({json.loads(record.value() or b"{}").get("text") for record in records})


def dishonest(accepted: int, found: int) -> str:
    """Return what is wrong with so many 2xx responses and so many SMS in Kafka; empty if nothing."""
    return f"{accepted:,} 2xx responses, {found:,} SMS in Kafka" if found < accepted else ""


def half_done(records: Sequence[Record]) -> str:
    """Return what is missing in some records for the whole job; empty if nothing."""
    return next((words for words in map(_lacking, records[:: max(1, len(records) // LOOKED_AT)]) if words), "")


def _lacking(record: Record) -> str:
    sms = json.loads(record.value() or b"{}")
    if others := sorted(set(sms) ^ set(SmsReceived.model_fields)):
        return f"other fields than ours: {', '.join(others[:3])}"
    if record.key() != sms["recipient_raw"].encode():
        return "its key is not the number"
    if missing := HEADERS - {name for name, _ in record.headers() or ()}:
        return f"headers are missing: {', '.join(sorted(missing)[:3])}"
    empty = [name for name in NEVER_EMPTY if not sms[name]]
    return f"empty: {', '.join(empty)}" if empty else ""
