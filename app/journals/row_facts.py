"""A row of a journal for JSON: a summary, masked as `smsbus tail` masks, or all of it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from app.sms_line import SmsLine, printable
from bus.journal.rows import RawRow

STATES: Final = {True: "intact", False: "damaged", None: "of another version"}
UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def brief(journal: str, row: RawRow) -> dict[str, Any]:
    """Return a summary, with the SMS masked; `journal` is the name of the row's directory."""
    line = SmsLine.of(row.value)
    topic, partition = row.lane
    return {
        "journal": journal,
        "seq": row.seq,
        "id": row.id,
        "topic": printable(topic.encode(errors="backslashreplace").decode()),
        "partition": partition,
        "timestamp_ms": row.number("timestamp_ms"),
        "size": row.number("size"),
        "intact": row.intact,
        "sms": asdict(line.masked()) if line else None,
        "dead_letter": _dead_letter(row.value),
    }


def whole(journal: str, row: RawRow) -> dict[str, Any]:
    """Return every column, bytes in base64."""
    return {"journal": journal, **row.whole()}


def as_line(facts: Mapping[str, Any], *, now_ms: int) -> str:
    """Return either kind of facts as one line with tabs: journal, number, id, lane, age, bytes, state, its SMS.

    A dead letter ends with its stage and reason.
    """
    lane = f"{facts.get('topic', '?')}/{facts.get('partition', '?')}"
    size, state = facts.get("size", "?"), STATES.get(facts["intact"], "?")
    words = (facts["journal"], facts["seq"], facts.get("id", "?"), lane, _age(facts, now_ms), f"{size} bytes", state)
    return "\t".join([*(printable(str(word)) for word in words), *_sms(facts)])


def _age(facts: Mapping[str, Any], now_ms: int) -> str:
    at_ms = facts.get("timestamp_ms")
    if not isinstance(at_ms, int):
        return "?"
    seconds = max((now_ms - at_ms) // 1000, 0)
    unit, length = next((each for each in UNITS if seconds >= each[1]), UNITS[-1])
    return f"{seconds // length}{unit}"


def _sms(facts: Mapping[str, Any]) -> list[str]:
    """Return its SMS: masked, or of a whole row as it is. A dead letter's stage and reason follow."""
    if "value_base64" in facts:
        value = base64.b64decode(facts["value_base64"])
        line, letter = SmsLine.of(value), _dead_letter(value)
        words = [line.plain()] if line else []
    else:
        letter = facts.get("dead_letter")
        words = [word for word in (facts.get("sms") or {}).values() if word]
    return [*words, f"{letter['stage']}: {letter['reason']}"] if letter else words


def _dead_letter(value: bytes) -> dict[str, str] | None:
    """Return why it is a dead letter, in machine words; None for what is none."""
    try:
        event = json.loads(value)
        return {name: printable(event[name]) for name in ("stage", "reason")}
    except (ValueError, KeyError, TypeError):
        return None
