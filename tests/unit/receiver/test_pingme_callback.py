"""PingMe's file: what its callbacks become, without a socket."""

import base64
import gzip
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.record import fits, size_at_most
from receiver import pingme
from receiver.allowance import MOST_PLAIN, PLAIN_RECORD
from receiver.auth import Caller
from receiver.intake import SMALL
from receiver.pingme import SURELY_FITS
from receiver.stages import VerifiedRequest
from schemas.messages import SmsReceived, SmsRejected

NOW_MS = 1_700_000_000_000


def request(
    body: bytes | str | object, *, content_type: str = "application/json", user_id: str | None = None
) -> VerifiedRequest:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return VerifiedRequest("pingme", Caller("main", user_id), content_type, raw, NOW_MS)


def received(body: bytes | str | object, **how: Any) -> SmsReceived:
    (message,) = pingme.messages(request(body, **how)).messages
    assert isinstance(message, SmsReceived), message.reason
    return message


def rejected(body: bytes | str | object, **how: Any) -> SmsRejected:
    (message,) = pingme.messages(request(body, **how)).messages
    assert isinstance(message, SmsRejected)
    return message


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"text":"a","text":"b"}', "b"),
        ('\ufeff  {"text":"a"}\n', "a"),
        (b'{"text":"caf\xe9 \xff"}', "caf\ufffd \ufffd"),
        ('{"text":"\\ud83d"}', "\ufffd"),
        ('{"text":"\\ud83d\\ude00"}', "😀"),
        ('{"text":"a\\u0000b"}', "a\0b"),
        ('{"text":"two\nlines\there"}', "two\nlines\there"),
        ('{"text":5611}', "5611"),
        ('{"text":' + "9" * 5000 + "}", "9" * 5000),
        ('{"text":1e400}', "1e400"),
        ('{"text":NaN}', "NaN"),
        ('{"text":true}', "true"),
        ('{"text":"“curly” quotes"}', "“curly” quotes"),
        ("text=a%20b+c%26d", "a b c&d"),
        ("text=%ff%00", "\ufffd\0"),
        ("to=1&text=first&text=last", "last"),
        ("text=", ""),
    ],
)
def test_a_text_is_published_as_it_was_sent(body: bytes | str, text: str) -> None:
    message = received(body)

    assert message.text == text
    assert json.loads(message.to_json())["text"] == text


UNDECODABLE: list[bytes | str] = [
    '{"text":"大"}'.encode("gbk"),
    '{"text":"两"}'.encode("gbk"),
    b'{"text":"\xb4"}',
    b'{"text":"\xdb\xff"}',
    '{"text":"\\udcb4"}',  # as `surrogateescape` spells the byte B4
    '{"text":"\\udbff\\udcb4"}',  # as one byte is spelled here: but these are one character
    b'{"text":"\\udbff\xb4"}',
    '{"text":"\\ud83d"}',
    '{"text":"\\ud83e"}',
    b'{"text":"\xed\xa0\xbd"}',  # D83D as if it were a character
    '{"text":"\ufffd"}',
    '{"text":"\ufffd\ufffd"}',
]


def test_sms_that_cannot_be_decoded_have_an_id_each() -> None:
    ids = {received(body).id for body in UNDECODABLE}

    assert len(ids) == len(UNDECODABLE)


@pytest.mark.parametrize("name", ["userId", "app", "from", "to", "time"])
def test_every_field_tells_apart_what_cannot_be_decoded(name: str) -> None:
    one, other = (received(b'{"text":"a","%b":"\xb4%b"}' % (name.encode(), byte)) for byte in (b"\xf3", b"\xf4"))

    assert one.id != other.id
    assert one.model_copy(update={"id": other.id}) == other


# Frozen, like those of tests/unit/schemas/test_identity.py: add some, never edit them.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (UNDECODABLE[0], "b200d8ab-e18e-8580-bb1b-cd22593720ce"),
        (UNDECODABLE[2], "86ac8163-896f-8a50-b925-8ea1f3204467"),
        (UNDECODABLE[7], "0773966e-a979-8e9e-92f6-65b45d12022b"),
        (UNDECODABLE[10], "e8e8837d-ee36-89f2-a65d-f2c3f621ce22"),
    ],
)
def test_ids_of_sms_that_cannot_be_decoded_are_frozen(body: bytes | str, expected: str) -> None:
    assert received(body).id == expected


