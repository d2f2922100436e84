"""One SMS has one id on every path that shows it."""

import pytest

from pollers.tracking import sms_content
from pollers.tracking.advance import advance
from providers.grizzlysms_rent import parse_rent_status
from providers.handler_api_tokens import parse_status
from providers.http_client import RawResponse
from providers.observation import Last, Listing, SeenSms, WaitingNext
from schemas.identity import event_id
from tests.unit.pollers.watching import after, at, message, sms, watching

TEXT = "Your Telegram code is 852508"
DATE = "2026-11-22 17:21:00"
PATHS = {
    "getStatus": Last(sms("852508")),
    "getStatus with quotes": Last(sms("'852508'")),
    "getStatus with the text": Last(sms(TEXT)),
    "getStatus and getFullSms": Last(sms_content.with_full_text(sms("852508"), SeenSms(text=TEXT, sender="tg"))),
    "getStatus with the text, and getFullSms": Last(sms(TEXT, text=f"[tg] {TEXT}. Or call 123456.")),
    "getFullSms alone": Last(sms(None, text=TEXT, sender="tg")),
    "getStatusV2": Last(sms("852508", text=TEXT, time_raw=DATE)),
    "getStatusV2 without a code": Last(sms("", text=TEXT, time_raw=DATE)),
    "getStatusV2 with a list": Listing((sms("852508", text=TEXT, time_raw=DATE),)),
    "recovered": WaitingNext("852508"),
    "recovered with the text": WaitingNext(TEXT),
}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_gives_an_sms_the_id_of_its_code_and_of_its_count(path):
    state = after(watching(), Last(sms("852508")), WaitingNext("852508"))

    first, second = (advance(each, PATHS[path], at(60)) for each in (watching(), state))

    assert message(first).id == event_id("smsverified", "shop", "activation", "860", ("852508",), 0)
    if "recovered" in path:
        assert second.messages == ()
    else:
        assert message(second).id == event_id("smsverified", "shop", "activation", "860", ("852508",), 1)


@pytest.mark.parametrize(
    ("sms", "content"),
    [
        (sms("001234"), "001234"),
        (sms(" G-482913\n"), "G-482913"),
        (sms('"AB12CD"'), "AB12CD"),
        (sms("123456789012", text="Code 1234"), "123456789012"),
        (sms("AB1234567890"), "AB1234567890"),
        (sms("https://x.example/1234?code"), "https://x.example/1234?code"),
        (sms("Your code is 1234"), "1234"),
        (sms("code 1234"), "1234"),
        (sms("  Hello from the bank "), "Hello from the bank"),
        (sms(None, text=" no number here "), "no number here"),
        (sms(None, text=""), ""),
        (sms("\ud800"), "\ud800"),
        (sms("Hello there, you", text="Code 1234"), "Hello there, you"),
        (sms("''"), "''"),
    ],
)
def test_the_content_of_an_activations_sms_is_its_code_else_its_text(sms, content):
    assert sms_content.activation_content(sms) == (content,)


@pytest.mark.parametrize("nothing", [sms(None), sms(""), sms("  ")])
def test_an_sms_without_code_and_text_has_no_content(nothing):
    assert sms_content.activation_content(nothing) is None


def test_the_content_of_a_rents_sms_is_its_second_its_sender_and_its_text_as_received():
    given = SeenSms(text=" Code 4821 ", sender="Tg ", time_raw="2026-11-20 11:02:31.500")

    content = sms_content.rent_content(given)

    assert content == ("20261120110231", "Tg ", " Code 4821 ")
    assert sms_content.rent_content(SeenSms(code="4821")) == (None, None, "4821")


def test_the_id_of_a_rents_sms_is_the_frozen_vector_of_the_contract():
    state = watching("rent", provider="grizzlysms", account="g", order_id="55501")
    row = SeenSms(text="Telegram code: 48291", sender="Telegram", time_raw="2026-11-20 11:02:31")

    step = advance(state, Listing((row,)), at(5))

    assert message(step).id == "28b1673e-753e-8549-bc11-6abbd787ec86"


