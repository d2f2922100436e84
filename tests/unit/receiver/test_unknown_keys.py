"""Callbacks with keys that nobody knows: the SMS as ever, and one sample of them that says nothing."""

import base64
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.memory import MemoryBus
from bus.unknown_shapes import MOST, UnknownShapes
from receiver.auth import Caller
from receiver.intake import Intake
from receiver.metrics import ReceiverMetrics
from receiver.settings import PingMeAccount
from receiver.unknown_keys import sample, unknown
from schemas.messages import SmsReceived, SmsRejected

NOW_MS = 1_795_867_200_000
PLAIN = {
    "app": "jd",
    "from": "14160000000",
    "to": "16470000000",
    "userId": "xxx",
    "text": "[jd] code is 5611",
    "time": "2021-03-25T03:17:06.050Z",
}


class World:
    def __init__(self) -> None:
        self.bus, self.registry = MemoryBus(), CollectorRegistry()
        account = PingMeAccount(name="shop", tokens=(SecretStr("t" * 30),))
        self.intake = Intake(
            self.bus,
            [account],
            clock_ms=lambda: NOW_MS,
            metrics=ReceiverMetrics(self.registry),
            unknown_shapes=UnknownShapes(self.bus, self.registry, now_ms=lambda: NOW_MS),
        )

    def take(self, body: bytes, user_id: str | None = None) -> list[SmsReceived | SmsRejected]:
        caller = Caller("shop", user_id, "f")
        return self.intake.callbacks(self.intake.allowances["shop"], caller, "application/json", body).messages

    def samples(self) -> list[dict[str, object]]:
        letters = [each for each in self.bus.messages if isinstance(each, SmsRejected)]
        return [json.loads(base64.b64decode(letter.body_base64 or "")) for letter in letters]

    def count(self) -> float | None:
        return self.registry.get_sample_value("smsbus_unknown_shapes_total", {"provider": "pingme"})


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(PLAIN).encode(),
        json.dumps(PLAIN | {"to": 16470000000, "time": None}).encode(),
        json.dumps([PLAIN, PLAIN]).encode(),
        urlencode(PLAIN).encode(),
        b'{"text":"hello"}',
        b"",
        b"no callback",
        b'{"app":"jd"}',
    ],
    ids=["plain", "types", "array", "form", "fewer-keys", "empty", "prose", "no-text"],
)
async def test_what_is_documented_or_was_always_refused_is_no_news(body: bytes):
    world = World()
    world.take(body)

    assert (world.samples(), world.count()) == ([], 0)


async def test_a_new_key_is_an_sms_and_one_sample_however_often_it_comes():
    world = World()
    for number in range(500):
        [sms] = world.take(json.dumps(PLAIN | {"text": f"code {number}", "simSlot": {"no": number}}).encode())
        assert isinstance(sms, SmsReceived)

    shape = "{app: text, from: text, simSlot: {no: number}, text: text, time: text, to: text, userId: text}"
    assert world.samples() == [{"day": "2026-11-28", "unknown": ["simSlot"], "shape": shape}]
    assert world.count() == 500


async def test_a_renamed_text_is_a_dead_letter_as_ever_and_a_sample_that_names_it():
    world = World()
    renamed = {name: value for name, value in PLAIN.items() if name != "text"} | {"message": PLAIN["text"] * 1000}
    [letter] = world.take(json.dumps(renamed).encode())

    assert isinstance(letter, SmsRejected)
    assert letter.reason == "text_missing"
    assert [each["unknown"] for each in world.samples()] == [["message"]]


@pytest.mark.parametrize("key", ["user_id", "accountId", "sign", "token", "clientRef", "keyword", "fluid"])
async def test_a_new_key_is_news_whatever_it_is_called(key: str):
    world = World()
    [sms] = world.take(json.dumps(PLAIN | {key: "x"}).encode())

    assert isinstance(sms, SmsReceived)
    assert sms.provider_fields is None
    assert [each["unknown"] for each in world.samples()] == [[key]]


@pytest.mark.parametrize("value", ["x" * 3000, {"accountName": "x"}, [[["x"] * 500]]], ids=["long", "secret", "nested"])
async def test_a_new_key_is_news_whatever_its_value_is(value: object):
    world = World()
    world.take(json.dumps(PLAIN | {"mood": value}).encode())

    assert [each["unknown"] for each in world.samples()] == [["mood"]]


async def test_of_an_array_the_keys_of_all_elements_are_looked_at():
    world = World()
    world.take(json.dumps([PLAIN, PLAIN | {"foo": 1}, {"to": "1", "bar": 2}]).encode())

    assert [each["unknown"] for each in world.samples()] == [["bar", "foo"]]


async def test_a_user_id_that_is_missing_where_it_is_to_be_compared_is_news_and_the_sms_is_taken():
    world, renamed = World(), {"user_id" if name == "userId" else name: value for name, value in PLAIN.items()}
    [sms] = world.take(json.dumps(renamed).encode(), user_id="xxx")
    world.take(json.dumps([PLAIN, PLAIN | {"userId": None}]).encode(), user_id="xxx")
    world.take(json.dumps(PLAIN).encode(), user_id="xxx")
    world.take(json.dumps({"text": "hello"}).encode())

    assert isinstance(sms, SmsReceived)
    assert [(each["unknown"], each.get("missing")) for each in world.samples()] == [
        (["user_id"], ["userId"]),
        ([], ["userId"]),
    ]
    assert world.count() == 2


async def test_a_text_that_falls_apart_in_a_form_is_not_shown():
    world = World()
    [sms] = world.take(b"to=16470000000&text=you&Bob=&secret")

    assert isinstance(sms, SmsReceived)
    assert world.samples() == [{"day": "2026-11-28", "unknown": ["?"], "shape": "form"}]


async def test_keys_that_differ_only_in_what_is_not_shown_are_one_shape_and_hide_no_other():
    world = World()
    for number in range(MOST + 10):
        world.take(b"to=16470000000&text=you&Bob%d=&secret" % number)
        world.take(json.dumps(PLAIN | {f"order {number}": "x"}).encode())
    world.take(json.dumps(PLAIN | {"simSlot": 1}).encode())

    assert [each["unknown"] for each in world.samples()] == [["?"], ["?"], ["simSlot"]]


async def test_a_leaked_url_makes_few_records():
    world = World()
    for number in range(2000):
        key = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        world.take(json.dumps(PLAIN | {f"k_{key}": 1}).encode())

    assert len(world.samples()) == MOST
    assert world.count() == 2000


NUMBER_OR_WORDS = st.from_regex(r"[0-9]{4,16}|[a-z]{3}[0-9]{2,6}|two words|[A-Za-z0-9]{40}", fullmatch=True)


@given(st.dictionaries(NUMBER_OR_WORDS, NUMBER_OR_WORDS, min_size=1, max_size=5), st.booleans())
def test_no_value_and_no_key_that_may_be_one_is_ever_kept(extra: dict[str, str], in_a_form: bool):
    content = PLAIN | extra | {"newKey": "two words 4711"}
    body = urlencode(content).encode() if in_a_form else json.dumps(content).encode()

    kept = json.dumps(sample(unknown(extra.keys() | {"newKey"}, body, lacks_user=False), body))

    assert not any(character.isdigit() for character in kept)
    assert "words" not in kept
    assert ("newKey" in kept) is not in_a_form
