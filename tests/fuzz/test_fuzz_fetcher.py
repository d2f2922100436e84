"""Any bytes for an HTTP answer: one answer that every parser reads, or one word; in time and within the limit."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from yarl import URL

from providers.http_client import MOST_REDIRECTS, FetchFailed, HttpClient, RawResponse
from tests.fuzz import material
from tests.fuzz.budget import TIMEOUT, fuzzed
from tests.fuzz.parts import Complaints
from tests.fuzz.test_fuzz_answers import PARSERS
from tests.loop_thread import LoopThread

pytestmark = pytest.mark.timeout(TIMEOUT)

KEY: Final = "planted-key-5e1f"
LIMIT: Final = 64 * 1024
SECONDS: Final = 0.5  # for one answer
GOOD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nSTATUS_WAIT_CODE"

STARTS: Final = (b"HTTP/1.1 200 OK",) * 12 + (
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    b"HTTP/1.1 999 ?",
    b"HTTP/3 200 OK",
    b"STATUS_OK:1111",
    b"",
)
PLACES: Final = (b"/again", b"http://127.0.0.1:1/", b"http://[::1", b"//", b"http://a:b:c/", b"\xff", b"", b"ftp:x")
HEADERS: Final = (
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate",
    b"Content-Encoding: br",
    b"Content-Type: text/html; charset=\xff",
    b"Retry-After: \xff",
    b"Set-Cookie: a=\x01",
    b"Connection: close",
    b"Transfer-Encoding: chunked",
    b"Upgrade: websocket\r\nConnection: upgrade",
    b"X: " + b"x" * 9000,
    b"no colon",
)


@st.composite
def raw_answers(draw: st.DrawFn) -> bytes:
    encoding = draw(st.sampled_from(("", "", "gzip", "deflate")))
    body = material.packed(draw(BODIES), encoding)
    headers = draw(st.lists(st.sampled_from(HEADERS), max_size=3))
    if encoding:
        headers.append(f"Content-Encoding: {encoding}".encode())
    if b"Transfer-Encoding: chunked" in headers:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    elif draw(st.integers(0, 5)):
        headers.append(b"Content-Length: %d" % max(0, len(body) + draw(st.sampled_from((0,) * 8 + (-1, 1)))))
    start = draw(st.sampled_from(STARTS))
    if draw(st.integers(0, 5)) == 0:
        start = b"HTTP/1.1 307 Elsewhere\r\nLocation: " + draw(st.sampled_from(PLACES))
    return b"\r\n".join([start, *headers]) + b"\r\n\r\n" + body


BODIES: Final = material.mutilated(st.sampled_from(material.BODIES)) | material.LONG
RAW: Final = raw_answers() | material.mutilated(raw_answers())


@dataclass
class Peer:
    """Answers each connection's question with `raw`, and then ends it in some way."""

    home: LoopThread
    fetcher: HttpClient
    complaints: Complaints
    raw: bytes = b""
    end: str = "close"
    questions: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.questions += 1
            writer.write(self.raw)
            while self.end == "endless":
                writer.write(b"10000\r\n" + b"S" * 65536 + b"\r\n")
                await writer.drain()
            if self.end == "silence":
                await reader.read()
            if self.end == "reset":
                writer.transport.abort()
        writer.close()

    def get(self, raw: bytes, end: str) -> RawResponse | FetchFailed:
        self.raw, self.end, self.questions = raw, end, 0
        try:
            url = URL(f"http://127.0.0.1:{self.port}/stubs?api_key={KEY}", encoded=True)
            return self.home.run(asyncio.wait_for(self.fetcher.get(url), 10 * SECONDS))
        except FetchFailed as failed:
            return failed


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    home, complaints = LoopThread(), Complaints()
    fetcher = HttpClient(connect_seconds=SECONDS, total_seconds=SECONDS, limit=LIMIT)
    made = Peer(home, fetcher, complaints)
    with complaints.listening(home):
        server = home.run(asyncio.start_server(made.serve, "127.0.0.1", 0))
        made.port = server.sockets[0].getsockname()[1]
        yield made
        server.close()
        home.run(fetcher.close())
        assert complaints.all == []
    home.close()


@fuzzed(500)
@given(raw=RAW, end=st.sampled_from(("close",) * 12 + ("reset", "endless", "silence")))
def test_whatever_a_provider_sends_is_one_answer_or_one_word(peer: Peer, raw: bytes, end: str) -> None:
    said = peer.get(raw, end)

    assert peer.questions <= 1 + MOST_REDIRECTS
    if isinstance(said, FetchFailed):
        event(said.code)
        assert re.fullmatch("[a-z_]+", str(said))
        assert said.__context__ is None
    else:
        event(str(said.status))
        assert len(said.body) <= LIMIT
        assert None not in [parse(said) for parse in PARSERS]
    # A line that has gone silent may be asked once more.
    assert any(isinstance(peer.get(GOOD, "close"), RawResponse) for _ in range(2))
    assert peer.complaints.all == []
