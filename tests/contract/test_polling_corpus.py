"""The manuals of the polling providers as a table: each answer of the corpus through the parser of its action."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers import grizzlysms, handler_api, handler_api_tokens, pingme, results, smsman, smsverified
from providers.http_client import RawResponse
from providers.observation import Ended, Gone, Last, Listing, NoCode, ProviderError, SeenSms, Waiting, WaitingNext

CORPUS = Path(__file__).parents[1] / "corpus" / "wire.jsonl"
ROWS = {
    row["n"]: row
    for row in map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    if (row["provider"], row["action"]) != ("pingme", "callback")
}
RECEIVED_AT = 1_700_000_000.0

ENDPOINTS: dict[str, Any] = {
    "smsverified": smsverified.SmsVerified.endpoints,
    "grizzly": grizzlysms.GrizzlySms.endpoints,
    "grizzly-rent": grizzlysms.GrizzlySms.endpoints,
    "smsman": smsman.SmsMan.endpoints,
    "smsman-rent": {name.removeprefix("rent:"): e for name, e in smsman.SmsMan.endpoints.items() if "rent:" in name},
    "pingme": pingme.PingMeControl.endpoints,
}
TYPES: dict[str, tuple[type, ...]] = {
    "sms": (Last, Listing),
    "sms_empty": (NoCode,),
    "waiting": (Waiting,),
    "waiting_retry": (WaitingNext,),
    "terminal": (Ended,),
    "gone": (Gone,),
    "ack": (handler_api_tokens.Done, pingme.Subscribed),
    "ok": (results.Balance, results.Order, pingme.LockedNumber),
    "inventory": (tuple,),
}


def parsed(n: int) -> Any:
    row = ROWS[n]
    headers = {name.lower(): value for name, value in row["headers"].items()}
    answer = RawResponse(row["http"], headers, base64.b64decode(row["body_b64"]), RECEIVED_AT)
    return ENDPOINTS[row["provider"]][row["action"]].parse(answer)


def named(n: int) -> str:
    return f"{n}: {ROWS[n]['meaning']}"


@pytest.mark.parametrize("n", ROWS, ids=named)
def test_an_answer_is_what_the_corpus_expects(n: int) -> None:
    said, expected = parsed(n), ROWS[n]["expect"]

    if isinstance(said, ProviderError):
        assert said.kind == expected
    else:
        assert isinstance(said, TYPES[expected])


def sms(**fields: str) -> Last:
    return Last(SeenSms(**fields))


APPLE = "Apple ID 代码为：{}。请勿与他人共享。 "
RENT_SMS = {"sender": "66846426435", "service": "tg"}
SAID: dict[int, Any] = {
    1: results.Balance("44.60"),
    2: results.Balance("-0.05"),
    6: (results.Named("48", "Netherlands", "31"),),
    8: (results.Price("0.4", "england", "mb", 4123),),
    9: results.Order("activation", "8601705018416664", "33774545375"),
    12: WaitingNext("877613"),
    13: WaitingNext(None),  # a placeholder of the document
    15: WaitingNext(None),
    17: Ended("cancelled"),
    24: sms(code="001234"),
    27: sms(code="12:34"),
    28: sms(code="Your code is 1234: do not share"),
    32: sms(code="877613"),
    33: sms(code="877613"),
    34: sms(code="٤٨٢٩١٣"),
    44: sms(code="123456"),
    51: ProviderError("transient", "http_403"),
    54: ProviderError("throttled", "http_429", 7.0),
    55: ProviderError("throttled", "http_429", 600.0),
    56: ProviderError("throttled", "rate_limit", answered=True),
    65: sms(text="877613", sender="vk"),
    66: sms(text="877613"),
    69: sms(text="[VK] code: 12:34 https://vk.com/x?a=1&b=2", sender="vk"),
    70: sms(text="line one\nline two: 877613", sender="vk"),
    71: sms(text="Do not reply NO_NUMBERS BAD_KEY ERROR 877613", sender="vk"),
    76: sms(text="[vk 877613"),
    78: sms(text="87\x0076\u202e13", sender="vk"),
    84: handler_api_tokens.Done("access_activation"),
    88: ProviderError("denied", "early_cancel_denied", answered=True),
    89: ProviderError("denied", "early_cancel_denied", answered=True),
    98: results.Order(
        "activation",
        "495357953",
        "18035550152",
        expires="2026-05-07 14:18:16",
        cost="0.35",
        details={
            "activationTime": "2026-05-07 13:58:16",
            "activationCancel": "2026-05-07 14:03:16",
            "canGetAnotherSms": "0",
            "countryCode": "12",
            "currency": "643",
        },
    ),
    108: sms(code="852508", text="Code 852508", time_raw="2026-02-26 12:05:55"),
    109: sms(code="852508", text="code 852508"),
    113: Listing(
        (
            SeenSms(code="1111", text="a 1111", time_raw="2026-02-26 12:05:55"),
            SeenSms(code="1111", text="a 1111", time_raw="2026-02-26 12:07:01"),
        )
    ),
    115: sms(code="4821", text="voice", sender="33612345678", time_raw="2026-02-26 12:05:55", message_type="call"),
    116: sms(
        code="123456",
        text="Telegram code 123456",
        sender="Telegram",
        time_raw="2026-02-16T12:36:59+03:00",
        service="tg",
    ),
    122: sms(code="852508", text="Code 852508", time_raw="2026-02-26 12:05:55"),
    125: (),
    128: (results.ActiveActivation("635468", "79000000000", "tg", "0", "4", "0.42"),),
    130: (results.ActiveActivation("495367092", code="852508", text="Code 852508"),),
    142: Listing(
        (
            SeenSms(text="224444", time_raw="2023-10-26 11:02:31", **RENT_SMS),
            SeenSms(text="123456", time_raw="2023-10-26 11:03:39", **RENT_SMS),
        )
    ),
    150: Listing((SeenSms(text="111-222", sender="WhatsApp", service="wa", time_raw="2023-10-26 11:03:39"),) * 2),
    153: Listing((SeenSms(text='a\nb "q" 😀', service="tg", time_raw="2023-10-26 11:03:39"),)),
    154: Listing((SeenSms(text="\ud83d", sender="tg", service="tg", time_raw="2023-10-26 11:03:39"),)),
    158: Ended("cancelled"),
    159: Ended("finished"),
    170: results.Order("rent", "38496653", "66846426435", expires="2023-12-31T19:30:52"),
    174: (
        results.RentPeriod("2023-10-26 11:03:39", "3.6", "4"),
        results.RentPeriod("2023-10-25 11:02:31", "4", "5"),
    ),
    179: Ended("finished"),
    180: (results.Price("12", "0", "tg", 15, max_hours="10"),),
    182: results.Balance("12.34", {"hold": "0", "channels": "10", "active_channels": "1", "rating": "100"}),
    185: (results.Stock(32302, "1", "1"),),
    187: (),
    189: (results.Price("0.15", None, "3", 32302),),
    190: (results.Named("1", "Russia", "RU"),),
    191: (results.Named("3", "Telegram", "tg"),),
    192: results.Order("activation", "1", "79002415539", details={"country_id": "1", "application_id": "1"}),
    200: sms(code="0012", service="31", recipient="12125551234"),
    201: sms(code="1243", recipient="12125551234"),
    204: WaitingNext("1243"),
    213: ProviderError("throttled", "too_many_requests", 1.0, answered=True),
    218: (results.Price("151.68", "1", count=127, period="4 hour"),),
    219: results.Order("rent", "44274", "79210000229", details={"country_id": "1", "application_id": "0"}),
    220: sms(code="974210", text=APPLE.format(974210), time_raw="2023-05-28 11:09:45", recipient="79210000229"),
    221: Listing(
        (
            SeenSms("974210", APPLE.format(974210), time_raw="2023-05-28 11:09:45", recipient="79210000229"),
            SeenSms("330428", APPLE.format(330428), time_raw="2023-05-28 11:12:13", recipient="79210000229"),
        )
    ),
    228: Listing((SeenSms("1", "x 1", time_raw="2023-05-28 11:09:45"),) * 2),
    260: pingme.LockedNumber("16510000000", "0.5"),
    261: pingme.LockedNumber("16510000000", None),
    271: (
        pingme.Number(
            phone="168151020115",
            app="jd",
            name="JD",
            subscribed=False,
            next_payment="2021-11-22 (Expiry Date)",
            new_rent="$0.5 / Month",
            rent=None,
            per_sms="$0.2 / SMS",
            dialling_code="1",
        ),
    ),
    275: WaitingNext(None),
    278: Listing((SeenSms(text="123456", sender="tg", service="tg", time_raw="2023-10-26 11:03:39"),)),
    282: (results.ActiveActivation("495367092", status="6", code="852508", text="Code 852508"),),
    283: (),
    284: ProviderError("unrecognised", "unknown_shape", answered=True),
}


@pytest.mark.parametrize("n", SAID, ids=named)
def test_an_answer_says_exactly_this(n: int) -> None:
    assert parsed(n) == SAID[n]


# A parser must also survive the answer of any other action: tokens where JSON was promised, and the reverse.
PARSERS: list[tuple[str, Callable[[RawResponse], object]]] = [
    *((f"{provider}:{name}", endpoint.parse) for provider, by in ENDPOINTS.items() for name, endpoint in by.items()),
    ("getStatusV2", handler_api.parse_status_v2),
]


@pytest.mark.parametrize("parse", [parse for _, parse in PARSERS], ids=[name for name, _ in PARSERS])
def test_no_answer_of_the_corpus_makes_any_parser_raise(parse: Callable[[RawResponse], object]) -> None:
    bodies = [base64.b64decode(row["body_b64"]) for row in ROWS.values()]
    strange = [
        b"[[[[",
        b"{}",
        b"[1,2]",
        b'{"values":[1]}',
        b'{"sms":5,"success":[]}',
        b'{"phone":[]}',
        b'{"status":"success","values":{"%b":{"text":"1111"}}}' % (b"9" * 5000),
        b"\xff\xfe",
        b"7",
    ]

    said = [parse(RawResponse(status, {}, body)) for body in bodies + strange for status in (200, 404, 429, 500)]

    assert None not in said


def test_a_key_that_does_not_work_is_recognised_whatever_was_asked() -> None:
    for provider, by_name in ENDPOINTS.items():
        wrong_key = {
            "smsman": b'{"success":false,"error_code":"wrong_token","error_msg":"Wrong token!"}',
            "smsman-rent": b'{"success":false,"error_code":"wrong_token","error_msg":{"token":"Wrong token!"}}',
            "pingme": b"",
        }.get(provider, b"BAD_KEY")
        for name, endpoint in by_name.items():
            said = endpoint.parse(RawResponse(403 if provider == "pingme" else 200, {}, wrong_key))

            assert said.kind == "auth", name
