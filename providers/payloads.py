"""Reading responses of any provider: text, JSON of varying shape, an HTML page, or only an HTTP status.

Not trusted: the Content-Type (valid responses are `text/html`), and the HTTP status before the body is read (errors
come with status 200, and with 400 to 409 from sibling services).
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
# What serializers write for a missing value. `false` and `nil` are not included: no provider was seen to use them so.
_NOTHING: Final = frozenset({"", "null", "none", "undefined", "nan"})
NO_CODE: Final = "Нет кода"  # "no code": the official sms-activate client keeps waiting on exactly this text
PLACEHOLDERS: Final = frozenset({"LASTCODE", "$lastcode"})  # in the documents' examples; never a code


@dataclass(frozen=True, slots=True)
class Document:
    """Decoded JSON, with every number as its source text."""

    value: object = field(repr=False)


def text_of(response: RawResponse) -> str:
    """Return the body as text: see `encoding.text_of`."""
    return encoding.text_of(response.body)


def without_content(response: RawResponse, text: str) -> ProviderError | None:
    """Return the error for an empty body or an HTML page; None for any other body."""
    if text and text[0] != "<":
        return None
    return by_status(response) or ProviderError("transient", "html" if text else "empty", retry_after(response))


def by_status(response: RawResponse) -> ProviderError | None:
    """Return the error that the HTTP status alone stands for, where the body is unreadable; None for 2xx.

    403 is `transient`: it concerns our IP address (a filter in front of the provider), not the key.
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
    """Return the decoded JSON; an error, `transient` where it was cut off, `unrecognised` where it is invalid."""
    try:
        return Document(encoding.JSON.decode(text))
    except json.JSONDecodeError as error:
        if _is_cut_off(error):
            return by_status(response) or ProviderError("transient", "truncated")
        return by_status(response) or ProviderError("unrecognised", "not_json")
    except RecursionError:
        return ProviderError("unrecognised", "too_deep")


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    """Return whether the document ends too early, with brackets left open, rather than being invalid in the middle."""
    closed = {"]", "}"} & set(error.doc[error.pos :])
    return error.msg.startswith("Unterminated") or not (closed or error.msg.startswith("Extra"))


def retry_after(response: RawResponse, said: str | None = None) -> float | None:
    """Return the seconds to wait, 1 to 600: from the header (seconds or a date), else from the body; None: neither.

    A date is relative to the time the response was received.
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
    """Return a text or number as text; None for null, false, blank text, lists and objects."""
    if isinstance(value, str):
        return value if value.strip() else None
    return "true" if value is True else None


def first(entry: Mapping[str, object], *names: str) -> str | None:
    """Return the value of the first of these keys that has one (see `scalar`)."""
    for name in names:
        if (found := scalar(entry.get(name))) is not None:
            return found
    return None


def trimmed(entry: Mapping[str, object], *names: str) -> str | None:
    """Return the same as `first`, without white space at its ends."""
    found = first(entry, *names)
    return found.strip() if found is not None else None


def mapping(value: object) -> dict[str, object]:
    """Return a JSON object with white space stripped from its keys; an empty one for anything else."""
    return {key.strip(): item for key, item in value.items()} if isinstance(value, dict) else {}


def entries(value: object) -> list[dict[str, object]]:
    """Return the objects of a list, or of an object into which PHP turned a list: `{"0": …, "1 ": …}`, by number."""
    if isinstance(value, list):
        return [mapping(item) for item in value if isinstance(item, dict)]
    numbered = sorted(mapping(value).items(), key=lambda pair: count(pair[0]) or 0)
    return [mapping(item) for _, item in numbered if isinstance(item, dict)]


def keyed(value: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the keys of an object and their values, where the values are objects."""
    return ((key, mapping(item)) for key, item in mapping(value).items() if isinstance(item, dict))


def count(value: object) -> int | None:
    """Return an integer, written as a number or as text; None for anything else."""
    found = (scalar(value) or "").strip()
    return int(found) if re.fullmatch(r"-?[0-9]{1,18}", found) else None


def given(entry: Mapping[str, object], *names: str) -> str | None:
    """Return the text of the first of these keys that has one, unchanged; it may be empty.

    A serializer's placeholder for a missing value is not a text: a polled provider that writes `None` has no text.
    """
    texts = (value for value in map(entry.get, names) if isinstance(value, str))
    return next((text for text in texts if not text.strip() or not says_nothing(text)), None)


def says_nothing(text: str) -> bool:
    """Return whether a text has no content: white space or a serializer's placeholder, possibly in quotes."""
    return _unquoted(text.strip()).strip().lower() in _NOTHING


def code_in(text: str | None) -> str | None:
    """Return the code without the pair of quotes that the documents print around it; None where there is no code.

    Every code of every provider passes through here, so that all code paths agree on what a code is.
    """
    code = _unquoted((text or "").strip())
    return None if says_nothing(code) or code in {NO_CODE} | PLACEHOLDERS else code


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def oldest_first(newest_first: Sequence[SeenSms]) -> tuple[SeenSms, ...]:
    """Return the SMS of a list sorted by time; where times are equal or missing, in reverse order of the list."""
    turned = list(reversed(newest_first))
    if all(sms.time_raw for sms in turned):
        turned.sort(key=lambda sms: _NO_DIGITS.sub("", sms.time_raw or "")[:14])
    return tuple(turned)
