"""The query parameters of `GET /v1/watches`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from app.admin.watch_messages import unknown
from pollers.watches.watch_listing import LARGEST_PAGE, PAGE, STATES, Filters, place_of
from schemas.normalize import digits

MUST_BE: Final = {
    "account": "the name of an account",
    "state": f"one of {', '.join(STATES)}",
    "client_ref": "the text of a watch",
    "recipient": "a number with digits",
    "limit": f"1 to {LARGEST_PAGE}",
    "after": "the `next` of a page",
}


class Query(NamedTuple):
    """The parsed query."""

    filters: Filters
    limit: int
    after: str | None


class WrongQuery(Exception):
    """Parameters are unknown or have invalid values; the text has a line for each."""

    safe_to_log = True


def query_in(pairs: Iterable[tuple[str, str]]) -> Query:
    """Parse these parameters. Raises `WrongQuery`."""
    parameters = parameters_in(pairs, MUST_BE, _is_right)
    filters = Filters(**{name: parameters.get(name) for name in Filters._fields})
    return Query(filters, int(parameters.get("limit", PAGE)), parameters.get("after"))


def parameters_in(
    pairs: Iterable[tuple[str, str]], must_be: Mapping[str, str], is_right: Callable[[str, str], bool]
) -> dict[str, str]:
    """Return the parameters. `must_be` has the known names and what each must be. Raises `WrongQuery`."""
    parameters: dict[str, str] = {}
    wrong = {}
    for name, value in pairs:
        if name not in must_be:
            wrong[name] = unknown(name, must_be, "not a parameter of this list")
        elif name in parameters:
            wrong[name] = f"{name} is given twice"
        elif not is_right(name, value):
            wrong[name] = f"{name} must be {must_be[name]}"
        parameters[name] = value
    if wrong:
        raise WrongQuery("\n".join(wrong[name] for name in sorted(wrong)))
    return parameters


def _is_right(name: str, value: str) -> bool:
    match name:
        case "limit":
            return value.isascii() and value.isdecimal() and len(value) < 5 and 0 < int(value) <= LARGEST_PAGE
        case "after":
            return _is_place(value)
        case "state":
            return value in STATES
        case "recipient":
            return bool(digits(value))
        case _:
            return bool(value)


def _is_place(text: str) -> bool:
    try:
        place_of(text)
    except ValueError:
        return False
    return True
