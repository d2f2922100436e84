"""The strict check: a table of what is plain, and every way out of it."""

import pytest
from pydantic import SecretStr

from receiver.auth import Caller, Tokens
from receiver.request_head import LONGEST, MOST_FIELDS, NOBODY, ODD, REMEMBERED, Heads, RequestHead, parse_plain_head
from receiver.settings import PingMeAccount

TOKEN = "shop-token-0123456789"
START = f"POST /v1/pingme/{TOKEN} HTTP/1.1"
CALLBACK = RequestHead(TOKEN, "", 5)


def head(*lines: str, start: str = START, host: str = "Host: h", length: str = "Content-Length: 5") -> bytes:
    return "\r\n".join([line for line in (start, host, length, *lines) if line]).encode() + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("plain", "verdict"),
    [
        (head(), CALLBACK),
        (head("User-Agent: a", "Accept: */*", "X-Forwarded-For: 192.0.2.1, 192.0.2.2"), CALLBACK),
        (
            head("Content-Type: application/json; charset=utf-8"),
            RequestHead(TOKEN, "application/json; charset=utf-8", 5),
        ),
        (head("content-type:text/plain"), RequestHead(TOKEN, "text/plain", 5)),
        (head("Connection: keep-alive"), CALLBACK),
        (head("CONNECTION: Keep-Alive"), CALLBACK),
        (head(host="host: h", length="CONTENT-LENGTH:5"), CALLBACK),
        (head(length="Content-Length: 1234567890"), RequestHead(TOKEN, "", 1_234_567_890)),
        (head(start="POST /v1/pingme/A.b_c~d-9 HTTP/1.1"), RequestHead("A.b_c~d-9", "", 5)),
        (head(start="POST /v1/pingme/x/y HTTP/1.1"), RequestHead("", "", 5)),
        (head(start=f"POST /v1/pingme/{TOKEN}?a=b HTTP/1.1"), RequestHead("", "", 5)),
        (head(start=f"POST /v1/pingme/{TOKEN[1:]}%64 HTTP/1.1"), RequestHead("", "", 5)),
        (head(start=f"GET /v1/pingme/{TOKEN} HTTP/1.1", length=""), RequestHead("", "", 0)),
        (head(start="HEAD /livez HTTP/1.1", length=""), RequestHead("", "", 0)),
    ],
)
def test_a_plain_head_says_whose_it_is_and_where_it_ends(plain: bytes, verdict: RequestHead) -> None:
    assert parse_plain_head(plain) == verdict


@pytest.mark.parametrize("name", sorted(ODD))
def test_a_head_with_an_odd_field_is_not_plain(name: bytes) -> None:
    assert parse_plain_head(head(f"{name.decode().title()}: a")) is None


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"POS",
        head()[:-2],
        head() + b"a",
        b"\r\n" + head(),
        head(host=""),
        head("Host: h"),
        head("X-A: b", "x-a: c"),
        head("Content-Length: 5"),
        head(length=""),
        *[head(length=f"Content-Length: {length}") for length in ("0", "05", "+5", "-5", "5,5", "0x5", "5_0", "5 5")],
        head(length="Content-Length: 12345678901"),
        head(length="Content-Length:\t5"),
        head(length="Content-Length: 5 "),
        head(length="Content-Length : 5"),
        head(length="Content-Length:"),
        head("Connection: close"),
        head("Connection: keep-alive, x-a"),
        head("X-A: b\n"),
        head("X-A: b\rc"),
        head("X-A: b\0"),
        head("X-A: \x7f"),
        head("X-A: é"),
        head("X-A:  two blanks"),
        head("X-A:"),
        head("X-A"),
        head(": b"),
        head(" X-A: b"),
        head("X-A: b\r\n c"),
        head('"X": b'),
        head().replace(b"\r\n", b"\n"),
        *[
            head(start=start)
            for start in (
                START.lower(),
                START.replace("POST", "PUT"),
                START.replace("1.1", "1.0"),
                START.replace("1.1", "1.2"),
                START.replace(" ", "  "),
                START.replace(" ", "\t"),
                START + " ",
                START.replace("/v1", "http://h/v1"),
                START.replace("/v1", "v1"),
                START.replace(TOKEN, "a b"),
                START.replace(TOKEN, "é"),
                START.replace(TOKEN, "\0"),
                f"GET /v1/pingme/{TOKEN} HTTP/1.1",
            )
        ],
        head("X-A: " + "a" * LONGEST),
        head(*(f"X-{n}: a" for n in range(MOST_FIELDS))),
    ],
)
def test_every_other_head_is_not_plain(odd: bytes) -> None:
    assert parse_plain_head(odd) is None


def test_a_head_just_within_the_bounds_is_plain() -> None:
    short = head("X-A: ")

    assert parse_plain_head(head("X-A: " + "a" * (LONGEST - len(short)))) == CALLBACK
    assert parse_plain_head(head(*(f"X-{n}: a" for n in range(MOST_FIELDS - 2)))) == CALLBACK


def heads(*, max_body: int = 1024) -> Heads:
    accounts = [PingMeAccount(name="main", tokens=(SecretStr(TOKEN),), user_id="u")]
    return Heads(Tokens(accounts), max_body=max_body)


def test_a_head_with_a_valid_token_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    some = heads()
    first = some.known(head())
    monkeypatch.setattr("receiver.request_head.parse_plain_head", lambda _: pytest.fail("judged again"))

    assert some.known(head()) is first
    assert first is not None
    assert (first.caller, first.length) == (Caller("main", "u"), 5)


def test_a_stranger_cannot_make_it_remember_anything() -> None:
    some = heads()

    seen = [some.known(head(f"X-A: {n}", start=f"POST /v1/pingme/{TOKEN}x HTTP/1.1")) for n in range(100)]

    assert all(known is not None and known.caller is NOBODY for known in seen)
    assert some._remembered == {}


def test_a_sender_whose_heads_all_differ_fills_no_memory() -> None:
    some = heads()

    for n in range(3 * REMEMBERED):
        known = some.known(head(f"X-Request-Id: {n}"))
        assert known is not None
        assert known.caller.account == "main"

    assert 0 < len(some._remembered) <= REMEMBERED


def test_a_body_over_the_limit_is_not_ours() -> None:
    assert heads(max_body=4).known(head()) is None
    assert heads(max_body=5).known(head()) is not None
