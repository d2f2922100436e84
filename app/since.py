"""Where reading begins, as people and programs write it: 10m, a moment by RFC 3339, or a cursor of the inbox."""

import re
from datetime import datetime
from typing import Final

from app.durations import seconds_in

HOW: Final = "10m (or 30s, 2h, 7d), a past time like 2026-03-25T03:17:06Z, or a cursor"
AHEAD_MS: Final = 60_000  # by so much the clock of whoever asks may be ahead of ours
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{40,512}")


def moment_in(text: str, now_ms: int) -> int | None:
    """Return the moment, milliseconds since 1970; None: the text is neither a duration nor a moment that has been."""
    if (seconds := seconds_in(text)) is not None:
        return max(now_ms - seconds * 1000, 0)
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)  # a `+` that was not escaped
    except ValueError:
        return None
    if moment.tzinfo is None or moment.year <= 1970:
        return None
    found = int(moment.timestamp() * 1000)
    return found if found <= now_ms + AHEAD_MS else None


def is_cursor(text: str) -> bool:
    """Tell whether it may be a cursor; only the inbox can say whether it is."""
    return _CURSOR.fullmatch(text) is not None
