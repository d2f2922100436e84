"""A provider's spelling of texts, numbers, senders, times and unknown fields, made ours.

Every function takes any text whatsoever, never raises, and leaves its own output as it is.
Numbers are judged by syntax alone: a numbering plan changes with its metadata, and a change would move keys.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from schemas import timestamps

LONGEST_NUMBER: Final = 64  # characters with punctuation; longer texts are no numbers and must not fill a cache
FIELDS_LIMIT: Final = 2048  # bytes of JSON
FUTURE_LIMIT_MS: Final = 48 * 3600 * 1000
YEAR_2000_MS: Final = 946_684_800_000

# The two of a byte that is not UTF-8 (`providers.encoding.marked`), or one. A set comes first: it is searched fast.
_SURROGATES: Final = re.compile("[\ud800-\udfff](?:(?<=\udbff)[\udc80-\udcff])?")
_NO_DIGITS: Final = re.compile(r"\D+")
_PHONE: Final = re.compile(r"(?:\+|00)?([1-9][0-9]{6,14})")
_BLANK: Final = re.compile("[\\s\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*")
_BETWEEN_DIGITS: Final = frozenset(" -.()/\t\u00a0\u2010\u2011\u2012\u2013\u2014\u2212\u2007\u2009\u202f\u3000")
_EPOCH: Final = re.compile(r"[0-9]{9,13}")
_ISO_8601: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r" ?(?P<offset>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.IGNORECASE,
)
# Rather too much than a secret: `monkey` is lost, `apiKey` does not get through.
_SECRET: Final = re.compile(
    r"user|account|client|uid|key|token|secret|passw|pwd|auth|sign|session|cookie|cred", re.IGNORECASE
)


class Sender(NamedTuple):
    """Who sent an SMS: E.164 where it is a phone, else as given."""

    value: str
    kind: str


class ProviderTime(NamedTuple):
    """A moment in our spelling, its zone `stated` or `assumed`; both None when there is none to trust."""

    time: str | None
    basis: str | None


NO_TIME: Final = ProviderTime(None, None)


def clean(text: str) -> str:
    """Return the text with lone surrogates made U+FFFD, so that UTF-8 can carry it; all else stays, NUL too.

    The two that stand for a byte that is not UTF-8 become one.
    """
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def digits(raw: str) -> str:
    """Return the decimal digits of any script in `raw`, as ASCII."""
    if raw.isascii() and raw.isdecimal():
        return raw
    found = _NO_DIGITS.sub("", raw)
    return found if found.isascii() else found.translate({ord(d): str(unicodedata.decimal(d)) for d in set(found)})


def number_written(text: str) -> str:
    """Return the digits of a number as people write it; empty: it has none, or letters, and is no number."""
    return "" if any(char.isalpha() for char in text) else digits(text)


def e164(raw: str) -> str | None:
    """Return `+` and 7 to 15 digits, or None where `raw` does not spell a full number."""
    return _e164(raw) if len(raw) <= LONGEST_NUMBER else None


@lru_cache(maxsize=16_384)
def _e164(raw: str) -> str | None:
    text = raw.strip()
    if text[:4].lower() == "tel:":
        text = text[4:]
    found = _PHONE.fullmatch("".join(map(_number_character, text)))
    return f"+{found[1]}" if found else None


def _number_character(character: str) -> str:
    if character in _BETWEEN_DIGITS or unicodedata.category(character) == "Cf":
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character.replace("\uff0b", "+")


def sender(raw: str) -> Sender | None:
    """Return the sender and its kind: `phone`, `short_code`, `alphanumeric` or `unknown`; None for a blank one."""
    return _sender(raw) if len(raw) <= LONGEST_NUMBER else _as_given(raw)


@lru_cache(maxsize=16_384)
def _sender(raw: str) -> Sender | None:
    number = _e164(raw)
    return Sender(number, "phone") if number else _as_given(raw)


def _as_given(raw: str) -> Sender | None:
    value = clean(raw).strip()
    if _BLANK.fullmatch(value):
        return None
    if any(map(str.isalpha, value)):
        return Sender(value, "alphanumeric")
    return Sender(value, "short_code" if value.isdecimal() and 3 <= len(value) <= 6 else "unknown")


def provider_time(raw: str, *, now_ms: int, zone: str | None = None) -> ProviderTime:
    """Return the moment that a provider states: ISO-8601 with an offset, or seconds or milliseconds since 1970.

    A time without an offset counts only where `zone` says how to read it: `UTC` or an IANA name; an unknown one raises
    `ZoneInfoNotFoundError`. More than 48 h ahead of `now_ms` or before the year 2000 is no time.
    """
    text = raw.strip()
    try:
        ours = timestamps.to_epoch_ms(text)  # PingMe's documented spelling
    except ValueError:
        epoch_ms, basis = _epoch_ms(text, zone)
        return ProviderTime(timestamps.to_text(epoch_ms), basis) if _is_credible(epoch_ms, now_ms) else NO_TIME
    return ProviderTime(text, "stated") if _is_credible(ours, now_ms) else NO_TIME


def _is_credible(epoch_ms: int, now_ms: int) -> bool:
    return YEAR_2000_MS <= epoch_ms <= min(now_ms + FUTURE_LIMIT_MS, timestamps.LATEST_MS)


def _epoch_ms(text: str, zone: str | None) -> tuple[int, str]:
    """Return the moment and its basis; 0, which is not credible, where there is none."""
    if _EPOCH.fullmatch(text):
        number = int(text)
        return (number if number >= 10**11 else number * 1000), "stated"
    found = _ISO_8601.fullmatch(text)
    if not found or not (found["offset"] or zone):
        return 0, ""
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", ""))
    except ValueError:  # February 30th, hour 25, an offset of 99 hours
        return 0, ""
    if found["offset"]:
        return _milliseconds(moment), "stated"
    return _milliseconds(moment.replace(tzinfo=_zone(zone or "UTC"))), "assumed"


def _milliseconds(moment: datetime) -> int:
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)  # UTC must not need a time zone database


def limit_fields(mapping: Mapping[str, str]) -> dict[str, str] | None:
    """Return the entries fit to be published as `provider_fields`, or None where none is.

    Left out: names that look like a user's id, a key or a secret, and what would make the map more than 2 KiB of JSON.
    """
    kept: dict[str, str] = {}
    for name, value in mapping.items():
        if len(name) + len(value) > FIELDS_LIMIT:  # not even read
            continue
        if _SECRET.search(name) or (value.lstrip()[:1] in "{[" and _SECRET.search(value)):
            continue
        larger = kept | {clean(name): clean(value)}
        if len(to_json(larger)) <= FIELDS_LIMIT:
            kept = larger
    return kept or None
