"""The query parameters of `GET /v1/watches`."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from app.admin.parameters import parameters_in
from pollers.watches.watch_listing import LARGEST_PAGE, PAGE, STATES, Filters, place_of
from schemas.normalize import number_written

MUST_BE: Final = {
    "account": "the name of an account",
    "state": f"one of {', '.join(STATES)}",
    "client_ref": "the text of a watch",
    "recipient": "a number, without letters",
    "limit": f"1 to {LARGEST_PAGE}",
    "after": "the `next` of a page",
}


class Query(NamedTuple):
    """The parsed query."""

    filters: Filters
    limit: int
    after: str | None


def query_in(pairs: Iterable[tuple[str, str]]) -> Query:
    """Parse these parameters. Raises `WrongQuery`."""
    parameters = parameters_in(pairs, MUST_BE, _is_right)
    filters = Filters(**{name: parameters.get(name) for name in Filters._fields})
    return Query(filters, int(parameters.get("limit", PAGE)), parameters.get("after"))


def _is_right(name: str, value: str) -> bool:
    match name:
        case "limit":
            return value.isascii() and value.isdecimal() and len(value) < 5 and 0 < int(value) <= LARGEST_PAGE
        case "after":
            return _is_place(value)
        case "state":
            return value in STATES
        case "recipient":
            return bool(number_written(value))
        case _:
            return bool(value)


def _is_place(text: str) -> bool:
    try:
        place_of(text)
    except ValueError:
        return False
    return True
