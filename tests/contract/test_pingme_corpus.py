"""PingMe's manual as a table: each callback of the corpus, posted to a receiver that listens."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.memory import MemoryBus
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from schemas.messages import SmsReceived, SmsRejected

CORPUS = Path(__file__).parents[1] / "corpus" / "wire.jsonl"
ROWS = {
    row["n"]: row
    for row in map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    if (row["provider"], row["action"]) == ("pingme", "callback")
}
TOKEN = "corpus-token-0123456789"
NOW_MS = 1_700_000_000_000
DOCUMENTED_TIME = "2021-03-25T03:17:06.050Z"

# Row 236 has another userId than the rest of the corpus, and is no mismatch: its account does not check it.
UNCHECKED = {236}

SMS: dict[int, dict[str, Any]] = {
    233: {
        "service": "jd",
        "sender": "+14160000000",
        "sender_kind": "phone",
        "recipient": "+16470000000",
        "recipient_raw": "16470000000",
        "text": "[jd] code is 5611",
        "code": "5611",
        "code_source": "extracted",
        "provider_time": DOCUMENTED_TIME,
        "provider_time_basis": "stated",
        "provider_fields": None,
    },
    234: {"text": "[jd] code is 5611"},
    236: {"sender_raw": "14160000000", "recipient_raw": "16470000000", "recipient": "+16470000000", "code": "5611"},
    237: {"sender": "WhatsApp", "sender_raw": "WhatsApp", "sender_kind": "alphanumeric", "code": "111-222"},
    240: {"provider_time": "2021-03-25T03:17:06.050Z", "provider_time_raw": "1616642226050"},
    241: {"provider_time": None, "provider_time_raw": "2021-03-25 11:17:06", "provider_time_basis": None},
    242: {"provider_time": DOCUMENTED_TIME, "provider_time_raw": "2021-03-25T11:17:06.050+0800"},
    243: {"text": "验证码 5611 😀\r\nline2", "code": "5611", "provider_fields": {"extra": '{"x":"1"}'}},
    245: {"text": "", "code": None, "code_source": None},
    248: {"text": "[jd] code is 5611", "recipient": "+16470000000"},
    249: {"text": "[jd] code is 5611"},
    257: {"recipient_raw": "2", "recipient": None, "sender": None, "sender_kind": None, "service": None},
}
REJECTED: dict[int, tuple[str, str]] = {
    244: ("normalize", "user_mismatch"),
    247: ("parse", "not_json"),
    252: ("normalize", "text_missing"),
    253: ("parse", "body_empty"),
    256: ("parse", "not_an_object"),
    259: ("normalize", "text_not_a_string"),
}


def test_every_callback_of_the_corpus_stands_in_a_table() -> None:
    expected = {n: "rejected" if n in REJECTED else "duplicate" if n == 234 else "sms" for n in (*SMS, *REJECTED)}

    assert {n: row["expect"] for n, row in ROWS.items()} == expected


@asynccontextmanager
async def open_receiver(bus: MemoryBus, *, user_id: str | None) -> AsyncIterator[str]:
    account = PingMeAccount(name="main", tokens=(SecretStr(TOKEN),), user_id=user_id)
    settings = ReceiverSettings(host="127.0.0.1", port=0)
    receiver = CallbackServer(
        bus, [account], settings, clock_ms=lambda: NOW_MS, metrics=ReceiverMetrics(CollectorRegistry())
    )
    await receiver.start()
    try:
        yield f"http://127.0.0.1:{receiver.port}/v1/pingme/{TOKEN}"
    finally:
        await receiver.stop(1.0)


async def post(url: str, n: int) -> dict[str, Any]:
    row = ROWS[n]
    headers = {"Content-Type": row["content_type"], **row["headers"]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=base64.b64decode(row["body_b64"]), headers=headers) as response,
    ):
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


def user_of(n: int) -> str | None:
    return None if n in UNCHECKED else "xxx"


@pytest.mark.parametrize("n", SMS, ids=lambda n: f"{n}: {ROWS[n]['meaning']}")
async def test_an_sms_of_the_corpus_is_published_as_the_table_says(n: int) -> None:
    bus = MemoryBus()
    async with open_receiver(bus, user_id=user_of(n)) as url:
        answer = await post(url, n)

    (message,) = bus.messages
    assert isinstance(message, SmsReceived)
    assert answer == {"status": "accepted", "id": message.id}
    assert {name: getattr(message, name) for name in SMS[n]} == SMS[n]


async def test_a_byte_identical_redelivery_answers_duplicate_with_the_same_id() -> None:
    bus = MemoryBus()
    async with open_receiver(bus, user_id="xxx") as url:
        first = await post(url, 233)
        second = await post(url, 234)

    assert (first["status"], second) == ("accepted", {"status": "duplicate", "id": first["id"]})
    assert len(bus.messages) == 1


@pytest.mark.parametrize("n", [248, 249], ids=["as a form", "as text/plain"])
async def test_the_documented_sample_is_the_same_sms_however_it_is_sent(n: int) -> None:
    bus = MemoryBus()
    async with open_receiver(bus, user_id="xxx") as url:
        first = await post(url, 233)
        second = await post(url, n)

    assert second == {"status": "duplicate", "id": first["id"]}


async def test_what_every_callback_has_in_common() -> None:
    bus = MemoryBus()
    async with open_receiver(bus, user_id="xxx") as url:
        await post(url, 233)

    (message,) = bus.messages
    assert isinstance(message, SmsReceived)
    assert (message.provider, message.account, message.received_via) == ("pingme", "main", "callback")
    assert (message.message_type, message.freshness, message.observed_at) == ("sms", "live", "2023-11-14T22:13:20.000Z")
    assert [message.order_kind, message.order_id, message.watch_id, message.client_ref, message.sequence] == [None] * 5


@pytest.mark.parametrize("n", REJECTED, ids=lambda n: f"{n}: {ROWS[n]['meaning']}")
async def test_a_poison_body_of_the_corpus_becomes_a_dead_letter_and_a_200(n: int) -> None:
    bus = MemoryBus()
    async with open_receiver(bus, user_id=user_of(n)) as url:
        answer = await post(url, n)

    (message,) = bus.messages
    assert isinstance(message, SmsRejected)
    assert (message.stage, message.reason) == REJECTED[n]
    assert answer == {"status": "rejected", "reason": message.reason}
    assert (message.body_base64, message.body_complete) == (ROWS[n]["body_b64"], True)
