"""What lies in the topics and in the book, as the rows of a history. Shares no parser with the code under test."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from tests.faults.history import DeadLetter, Ended, Record, Shown

LOADED = re.compile(r"\[([0-9a-f]{32})\]")  # what the tests' own load writes
SIMULATED = re.compile(r"\bref ([BCDFGHJKLMNPQRSTVWXZ]{8})\b")  # what the sandbox writes


def received(record: ConsumerRecord) -> Record:
    """Return a record of `sms.received.v1`."""
    value, headers = json.loads(record.value), dict(record.headers)
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key.decode(),
        value["id"],
        nonce(value),
        value["recipient_raw"] or "",
        value["provider"],
        value["order_kind"] or "",
        value["order_id"] or "",
        value["sequence"],
        headers["smsbus_via"].decode(),
        headers["smsbus_instance"].decode(),
        value["account"],
        datetime.fromisoformat(value["observed_at"]).timestamp(),
    )


def ended(record: ConsumerRecord) -> Ended:
    """Return a record of `sms.watch-ended.v1`."""
    value = json.loads(record.value)
    names = ("watch_id", "provider", "order_kind", "order_id", "sms_count", "reason")
    return Ended(*(value[name] for name in names), record.timestamp)


def dead_letter(record: ConsumerRecord) -> DeadLetter:
    """Return a record of `sms.rejected.v1`."""
    letter = json.loads(record.value)
    sms = _refused(base64.b64decode(letter["body_base64"] or "").decode(errors="replace"))
    return DeadLetter(
        letter["id"],
        sms.get("provider") or letter["provider"],
        sms.get("order_kind") or "",
        sms.get("order_id") or "",
        nonce(sms),
        letter["facts"].get("refused_id", ""),
        letter["stage"],
        letter["reason"],
    )


def shown(row: Mapping[str, Any], ends: float | None = None) -> Shown:
    """Return an SMS of `GET /book`."""
    return Shown(**{name: row[name] for name in Shown._fields if name != "ends"}, ends=ends)


def nonce(sms: Mapping[str, Any]) -> str:
    """Return what identifies an SMS within its order: as the book says it, or as the tests' own load wrote it."""
    text = sms.get("text")
    if sms.get("order_kind") == "activation":
        return str(sms["code"] or text or "")
    found = LOADED.search(str(text)) or SIMULATED.search(str(text))
    return found[1] if found else str(text or "")


def _refused(body: str) -> Mapping[str, Any]:
    """Return the SMS that a dead letter keeps, or its bytes as a text where they are none."""
    try:
        sms = json.loads(body)
    except ValueError:
        sms = None
    return sms if isinstance(sms, dict) and "text" in sms else {"text": body}
