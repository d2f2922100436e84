"""Bytes that need not be HTTP to the receiver: well-formed answers or a closed line, and a receiver that goes on."""

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.fuzz import material
from tests.fuzz.budget import TIMEOUT, fuzzed
from tests.fuzz.parts import PATH, Public, public
from tests.fuzz.promises import check_record
from tests.fuzz.wire import STATUSES, is_problem, replies, said_to, takes_a_good_callback

pytestmark = pytest.mark.timeout(TIMEOUT)

METHODS: Final = ("POST",) * 20 + ("GET", "HEAD", "PUT", "OPTIONS", "CONNECT", "PRI", "post", "P\0ST", "\xff")
TARGETS: Final = (PATH,) * 20 + (
    f"{PATH}?a=%",
    f"{PATH}#x",
    f"http://sms.example.org{PATH}",
    PATH.replace("shop", "%73hop"),
    "/v1/pingme/wrong",
    "/v1/pingme/%ed%a0%80%zz",
    "/livez",
    "/" + "x" * 9000,
    "*",
    "http://[::1",
    "",
    "/\xe9 \0",
)
VERSIONS: Final = ("HTTP/1.1",) * 20 + ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1 ", "HTTP/9.9", "")
FINE: Final = (
    "Connection: close",
    "Connection: keep-alive",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==",
    "Transfer-Encoding: chunked",
    "Content-Encoding: gzip",
    "Content-Encoding: deflate",
    "Content-Encoding: br",
    "Content-Type: application/json; charset=utf-16",
    "Content-Type: multipart/form-data; boundary=",
    "Content-Type: \xff\xfe",
    "Expect: 100-continue",
    "Expect: the worst",
)
WRONG: Final = (
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: +7",
    f"Content-Length: {'9' * 40}",
    "Content-Length: 7, 7",
    "Content-Encoding: br\xff",
    "Host: again",
    f"A: {'x' * 9000}",
    f"{'x' * 9000}: a",
    "A: b\r\n folded",
    "A : b",
    ": b",
    "no colon",
    "A: \0",
    "\r\nA: after the end",
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A head that may be wrong anywhere, and a body that may be shorter or longer than it says."""
    body = draw(material.CALLBACK_BODIES)
    odd = draw(st.lists(st.sampled_from(FINE * 6 + WRONG), max_size=2))
    if "Transfer-Encoding: chunked" in odd:
        end = draw(st.sampled_from((b"0\r\n\r\n",) * 4 + (b"zz\r\n", b"5\r\nhelloXX\r\n", b"")))
        body = b"%x\r\n%b\r\n%b" % (len(body), body, end)
    else:
        odd.append(f"Content-Length: {max(0, len(body) + draw(st.sampled_from((0,) * 10 + (-1, 1))))}")
    head = [draw(st.sampled_from(METHODS)), draw(st.sampled_from(TARGETS)), draw(st.sampled_from(VERSIONS))]
    return "\r\n".join([" ".join(head), "Host: sms.example.org", *odd]).encode("latin-1") + b"\r\n\r\n" + body


ONE: Final = requests() | material.mutilated(requests())


@st.composite
def segments(draw: st.DrawFn) -> list[bytes]:
    """Some requests behind one another on one line, mutilated or not, cut into segments anywhere, perhaps not whole."""
    said = b"".join(draw(st.lists(ONE, min_size=1, max_size=3))) or b"\0"
    cuts = sorted(draw(st.lists(st.integers(0, len(said)), max_size=3)))
    end = draw(st.sampled_from((len(said),) * 3 + (draw(st.integers(0, len(said))),)))
    return [part for start, stop in zip([0, *cuts], [*cuts, end], strict=True) if (part := said[start:stop])]


@pytest.fixture(scope="module")
def server() -> Iterator[Public]:
    with public(patience=0.1) as opened:
        yield opened
        assert opened.complaints.all == []


@fuzzed(700)
@given(parts=segments(), reset=st.sampled_from((False,) * 7 + (True,)))
def test_whatever_is_sent_each_answer_is_http_and_a_good_callback_is_taken_afterwards(
    server: Public, parts: list[bytes], reset: bool
) -> None:
    server.bus.forget()

    found = replies(said_to(server, parts, reset=reset))

    for number, reply in enumerate(found):
        event(str(reply.status))
        is_problem(reply, STATUSES | {100})
        assert reply.headers.get("Connection") != "close" or number == len(found) - 1
    for message in server.bus.messages:
        check_record(message)
    assert server.complaints.all == []
    assert takes_a_good_callback(server)
