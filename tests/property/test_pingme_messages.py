"""The hot path makes messages without checking them. Checked, each is the same, byte for byte."""

import base64
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import pingme
from receiver.auth import Caller
from receiver.stages import VerifiedRequest
from schemas.messages import SmsReceived

CORPUS = Path(__file__).parents[1] / "corpus" / "wire.jsonl"
ROWS = [
    base64.b64decode(row["body_b64"])
    for row in map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    if (row["provider"], row["action"]) == ("pingme", "callback")
]
TEXT = st.text(st.characters(), max_size=30) | st.sampled_from([
    *["", " ", "\0", "\ud800", "u", "16470000000", "+1 (647) 000-0000", "WhatsApp", "22395", "código 111-222 é"],
    *["Your code is 5611", "2021-03-25T03:17:06.050Z", "1616642226050", "2021-03-25 11:17:06+08", "١٢٣٤٥٦٧٨"],
])  # fmt: skip
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUE = SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(TEXT, SCALAR, max_size=2)
NAMES = st.sampled_from(sorted(pingme.KNOWN)) | TEXT
CALLBACKS = st.dictionaries(NAMES, VALUE, max_size=9)


def assert_as_if_checked(body: bytes) -> int:
    request = VerifiedRequest("pingme", Caller("main", None), "", body, 1_700_000_000_000)
    made = [message for message in pingme.messages(request).messages if isinstance(message, SmsReceived)]
    for message in made:
        checked = SmsReceived(**message.__dict__)

        assert checked == message
        assert checked.to_json() == message.to_json()
        assert tuple(message.__dict__) == tuple(SmsReceived.model_fields)
    return len(made)


@pytest.mark.parametrize("body", ROWS)
def test_a_message_of_the_corpus_is_as_if_it_had_been_checked(body: bytes) -> None:
    assert_as_if_checked(body)


def test_the_corpus_makes_messages() -> None:
    assert sum(map(assert_as_if_checked, ROWS)) > 10


@given(st.lists(CALLBACKS, min_size=1, max_size=3))
def test_any_message_of_json_is_as_if_it_had_been_checked(callbacks: list[object]) -> None:
    assert_as_if_checked(json.dumps(callbacks).encode())


@given(st.dictionaries(NAMES, TEXT, max_size=9), st.binary(max_size=20))
def test_any_message_of_a_form_is_as_if_it_had_been_checked(form: dict[str, str], noise: bytes) -> None:
    assert_as_if_checked(urlencode(form, errors="replace").encode() + b"&text=a" + noise)
