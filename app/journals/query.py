"""The query parameters of `GET /v1/journal/rows`."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from app.admin.parameters import parameters_in
from bus.journal.rows import LAST_SEQ, Which

PAGE: Final = 100
LARGEST_PAGE: Final = 1000
MUST_BE: Final = {
    "journal": "the name of a journal's directory",
    "after": "the number of a row",
    "limit": f"1 to {LARGEST_PAGE}",
    "lane": "TOPIC/PARTITION",
    "row": "the number or the id of a row",
    "reveal": "true or false",
}
_RIGHT: Final = {
    "journal": re.compile(r"[^/]{1,255}"),
    "after": re.compile(r"[0-9]{1,19}"),
    "limit": re.compile(r"[0-9]{1,4}"),
    "lane": re.compile(r"[A-Za-z0-9._-]{1,249}/[0-9]{1,9}"),
    "row": re.compile(r"[!-~]{1,250}"),
    "reveal": re.compile(r"true|false"),
}


class Query(NamedTuple):
    """The parsed query."""

    journal: str | None
    """None: all."""
    which: Which
    reveal: bool


def query_in(pairs: Iterable[tuple[str, str]]) -> Query:
    """Parse these parameters. Raises `WrongQuery`."""
    parameters = parameters_in(pairs, MUST_BE, _is_right)
    which = Which(
        after=int(parameters.get("after", 0)),
        limit=int(parameters.get("limit", PAGE)),
        lane=lane_of(parameters["lane"]) if "lane" in parameters else None,
        name=parameters.get("row"),
    )
    return Query(parameters.get("journal"), which, parameters.get("reveal") == "true")


def lane_of(text: str) -> tuple[str, int] | None:
    """Parse TOPIC/PARTITION; None: it is not a lane."""
    if _RIGHT["lane"].fullmatch(text) is None:
        return None
    topic, _, partition = text.rpartition("/")
    return topic, int(partition)


def _is_right(name: str, value: str) -> bool:
    if _RIGHT[name].fullmatch(value) is None:
        return False
    return not (name == "after" and int(value) > LAST_SEQ) and not (
        name == "limit" and not 0 < int(value) <= LARGEST_PAGE
    )
