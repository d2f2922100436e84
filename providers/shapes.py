"""What a response looks like, without what it says: the names of keys, types, and a token that nobody knows. Pure.

An answer has an unknown shape where its parser does not recognise it, or where it has a key that no document and no
client of that provider names. What is kept of it may be published, so it has no value: no number, no text, no code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from providers.http_client import RawResponse
from providers.observation import ProviderError
from providers.payloads import text_of

HIDDEN: Final = "?"
MOST_BYTES: Final = 32 * 1024  # of a body whose keys are looked at: a list of 500 rows comes every other second
MOST_NAMES: Final = 64
MOST_SHAPE: Final = 2048  # characters: names within names within names are many
DEEPEST: Final = 6
FIRST: Final = 3  # elements of a list that are looked at

# A name has letters, and at most one digit at its end: the rest may be a number, a code, an id or a word of an SMS.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_-]{0,30}[0-9]?")
_TOKEN: Final = re.compile(r"[A-Z][A-Z_]{0,39}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,39}")
_TYPES: Final = json.JSONDecoder(
    parse_int=lambda _: 0, parse_float=lambda _: 0.0, parse_constant=lambda _: 0.0, strict=False
)

_OF_HANDLER_API: Final = frozenset(
    {"status", "title", "error", "message", "msg", "details", "field", "info", "code"}  # error envelopes
    | {"minActivationTime", "retry_after_seconds"}
    | {"sms", "call", "data", "verificationType", "dateTime", "date", "text", "phoneFrom", "from", "service"}
    | {"id", "type"}
)
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "smsverified": _OF_HANDLER_API,
    "grizzlysms": _OF_HANDLER_API
    | {"activationId", "phoneNumber", "activationCost", "activationTime", "activationEnd", "activationCancel"}
    | {"canGetAnotherSms", "countryCode", "currency", "serviceCode", "activationStatus", "smsCode", "smsText"}
    | {"activeActivations", "rows", "count"}
    | {"quantity", "values", "test", "phone", "number", "endDate", "price", "hours"},
    "smsman": frozenset(
        {"request_id", "country_id", "application_id", "number", "sms_code", "error_code", "error_msg", "success"}
        | {"sms", "text", "code", "time", "balance", "hold", "channels", "active_channels", "rating"}
    ),
}
"""The keys that a provider's documents and clients name (docs/providers.md)."""
OF_DATA: Final = frozenset(
    {"getCountries", "getNumbersStatus", "getPrices", "getRentPrices"}
    | {"limits", "get-prices", "countries", "applications", "rent:limits"}
)
"""Endpoints whose keys are names of countries and services; people call them, polls do not."""
ERRORS: Final = ("error_code", "title", "error")
"""Keys of an error's word: SMS-Man's, and those of the handler API's envelopes."""
FREE: Final = frozenset({"error_msg", "info", "details"})
"""Keys with anything in them."""


class Sample(NamedTuple):
    """An answer of an unknown shape, in texts that can be published."""

    endpoint: str
    why: str
    """The parser's code, or `unknown_key`."""
    unknown: tuple[str, ...]
    """The token or the keys that nobody knows."""
    shape: str


def unknown(provider: str, endpoint: str, response: RawResponse, said: object) -> Sample | None:
    """Return what to keep of an answer that was parsed to `said`; None where nothing in it is unknown."""
    text = text_of(response) if isinstance(said, ProviderError) or response.body[:1] in {b"{", b"["} else ""
    if isinstance(said, ProviderError) and said.kind == "unrecognised":
        return Sample(endpoint, said.code, _unknown_words(text, KNOWN[provider]), shape_of(text))
    if (isinstance(said, ProviderError) and not said.answered) or endpoint in OF_DATA or not _may_have_keys(text):
        return None
    names = unknown_names(text, KNOWN[provider])
    return Sample(endpoint, "unknown_key", names, shape_of(text)) if names else None


def unknown_names(text: str, known: frozenset[str]) -> tuple[str, ...]:
    """Return the names of keys in this JSON that are not known. What does not look like a name is data."""
    value = _decoded(text)
    found = {key.strip() for key in _keys(value, DEEPEST)} - known
    return tuple(sorted(key for key in found if _NAME.fullmatch(key)))[:MOST_NAMES]


def shape_of(text: str) -> str:
    """Return the shape of a body: `{sms: {code: text}}`, `TOKEN:text`, or `text`."""
    if text[:1] in {"{", "["}:
        return shape(_decoded(text))[:MOST_SHAPE]
    token, colon, _ = text.partition(":")
    return name_of_token(token) + (":text" if colon else "") if re.fullmatch(r"[A-Z][A-Z0-9_]*", token) else "text"


def shape(value: object, depth: int = DEEPEST) -> str:
    """Return a value with the names of types in the place of what it says, as deep as `depth`; of a list the first."""
    match value:
        case dict() if depth:
            parts = {f"{name_of(key)}: {shape(value[key], depth - 1)}" for key in list(value)[:MOST_NAMES]}
            return "{" + ", ".join(sorted(parts)) + "}"
        case list() if depth:
            return f"[{shape(value[0], depth - 1)}]" if value else "[]"
        case dict() | list() | _Unreadable():
            return HIDDEN
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case _:
            return "null" if value is None else "text"


def name_of(key: str) -> str:
    """Return a key that looks like a name, else a sign for it."""
    return key.strip() if _NAME.fullmatch(key.strip()) else HIDDEN


def name_of_token(token: str) -> str:
    """Return a token of letters, else a sign for it: one with a digit may be a code."""
    return token if _TOKEN.fullmatch(token) else HIDDEN


def _unknown_words(text: str, known: frozenset[str]) -> tuple[str, ...]:
    """Return the keys, or else the token or the error's word, for which the parser did not recognise it."""
    if not text.startswith(("{", "[")):
        token = text.partition(":")[0]
        return (token,) if _TOKEN.fullmatch(token) else ()
    if names := unknown_names(text, known):
        return names
    answer = _decoded(text)
    words = [answer.get(key) for key in ERRORS] if isinstance(answer, dict) else []
    return tuple(word for word in words if isinstance(word, str) and _WORD.fullmatch(word))


def _may_have_keys(text: str) -> bool:
    return text[:1] in {"{", "["} and len(text) <= MOST_BYTES


def _decoded(text: str) -> object:
    try:
        return _TYPES.decode(text) if len(text) <= MOST_BYTES else _Unreadable()
    except (ValueError, RecursionError):
        return _Unreadable()


class _Unreadable:
    """What is in the place of JSON that is invalid, too large or too deep."""


def _keys(value: object, depth: int) -> Iterator[str]:
    if not depth:
        return
    for element in value[:FIRST] if isinstance(value, list) else ():
        yield from _keys(element, depth - 1)
    for key, item in list(value.items())[:MOST_NAMES] if isinstance(value, dict) else ():
        yield key
        if key not in FREE:
            yield from _keys(item, depth - 1)
