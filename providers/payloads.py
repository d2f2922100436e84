"""What every answer may be, whichever provider gave it: text, JSON that drifts, a page of HTML, a bare HTTP status.

Never trusted: the Content-Type (valid answers are `text/html`), and the status before the body was read (providers
answer refusals with 200, and some of their siblings the same refusals with 400 to 409).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from providers import encoding
from providers.http_client import RawResponse
from providers.observation import ProviderError, SeenSms

LONGEST_WAIT: Final = 600.0  # seconds
SHORTEST_WAIT: Final = 1.0

_NO_DIGITS: Final = re.compile(r"\D+")
_SECONDS: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,6})?")
# What serializers write where there is nothing. `false` and `nil` are not among them: nobody was seen to write them so.
_NOTHING: Final = frozenset({"", "null", "none", "undefined", "nan"})
NO_CODE: Final = "Нет кода"  # the official sms-activate client keeps waiting on exactly this
PLACEHOLDERS: Final = frozenset({"LASTCODE", "$lastcode"})  # of the documents; never a code


@dataclass(frozen=True, slots=True)
class Document:
    """JSON that was read, every number in it as its text."""

    value: object = field(repr=False)


def text_of(response: RawResponse) -> str:
    """Return the body as text: see `encoding.text_of`."""
    return encoding.text_of(response.body)


def without_content(response: RawResponse, text: str) -> ProviderError | None:
    """Return what is wrong with an answer that is empty or a page for people; None: it may say something."""
    if text and text[0] != "<":
        return None
    return by_status(response) or ProviderError("transient", "html" if text else "empty", retry_after(response))


def by_status(response: RawResponse) -> ProviderError | None:
    """Return what the HTTP status alone tells, for a body that nobody can read; None: a 2xx tells nothing.

    403 is `transient`: it is about our address (a filter in front of the provider), not about the key.
    """
    status = response.status
    if 200 <= status < 300:
        return None
    if status == 429:
        return ProviderError("throttled", "http_429", retry_after(response))
    if status == 401 and not text_of(response).startswith("<"):
        return ProviderError("auth", "http_401")
    return ProviderError("transient", f"http_{status}", retry_after(response))


def parse_json(response: RawResponse, text: str) -> Document | ProviderError:
    """Return the JSON; `transient` where it was cut off, `unrecognised` where broken."""
    try:
        return Document(encoding.JSON.decode(text))
    except json.JSONDecodeError as error:
        if _is_cut_off(error):
            return by_status(response) or ProviderError("transient", "truncated")
        return by_status(response) or ProviderError("unrecognised", "not_json")
    except RecursionError:
        return ProviderError("unrecognised", "too_deep")


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    """Tell an answer that stopped early, and so never closes what it opened, from one that is broken in its middle."""
    closed = {"]", "}"} & set(error.doc[error.pos :])
    return error.msg.startswith("Unterminated") or not (closed or error.msg.startswith("Extra"))


def retry_after(response: RawResponse, said: str | None = None) -> float | None:
    """Return how many seconds to wait, 1 to 600: the header's seconds or date, else what the body said; None: neither.

    A date counts from the moment the answer was received.
    """
    header = response.headers.get("retry-after", "").strip()
    for value in (header, (said or "").strip()):
        if _SECONDS.fullmatch(value):
            return _clamped(float(value))
    return _until(header, response.received_at) if header and response.received_at is not None else None


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return _clamped((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _clamped(seconds: float) -> float | None:
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT) if math.isfinite(seconds) else None


def scalar(value: object) -> str | None:
    """Return a text or number as text; None for null, false, blanks and what has parts."""
    if isinstance(value, str):
        return value if value.strip() else None
    return "true" if value is True else None


def first(entry: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these keys that says something."""
    for name in names:
        if (found := scalar(entry.get(name))) is not None:
            return found
    return None


def trimmed(entry: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these keys that says something, without blanks at its ends."""
    found = first(entry, *names)
    return found.strip() if found is not None else None


def mapping(value: object) -> dict[str, object]:
    """Return an object with its keys stripped; an empty one for anything else."""
    return {key.strip(): item for key, item in value.items()} if isinstance(value, dict) else {}


def entries(value: object) -> list[dict[str, object]]:
    """Return the objects of a list, or of an object that PHP made of a list: `{"0": …, "1 ": …}`, by their numbers."""
    if isinstance(value, list):
        return [mapping(item) for item in value if isinstance(item, dict)]
    numbered = sorted(mapping(value).items(), key=lambda pair: count(pair[0]) or 0)
    return [mapping(item) for _, item in numbered if isinstance(item, dict)]


def keyed(value: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the keys of an object whose values are objects."""
    return ((key, mapping(item)) for key, item in mapping(value).items() if isinstance(item, dict))


def count(value: object) -> int | None:
    """Return a whole number, however it was written; None where it is none."""
    found = (scalar(value) or "").strip()
    return int(found) if re.fullmatch(r"-?[0-9]{1,18}", found) else None


def given(entry: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these keys that has a text, exactly as it was written; it may be empty.

    A serializer's word for nothing is none: a polled provider that writes `None` has no text.
    """
    texts = (value for value in map(entry.get, names) if isinstance(value, str))
    return next((text for text in texts if not text.strip() or not says_nothing(text)), None)


def says_nothing(text: str) -> bool:
    """Tell a text without content: blanks, a serializer's word for nothing, and a pair of quotes around either."""
    return _unquoted(text.strip()).strip().lower() in _NOTHING


def code_in(text: str | None) -> str | None:
    """Return the code without one pair of quotes, which the documents print around it; None where it is none.

    Every code of every provider comes through here, so that what is no code on one path is none on the others.
    """
    code = _unquoted((text or "").strip())
    return None if says_nothing(code) or code in {NO_CODE} | PLACEHOLDERS else code


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def oldest_first(newest_first: Sequence[SeenSms]) -> tuple[SeenSms, ...]:
    """Return the SMS of a list by their times; by the list's own order, reversed, where times are equal or missing."""
    turned = list(reversed(newest_first))
    if all(sms.time_raw for sms in turned):
        turned.sort(key=lambda sms: _NO_DIGITS.sub("", sms.time_raw or "")[:14])
    return tuple(turned)
