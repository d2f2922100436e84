"""Whatever comes, nobody can tell from outside whether the fast lane is on: answers, messages, counts, connections.

Real sockets, on asyncio and on uvloop, to two receivers on equal buses. A difference is a bug of the lane.
"""

import asyncio
import base64
import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp.hdrs
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.budget import fuzzed
from tests.paired_servers import (
    MAX_BODY,
    ODD_TOKEN,
    OTHER,
    PATH,
    TOKEN,
    Conversation,
    PairedServers,
    Steps,
    paired_servers,
    post,
)

pytestmark = pytest.mark.usefixtures("no_collections")  # their time is charged to the account

CORPUS = Path(__file__).parents[1] / "corpus" / "wire.jsonl"
ROWS = [
    row
    for row in map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    if (row["provider"], row["action"]) == ("pingme", "callback")
]
GOOD = json.dumps({"userId": "u", "from": "22395", "to": "16470000000", "text": "code is 5611"}).encode()
SECOND = json.dumps({"to": "16470000001", "text": "the second"}).encode()
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class ServersOnLoop:
    """Both receivers on a loop that outlives the tests of this module."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._stack = AsyncExitStack()
        self.pair: PairedServers = runner.run(self._stack.enter_async_context(paired_servers()))

    def both(self, steps: Steps, **bus: Any) -> tuple[Conversation, Conversation]:
        return self._runner.run(self.pair.both(steps, **bus))

    def hear(self, senders: list[socket.socket]) -> list[bytes]:
        """What each is told first. Then they are gone."""
        return self._runner.run(first_answers(senders))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())


async def first_answers(senders: list[socket.socket]) -> list[bytes]:
    said = []
    for sender in senders:
        sender.setblocking(False)
        said.append(await asyncio.get_running_loop().sock_recv(sender, 1024))
        sender.close()
    return said


@pytest.fixture(scope="module", params=[pytest.param("asyncio", marks=pytest.mark.long), "uvloop"])
def servers(request: pytest.FixtureRequest) -> Iterator[ServersOnLoop]:
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        servers = ServersOnLoop(runner)
        yield servers
        servers.close()


def lines_of(request: bytes, *, instead: str, of: str) -> bytes:
    assert of.encode() in request
    return request.replace(of.encode(), instead.encode("utf-8", "surrogateescape"), 1)


def chunked(body: bytes, *lines: str) -> bytes:
    whole = post(body, "Transfer-Encoding: chunked", *lines)
    head, _, _ = whole.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


PLAIN = post(GOOD)
HOST, LENGTH, START = "Host: sms.example.org\r\n", f"Content-Length: {len(GOOD)}", f"POST {PATH} HTTP/1.1\r\n"
TRICKS: dict[str, bytes] = {
    "plain": PLAIN,
    "two lengths that agree": post(GOOD, LENGTH),
    "two lengths that do not": post(GOOD, "Content-Length: 3"),
    "a list of lengths": lines_of(PLAIN, of=LENGTH, instead=f"{LENGTH}, {len(GOOD)}"),
    "a length with a sign": lines_of(PLAIN, of=LENGTH, instead=f"Content-Length: +{len(GOOD)}"),
    "a negative length": post(GOOD, length=-1),
    "a length with zeros in front": lines_of(PLAIN, of=LENGTH, instead=f"Content-Length: 000{len(GOOD)}"),
    "a hexadecimal length": lines_of(PLAIN, of=LENGTH, instead="Content-Length: 0x10"),
    "a length with an underscore": lines_of(PLAIN, of=LENGTH, instead="Content-Length: 1_0"),
    "a length of other digits": lines_of(PLAIN, of=LENGTH, instead="Content-Length: ٣"),
    "a length with blanks around": lines_of(PLAIN, of=LENGTH, instead=f"Content-Length:   {len(GOOD)}  "),
    "a length with a tab": lines_of(PLAIN, of=LENGTH, instead=f"Content-Length:\t{len(GOOD)}\t"),
    "a length with blanks in it": lines_of(PLAIN, of=LENGTH, instead="Content-Length: 1 0"),
    "no length": lines_of(PLAIN, of=f"{LENGTH}\r\n", instead=""),
    "no length and no body": post(b"", length=0).replace(b"Content-Length: 0\r\n", b""),
    "an empty length": lines_of(PLAIN, of=LENGTH, instead="Content-Length: "),
    "a length of nothing": post(b"", length=0),
    "a length of nothing and a body": post(GOOD, length=0),
    "a length that is too short": post(GOOD, length=len(GOOD) - 5),
    "a length that is too long": post(GOOD, length=len(GOOD) + 5),
    "a length beyond 64 bits": post(GOOD, length=2**64 + len(GOOD)),
    "a length beyond 32 bits": post(GOOD, length=2**32 + len(GOOD)),
    "a body of the limit": post(GOOD.ljust(MAX_BODY)),
    "a body over the limit": post(GOOD.ljust(MAX_BODY + 1)),
    "a length over the limit without a body": post(b"", length=MAX_BODY + 1),
    "chunks": chunked(GOOD).replace(LENGTH.encode() + b"\r\n", b""),
    "chunks and a length": chunked(GOOD),
    "chunks that are spelled oddly": lines_of(chunked(GOOD), of="chunked", instead="\x0bchunked"),
    "chunks twice": chunked(GOOD, "Transfer-Encoding: chunked"),
    "an identity transfer encoding": post(GOOD, "Transfer-Encoding: identity"),
    "a transfer encoding that hides behind a blank": post(GOOD, "Transfer-Encoding : chunked"),
    "a transfer encoding that hides behind a fold": post(GOOD, "X-A: b\r\n Transfer-Encoding: chunked"),
    "a transfer encoding that hides in capitals": post(GOOD, "tRANSFER-eNCODING: chunked"),
    "a folded line": post(GOOD, "X-A: b\r\n  c"),
    "a folded first line": lines_of(PLAIN, of="Host", instead=" Host"),
    "a line that ends with LF": lines_of(PLAIN, of="example.org\r\n", instead="example.org\n"),
    "a head that ends with LF LF": lines_of(PLAIN, of="\r\n\r\n", instead="\n\n"),
    "lines that all end with LF": PLAIN.replace(b"\r\n", b"\n"),
    "a bare CR in a value": post(GOOD, "X-A: b\rc"),
    "a CR before the name": post(GOOD, "\rX-A: b"),
    "a NUL in a value": post(GOOD, "X-A: b\0c"),
    "a NUL in a name": post(GOOD, "X\0A: b"),
    "a NUL in the target": post(GOOD, target=PATH + "\0"),
    "a control character in a value": post(GOOD, "X-A: \x01\x7f"),
    "a form feed in a value": post(GOOD, "X-A: \x0c"),
    "UTF-8 in a value": post(GOOD, "X-A: é"),
    "Latin-1 in a value": post(GOOD, "X-A: \udce9"),
    "UTF-8 in a name": post(GOOD, "X-é: a"),
    "UTF-8 in the content type": post(GOOD, "Content-Type: é"),
    "a tab in a value": post(GOOD, "X-A: b\tc\t"),
    "an empty value": post(GOOD, "X-A:"),
    "a value of blanks": post(GOOD, "X-A:     "),
    "no blank before a value": post(GOOD, "X-A:b"),
    "blanks around a value": post(b"[", "Content-Type:    text/plain   "),
    "a blank before the colon": post(GOOD, "X-A : b"),
    "a line without a colon": post(GOOD, "X-A"),
    "a line without a name": post(GOOD, ": b"),
    "a name of marks": post(GOOD, "!#$%&'*+-.^_`|~: b"),
    "a name that is quoted": post(GOOD, '"X": b'),
    "a name with brackets": post(GOOD, "X(A): b"),
    "no host": lines_of(PLAIN, of=HOST, instead=""),
    "an empty host": lines_of(PLAIN, of="sms.example.org", instead=""),
    "two hosts": post(GOOD, "Host: sms.example.org"),
    "an odd host": lines_of(PLAIN, of="sms.example.org", instead="[::1:%zz"),
    "two content types": post(GOOD, "Content-Type: a/b", "Content-Type: a/b"),
    "two user agents": post(GOOD, "User-Agent: a", "user-agent: a"),
    "two others": post(GOOD, "X-Forwarded-For: a", "X-Forwarded-For: b"),
    "an expectation": post(GOOD, "Expect: 100-continue"),
    "another expectation": post(GOOD, "Expect: the-inquisition"),
    "a last request": post(GOOD, "Connection: close"),
    "a last request in capitals": post(GOOD, "CONNECTION: CLOSE"),
    "a last request in a list": post(GOOD, "Connection: keep-alive, close"),
    "a kept connection": post(GOOD, "Connection: keep-alive"),
    "a kept connection in capitals": post(GOOD, "Connection: Keep-Alive"),
    "a kept and closed connection": post(GOOD, "Connection: keep-alive", "Connection: close"),
    "a connection that names a header": post(GOOD, "Connection: content-length"),
    "an old proxy's connection": post(GOOD, "Proxy-Connection: close"),
    "an upgrade to a websocket": post(GOOD, "Connection: upgrade", "Upgrade: websocket"),
    "an upgrade to HTTP/2": post(GOOD, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM"),
    "an upgrade without a connection": post(GOOD, "Upgrade: websocket"),
    "gzip": post(gzip.compress(GOOD, mtime=0), "Content-Encoding: gzip"),
    "gzip that is none": post(GOOD, "Content-Encoding: gzip"),
    "an unknown coding": post(GOOD, "Content-Encoding: br"),
    "an identity coding": post(GOOD, "Content-Encoding: identity"),
    "an old websocket": post(GOOD, "Sec-WebSocket-Key1: a"),
    "another method": lines_of(PLAIN, of="POST", instead="PUT"),
    "another method with a word in capitals": lines_of(PLAIN, of="POST", instead="PRI"),
    "a method in small letters": lines_of(PLAIN, of="POST", instead="post"),
    "a method with a blank in front": b" " + PLAIN,
    "no method": lines_of(PLAIN, of="POST ", instead=""),
    "a GET with a request as its body": lines_of(post(post(GOOD)), of="POST", instead="GET"),
    "an override of the method": post(GOOD, "X-HTTP-Method-Override: GET"),
    "a GET": f"GET {PATH} HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a GET with a body": lines_of(PLAIN, of="POST", instead="GET"),
    "a GET with a length of nothing": f"GET {PATH} HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n".encode(),
    "a HEAD": f"HEAD {PATH} HTTP/1.1\r\n{HOST}\r\n".encode(),
    "livez": f"GET /livez HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a websocket's GET": f"GET {PATH} HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode(),
    "HTTP/1.0": lines_of(PLAIN, of="1.1", instead="1.0"),
    "HTTP/1.0 that stays": lines_of(post(GOOD, "Connection: keep-alive"), of="1.1", instead="1.0"),
    "HTTP/1.2": lines_of(PLAIN, of="1.1", instead="1.2"),
    "HTTP/2.0": lines_of(PLAIN, of="1.1", instead="2.0"),
    "HTTP/0.9": f"POST {PATH}\r\n\r\n".encode(),
    "http in small letters": lines_of(PLAIN, of="HTTP", instead="http"),
    "two blanks in the first line": lines_of(PLAIN, of=" HTTP", instead="  HTTP"),
    "a tab in the first line": lines_of(PLAIN, of=" HTTP", instead="\tHTTP"),
    "a blank behind the first line": lines_of(PLAIN, of="1.1\r\n", instead="1.1 \r\n"),
    "an empty line in front": b"\r\n" + PLAIN,
    "empty lines in front": b"\r\n\r\n" + PLAIN,
    "an LF in front": b"\n" + PLAIN,
    "an absolute target": post(GOOD, target=f"http://sms.example.org{PATH}"),
    "an absolute target elsewhere": post(GOOD, target=f"https://u:p@other:1{PATH}"),
    "an absolute target that is broken": post(GOOD, target=f"http://[::1{PATH}"),
    "an authority as target": post(GOOD, target="sms.example.org:80"),
    "a target that is percent-encoded": post(GOOD, target=PATH.replace("d", "%64", 1)),
    "a token that is percent-encoded": post(GOOD, target=PATH.replace("shop", "%73hop")),
    "a token with an encoded slash": post(GOOD, target=PATH + "%2f"),
    "a target with a query": post(GOOD, target=PATH + "?a=b"),
    "a target with a fragment": post(GOOD, target=PATH + "#a"),
    "a target with an empty query": post(GOOD, target=PATH + "?"),
    "a target with dots": post(GOOD, target=f"/v1/./pingme/{TOKEN}"),
    "a target with two slashes": post(GOOD, target="/" + PATH),
    "a target in capitals": post(GOOD, target=PATH.upper()),
    "a target with a slash behind": post(GOOD, target=PATH + "/"),
    "a target with parameters": post(GOOD, target=PATH + ";a=b"),
    "a target with a plus": post(GOOD, target=PATH + "+"),
    "a target with UTF-8": post(GOOD, target=PATH + "é"),
    "a token of dots": post(GOOD, target=f"/v1/pingme/{ODD_TOKEN}"),
    "a token of all characters": post(GOOD, target=f"/v1/pingme/{OTHER}"),
    "a token of nobody": post(GOOD, target=f"/v1/pingme/{TOKEN}x"),
    "a token that is too long": post(GOOD, target=f"/v1/pingme/{'x' * 129}"),
    "no token": post(GOOD, target="/v1/pingme/"),
    "no token and no slash": post(GOOD, target="/v1/pingme"),
    "another route": post(GOOD, target="/v2/pingme/x"),
    "a star": lines_of(post(GOOD, target="*"), of="POST", instead="OPTIONS"),
    "a head of 4 KiB": post(GOOD, "X-A: " + "a" * 3950),
    "a head over 4 KiB": post(GOOD, "X-A: " + "a" * 4000),
    "a head of 20 kB": post(GOOD, "X-A: " + "a" * 20_000),
    "a target of 9 kB": post(GOOD, target=PATH + "?" + "a" * 9000),
    "60 lines": post(GOOD, *(f"X-{n}: a" for n in range(60))),
    "65 lines": post(GOOD, *(f"X-{n}: a" for n in range(65))),
    "140 lines": post(GOOD, *(f"X-{n}: a" for n in range(140))),
    "two at once": PLAIN + post(SECOND),
    "three at once": PLAIN + post(SECOND) + PLAIN,
    "one and a half": PLAIN + post(SECOND)[:-9],
    "one and a half head": PLAIN + post(SECOND)[:30],
    "one and noise": PLAIN + b"\0noise\r\n\r\n",
    "one and an empty line": PLAIN + b"\r\n",
    "one and a GET": PLAIN + f"GET {PATH} HTTP/1.1\r\n{HOST}\r\n".encode(),
    "a GET and one": f"GET {PATH} HTTP/1.1\r\n{HOST}\r\n".encode() + PLAIN,
    "a request in a body": post(PLAIN),
    "a request in a body that a wrong length frees": post(PLAIN, length=1),
    "an array": post(b"[%b,%b,{}]" % (GOOD, SECOND)),
    "an array behind a byte order mark": post(b"\xef\xbb\xbf [%b,%b]" % (GOOD, GOOD)),
    "an empty array": post(b"[]"),
    "nothing but blanks": post(b"   "),
    "a form": post(b"to=1&text=a", "Content-Type: application/x-www-form-urlencoded"),
    "no callback": post(b"<xml/>", "Content-Type: text/xml; <odd>"),
    "another user": post(b'{"userId":"x","text":"a"}'),
    "a byte that is no UTF-8": post(b'{"text":"caf\xe9"}'),
    "half a surrogate": post(b'{"text":"\\ud83d","to":"\\ude00","x":"\\ud800"}'),
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "HTTP/2 with prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "a proxy's line in front": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + PLAIN,
    **{f"row {row['n']} of the corpus": post(base64.b64decode(row["body_b64"])) for row in ROWS},
}


def segmented(request: bytes) -> Iterator[tuple[str, Steps]]:
    """The ways in which a request may arrive, each with a second one behind it, at once or after the answer."""
    behind, (head, end, body) = post(SECOND), request.partition(b"\r\n\r\n")
    yield "alone", [[request]]
    yield "before another", [[request], [behind], [PLAIN]]
    yield "behind another", [[PLAIN], [request], [behind]]
    yield "with the next", [[request + behind]]
    yield "with the next close behind", [[request, behind, PLAIN]]
    yield "in two halves", [[request[: len(request) // 2], request[len(request) // 2 :]], [behind]]
    yield "head and body", [[head + end, body], [behind]]
    yield "head, then body", [[head + end], [body[:5]], [body[5:]], [behind]]
    yield "body with the next", [[head + end], [body + behind], [PLAIN]]
    if len(request) < 1000:
        yield "byte by byte", [[bytes([byte]) for byte in request], [behind]]
        yield "body byte by byte", [[head + end, *(bytes([byte]) for byte in body)], [behind]]


@pytest.mark.parametrize("what", TRICKS)
def test_a_trick_does_the_same_on_both_roads(servers: ServersOnLoop, what: str) -> None:
    for how, steps in segmented(TRICKS[what]):
        for turns in (0, 7):
            fast, slow = servers.both(steps, turns=turns)

            assert fast == slow, how


@pytest.mark.parametrize("name", sorted({str(name) for name in vars(aiohttp.hdrs).values() if isinstance(name, str)}))
def test_no_header_that_aiohttp_knows_means_something_else_here(servers: ServersOnLoop, name: str) -> None:
    for value in ("1", "close", "chunked", "websocket", "100-continue", "gzip", "a, b", '"'):
        fast, slow = servers.both([[post(GOOD, f"{name}: {value}")], [post(SECOND)]])

        assert fast == slow, value


@pytest.mark.parametrize(
    "what", ["plain", "a form", "no callback", "an array", "two at once", "chunks", "head and body"]
)
def test_a_bus_that_promises_nothing_is_503_on_both_roads(servers: ServersOnLoop, what: str) -> None:
    head, end, body = PLAIN.partition(b"\r\n\r\n")
    request = [TRICKS[what]] if what in TRICKS else [head + end, body]

    fast, slow = servers.both([request, [post(SECOND)]], full=True, turns=3)

    assert fast == slow
    assert fast.said.count(b"HTTP/1.1 503") >= 2


def test_the_fast_lane_takes_what_it_is_there_for(servers: ServersOnLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, a lane that takes nothing would pass all the others."""

    async def nobody(request: object) -> None:
        raise AssertionError

    monkeypatch.setattr(servers.pair.fast.receiver._server, "request_handler", nobody)
    head, end, body = post(GOOD, "Connection: keep-alive", "X-Request-Id: 1").partition(b"\r\n\r\n")

    fast, slow = servers.both([[PLAIN], [head + end, body[:9], body[9:]], [post(b"{}"), post(SECOND)]], turns=5)

    assert fast == slow
    assert fast.said.count(b"HTTP/1.1 200") == 4


