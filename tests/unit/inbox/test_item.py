"""What becomes an event of the inbox, and what is none."""

import json
from pathlib import Path

import pytest

from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from inbox.cursor import mark_of
from inbox.item import Item
from schemas.topics import RECEIVED, WATCH_ENDED

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
PART = Part(RECEIVED, 3)
LEAST = {"id": "a", "provider": "pingme", "account": "shop"}


def record(value: bytes | None, headers: dict[str, bytes | None] | None = None) -> ReadRecord:
    return ReadRecord(3, 7, 1000, b"key", value, headers or {})  # type: ignore[arg-type] - Kafka has null headers


def item(event: object, headers: dict[str, bytes | None] | None = None) -> Item | None:
    return Item.of(PART, record(json.dumps(event).encode(), headers))


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.json") if path.name[:5] != "watch"))
def test_every_example_of_the_contract_is_an_event(name: str) -> None:
    value = (EXAMPLES / name).read_bytes()

    found = Item.of(PART, record(value, {"smsbus_via": b"journal"}))

    assert found is not None
    assert (found.part, found.offset, found.time_ms, found.value, found.via) == (PART, 7, 1000, value, "journal")
    assert found.id == json.loads(value)["id"]


def test_the_end_of_a_watch_has_its_id_in_a_header() -> None:
    value = (EXAMPLES / "watch-ended.finished.json").read_bytes()

    found = Item.of(Part(WATCH_ENDED, 0), record(value, {"ce_id": b"f32b"}))

    assert found is not None
    assert (found.id, found.watch_id, found.recipient) == (
        "f32b", "f32b5368-55b8-8bb3-b4b5-3acbb47da6c3", "447911123456"
    )  # fmt: skip


def test_what_nobody_says_is_none_and_what_nobody_knows_is_passed_on() -> None:
    found = item({**LEAST, "of_tomorrow": {"deep": [1]}})

    assert found is not None
    assert found[8:] == (None,) * 9
    assert b"of_tomorrow" in found.value
    assert found.via == ""


@pytest.mark.parametrize(
    ("raw", "number"),
    [("+16470000000", "16470000000"), ("1 (647) 000-0000", "16470000000"), ("٤٤", "44"), ("", None), ("abc", None)],
)
def test_a_number_is_its_digits(raw: str, number: str | None) -> None:
    assert item({**LEAST, "recipient": raw}).recipient == number
    assert item({**LEAST, "recipient": None, "recipient_raw": raw}).recipient == number


@pytest.mark.parametrize("name", ["service", "client_ref", "watch_id", "order_id", "freshness", "code", "text"])
@pytest.mark.parametrize("wrong", [1, True, None, [], {}, 1.5])
def test_a_text_that_is_none_is_missing(name: str, wrong: object) -> None:
    assert getattr(item({**LEAST, name: wrong}), name) is None
    assert getattr(item({**LEAST, name: "1"}), name) == "1"


@pytest.mark.parametrize(("given", "sequence"), [(0, 0), (7, 7), (True, None), ("1", None), (1.0, None), (None, None)])
def test_a_sequence_is_a_whole_number(given: object, sequence: int | None) -> None:
    assert item({**LEAST, "sequence": given}).sequence == sequence


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null",
        b"[]",
        b'"id"',
        b"7",
        b"{",
        b"{}",
        b"\xff\xfe",
        json.dumps(LEAST).encode("utf-16"),
        json.dumps(LEAST).encode("utf-32-le"),
        b"\xef\xbb\xbf" + json.dumps(LEAST).encode(),
        json.dumps({**LEAST, "text": "\xe9"}, ensure_ascii=False).encode("latin-1"),
        b'{"id": "a", "provider": "p", "account": "s", "x": NaN}',
        b'{"id": "a", "provider": "p", "account": "s", "x": -Infinity}',
        b'{"id": "a", "provider": "p", "account": "s"} {}',
        b'{"id": "a", "provider": "p", "account": "s", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id": "a", "provider": "p", "account": "s", "x": ' + b"9" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_that_can_be_passed_on_is_no_event(value: bytes | None) -> None:
    assert Item.of(PART, record(value)) is None


@pytest.mark.parametrize("name", ["id", "provider", "account"])
@pytest.mark.parametrize("wrong", [None, 7, {}, [], True, "", "\ud800", "x" * 257])
def test_an_event_without_a_name_is_none(name: str, wrong: object) -> None:
    """Two of them would have the same one: the second would be taken for a repeat."""
    assert item({**LEAST, name: wrong}) is None
    assert item({key: value for key, value in LEAST.items() if key != name}) is None


@pytest.mark.parametrize("header", [None, b"", b"\xff"])
def test_odd_headers_hide_no_event(header: bytes | None) -> None:
    assert item(LEAST, {"smsbus_via": header, "ce_id": header}).id == "a"


def test_an_id_that_no_utf8_can_carry_has_a_mark() -> None:
    assert 0 < mark_of("\ud800") < 65_536
