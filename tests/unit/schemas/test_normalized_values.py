import json
import os
import time

import pytest

from schemas.normalize import FIELDS_LIMIT, NO_TIME, clean, digits, e164, limit_fields, provider_time, sender

NOW = 1616642226412  # 2021-03-25T03:17:06.412Z
HOUR = 3600 * 1000


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("", ""),
        ("plain", "plain"),
        ("\x00 stays", "\x00 stays"),
        ("a\ud800b", "a\ufffdb"),
        ("\udfff\ud800", "\ufffd\ufffd"),
        ("\udbff\udcb4\udbff\udcff\udbff", "\ufffd\ufffd\ufffd"),
        ("\udbff\udbff\udc7f\udc80", "\ufffd\ufffd\ufffd\ufffd"),
        ("😀 رمز \u200f", "😀 رمز \u200f"),
    ],
)
def test_only_lone_surrogates_are_replaced(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("16470000000", "16470000000"),
        ("+1 (647) 000-0000", "16470000000"),
        ("٤٨٢٩١٣", "482913"),
        ("１６４７", "1647"),
        ("४८२", "482"),
        ("²①", ""),  # a superscript and a circled digit are digits, but no decimal ones
        ("WhatsApp", ""),
        ("", ""),
    ],
)
def test_digits_of_any_script_become_ascii(raw, expected):
    assert digits(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "16470000000",
        "+16470000000",
        "0016470000000",
        "+1 (647) 000-0000",
        "+1.647.000.0000",
        "1 647 000 00 00",
        " 16470000000 ",
        "tel:+16470000000",
        "TEL:+1-647-000-0000",
        "＋１６４７０００００００",
        "+١٦٤٧٠٠٠٠٠٠٠",
        "\u200e+16470000000\u200f",
        "\u202a+1\u00a0647\u2011000\u20110000\u202c",
        "+1\u2013647\u2013000\u20130000",
    ],
)
def test_every_spelling_of_a_number_is_the_same_number(raw):
    assert e164(raw) == "+16470000000"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "+",
        "123456",
        "1234567890123456",
        "07911123456",
        "+0123456789",
        "+00447911123456",
        "++16470000000",
        "1647000000x",
        "1-800-FLOWERS",
        "WhatsApp",
        "+1647\n0000000",
        "16470000000,16470000001",
        "1" + " " * 80 + "6470000000",
    ],
)
def test_what_does_not_spell_a_full_number_is_none(raw):
    assert e164(raw) is None


def test_the_shortest_and_the_longest_number_are_numbers():
    assert e164("1234567") == "+1234567"
    assert e164("123456789012345") == "+123456789012345"


@pytest.mark.parametrize(
    ("raw", "value", "kind"),
    [
        ("14160000000", "+14160000000", "phone"),
        ("+1 416 000 0000", "+14160000000", "phone"),
        ("168151020115", "+168151020115", "phone"),
        ("72727", "72727", "short_code"),
        ("007", "007", "short_code"),
        ("123456", "123456", "short_code"),
        ("WhatsApp", "WhatsApp", "alphanumeric"),
        (" AX-HDFCBK ", "AX-HDFCBK", "alphanumeric"),
        ("腾讯", "腾讯", "alphanumeric"),
        ("1688a", "1688a", "alphanumeric"),
        ("07911123456", "07911123456", "unknown"),
        ("12", "12", "unknown"),
        ("+12345", "+12345", "unknown"),
        ("***", "***", "unknown"),
        ("a\ud800", "a\ufffd", "alphanumeric"),
        ("x" * 300, "x" * 300, "alphanumeric"),
    ],
)
def test_a_sender_is_e164_where_it_is_a_phone_else_as_given(raw, value, kind):
    assert sender(raw) == (value, kind)


@pytest.mark.parametrize("raw", ["", " ", "\n\t", "\u3000", "\u200f", " \u200b "])
def test_a_blank_sender_is_none(raw):
    assert sender(raw) is None


