"""The query parameters of the inbox's requests: one filter, and what each request has besides."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from app.admin.parameters import parameters_in
from app.process import now_ms
from app.since import HOW, is_cursor, moment_in
from inbox.filters import EQUAL, Filter
from schemas.fields import PROVIDERS
from schemas.normalize import number_written
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

LARGEST_PAGE: Final = 1_000
LARGEST_BODY: Final = 4 * 1024 * 1024  # bytes of events; one event may have more
PAGE: Final = 100
LONGEST_WAIT: Final = 55  # seconds: less than the minute after which proxies give up
WAIT: Final = 30
FRESHNESS: Final = ("live", "recovered", "history", "replayed")
EVENTS: Final = {"received": RECEIVED, "rejected": REJECTED, "watch_ended": WATCH_ENDED}

FILTERS: Final = {
    **dict.fromkeys(EQUAL, "a text"),
    "recipient": "a number, without letters",
    "provider": f"one of {', '.join(PROVIDERS)}",
    "freshness": f"one of {', '.join(FRESHNESS)}",
    "has_code": "true or false",
    "contains": "a text",
}
MUST_BE: Final = {
    **FILTERS,
    "since": HOW,
    "limit": f"1 to {LARGEST_PAGE}",
    "events": f"some of {', '.join(EVENTS)}, with commas between them",
    "sequence": "0 or more",
    "timeout": f"1 to {LONGEST_WAIT} (whole seconds)",
}
LIST: Final = (*FILTERS, "since", "limit", "events")
STREAM: Final = (*FILTERS, "since", "events")
WAITED: Final = (*FILTERS, "since", "sequence", "timeout")


class Query(NamedTuple):
    """The parsed query; what a request does not have is the default."""

    filter: Filter = Filter()
    """What cursors belong to."""
    since: str | None = None
    limit: int = PAGE
    sequence: int | None = None
    timeout: int = WAIT
    only_codes: bool = False
    """The client takes nothing but a code."""

    @property
    def wanted(self) -> Filter:
        """What matches."""
        return self.filter._replace(has_code=True) if self.only_codes else self.filter


def query_in(pairs: Iterable[tuple[str, str]], names: Iterable[str]) -> Query:
    """Parse the parameters of a request that has these. Raises `WrongQuery`."""
    given = parameters_in(pairs, {name: MUST_BE[name] for name in names}, _is_right)
    sequence = int(given["sequence"]) if "sequence" in given else None
    limit, timeout = int(given.get("limit", PAGE)), int(given.get("timeout", WAIT))
    return Query(_filter(given), given.get("since"), limit, sequence, timeout)


def _filter(given: dict[str, str]) -> Filter:
    return Filter(
        among=None,
        **{name: given.get(name) for name in (*EQUAL, "contains")}
        | {"recipient": number_written(given.get("recipient", "")) or None},
        has_code=given["has_code"] == "true" if "has_code" in given else None,
        topics=topics_in(given),
    )


def topics_in(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the topics of valid parameters, sorted."""
    events = given.get("events", "received").split(",")
    return tuple(sorted(EVENTS[name] for name in {*events}))


def is_number(value: str) -> bool:
    """Tell whether it is a whole number of at most nine digits."""
    return value.isascii() and value.isdecimal() and len(value) < 10


IS_RIGHT: Final[dict[str, Callable[[str], bool]]] = {
    "recipient": lambda value: bool(number_written(value)),
    "provider": lambda value: value in PROVIDERS,
    "freshness": lambda value: value in FRESHNESS,
    "has_code": lambda value: value in {"true", "false"},
    "since": lambda value: is_cursor(value) or moment_in(value, now_ms()) is not None,
    "limit": lambda value: is_number(value) and 0 < int(value) <= LARGEST_PAGE,
    "events": lambda value: all(each in EVENTS for each in value.split(",")),
    "sequence": is_number,
    "timeout": lambda value: is_number(value) and 0 < int(value) <= LONGEST_WAIT,
}


def _is_right(name: str, value: str) -> bool:
    return IS_RIGHT.get(name, bool)(value)
