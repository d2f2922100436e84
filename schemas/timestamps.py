"""The one spelling of a moment: `2021-03-25T03:17:06.050Z`.

UTC, milliseconds, always 24 characters: texts sort like the moments they name, Flink's ISO-8601 reader takes them, and
ksqlDB reads them with one fixed format.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
LATEST_MS: Final = 253_402_300_799_999  # the last moment that four digits of a year can name
_FIXED_WIDTH: Final = re.compile(PATTERN.removesuffix("$") + r"\Z")


# Many messages share their millisecond with the one before.
@lru_cache(maxsize=256)
def to_text(epoch_ms: int) -> str:
    """Return the timestamp of a moment given in milliseconds since 1970.

    Raises `ValueError` or `OverflowError` outside the years 1 to 9999.
    """
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_second_text(seconds)}.{milliseconds:03d}Z"


def nearest_text(epoch_ms: int) -> str:
    """Return the timestamp of any number of milliseconds: what is no moment from 1970 to 9999 is the nearest one."""
    return to_text(min(max(epoch_ms, 0), LATEST_MS))


def to_epoch_ms(text: str) -> int:
    """Return the milliseconds since 1970 of a timestamp in our spelling; any other spelling is a `ValueError`."""
    if not _FIXED_WIDTH.match(text):
        msg = "not a timestamp of the form YYYY-MM-DDTHH:MM:SS.mmmZ"
        raise ValueError(msg)
    return _second_number(text[:19]) * 1000 + int(text[20:23])


def real(text: str) -> str:
    """Return a timestamp that names a moment; raises `ValueError` for any other text."""
    to_epoch_ms(text)
    return text


# Messages come in order of time: nearly all of them share their second with the one before.
@lru_cache(maxsize=256)
def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


@lru_cache(maxsize=256)
def _second_number(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
