"""Any body to the callback endpoint: what is answered with 200 is on the bus, as an SMS or with its exact bytes."""

import base64
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from receiver.pingme import MOST_ELEMENTS
from schemas.messages import Message, SmsRejected
from tests.fuzz import material
from tests.fuzz.budget import TIMEOUT, fuzzed
from tests.fuzz.parts import PATH, Public, public
from tests.fuzz.promises import check_record
from tests.fuzz.wire import STATUSES, Reply, answer_to, is_problem

pytestmark = pytest.mark.timeout(TIMEOUT)

LARGEST: Final = 256 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Public]:
    with public() as opened:
        yield opened
        assert opened.complaints.all == []


def post(body: bytes, *lines: str, length: bool = True) -> bytes:
    size = [f"Content-Length: {len(body)}"] if length else []
    head = [f"POST {PATH} HTTP/1.1", "Host: sms.example.org", *size, *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Callback(NamedTuple):
    parts: list[bytes]
    body: bytes
    """What a parser must see of it, and a dead letter keep."""


@st.composite
def callbacks(draw: st.DrawFn) -> Callback:
    """A whole callback, however it is framed, packed and cut into segments; what says that it is gzip may be none."""
    body = draw(material.CALLBACK_BODIES)
    encoding = draw(st.sampled_from(("", "", "gzip", "deflate")))
    sent = material.packed(body, encoding)
    if encoding == "gzip" and len(body) <= LARGEST and draw(st.booleans()):
        sent = body = draw(st.sampled_from((b"\0" + body, sent[:-5])))
    lines = [f"Content-Type: {draw(st.sampled_from(('application/json', 'text/plain;charset=utf-16', 'a/b;x')))}"]
    lines += [f"Content-Encoding: {encoding}"] if encoding else []
    if draw(st.booleans()):
        lines.append("Transfer-Encoding: chunked")
        request = post(chunked(sent, draw(st.integers(1 + len(sent) // 50, 1 + len(sent)))), *lines, length=False)
    else:
        request = post(sent, *lines)
    cut = draw(st.integers(0, len(request)))
    return Callback([part for part in (request[:cut], request[cut:]) if part], body)


def ask(server: Public, callback: Callback) -> Reply:
    reply = answer_to(server, callback.parts)
    is_problem(reply, STATUSES)
    assert server.complaints.all == []
    return reply


def results(reply: Reply) -> list[dict[str, str]]:
    told = reply.json
    listed: list[dict[str, str]] = told.get("results", [told])
    return listed


def without_further_reasons(told: list[dict[str, str]]) -> set[tuple[str, str]]:
    """Return the answers, of the refusals the first: one dead letter stands for all bad elements of an array."""
    reasons = [each["reason"] for each in told if "reason" in each]
    return {("id", each["id"]) for each in told if "id" in each} | {("reason", each) for each in reasons[:1]}


def expected(messages: list[Message], body: bytes) -> set[tuple[str, str]]:
    """Return what the bus's messages must have been answered with; dead letters hold the exact bytes."""
    found = set()
    for message in messages:
        check_record(message)
        if isinstance(message, SmsRejected):
            assert base64.b64decode(message.body_base64 or "") == body
            assert message.reason != "internal_error"
            found.add(("reason", message.reason))
        else:
            found.add(("id", message.event_id))
    return found


@fuzzed(700)
@given(callback=callbacks())
def test_a_whole_callback_with_any_body_is_kept_as_an_sms_or_as_a_dead_letter(
    server: Public, callback: Callback
) -> None:
    server.bus.forget()

    first, second = ask(server, callback), ask(server, callback)

    event(f"{first.status} {first.json.get('reason', '')}")
    if len(callback.body) > LARGEST:
        assert (first.status, second.status, server.bus.messages) == (413, 413, [])
        return
    assert len(server.bus.messages) <= MOST_ELEMENTS
    told = [{name: value for name, value in result.items() if name != "status"} for result in results(first)]
    assert without_further_reasons(told) == expected(server.bus.messages, callback.body)
    assert [result["status"] for result in results(second)] == [
        "rejected" if "reason" in each else "duplicate" for each in told
    ]
    assert [result.get("id") for result in results(second)] == [each.get("id") for each in told]
