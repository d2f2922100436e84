"""One event of the inbox: its bytes as Kafka has them, and what filters and waits look at.

As a reader it tolerates unknown and missing keys; what is no event at all is no item.
"""

import json
from typing import Any, Final, NamedTuple, NoReturn, Self

from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from schemas.normalize import digits

OVERHEAD: Final = 1_200  # bytes of an item's objects besides its texts; measured


class Item(NamedTuple):
    """An event. Fields that its topic does not have are None."""

    part: Part
    offset: int
    time_ms: int
    """The record's timestamp: when the bus first saw it."""
    value: bytes
    via: str
    """How it came to Kafka: `kafka` (directly) or `journal`; empty if nothing says so."""
    id: str
    provider: str
    account: str
    recipient: str | None
    """Digits alone."""
    service: str | None
    client_ref: str | None
    watch_id: str | None
    order_id: str | None
    sequence: int | None
    freshness: str | None
    code: str | None
    text: str | None

    @classmethod
    def of(cls, part: Part, record: ReadRecord) -> Self | None:
        """Read a record; None for what is not an event."""
        headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers.items()}
        value = record.value or b""
        try:
            # As its readers decode it: one event that they cannot read would spoil the page that it is on.
            event = json.loads(value.decode(), parse_constant=_none_of_json)
            return cls(
                part,
                record.offset,
                record.timestamp_ms,
                value,
                headers.get("smsbus_via") or "",
                id=_needed(event, "id", headers.get("ce_id")),  # the end of a watch has it in the header alone
                provider=_needed(event, "provider"),
                account=_needed(event, "account"),
                recipient=_number(event),
                sequence=event.get("sequence") if type(event.get("sequence")) is int else None,
                **{name: _text(event, name) for name in TEXTS},
            )
        except (ValueError, AttributeError, RecursionError):
            return None

    @property
    def size(self) -> int:
        """The memory that it takes, bytes, roughly."""
        return len(self.value) + 2 * len(self.text or "") + OVERHEAD


def _none_of_json(constant: str) -> NoReturn:
    """Refuse `NaN` and the like, which Python reads and others do not."""
    raise ValueError(constant)


LONGEST_NAME: Final = 256  # characters; ours have at most 64, and dead letters repeat them
TEXTS: Final = ("service", "client_ref", "watch_id", "order_id", "freshness", "code", "text")


def _text(event: dict[str, Any], name: str) -> str | None:
    value = event.get(name)
    return value if isinstance(value, str) else None


def _needed(event: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    found = event.get(name, otherwise)
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_NAME:
        raise ValueError(name)
    found.encode()  # raises for half of a surrogate pair, which no header and no response can carry
    return found


def _number(event: dict[str, Any]) -> str | None:
    return digits(_text(event, "recipient") or _text(event, "recipient_raw") or "") or None