def test_what_aiohttp_had_to_answer_ends_the_fast_lane_for_nobody(
    servers: ServersOnLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = counting(servers, monkeypatch)
    array = post(b"[%b]" % GOOD)

    fast, slow = servers.both([[array], [PLAIN], [array], [post(SECOND)]])

    assert fast == slow
    assert fast.said.count(b"HTTP/1.1 200") == 4
    assert len(served) == 2 + 4  # the arrays; all of the receiver without a fast lane


def test_a_first_callback_that_came_with_its_connection_has_the_fast_lane(
    servers: ServersOnLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = counting(servers, monkeypatch)
    early = [socket.create_connection(("127.0.0.1", servers.pair.fast.receiver.port)) for _ in range(50)]
    for sender in early:
        sender.sendall(PLAIN)

    heard = servers.hear(early)

    assert [said[:12] for said in heard] == [b"HTTP/1.1 200"] * 50
    assert not served


def counting(servers: ServersOnLoop, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What aiohttp answers at either receiver from now on."""
    served: list[object] = []
    for side in (servers.pair.fast, servers.pair.slow):
        answer = side.receiver._server.request_handler

        async def counted(request: Any, answer: Any = answer) -> Any:
            served.append(request)
            return await answer(request)

        monkeypatch.setattr(side.receiver._server, "request_handler", counted)
    return served


# ---- generated conversations ----------------------------------------------------------------------------------

TARGETS = st.sampled_from([
    *[PATH] * 12,
    f"/v1/pingme/{OTHER}",
    PATH + "x",
    PATH + "?q",
    PATH.replace("k", "%6b"),
    f"http://h{PATH}",
    "/livez",
    "/",
    "*",
])  # fmt: skip
FIELDS = st.sampled_from([
    *["User-Agent: a", "Accept: */*", "Content-Type: application/json", "X-Request-Id: 1"] * 3,
    *["Connection: keep-alive", "connection: Keep-Alive", "Accept-Encoding: gzip", "Cookie: a=b"] * 2,
    "Connection: close",
    "Connection: Upgrade\r\nUpgrade: websocket",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Content-Encoding: gzip",
    "Content-Length: 5",
    "Host: b",
    "X-A: b\r\n c",
    "X-A:\tb ",
])  # fmt: skip
FIELD = st.text(max_size=8)
CALLBACKS = st.dictionaries(
    st.sampled_from(["userId", "app", "from", "to", "text", "time", "extra"]),
    st.none() | st.booleans() | st.integers() | FIELD | st.just("u") | st.lists(FIELD, max_size=1),
    max_size=7,
).map(lambda callback: json.dumps(callback).encode())
BODIES = (
    st.sampled_from([GOOD] * 4 + [SECOND, b"", b"[]", b"text=a&to=1", b"{", b"0\r\n\r\n", post(SECOND)])
    | CALLBACKS
    | st.lists(CALLBACKS, max_size=3).map(lambda some: b"[" + b",".join(some) + b"]")
    | st.binary(max_size=40)
)
NOISE = st.sampled_from([
    *[b"", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b",", b"0", b"1", b"%", b"\xff", b"\x0b"],
    *[b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"GET ", b"a"],
])  # fmt: skip


PLAIN_FIELDS = st.lists(
    st.sampled_from(["User-Agent: a", "Content-Type: text/plain", "Connection: keep-alive", "X-Request-Id: 1"]),
    max_size=3,
    unique=True,
)
PLAIN_REQUESTS = st.builds(lambda body, lines: post(body, *lines), BODIES, PLAIN_FIELDS) | st.just(PLAIN)


@st.composite
def odd_requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from([*["POST"] * 15, "GET", "HEAD", "PUT", "post"]))
    version = draw(st.sampled_from([*["1.1"] * 15, "1.0", "1.2", "2"]))
    body = b"" if method in {"GET", "HEAD"} and draw(st.booleans()) else draw(BODIES)
    fields = draw(st.lists(FIELDS, max_size=4)) if draw(st.booleans()) else []
    if body or draw(st.booleans()):
        fields.append(f"Content-Length: {len(body) + draw(st.sampled_from([*[0] * 20, 1, -1, 7]))}")
    fields.insert(draw(st.integers(0, len(fields))), "Host: a")
    if draw(st.integers(0, 15)) == 15:
        fields.remove("Host: a")
    return "\r\n".join([f"{method} {draw(TARGETS)} HTTP/{version}", *fields, "", ""]).encode() + body


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    request = draw(PLAIN_REQUESTS | odd_requests())
    for _ in range(draw(st.sampled_from([1, 1, 2, 4]))):
        at = draw(st.integers(0, len(request)))
        request = request[:at] + draw(NOISE) + request[at + draw(st.integers(0, 2)) :]
    return request


@st.composite
def segments_of(draw: st.DrawFn, request: bytes) -> list[bytes]:
    behind_head = min(request.find(b"\r\n\r\n") + 4, len(request))
    place = st.sampled_from([behind_head, (behind_head + len(request)) // 2, 1]) | st.integers(0, len(request))
    cuts = sorted(draw(st.lists(place, max_size=3)))
    return [request[start:end] for start, end in zip([0, *cuts], [*cuts, len(request)], strict=True)]


@st.composite
def conversations(draw: st.DrawFn) -> list[list[bytes]]:
    """Requests, cut anywhere, sent at once or after the answers to what came before. Oddness ends most lanes: last."""
    some = draw(st.lists(PLAIN_REQUESTS, max_size=3)) + draw(st.lists(odd_requests() | mutilated(), max_size=2))
    some = draw(st.permutations(some)) if draw(st.integers(0, 3)) == 3 else some
    steps: list[list[bytes]] = [[]]
    for request in some:
        segments = draw(segments_of(request)) if draw(st.booleans()) else [request]
        if draw(st.booleans()):
            steps.append([])
        steps[-1] += [b"".join(segments)] if draw(st.integers(0, 3)) == 3 else segments
    if draw(st.integers(0, 7)) == 7:
        steps = [[b"".join(segments)] for segments in steps]
    return steps


@fuzzed(500)
@given(steps=conversations(), turns=st.sampled_from([0, 1, 7]), full=st.sampled_from([False] * 7 + [True]))
def test_no_conversation_goes_otherwise(servers: ServersOnLoop, steps: Steps, turns: int, *, full: bool) -> None:
    fast, slow = servers.both(steps, turns=turns, full=full)

    assert fast == slow
