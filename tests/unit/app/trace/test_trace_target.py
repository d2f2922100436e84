"""What a person may trace, and which records it is."""

from dataclasses import replace

import pytest

from app.trace.target import Target, target_in
from bus.dead_letter import of_refused
from bus.kafka.topics_reader import Part
from bus.record import build, partition_of
from inbox.item import Item
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED
from tests.messages import rejected, sms
from tests.unit.app.trace.trace_records import end_of, record

NUMBER, OTHER = "16470000000", "16470000001"
SMS = sms(NUMBER)
ID = SMS.id
REFUSED = of_refused(build(SMS, topic_prefix="", instance="one"), "invalid_record", now_ms=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ID, Target(id=ID)),
        (ID.upper(), Target(id=ID)),
        (NUMBER, Target(number=NUMBER)),
        ("+1 (647) 000-0000", Target(number=NUMBER)),
        ("1647.000.0000", Target(number=NUMBER)),
        ("", None),
        ("shop", None),
        ("+", None),
        (ID[:-1], None),
        (f"{NUMBER};", None),
    ],
    ids=str,
)
def test_it_is_an_id_or_a_number(text: str, expected: Target | None) -> None:
    assert target_in(text) == expected


@pytest.mark.parametrize(
    ("target", "message", "expected"),
    [
        (Target(id=ID), SMS, True),
        (Target(id=ID), sms(OTHER), False),
        (Target(number=NUMBER), sms(NUMBER, 5), True),
        (Target(number=NUMBER), sms(OTHER), False),
        (Target(number=NUMBER[:-1]), SMS, False),
    ],
    ids=["its id", "another id", "its number", "another number", "a part of its number"],
)
def test_an_sms_is_found_by_its_id_or_its_number(target: Target, message, expected: bool) -> None:
    assert target.is_sms(record(message, 0)) is expected


@pytest.mark.parametrize(
    ("target", "message", "expected"),
    [
        (Target(id=rejected(b"hello").id), rejected(b"hello"), True),
        (Target(id=ID), REFUSED, True),
        (Target(id=ID), rejected(b"hello"), False),
        (Target(id=ID), rejected(ID.encode()), False),
        (Target(number=NUMBER), rejected(b'{"to": "+16470000000",}'), True),
        (Target(number=NUMBER), rejected(b'{"to": "+16470000001",}'), False),
        (Target(number="72727"), rejected(b'{"to": "72727",}'), False),
    ],
    ids=["its own", "of what Kafka refused", "another", "in its bytes", "number in it", "other number", "a short one"],
)
def test_a_dead_letter_is_found_by_id_or_by_a_number_in_its_bytes(target: Target, message, expected: bool) -> None:
    assert target.is_letter(record(message, 0)) is expected


def test_what_is_no_dead_letter_has_no_number_in_it() -> None:
    junk = replace(record(rejected(b"x"), 0), value=NUMBER.encode())

    assert not Target(number=NUMBER).is_letter(junk)


@pytest.mark.parametrize(
    ("target", "watches", "number", "expected"),
    [
        (Target(id=ID), {"w"}, None, True),
        (Target(id=ID), set(), None, False),
        (Target(id=end_of("w").event_id), set(), None, True),
        (Target(number=NUMBER), set(), NUMBER, True),
        (Target(number=NUMBER), set(), OTHER, False),
        (Target(number=NUMBER), set(), None, False),
    ],
    ids=["of its watch", "of another", "its own id", "its number", "another number", "no number"],
)
def test_the_end_of_a_watch_is_found_by_the_watch_or_the_number(target, watches, number, expected) -> None:
    item = Item.of(Part(WATCH_ENDED, 0), record(end_of("w", number), 0))

    assert item is not None
    assert target.is_end(item, watches) is expected


def test_of_a_number_the_partitions_of_both_spellings_are_read() -> None:
    both = {partition_of(NUMBER.encode()), partition_of(b"00" + NUMBER.encode())}

    assert Target(number=NUMBER).partitions(RECEIVED) == Target(number="00" + NUMBER).partitions(RECEIVED) == both
    assert Target(number=NUMBER).partitions(REJECTED) is None
    assert Target(id=ID).partitions(RECEIVED) is None


@pytest.mark.parametrize("typed", [NUMBER, "00" + NUMBER, "+" + NUMBER])
@pytest.mark.parametrize("sent", [NUMBER, "00" + NUMBER])
def test_a_number_is_found_however_its_provider_and_a_person_write_it(typed: str, sent: str) -> None:
    target, message = target_in(typed), sms(NUMBER).model_copy(update={"recipient_raw": sent})

    assert target is not None
    assert target.is_sms(record(message, 0))
    assert target.is_letter(record(rejected(f'{{"to": "{sent}",}}'.encode()), 0))
    item = Item.of(Part(WATCH_ENDED, 0), record(end_of("w", NUMBER), 0))
    assert item is not None
    assert target.is_end(item, set())


def test_zeros_alone_are_a_number_that_nothing_has() -> None:
    assert not Target(number="00").is_letter(record(rejected(b"00"), 0))
    assert not Target(number="00").is_sms(record(SMS, 0))
