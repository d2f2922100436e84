"""The query parameters of the inbox's requests: what each may be, and what it means."""

import itertools

import pytest

from app.admin.inbox_query import FILTERS, LIST, STREAM, WAITED, Query, query_in
from app.admin.parameters import WrongQuery
from inbox.filters import EQUAL, Filter
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

CURSOR = "A" * 87


def asked(names: tuple[str, ...] = (*LIST, *STREAM, *WAITED), **given: str) -> Query:
    return query_in(given.items(), names)


def test_nothing_asks_for_every_sms() -> None:
    for names in (LIST, STREAM, WAITED, ()):
        query = asked(names)
        assert (query.filter, query.since, query.limit, query.sequence, query.timeout) == (
            Filter(),
            None,
            100,
            None,
            30,
        )


@pytest.mark.parametrize("names", [LIST, STREAM, WAITED])
def test_every_request_has_the_same_filters(names: tuple[str, ...]) -> None:
    own = {"recipient": "1", "provider": "pingme", "freshness": "live", "has_code": "true", "contains": "b"}
    given = dict.fromkeys(EQUAL, "a") | own

    assert asked(names, **given).filter == Filter(**(given | {"has_code": True}))
    assert set(given) == set(FILTERS)


@pytest.mark.parametrize(
    "number",
    ["16470000000", "+16470000000", " 16470000000", "1 647 000 0000", "+1 (647) 000-0000", "001-6470000000"[2:]],
)
def test_a_number_is_asked_for_in_any_spelling(number: str) -> None:
    """An unescaped `+` arrives as a space."""
    assert asked(recipient=number).filter.recipient == "16470000000"


@pytest.mark.parametrize(("value", "meant"), [("true", True), ("false", False)])
def test_a_code_is_asked_for_by_word(value: str, meant: bool) -> None:
    assert asked(has_code=value).filter.has_code is meant


@pytest.mark.parametrize(
    ("events", "topics"),
    [
        ("received", {RECEIVED}),
        ("rejected", {REJECTED}),
        ("watch_ended,received", {RECEIVED, WATCH_ENDED}),
        ("received,received", {RECEIVED}),
        ("received,rejected,watch_ended", {RECEIVED, REJECTED, WATCH_ENDED}),
    ],
)
def test_events_are_asked_for_by_their_names(events: str, topics: set[str]) -> None:
    assert asked(events=events).filter.topics == tuple(sorted(topics))


def test_the_order_in_which_events_are_named_is_the_same_filter() -> None:
    names = ("received", "rejected", "watch_ended")

    assert len({asked(events=",".join(each)).filter.digest() for each in itertools.permutations(names)}) == 1


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [("limit", "1", 1), ("limit", "1000", 1000), ("sequence", "0", 0), ("sequence", "999999999", 999_999_999),
     ("timeout", "1", 1), ("timeout", "55", 55), ("since", "10m", "10m"), ("since", CURSOR, CURSOR)],
)  # fmt: skip
def test_both_ends_of_every_limit_are_taken(name: str, value: str, meant: object) -> None:
    assert getattr(asked(**{name: value}), name) == meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(
            ["limit", "timeout"], ["0", "-1", "1001", "", "a", "1.0", "٣", "1_0", " 1", "0x1", "9" * 99]
        ),
        *itertools.product(["sequence"], ["-1", "", "a", "1.0", "٣", "9999999999", "null"]),
        *itertools.product(["has_code"], ["", "1", "True", "yes", "null"]),
        *itertools.product(["freshness"], ["", "Live", "new", "live,history"]),
        *itertools.product(["recipient"], ["", "+", "abc", " "]),
        *itertools.product(["events"], ["", ",", "received,", "sms", "Received", "received rejected"]),
        *itertools.product(["since"], ["", "10", "yesterday", "2026-03-25", "A" * 39, "A" * 513, "10m\n"]),
        *itertools.product([*sorted(set(EQUAL) - {"recipient", "freshness"}), "contains"], [""]),
        ("timeout", "56"),
    ],
)
def test_anything_else_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(WrongQuery, match=name):
        asked(**{name: value})


@pytest.mark.parametrize("name", [*FILTERS, "since", "limit"])
def test_a_parameter_that_is_given_twice_is_refused(name: str) -> None:
    right = {"recipient": "1", "freshness": "live", "has_code": "true", "since": "10m", "limit": "1"}.get(name, "a")

    with pytest.raises(WrongQuery, match=f"{name} is given twice"):
        query_in([(name, right), (name, right)], LIST)


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("recipent", "recipient"), ("acount", "account"), ("has_codes", "has_code"), ("orderid", "order_id")],
)
def test_a_typo_is_refused_with_the_word_that_was_meant(typo: str, meant: str) -> None:
    """It must never return somebody else's code."""
    with pytest.raises(WrongQuery, match=f"did you mean {meant}"):
        asked(**{typo: "1"})


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (LIST, "timeout"),
        (LIST, "sequence"),
        (STREAM, "limit"),
        (STREAM, "timeout"),
        (WAITED, "limit"),
        (WAITED, "events"),
    ],
)
def test_a_request_refuses_what_another_one_has(names: tuple[str, ...], name: str) -> None:
    with pytest.raises(WrongQuery, match=name):
        asked(names, **{name: "received" if name == "events" else "1"})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(WrongQuery) as refused:
        asked(limit="0", timeout="0", has_code="x", nonsense="1")

    assert len(str(refused.value).splitlines()) == 4
