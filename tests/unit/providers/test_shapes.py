"""What is unknown in an answer is found, and what is kept of it says nothing that anybody wrote."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from yarl import URL

from providers import PROVIDERS, shapes
from providers.http_client import RawResponse
from providers.noticing import NoticingFetcher
from providers.observation import Last, ProviderError, SeenSms
from providers.shapes import Sample

CORPUS = Path(__file__).parents[2] / "corpus" / "wire.jsonl"
PROVIDER = {"grizzly": "grizzlysms", "grizzly-rent": "grizzlysms", "smsman-rent": "smsman"}


def rows() -> list[dict[str, Any]]:
    found = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    return [row for row in found if PROVIDER.get(row["provider"], row["provider"]) in PROVIDERS]


def seen(provider: str, endpoint: str, body: bytes, status: int = 200) -> Sample | None:
    response = RawResponse(status, {}, body)
    return shapes.unknown(provider, endpoint, response, PROVIDERS[provider].endpoints[endpoint].parse(response))


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['n']}-{row['action']}")
def test_what_is_known_of_a_provider_has_no_unknown_shape(row: dict[str, Any]):
    provider = PROVIDER.get(row["provider"], row["provider"])
    endpoint = ("rent:" if row["provider"] == "smsman-rent" else "") + row["action"]
    body = base64.b64decode(row["body_b64"])
    said: Any = PROVIDERS[provider].endpoints[endpoint].parse(RawResponse(row["http"], {}, body))

    is_unknown = seen(provider, endpoint, body, row["http"]) is not None

    assert is_unknown == (isinstance(said, ProviderError) and said.kind == "unrecognised")


@pytest.mark.parametrize(
    ("provider", "endpoint", "body", "sample"),
    [
        (
            "grizzlysms",
            "getStatusV2",
            b'{"verificationType":0,"sms":{"dateTime":"2026-01-01","code":"5611","text":"code 5611","mood":1}}',
            Sample(
                "getStatusV2",
                "unknown_key",
                ("mood",),
                "{sms: {code: text, dateTime: text, mood: number, text: text}, verificationType: number}",
            ),
        ),
        (
            "grizzlysms",
            "getStatusV2",
            b'{"messages":[{"body":"code 5611"}]}',
            Sample("getStatusV2", "unknown_shape", ("body", "messages"), "{messages: [{body: text}]}"),
        ),
        (
            "smsverified",
            "getStatus",
            b"STATUS_ON_HOLD:5611",
            Sample("getStatus", "unknown_token", ("STATUS_ON_HOLD",), "STATUS_ON_HOLD:text"),
        ),
        ("smsverified", "getStatus", b"G482913", Sample("getStatus", "unknown_token", (), "?")),
        ("smsverified", "getStatus", b"Come back later", Sample("getStatus", "no_token", (), "text")),
        (
            "smsverified",
            "getStatus",
            b'{"title":"NUMBER_ON_FIRE","details":"at 5611"}',
            Sample("getStatus", "unknown_token", ("NUMBER_ON_FIRE",), "{details: text, title: text}"),
        ),
        (
            "smsman",
            "get-sms",
            b'{"error_code":"come_back","error_msg":"later"}',
            Sample("get-sms", "unknown_error_code", ("come_back",), "{error_code: text, error_msg: text}"),
        ),
        (
            "smsman",
            "get-sms",
            b'{"request_id":1,"sms_code":"5611","origin":"vk"}',
            Sample("get-sms", "unknown_key", ("origin",), "{origin: text, request_id: number, sms_code: text}"),
        ),
    ],
    ids=["new-key", "other-keys", "token", "code", "prose", "envelope", "error-code", "key-beside-a-code"],
)
def test_what_nobody_knew_is_named(provider: str, endpoint: str, body: bytes, sample: Sample):
    assert seen(provider, endpoint, body) == sample


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>maintenance</html>", 200), (b"", 200), (b'{"errors":[{"status":502}]}', 502), (b"down", 503)],
    ids=["html", "empty", "gateway", "prose"],
)
def test_a_provider_that_is_down_has_not_changed(body: bytes, status: int):
    assert seen("grizzlysms", "getStatusV2", body, status) is None


def test_the_names_of_countries_and_services_are_no_news():
    assert seen("grizzlysms", "getPrices", b'{"atlantis":{"newapp":{"cost":"1","count":2}}}') is None


def test_an_id_as_a_key_is_no_news():
    assert seen("grizzlysms", "getRentStatus", b'{"status":"success","values":{"17":{"text":"x"},"a1b2":{}}}') is None


def test_a_list_of_hundreds_of_rows_is_not_read_again():
    rows = b",".join(b'{"activationId":"1","mood":"good"}' for _ in range(1200))

    assert len(rows) > shapes.MOST_BYTES
    assert seen("grizzlysms", "getActiveActivations", b"[" + rows + b"]") is None


LETTERS = [chr(number) for number in range(97, 123)]
WIDE = json.dumps({one: {one + other: [{one: 1}] for other in LETTERS} for one in LETTERS}).encode()
HOSTILE = [
    b'{"sms":' * 5000 + b"1" + b"}" * 5000,
    b"[" * 100_000,
    b"{" + b",".join(b'"k%s":1' % (b"a" * (n % 30) + b"b" * (n // 30)) for n in range(900)) + b"}",
    b"A" * 1_000_000,
    WIDE,
    b'{"a":"\xff\xfe"}',
]


@pytest.mark.parametrize("body", HOSTILE, ids=["deep", "brackets", "keys", "token", "wide", "bytes"])
@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_no_answer_makes_a_large_sample_or_an_error(provider: str, body: bytes):
    endpoint = "get-sms" if provider == "smsman" else "getStatus"
    sample = seen(provider, endpoint, body)

    assert sample is not None
    assert len(str(sample)) < 8192


SECRET = st.from_regex(r"[0-9+ -]{4,16}|[a-z]{3}[0-9]{2,6}|[A-Z]-[0-9]{6}|Your code is [0-9]{4}", fullmatch=True)


@given(st.recursive(SECRET, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SECRET, inner, max_size=3)))
def test_no_value_and_no_key_that_may_be_one_is_ever_kept(content: object):
    body = json.dumps({"sms": content, "error": content, "newKey": content}).encode()
    samples = [seen("grizzlysms", "getStatusV2", body), seen("smsman", "get-sms", body)]

    assert samples != [None, None]
    assert not any(character.isdigit() for sample in samples if sample for character in str(sample[1:]))
    assert "code is" not in str(samples)


async def test_the_clients_of_a_noticing_fetcher_show_their_answers():
    class Fetcher:
        async def get(self, url: URL) -> RawResponse:
            return RawResponse(200, {}, b'{"request_id":1,"sms_code":"5611","origin":"vk"}')

    noticed: list[Sample] = []
    fetcher = NoticingFetcher(Fetcher(), "smsman", noticed.append)
    client = PROVIDERS["smsman"](api_key=SecretStr("k"), base_url=None, fetcher=fetcher)

    assert await client.poll("activation", "1") == Last(SeenSms(code="5611"))
    assert [each.unknown for each in noticed] == [("origin",)]
