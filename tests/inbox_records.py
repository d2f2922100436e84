"""Small records for tests of the inbox, and a tail that has read some."""

import json
from collections.abc import Iterable

from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from inbox.cursor import parts_of
from inbox.settings import InboxSettings
from inbox.tail import Tail
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

NUMBER = "16470000000"
PARTS = parts_of((RECEIVED, REJECTED, WATCH_ENDED))
FIRST, SECOND, THIRD = (Part(RECEIVED, number) for number in range(3))
HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_000


def record(
    part: Part, offset: int, event_id: str | None = None, *, time_ms: int = NOW_MS, **more: object
) -> ReadRecord:
    """An SMS to `NUMBER`, of news; its id is its place."""
    event = {"id": event_id or f"{part.partition}@{offset}", "provider": "pingme", "account": "shop"}
    event |= {"recipient": f"+{NUMBER}", "freshness": "live", "text": "hello", **more}
    return ReadRecord(part.partition, offset, time_ms, b"key", json.dumps(event).encode(), {})


def junk(part: Part, offset: int) -> ReadRecord:
    return ReadRecord(part.partition, offset, NOW_MS, None, b"junk", {})


def tail_of(records: Iterable[tuple[Part, ReadRecord]] = (), begin: int = 0, **limits: float) -> Tail:
    """A tail that began there and has read these."""
    tail = Tail(InboxSettings.model_validate(limits))
    tail.reset(dict.fromkeys(PARTS, begin))
    for part, each in records:
        tail.add(part, each)
    return tail


def ids(items: Iterable[object]) -> list[str]:
    return [item.id for item in items]  # type: ignore[attr-defined]
