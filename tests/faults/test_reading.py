"""What lies in a topic becomes the row that says which SMS it is."""

import base64
import json

import pytest
from aiokafka import ConsumerRecord

from tests.faults import reading
from tests.faults.history import DeadLetter, Ended, Record

NONCE = "0123456789abcdef0123456789abcdef"
CALLBACK = {"order_kind": None, "order_id": None, "code": "5611", "text": f"[{NONCE}] your code is 5611"}
ACTIVATION = {"order_kind": "activation", "order_id": "7", "code": "1234", "text": "1234 is your code. ref BCDFGHJK"}
RENT = {**ACTIVATION, "order_kind": "rent"}


def _consumed(value: dict, *headers: tuple[str, bytes]) -> ConsumerRecord:
    return ConsumerRecord("topic", 3, 4, 5, 1, b"key", json.dumps(value).encode(), None, 0, 0, headers)


@pytest.mark.parametrize(
    ("sms", "nonce"),
    [
        (CALLBACK, NONCE),
        (CALLBACK | {"text": "Your code is 1. ref BCDFGHJK"}, "BCDFGHJK"),
        (ACTIVATION, "1234"),
        (ACTIVATION | {"code": None, "text": "words"}, "words"),
        (RENT, "BCDFGHJK"),
        (RENT | {"text": "words"}, "words"),
    ],
)
def test_an_sms_is_known_by_what_its_sender_or_the_book_calls_it(sms, nonce):
    assert reading.nonce(sms) == nonce


def test_a_received_sms_becomes_a_record():
    value = {**CALLBACK, "id": "id", "recipient_raw": "1201", "provider": "pingme", "sequence": None}
    value |= {"account": "shop", "observed_at": "1970-01-01T00:00:05.250Z"}

    record = reading.received(_consumed(value, ("smsbus_via", b"kafka"), ("smsbus_instance", b"a-1")))

    where = ("topic", 3, 4, 5, "key", "id", NONCE, "1201")
    assert record == Record(*where, "pingme", "", "", None, "kafka", "a-1", "shop", 5.25)


def test_the_end_of_a_watch_becomes_one():
    value = {"watch_id": "w", "provider": "smsman", "order_kind": "rent", "order_id": "7", "sms_count": 2}

    assert reading.ended(_consumed({**value, "reason": "gone"})) == Ended("w", "smsman", "rent", "7", 2, "gone", 5)


@pytest.mark.parametrize(
    ("body", "sms"),
    [
        (json.dumps({"provider": "smsman", **RENT}), ("smsman", "rent", "7", "BCDFGHJK")),
        (json.dumps(CALLBACK), ("pingme", "", "", NONCE)),
        (json.dumps(CALLBACK)[:-3], ("pingme", "", "", NONCE)),
        (json.dumps({"data": CALLBACK}), ("pingme", "", "", NONCE)),
    ],
)
def test_a_dead_letter_says_which_sms_it_was_though_it_was_cut(body, sms):
    kept = {"body_base64": base64.b64encode(body.encode()).decode(), "facts": {"refused_id": "x"}}
    letter = {"id": "dead", "provider": "pingme", "stage": "publish", "reason": "refused_by_broker", **kept}

    found = reading.dead_letter(_consumed(letter))

    assert found == DeadLetter("dead", *sms, "x", "publish", "refused_by_broker")
    assert found.sms == sms


def test_a_row_of_the_book_keeps_what_the_rules_ask_for():
    times = {"at": 1.0, "shown": 2.0, "shows": 3, "passed": None}
    row = {"provider": "smsman", "kind": "rent", "order": "7", "number": "1", "index": 0, **times}

    found = reading.shown({**row, "nonce": "n", "code": "c", "text": "t", "sender": "s"}, ends=9.0)

    assert found.sms == ("smsman", "rent", "7", "n")
    assert (found.shown, found.shows, found.ends) == (2.0, 3, 9.0)
