"""A line of `tail`: masked unless revealed, and never able to drive the terminal."""

import json

import pytest

from app.sms_line import SmsLine

EVENT = {
    "observed_at": "2026-11-22T17:58:26.418Z",
    "account": "shop",
    "recipient": "+12015550100",
    "sender": "+14165550123",
    "code": "482913",
    "text": "code is 482913",
}


def line(**changes):
    return SmsLine.of(json.dumps(EVENT | changes).encode())


def test_a_plain_line_has_the_fields_with_tabs_between():
    assert line().plain() == "2026-11-22T17:58:26.418Z\tshop\t+12015550100\t+14165550123\t482913\tcode is 482913"


def test_masked_it_shows_neither_numbers_nor_code_nor_text():
    assert (
        line().masked().plain() == "2026-11-22T17:58:26.418Z\tshop\t+12•••••••00\t+14•••••••23\t••••••\t(14 characters)"
    )


def test_a_sender_that_is_a_name_is_no_number():
    assert line(sender="WhatsApp").masked().sender == "WhatsApp"


def test_nulls_and_missing_keys_are_empty():
    assert line(recipient=None, sender=None, code=None, text=None).plain().endswith("shop\t\t\t\t")
    assert SmsLine.of(b'{"observed_at": "t", "account": "a"}').plain() == "t\ta\t\t\t\t"


def test_without_a_normalized_recipient_the_one_as_given_is_shown():
    assert line(recipient=None, recipient_raw="12015550100").recipient == "12015550100"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\x9b31m", "\u202etxt", "\t", "\x00"])
def test_a_text_cannot_drive_the_terminal(text):
    shown = line(text=text).text

    assert shown.isprintable()
    assert "\\" in shown


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[]", b'"x"', b"{}", b'{"observed_at": 1, "account": "a"}'])
def test_what_is_no_event_has_no_line(value):
    assert SmsLine.of(value) is None
