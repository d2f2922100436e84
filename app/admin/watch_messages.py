"""What is wrong with a request about a watch: one sentence for each field."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError

from app.filter_words import FIELD_OF
from pollers.watch_commands import WatchRequest

MESSAGE_TYPES: Final = ("sms", "call", "voice")
"""What this API accepts; a record on the topic may have other values."""
PAST: Final = "expires_at must not be in the past"
MUST_BE: Final[Mapping[str, str]] = {
    "account": "the name of an account",
    "order_kind": "activation or rent",
    "order_id": "text of 1 to 128 characters",
    "recipient": "text of at most 64 characters",
    "service": "text of at most 64 characters",
    "message_type": "sms, call or voice",
    "expires_at": "a time like 2026-01-31T12:00:00.000Z",
    "history": "emit or skip",
    "after_sms": "keep, request_next or finish",
    "client_ref": "text of at most 128 characters",
    "after": "a whole number, 0 or more",
    "journal": "the name of a journal's directory",
    "seq": "the number of a row, 1 or more",
    "id": "the id of a row",
    "dry_run": "true or false",
}
LONGEST_NAME: Final = 40  # of an unknown field


def sentences(error: ValidationError, thing: str, fields: Collection[str]) -> list[str]:
    """Return what is wrong with a body that should have these fields; `thing` is what it describes."""
    return list(dict.fromkeys(_sentence(str(each["type"]), each["loc"], thing, fields) for each in error.errors()))


def _sentence(kind: str, place: tuple[int | str, ...], thing: str, fields: Collection[str]) -> str:
    if not place:
        return "the body must be a JSON object"
    name = str(place[0])
    if kind == "extra_forbidden":
        return unknown(name, fields, f"not a field of {thing}")
    return f"{name} {'is missing: it ' if kind == 'missing' else ''}must be {MUST_BE[name]}"


def unknown(name: str, names: Collection[str], what: str) -> str:
    """Say that a name is unknown, and which one was probably meant."""
    shown = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    meant = [FIELD_OF[name]] if FIELD_OF.get(name) in names else get_close_matches(name[:LONGEST_NAME], names, 1)
    return f"{shown} is {what}" + (f" (did you mean {meant[0]}?)" if meant else "")


def in_conflict(names: Collection[str], watch_id: str) -> str:
    """Say that an open watch has other values in these fields."""
    return f"with another {', '.join(names)}: leave them out, or repeat them as `smsbus watch show {watch_id}` has them"


def no_such_kind(provider: str, order_kind: str) -> str:
    """Say that a provider has no such orders."""
    return f"{provider} has no {order_kind}s: watch its activations"


def wrong_value(asked: WatchRequest, now: str) -> str | None:
    """Return what is wrong with a well-formed request; None: nothing."""
    if asked.message_type not in MESSAGE_TYPES:
        return f"message_type must be {MUST_BE['message_type']}"
    return PAST if asked.expires_at is not None and asked.expires_at < now else None
