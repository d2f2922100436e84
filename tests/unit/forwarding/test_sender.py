"""What comes of a request, with targets on this machine."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from yarl import URL

from forwarding import sender as sending
from forwarding.connection import Connection
from forwarding.delivery import NoResponse, Response
from forwarding.sender import Sender

pytestmark = pytest.mark.loopback
NOW = datetime(2026, 11, 28, tzinfo=UTC)


class Target:
    """A server whose response is set; `seen` are the requests."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers, self.body = 200, dict[str, str](), b""
        self.url = URL()

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(
            (request.path_qs, {name.lower(): value for name, value in request.headers.items()}, await request.read())
        )
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", target.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    target.url = URL(f"http://127.0.0.1:{runner.addresses[0][1]}/hook?a=b")
    yield target
    await runner.cleanup()


async def sent(url: URL, *, private: bool = True, seconds: float = 5.0) -> Response | NoResponse:
    sender = Sender(url, private=private, seconds=seconds, now=NOW.timestamp)
    try:
        return await sender.send({"ce-id": "1", "content-type": "application/json"}, b"{}")
    finally:
        await sender.close()


async def test_the_event_arrives_as_it_is(target: Target):
    assert await sent(target.url) == Response(200)
    path, headers, body = target.seen[0]
    assert (path, headers["ce-id"], headers["content-type"], body) == ("/hook?a=b", "1", "application/json", b"{}")


async def test_the_status_counts_and_not_the_body(target: Target):
    target.status, target.body = 503, b"x" * 10_000_000

    assert await sent(target.url) == Response(503)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
    ids=["seconds", "date", "past", "word", "negative", "empty"],
)
async def test_a_retry_after_is_a_number_or_a_date(target: Target, said: str, seconds: float | None):
    target.status, target.headers = 429, {"Retry-After": said}

    assert await sent(target.url) == Response(429, seconds)


@pytest.mark.parametrize("form", ["%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S -0000"])
async def test_a_retry_after_without_a_zone_is_in_utc_wherever_we_are(target: Target, monkeypatch, form: str):
    target.status, target.headers = 429, {"Retry-After": (NOW + timedelta(seconds=90)).strftime(form)}
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()

    try:
        assert await sent(target.url) == Response(429, 90)
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_redirect_is_not_followed(target: Target):
    target.status, target.headers = 307, {"Location": "/elsewhere"}

    assert await sent(target.url) == Response(307)
    assert len(target.seen) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_address_or_a_name_of_this_machine_needs_leave(target: Target, host: str):
    url = target.url.with_host(host)

    assert await sent(url, private=False) == NoResponse("address_forbidden")
    assert target.seen == []
    assert await sent(url) == Response(200)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".localhost"])
async def test_a_name_that_no_name_server_can_know_is_named(host: str):
    assert await sent(URL(f"http://{host}/")) == NoResponse("dns")


async def test_who_does_not_listen_or_does_not_answer_is_named(target: Target):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert await sent(URL(f"http://127.0.0.1:{probe.getsockname()[1]}/")) == NoResponse("connect")
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(5), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    assert await sent(URL(f"http://127.0.0.1:{port}/"), seconds=0.05) == NoResponse("timeout")
    assert await sent(URL(f"https://127.0.0.1:{target.url.port}/")) == NoResponse("tls")
    silent.close()


async def test_what_is_no_http_is_named_and_so_is_a_connection_that_breaks():
    async def junk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-nonsense\r\n\r\n")
        writer.close()

    async def breaks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    for serve, reason in ((junk, "bad_http"), (breaks, "reset")):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        assert await sent(url) == NoResponse(reason)
        server.close()


HEAD = b"HTTP/1.1 200 OK\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_target(serve: Answering) -> AsyncIterator[tuple[Sender, list[asyncio.StreamWriter]]]:
    """What sends to a server that answers byte by byte, and that server's connections."""
    opened: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    sender = Sender(URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"), private=True, seconds=5.0)
    try:
        yield sender, opened
    finally:
        await sender.close()
        for writer in opened:
            writer.close()
        server.close()


def always(answer: bytes) -> Answering:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"{}"):
                writer.write(answer)

    return serve


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1\r\n\r\nlonger",
        b"Content-Length: 100\r\n\r\nshort",
        b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
        b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"Content-Length: 0\r\n\r\nSSH-2.0",
        b"Content-Length: 0\r\n\r\n" + HEAD,
    ],
    ids=["longer", "shorter", "unknown encoding", "no gzip", "bad chunk", "junk behind it", "half of another"],
)
async def test_what_is_behind_a_head_does_not_count(rest: bytes):
    async with raw_target(always(HEAD + rest)) as (sender, _):
        assert [await sender.send({}, b"{}") for _ in range(2)] == [Response(200)] * 2


async def test_a_head_that_cannot_be_read_is_no_answer():
    async with raw_target(always(HEAD + b"Content-Length: two\r\n\r\n")) as (sender, _):
        assert await sender.send({}, b"{}") == NoResponse("bad_http")


async def test_an_answer_with_a_body_leaves_its_connection_to_the_next_request():
    async with raw_target(always(HEAD + b"Content-Length: 2\r\n\r\nok")) as (sender, opened):
        assert [await sender.send({}, b"{}") for _ in range(3)] == [Response(200)] * 3
        assert len(opened) == 1


async def test_a_few_interim_answers_say_nothing_and_a_flood_of_them_is_no_answer():
    async with raw_target(always(INTERIM * 3 + HEAD + b"Content-Length: 0\r\n\r\n")) as (sender, _):
        assert await sender.send({}, b"{}") == Response(200)
    async with raw_target(always(INTERIM * 10_000)) as (sender, _):
        assert await sender.send({}, b"{}") == NoResponse("bad_http")


async def test_an_answer_that_nobody_asked_for_is_not_that_of_the_next_request(monkeypatch):
    monkeypatch.setattr(sending, "KEEPALIVE_SECONDS", 60.0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n" if len(opened) == 1 else b"HTTP/1.1 503 No\r\n\r\n")
        await asyncio.wait([asyncio.ensure_future(unasked.wait())])
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        await reader.read()
        closed.set()

    unasked, closed = asyncio.Event(), asyncio.Event()
    async with raw_target(serve) as (sender, opened):
        assert await sender.send({}, b"{}") == Response(200)
        unasked.set()
        async with asyncio.timeout(5):
            await closed.wait()

        assert await sender.send({}, b"{}") == Response(503)


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n"])
async def test_a_head_may_come_in_any_two_pieces_and_junk_behind_it_changes_nothing(end: bytes):
    answer = INTERIM + b"HTTP/1.1 202 Accepted" + end + b"\x00junk"
    for cut in range(len(answer) + 1):
        connection = Connection(asyncio.get_running_loop())
        connection.connection_made(asyncio.Transport())
        connection.transport = None  # nothing to close
        connection.set_response_params()

        connection.data_received(answer[:cut])
        connection.data_received(answer[cut:])

        message, _ = await connection.read()
        assert message.code == 202