def test_the_id_of_an_activations_sms_is_the_frozen_vector_of_the_contract():
    state = watching(account="sms_a", order_id="1234567890123456")

    first = advance(state, Last(sms("001234")), at(5))
    second = advance(after(first.state, WaitingNext("001234")), Last(sms("001234")), at(60))

    assert message(first).id == "6bd66c27-1e4d-872d-a312-5fc86f25695a"
    assert message(second).id == "954c5736-e894-82ef-be3c-6bc8c74268e7"


@pytest.mark.parametrize(
    ("text", "code", "there"),
    [
        ("Your code is 852508.", "852508", True),
        ("Your code is 852-508", "852508", True),
        ("Your code is 852 508", "852-508", True),
        ("G-482913 is your code", "482913", True),
        ("G-482913 is your code", "g482913", True),
        ("验证码482913，请", "482913", True),
        ("الرمز ٤٨٢٩١٣", "482913", True),
        ("order 14829135", "482913", False),
        ("A482913", "482913", False),
        ("order 48291355", "482913", False),
        ("Code 1111", "2222", False),
        ("Code 1111", "", False),
        ("Code 1111", "--", False),
        ("Code 1.1", "1[1", True),
        ("It is a long text, without any code at all", "a long text, without any code at all", True),
        ("short", "a long text, without any code at all", False),
    ],
)
def test_a_text_contains_a_code_however_it_is_spelled_but_not_within_a_number(text, code, there):
    assert sms_content.contains(text, code) is there


def test_a_full_text_is_attached_with_its_sender_if_it_contains_the_code():
    full = SeenSms(text="Your code is 1111", sender="vk")

    assert sms_content.with_full_text(sms("1111"), full) == sms("1111", text="Your code is 1111", sender="vk")
    assert sms_content.with_full_text(sms("1111", sender="x"), SeenSms(text="1111")).sender == "x"


@pytest.mark.parametrize("full", [None, SeenSms(text="Your code is 1111"), SeenSms(code="2222")])
def test_the_text_of_another_sms_or_none_is_not_attached(full):
    assert sms_content.with_full_text(sms("2222"), full) == sms("2222")


def test_an_activation_and_a_rent_with_the_same_number_have_different_ids():
    ids = [message(advance(watching(kind), Last(sms("1111")), at(5))).id for kind in ("activation", "rent")]

    assert len(set(ids)) == 2


@pytest.mark.parametrize("unit", ["x y ", "ﷺ"])  # the second is 18 letters in its readable form
def test_a_very_long_text_is_remembered_in_part(unit):
    state = after(watching(), Last(sms(None, text=unit * 250_000)))

    assert state.newest is not None
    assert len(state.newest.text or "") in {sms_content.REMEMBERED, sms_content.REMEMBERED - 1}
    assert after(state, Last(sms(None, text=unit * 250_000)), start=60) is state


UNDECODABLE = [
    "大".encode("gbk"),
    "两".encode("gbk"),
    b"\xb4",
    b"\xdb\xff",
    b"\xed\xa0\xbd",  # D83D as if it were a character
    "\ufffd".encode(),
    "\ufffd\ufffd".encode(),
]


def test_sms_of_a_rent_that_differ_in_bytes_that_are_not_utf_8_have_an_id_each():
    texts = [*UNDECODABLE, b"\\udcb4", b"\\udbff\\udcb4", b"\\udbff\xb4"]  # also as JSON can spell a byte's mark
    bodies = [b'{"status":"success","values":[{"phoneFrom":"tg","text":"' + text + b'"}]}' for text in texts]
    state, found = watching("rent"), []
    for number, body in enumerate(bodies):  # a list that shows only the newest SMS
        step = advance(state, parse_rent_status(RawResponse(200, {}, body)), at(5 + number))
        state, found = step.state, [*found, message(step)]

    assert len({each.id for each in found}) == len(texts)
    assert {each.text for each in found} == {"\ufffd", "\ufffd\ufffd", "\ufffd\ufffd\ufffd", "\U0010fcb4"}


def test_sms_of_an_activation_that_differ_in_bytes_that_are_not_utf_8_have_an_id_each():
    answers = [RawResponse(200, {}, b"STATUS_OK:Hello " + text) for text in UNDECODABLE]
    found = [message(advance(watching(), parse_status(answer), at(5))) for answer in answers]

    assert len({each.id for each in found}) == len(found)
    assert {each.text for each in found} == {f"Hello {chr(0xFFFD) * number}" for number in (1, 2, 3)}
