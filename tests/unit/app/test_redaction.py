"""What leaves through a log line: machines' addresses, times and counts; nothing of people, nothing secret."""

import pytest

from app.redaction import GONE, Redactor, described
from schemas.topics import TOPICS

SECRET = "s3cret-token_of.the~shop"
redact = Redactor([SECRET, "p&ss word", "s3cret"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("POST /v1/pingme/abcDEF-123 404", "POST /v1/pingme/[redacted] 404"),
        ("GET https://h:1/v1/pingme/abc?x=1", "GET https://h:1/v1/pingme/[redacted]?x=1"),
        ("http://h/api?api_key=abc&action=getStatus", "http://h/api?api_key=[redacted]&action=getStatus"),
        ("http://h/api?TOKEN=abc", "http://h/api?TOKEN=[redacted]"),
        ("http://h/?app_key=abc&password=x", "http://h/?app_key=[redacted]&password=[redacted]"),
        ("call +44 7700 900123 now", "call [redacted] now"),
        ("call +44.7700.900.123", "call [redacted]"),
        ("call 447700900123", "call [redacted]"),
        ("call 044(7700)900-123", "call [redacted]"),
        ("to=447700900123&x", "to=[redacted]&x"),
        ("１４１６５５５０１２３", "[redacted]"),
        ("1234567", "[redacted]"),
        ("call 447700900123 bytes", "call [redacted] bytes"),
        (f"x {SECRET} y", "x [redacted] y"),
        ("x p%26ss%20word y", "x [redacted] y"),
        ("x p&ss word y", "x [redacted] y"),
    ],
)
def test_numbers_tokens_and_secrets_are_gone(text, expected):
    assert redact.text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Unable connect to 127.0.0.1:9092",
        "localhost:19092",
        "http://localhost:8080/v1/pingme/{token}",
        "2026-11-22T17:58:19.962307Z",
        "2026-11-22 17:58:19,962 said",
        "481c407c-74f1-88e3-b91b-491e060ae225",
        "12345678-1234-8234-9234-123456789012",
        "[Errno 111] Connect call failed ('127.0.0.1', 21068)",
        "topic sms.received.v1 has 6 partitions",
        "123456",
        "the journal has reached its limit of 1073741824 bytes",
    ],
)
def test_addresses_times_ids_and_small_numbers_stay(text):
    assert redact.text(text) == text


def test_a_command_that_sets_a_topic_right_can_be_run_as_it_is_logged():
    settings = [f"{name}={value}" for topic in TOPICS for name, value in topic.configs.items()]
    has = "topic sms.received.v1 has max.message.bytes=1000012 and needs 1048576: run"
    command = f"{has} `kafka-configs.sh --alter --add-config {','.join(settings)},max.message.bytes=1048576`"

    assert redact.text(command) == command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=447700900123", f"bytes={GONE}"),
        ("to.bytes=447700900123", f"to.bytes={GONE}"),
        ("retention.bytes=1 447700900123", f"retention.bytes=1 {GONE}"),
        ("retention.bytes=447 7009 00123", f"retention.bytes=447 {GONE}"),
        ("retention.bytes=5 and needs 447700900123x", f"retention.bytes=5 and needs {GONE}x"),
        ("it needs 447700900123", f"it needs {GONE}"),
        ("retention.bytes: 447700900123", f"retention.bytes: {GONE}"),
    ],
)
def test_only_a_setting_of_a_topic_may_have_a_large_number(text, expected):
    assert redact.text(text) == expected


@pytest.mark.parametrize(
    "key", ["text", "code", "recipient", "sender", "key", "token", "recipient_raw", "api_key", "sasl_plain_password"]
)
def test_whatever_stands_under_a_private_key_is_gone(key):
    assert redact(None, "info", {key: "x", "nested": {key: ["x"]}}) == {key: GONE, "nested": {key: GONE}}


def test_counts_survive_under_their_keys():
    event = {
        "pid": 4_194_304,
        "port": 65535,
        "rows": 12_345_678,
        "journal_bytes": 1_073_741_824,
        "timestamp_ms": 1_795_000_000_000,
        "started_at": 1_795_370_299,
        "offset": 99_999_999,
        "seconds": 1_795_370_299.5,
        "ok": True,
        "none": None,
        "attempt": 3,
    }

    assert redact(None, "info", event) == event


def test_a_large_number_under_any_other_key_is_gone():
    assert redact(None, "info", {"to": 447700900123, "where": [14165550123]}) == {"to": GONE, "where": [GONE]}


def test_bytes_are_gone_and_objects_are_redacted_text():
    class Odd:
        def __repr__(self):
            return "Odd(447700900123)"

    assert redact(None, "info", {"raw": b"447700900123", "odd": Odd()}) == {"raw": GONE, "odd": "Odd([redacted])"}


def test_of_two_secrets_the_longer_one_goes_as_a_whole():
    assert redact.text(SECRET) == GONE


def test_without_secrets_nothing_else_changes():
    assert Redactor([]).text("plain words") == "plain words"
    assert Redactor([""]).text("plain words") == "plain words"


def test_an_exception_shows_its_type_and_place_and_not_its_message():
    try:
        raise ValueError("code is 4711")
    except ValueError as caught:
        error = caught

    text = described(error)

    assert text.startswith("ValueError at ")
    assert __name__ in text
    assert "4711" not in text
    assert redact(None, "info", {"error": error})["error"] == text


def test_an_exception_of_ours_with_a_clean_message_shows_it():
    class Clean(Exception):
        safe_to_log = True

    assert described(Clean("topic x is missing")) == "Clean: topic x is missing"


def test_a_clean_message_is_redacted_all_the_same():
    class Clean(Exception):
        safe_to_log = True

    assert redact(None, "info", {"error": Clean(f"no {SECRET}")})["error"] == "Clean: no [redacted]"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("root-vm-localhost-3920-087b16c0", "root-vm-localhost-3920-087b16c0"),
        ("orders-20261129", "orders-20261129"),
        ("447700900123", "[redacted]"),
        ("x +447700900123", "x [redacted]"),
        ("a-s3cret-1234567", "a-[redacted]-1234567"),
    ],
    ids=["made of machine, port and hash", "chosen", "a number", "no name", "a secret"],
)
def test_the_name_of_a_target_of_forwarding_stays(name: str, expected: str):
    assert redact(None, "", {"forward": name}) == {"forward": expected}