@pytest.mark.parametrize(
    ("raw", "time_text"),
    [
        ("2021-03-25T03:17:06.050Z", "2021-03-25T03:17:06.050Z"),
        ("2021-03-25T03:17:06.05Z", "2021-03-25T03:17:06.050Z"),
        ("2021-03-25T03:17:06Z", "2021-03-25T03:17:06.000Z"),
        ("2021-03-25T03:17Z", "2021-03-25T03:17:00.000Z"),
        ("2021-03-25t03:17:06z", "2021-03-25T03:17:06.000Z"),
        (" 2021-03-25 03:17:06Z ", "2021-03-25T03:17:06.000Z"),
        ("2021-03-25T11:17:06.050+08:00", "2021-03-25T03:17:06.050Z"),
        ("2021-03-25T11:17:06.050+0800", "2021-03-25T03:17:06.050Z"),
        ("2021-03-25 11:17:06 +08", "2021-03-25T03:17:06.000Z"),
        ("2021-03-24T23:47:06,050999-0330", "2021-03-25T03:17:06.050Z"),
        ("1616642226", "2021-03-25T03:17:06.000Z"),
        ("1616642226050", "2021-03-25T03:17:06.050Z"),
    ],
)
def test_a_time_with_a_stated_zone_is_taken_to_the_millisecond(raw, time_text):
    assert provider_time(raw, now_ms=NOW) == (time_text, "stated")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "t",
        "yesterday",
        "2021-03-25",
        "2021-02-30T03:17:06Z",
        "2021-03-25T25:17:06Z",
        "2021-03-25T03:17:06+99:00",
        "1999-12-31T23:59:59Z",
        "946684799",
        "12",
        "1616642226050000",
        "-1616642226",
        "1e9",
        "٢٠٢١-03-25T03:17:06Z",
        "２０２１",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_what_is_no_trustworthy_time_is_no_time(raw):
    assert provider_time(raw, now_ms=NOW) == NO_TIME


def test_the_year_2000_is_the_first_that_counts():
    assert provider_time("946684800", now_ms=NOW).time == "2000-01-01T00:00:00.000Z"


def test_a_naive_time_counts_only_where_a_zone_says_how_to_read_it():
    naive = "2021-03-25 11:17:06"

    assert provider_time(naive, now_ms=NOW) == NO_TIME
    assert provider_time(naive, now_ms=NOW, zone="UTC") == ("2021-03-25T11:17:06.000Z", "assumed")
    assert provider_time(naive, now_ms=NOW, zone="Asia/Shanghai") == ("2021-03-25T03:17:06.000Z", "assumed")
    assert provider_time(naive, now_ms=NOW, zone="Europe/Moscow") == ("2021-03-25T08:17:06.000Z", "assumed")


def test_a_stated_zone_wins_over_the_configured_one():
    assert provider_time("2021-03-25T03:17:06Z", now_ms=NOW, zone="Asia/Shanghai") == (
        "2021-03-25T03:17:06.000Z",
        "stated",
    )


def test_the_zone_of_the_machine_does_not_matter(monkeypatch):
    monkeypatch.setitem(os.environ, "TZ", "Europe/Moscow")
    time.tzset()
    try:
        assert provider_time("2021-03-25 11:17:06", now_ms=NOW, zone="UTC").time == "2021-03-25T11:17:06.000Z"
        assert provider_time("1616642226", now_ms=NOW).time == "2021-03-25T03:17:06.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_more_than_48_hours_ahead_is_no_time():
    now = 1616642226000

    assert provider_time(str(now + 48 * HOUR), now_ms=now).time == "2021-03-27T03:17:06.000Z"
    assert provider_time(str(now + 48 * HOUR + 1), now_ms=now) == NO_TIME


def test_unknown_fields_are_kept_in_their_order():
    assert limit_fields({"b": "1", "a": '{"x":1}'}) == {"b": "1", "a": '{"x":1}'}
    assert list(limit_fields({"b": "1", "a": "2"})) == ["b", "a"]


def test_no_fields_is_none():
    assert limit_fields({}) is None
    assert limit_fields({"token": "x"}) is None


@pytest.mark.parametrize(
    "name",
    ["userId", "user_id", "USERNAME", "accountId", "uid", "apiKey", "x-app-key", "token", "accessToken", "secret",
     "password", "passwd", "pwd", "Authorization", "signature", "sign", "sessionId", "cookie",
     "credentials", "clientId"],
)  # fmt: skip
def test_names_of_users_and_secrets_are_left_out(name):
    assert limit_fields({name: "x", "carrier": "y"}) == {"carrier": "y"}


@pytest.mark.parametrize("value", ['{"token":"x"}', ' {"token":"x"}', '[{"a":{"apiKey":"x"}}]'])
def test_values_that_hold_a_secret_are_left_out(value):
    assert limit_fields({"meta": value, "carrier": "y"}) == {"carrier": "y"}


def test_fields_are_at_most_2_kib_of_json_and_a_small_one_fits_beside_a_large_one():
    limited = limit_fields({"small": "1", "large": "ä" * 3000, "quotes": '"' * 900, "last": "2"})

    assert limited == {"small": "1", "quotes": '"' * 900, "last": "2"}
    assert len(json.dumps(limited, separators=(",", ":")).encode()) <= FIELDS_LIMIT


def test_fields_may_fill_the_limit_to_the_byte():
    fits = FIELDS_LIMIT - len('{"a":""}')

    assert limit_fields({"a": "x" * fits}) == {"a": "x" * fits}
    assert limit_fields({"a": "x" * (fits + 1)}) is None


def test_fields_are_clean():
    assert limit_fields({"a\ud800": "b\udfff"}) == {"a\ufffd": "b\ufffd"}
