"""What stands behind the question mark of `GET /v1/watches`."""

from collections.abc import Iterable
from typing import NamedTuple

from pollers.watch_listing import LARGEST_PAGE, PAGE, STATES, Filters, place_of


class Query(NamedTuple):
    """What was asked for."""

    filters: Filters
    limit: int
    after: str | None


class WrongQuery(Exception):
    """Parameters that are unknown, or have a value that makes no sense; the text names them."""

    safe_to_log = True


def query_in(pairs: Iterable[tuple[str, str]]) -> Query:
    """Return the query that these parameters make. Raises `WrongQuery`."""
    parameters: dict[str, str] = {}
    wrong = set()
    for name, value in pairs:
        if name in parameters or not _is_right(name, value):
            wrong.add(name)
        parameters[name] = value
    if wrong:
        raise WrongQuery(", ".join(sorted(wrong)))
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
        case _:
            return name in Filters._fields


def _is_place(text: str) -> bool:
    try:
        place_of(text)
    except ValueError:
        return False
    return True
