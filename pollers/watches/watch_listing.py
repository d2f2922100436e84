"""Pages of the list of watches, newest first. Runs in a thread, on a snapshot of the table."""

import base64
import heapq
from collections.abc import Sequence
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pollers.watches.watch_entry import Entry
from schemas.normalize import digits

PAGE: Final = 100
LARGEST_PAGE: Final = 1_000
STATES: Final = ("open", "ended", "finished", "cancelled", "expired", "gone", "stopped", "unreadable")

Place = tuple[int, str]
"""The sort key of a watch: when it was opened, and its id."""


class Filters(NamedTuple):
    """Filters of the list; None: any value. `state` is one of `STATES`."""

    account: str | None = None
    state: str | None = None
    client_ref: str | None = None
    recipient: str | None = None


ALL: Final = Filters()


class Page(NamedTuple):
    """The ids of one page, the cursor of the next (None: this is the last), and how many watches match."""

    watch_ids: list[str]
    next: str | None
    total: int


class _Described(BaseModel):
    """The part of a description that is only in the record."""

    model_config = ConfigDict(extra="ignore")

    recipient: str | None = None
    client_ref: str | None = None


class _State(BaseModel):
    model_config = ConfigDict(extra="ignore")

    recipient: str | None = None
    watch: _Described = Field(default_factory=_Described)


def page(entries: Sequence[Entry], filters: Filters, limit: int, after: Place | None) -> Page:
    """Return up to `limit` watches after a place, newest first."""
    places = [(entry.opened_ms, entry.watch_id) for entry in entries if entry.is_known and _passes(entry, filters)]
    found = heapq.nlargest(limit + 1, (place for place in places if after is None or place < after))
    more = cursor(found[limit - 1]) if len(found) > limit else None
    return Page([watch_id for _, watch_id in found[:limit]], more, len(places))


def _passes(entry: Entry, filters: Filters) -> bool:
    if filters.account not in {None, entry.account} or not _is_in(entry, filters.state):
        return False
    return (filters.client_ref is None and filters.recipient is None) or _is_described(entry, filters)


def _is_in(entry: Entry, state: str | None) -> bool:
    if state in {None, "ended"}:
        return state is None or entry.ended is not None
    if state == "unreadable":
        return entry.is_unreadable
    return entry.is_open if state == "open" else entry.ended == state


def _is_described(entry: Entry, filters: Filters) -> bool:
    try:
        if (known := entry.state if entry.state is not None else entry.past) is not None:
            state = _State.model_validate_json(known)
            described, number = state.watch, state.recipient or state.watch.recipient
        else:
            described = _Described.model_validate_json(entry.command or b"")
            number = described.recipient
    except ValidationError:
        return False
    is_ref = filters.client_ref in {None, described.client_ref}
    return is_ref and (filters.recipient is None or digits(number or "") == digits(filters.recipient))


def cursor(place: Place) -> str:
    """Return a place as text for a URL."""
    opened_ms, watch_id = place
    return base64.urlsafe_b64encode(f"{opened_ms}:{watch_id}".encode()).decode().rstrip("=")


def place_of(text: str) -> Place:
    """Parse the result of `cursor`; raises `ValueError` for any other text."""
    try:
        opened_ms, _, watch_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except ValueError:  # not base64, or not UTF-8
        opened_ms, watch_id = "", ""
    if not opened_ms.removeprefix("-").isdecimal() or not watch_id:
        message = "not a place in the list of watches"
        raise ValueError(message)
    return int(opened_ms), watch_id