def test_bytes_that_cannot_be_decoded_make_one_id_in_json_and_in_a_form() -> None:
    ids = {received(body).id for body in (b'{"text":"a\xb4\xf3"}', b"text=a\xb4\xf3", "text=a%b4%f3", b"text=a%b4\xf3")}

    assert len(ids) == 1


@given(st.binary(max_size=12).filter(lambda octets: not set(octets) & set(b'"\\')))
def test_bytes_that_cannot_be_decoded_are_published_as_replacement_characters(octets: bytes) -> None:
    message = received(b'{"text":"' + octets + b'","other":"' + octets + b'"}')

    text = re.sub("[\udc80-\udcff]", "\ufffd", octets.decode("utf-8", "surrogateescape"))
    assert message.text == text
    assert message.provider_fields == {"other": text}


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "application/x-www-form-urlencoded", "\0"]
)
@pytest.mark.parametrize("body", ['{"text":"a","to":"1"}', "to=1&text=a"])
def test_the_content_type_decides_nothing(body: str, content_type: str) -> None:
    message = received(body, content_type=content_type)

    assert (message.text, message.recipient_raw) == ("a", "1")


@pytest.mark.parametrize(
    ("body", "stage", "reason"),
    [
        ("", "parse", "body_empty"),
        (" \r\n\t", "parse", "body_empty"),
        ("\ufeff", "parse", "body_empty"),
        ("[]", "parse", "body_empty"),
        ("{", "parse", "not_json"),
        ('{"text":"a"} trailing', "parse", "not_json"),
        ("{“text”: “a”}", "parse", "not_json"),
        ("hello", "parse", "not_json"),
        ("<html>text</html>", "parse", "not_json"),
        ("a=b&c=d", "parse", "not_json"),
        (gzip.compress(b'{"text":"a"}', mtime=0), "parse", "not_json"),
        (b"\x00\xff\xfe", "parse", "not_json"),
        ("[" * 100_000, "parse", "too_deep"),
        ('{"text":"a","x":' + "[" * 100_000 + "]" * 100_000 + "}", "parse", "too_deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "parse", "too_deep"),
        (f"[{'0,' * 130_000}0]", "parse", "too_many"),
        ("null", "parse", "not_an_object"),
        ("5611", "parse", "not_an_object"),
        ('"text"', "parse", "not_an_object"),
        ("{}", "normalize", "text_missing"),
        ('{"text":null,"to":"1"}', "normalize", "text_missing"),
        ('{"data":{"text":"a"}}', "normalize", "text_missing"),
        ("to=1&from=2", "normalize", "text_missing"),
        ('{"text":["a"]}', "normalize", "text_not_a_string"),
        ('{"text":{"a":1}}', "normalize", "text_not_a_string"),
        *[
            (json.dumps({"text": "a", name: value}), "normalize", "field_not_a_string")
            for name in ("userId", "app", "from", "to", "time")
            for value in ([], {"a": "b"})
        ],
    ],
)
def test_a_body_that_is_no_callback_is_refused_with_its_reason(body: bytes | str, stage: str, reason: str) -> None:
    message = rejected(body)

    assert (message.stage, message.reason) == (stage, reason)
    assert reason in pingme.REASONS


def test_a_dead_letter_keeps_the_exact_bytes_and_no_more() -> None:
    body = b'{"text": [1],\xff'

    message = rejected(body, content_type="application/json; a=\x00é\n<b>" + "x" * 200)

    assert base64.b64decode(message.body_base64 or "") == body
    assert message.body_sha256 == hashlib.sha256(body).hexdigest()
    assert (message.body_bytes, message.body_complete) == (len(body), True)
    assert message.facts == {"content_type": "application/json; a=????b?" + "x" * 74}
    assert message.observed_at == "2023-11-14T22:13:20.000Z"


SWELLING = [b"\x01", b"\xff", b'\\"', b"x", b"1", "\U0001f600".encode()]


def filled(field: str, filling: bytes, size: int) -> bytes:
    """A callback of about so many bytes."""
    return b'{"text":"","%b":"%b"}' % (field.encode(), filling * (size // len(filling)))


@pytest.mark.parametrize("field", ["text", "from"])
def test_what_would_be_no_record_of_any_right_topic_is_refused_and_kept_whole(field: str) -> None:
    body = filled(field, b"\x01", 96 * 1024)

    message = rejected(body)

    assert (message.stage, message.reason) == ("normalize", "record_too_large")
    assert (message.body_bytes, message.body_complete) == (len(body), True)
    assert base64.b64decode(message.body_base64 or "") == body
    assert fits(message)


@pytest.mark.parametrize("filling", SWELLING)
@pytest.mark.parametrize("field", ["text", "from", "to", "app", "time", "other"])
@pytest.mark.parametrize("size", [SURELY_FITS, 2 * SURELY_FITS, 256 * 1024])
def test_whatever_is_no_dead_letter_fits(field: str, filling: bytes, size: int) -> None:
    (message,) = pingme.messages(request(filled(field, filling, size - 30))).messages

    assert fits(message)
    assert isinstance(message, SmsReceived) or size > SURELY_FITS


def test_a_long_text_that_fits_is_an_sms() -> None:
    assert received({"text": "x" * 250_000}).text == "x" * 250_000


def test_an_element_that_is_too_large_does_not_lose_the_others() -> None:
    large = filled("from", b"\x01", 96 * 1024)

    first, second = pingme.messages(request(b'[{"text":"a"},%b]' % large)).messages

    assert (first.account, getattr(first, "text", None)) == ("main", "a")
    assert isinstance(second, SmsRejected)
    assert (second.reason, second.facts["elements"]) == ("record_too_large", "1")


HONEST = {
    "userId": "20212312",
    "app": "WhatsApp",
    "from": "+12025550143",
    "to": "16470000000",
    "time": "2026-11-22T10:00:00.000Z",
}


@pytest.mark.parametrize("text", ["x", "ж", "你", "\U0001f600", "\U0001f469\u200d\U0001f467", "line\n", 'say "a" '])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_the_longest_plain_sms_in_any_script_is_a_small_record(text: str, *, is_ascii: bool) -> None:
    body = json.dumps(HONEST | {"text": ""}, ensure_ascii=is_ascii)
    each = len(json.dumps(text, ensure_ascii=is_ascii).encode()) - 2
    body = json.dumps(HONEST | {"text": text * ((MOST_PLAIN - len(body)) // each)}, ensure_ascii=is_ascii)

    assert MOST_PLAIN - each < len(body.encode()) <= MOST_PLAIN
    assert size_at_most(received(body)) <= PLAIN_RECORD


@pytest.mark.parametrize("filling", SWELLING)
@pytest.mark.parametrize("field", ["text", "from", "to", "app", "time", "other"])
def test_a_small_callback_is_a_small_record(field: str, filling: bytes) -> None:
    assert size_at_most(received(filled(field, filling, SMALL - 30))) <= PLAIN_RECORD


@pytest.mark.parametrize("missing", ["userId", "app", "from", "to", "time"])
@pytest.mark.parametrize("null", [True, False])
def test_only_the_text_is_needed(missing: str, *, null: bool) -> None:
    whole = {"userId": "u", "app": "jd", "from": "22395", "to": "16470000000", "text": "a", "time": "1616642226"}
    body = whole | {missing: None} if null else {key: value for key, value in whole.items() if key != missing}

    assert received(body, user_id="u").text == "a"


@pytest.mark.parametrize(
    ("user_id", "sent", "fits"),
    [
        ("123", 123, True),
        ("123", "123", True),
        (None, "any", True),
        ("u", None, True),
        ("u", "U", False),
        ("u", "", False),
    ],
)
def test_a_user_id_is_compared_where_both_sides_have_one(user_id: str | None, sent: object, *, fits: bool) -> None:
    (message,) = pingme.messages(request({"text": "a", "userId": sent}, user_id=user_id)).messages

    assert isinstance(message, SmsReceived) is fits
    assert fits or message.reason == "user_mismatch"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("time", "moment", "basis"),
    [
        ('"2021-03-25T03:17:06.050Z"', "2021-03-25T03:17:06.050Z", "stated"),
        ('"2021-03-25T11:17:06+08:00"', "2021-03-25T03:17:06.000Z", "stated"),
        ('"2021-03-25T11:17:06+0800"', "2021-03-25T03:17:06.000Z", "stated"),
        ("1616642226", "2021-03-25T03:17:06.000Z", "stated"),
        ("1616642226050", "2021-03-25T03:17:06.050Z", "stated"),
        ('"2021-03-25 11:17:06"', None, None),
        ('"2099-01-01T00:00:00Z"', None, None),
        ('"soon"', None, None),
        ('""', None, None),
    ],
)
def test_a_time_is_a_label_that_is_trusted_only_with_its_zone(time: str, moment: str | None, basis: str | None) -> None:
    message = received('{"text":"a","time":' + time + "}")

    assert (message.provider_time, message.provider_time_basis) == (moment, basis)
    assert message.provider_time_raw == time.strip('"')


@pytest.mark.parametrize(
    ("origin", "sender", "kind"),
    [
        ("14160000000", "+14160000000", "phone"),
        ("WhatsApp", "WhatsApp", "alphanumeric"),
        ("22395", "22395", "short_code"),
        ("", None, None),
    ],
)
def test_a_sender_is_normalized_and_kept_as_given(origin: str, sender: str | None, kind: str | None) -> None:
    message = received({"text": "a", "from": origin})

    assert (message.sender, message.sender_kind, message.sender_raw) == (sender, kind, origin)


def test_unknown_keys_are_kept_as_text_and_secrets_are_not() -> None:
    body = (
        '{"text":"a","msgId":1616642226050123456789,"flag":true,"none":null,"nested":{"x":[1.50,"é"]},'
        '"user_id":"u","appKey":"k","deep":{"token":"t"},"userId":"u"}'
    )

    message = received(body)

    assert message.provider_fields == {
        "msgId": "1616642226050123456789",
        "flag": "true",
        "none": "null",
        "nested": '{"x":["1.50","é"]}',
    }


def test_unknown_keys_never_make_a_message_larger_than_two_kibibytes_more() -> None:
    message = received({"text": "a"} | {f"k{index}": "v" * 50 for index in range(10_000)})

    assert message.provider_fields is not None
    assert 1900 < len(json.dumps(message.provider_fields, separators=(",", ":"))) <= 2048


def test_the_id_is_made_of_the_values_as_written() -> None:
    as_numbers = received('{"userId":1,"app":"jd","from":14160000000,"to":16470000000,"text":"a","time":1616642226050}')
    as_texts = received(
        '{"time":"1616642226050","text":"a","to":"16470000000","from":"14160000000","app":"jd","userId":"1","new":2}'
    )
    as_form = received("userId=1&app=jd&from=14160000000&to=16470000000&text=a&time=1616642226050")

    assert as_numbers.id == as_texts.id == as_form.id


@pytest.mark.parametrize("name", ["userId", "app", "from", "to", "text", "time"])
def test_every_known_value_is_part_of_the_id(name: str) -> None:
    whole = {"userId": "u", "app": "jd", "from": "22395", "to": "16470000000", "text": "a", "time": "1616642226"}

    assert received(whole | {name: "b"}).id != received(whole).id


@pytest.mark.parametrize("name", ["userId", "app", "from", "to", "time"])
def test_a_missing_value_is_another_sms_than_an_empty_one(name: str) -> None:
    assert received({"text": "a", name: ""}).id != received({"text": "a"}).id


def test_a_bad_element_of_an_array_does_not_lose_the_others() -> None:
    body = [{"text": "first", "to": "1"}, "bad", {"to": "1"}, {"text": "last", "to": "1"}]

    callbacks = pingme.messages(request(body))

    first, bad, textless, last = callbacks.messages
    assert callbacks.is_array
    assert isinstance(first, SmsReceived)
    assert isinstance(last, SmsReceived)
    assert (first.text, last.text) == ("first", "last")
    assert isinstance(bad, SmsRejected)
    assert isinstance(textless, SmsRejected)
    assert (bad.reason, textless.reason) == ("not_an_object", "text_missing")
    assert bad.facts["elements"] == "1 2"
    assert bad.event_id == textless.event_id
    assert base64.b64decode(textless.body_base64 or "") == json.dumps(body).encode()


def test_all_bad_elements_of_one_array_are_one_dead_letter() -> None:
    """Else a leaked URL makes 35 MB of 420 bytes."""
    letters = pingme.messages(request(["bad"] * 100)).messages

    assert len({letter.event_id for letter in letters}) == 1


def test_a_form_of_a_hundred_thousand_fields_is_no_form() -> None:
    [letter] = pingme.messages(request("text=a" + "&" * 10 + "a&" * 131_000)).messages

    assert isinstance(letter, SmsRejected)
    assert letter.reason == "not_json"


def test_an_array_of_one_is_an_array_and_the_same_sms_as_its_element() -> None:
    alone = received({"text": "a"})

    callbacks = pingme.messages(request([{"text": "a"}]))

    assert callbacks.is_array
    assert [message.event_id for message in callbacks.messages] == [alone.id]


def test_a_hundred_callbacks_fit_into_one_array() -> None:
    callbacks = pingme.messages(request([{"text": str(index)} for index in range(100)]))

    assert [message.text for message in callbacks.messages if isinstance(message, SmsReceived)] == [
        str(index) for index in range(100)
    ]
