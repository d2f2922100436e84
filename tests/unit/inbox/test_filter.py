"""Which events a filter takes: whole values, never parts of them."""

import os
import subprocess
import sys

import pytest

from bus.kafka.topics_reader import Part
from inbox.filters import EQUAL, Filter
from inbox.item import Item
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

SMS = Item(
    part=Part(RECEIVED, 3),
    offset=7,
    time_ms=1000,
    value=b"{}",
    via="kafka",
    id="a",
    provider="grizzlysms",
    account="shop",
    recipient="16470000000",
    service="tg",
    client_ref="ref",
    watch_id="w",
    order_id="860",
    sequence=0,
    freshness="live",
    code="4711",
    text="Ihr Code: 4711 für Straße",
)


def test_no_filter_takes_every_sms() -> None:
    assert Filter().matches(SMS)
    assert Filter().matches(SMS._replace(**dict.fromkeys(SMS._fields[8:])))


@pytest.mark.parametrize("name", EQUAL)
def test_a_whole_value_matches_and_no_part_of_it(name: str) -> None:
    value = getattr(SMS, name)

    assert Filter(**{name: value}).matches(SMS)
    for wrong in (value[:-1], value[1:], value + "0", "0" + value, value.upper() + "X", "", f" {value}"):
        assert not Filter(**{name: wrong}).matches(SMS), wrong
    assert not Filter(**{name: value}).matches(SMS._replace(**{name: None}))


@pytest.mark.parametrize("one", EQUAL)
@pytest.mark.parametrize("other", EQUAL)
def test_everything_that_is_said_must_hold(one: str, other: str) -> None:
    both = Filter(**{one: getattr(SMS, one), other: getattr(SMS, other)})

    assert both.matches(SMS)
    assert not both.matches(SMS._replace(**{other: "another"}))


@pytest.mark.parametrize(
    ("wanted", "code", "matches"),
    [(None, None, True), (None, "1", True), (True, "1", True), (True, None, False), (False, None, True),
     (False, "1", False)],
)  # fmt: skip
def test_a_code_may_be_asked_for(wanted: bool | None, code: str | None, matches: bool) -> None:
    assert Filter(has_code=wanted).matches(SMS._replace(code=code)) is matches


@pytest.mark.parametrize(
    ("contained", "matches"),
    [("Code", True), ("code", True), ("CODE: 4711", True), ("STRASSE", True), ("strasse", True), ("code 4711", False),
     ("FÜR", True), (".*", False), ("", True)],
)  # fmt: skip
def test_text_is_looked_for_in_any_case(contained: str, matches: bool) -> None:
    assert Filter(contains=contained).matches(SMS) is matches


def test_nothing_is_found_in_an_sms_without_text() -> None:
    assert not Filter(contains="a").matches(SMS._replace(text=None))


def test_other_topics_are_asked_for_by_name() -> None:
    rejected = SMS._replace(part=Part(REJECTED, 3))

    assert not Filter().matches(rejected)
    assert Filter(topics=(RECEIVED, REJECTED)).matches(rejected)
    assert not Filter(topics=(WATCH_ENDED,)).matches(rejected)


def test_every_part_of_a_filter_changes_its_digest() -> None:
    filters = [Filter(), *(Filter(**{name: "a"}) for name in (*EQUAL, "contains"))]
    filters += [Filter(has_code=True), Filter(has_code=False), Filter(topics=(REJECTED,)), Filter(recipient="None")]
    filters += [Filter(recipient="1", account="2"), Filter(recipient="2", account="1"), Filter(contains="\ud800")]

    assert len({each.digest() for each in filters}) == len(filters)
    assert {len(each.digest()) for each in filters} == {4}


def test_a_digest_is_the_same_in_every_process() -> None:
    asked = Filter(recipient="16470000000", has_code=True, contains="é")
    program = f"from inbox.filters import Filter; print(Filter{tuple(asked)!r}.digest().hex())"

    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert said == {asked.digest().hex()}
