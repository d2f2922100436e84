"""The fetcher against real sockets and their bad days: bounded in bytes and time, asked once, silent about the key."""

import asyncio
import gzip
import logging
import socket
import ssl
import subprocess
import traceback
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from providers.http_client import MIB, UNSENT, FetchFailed, HttpClient, RawResponse
from providers.observation import ProviderError
from providers.smsverified import GET_NUMBER, SmsVerified

KEY = "planted-key-5e1f"
PATH = f"/stubs/handler_api.php?api_key={KEY}&action=getNumber"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    url: URL
    requests: list[str] = field(default_factory=list)


@asynccontextmanager
async def peer(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A server that reads one request head a connection and then does what `serve` does."""
    heads: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    scheme = "https" if tls else "http"
    async with server:
        yield Peer(URL(f"{scheme}://127.0.0.1:{port}{PATH}", encoded=True), heads)


def answering(raw: bytes) -> Serve:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return serve


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if not any(header.lower().startswith(("content-length", "transfer-encoding")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def reset_after_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nSTATUS")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"S")
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"S" * 0x10000 + b"\r\n")
        await writer.drain()


def bomb() -> bytes:
    return gzip.compress(b"\0" * (64 * MIB))


FAILURES: dict[str, tuple[Serve, str]] = {
    "5 MiB body": (answering(response(b"S" * (5 * MIB))), "too_large"),
    "5 MiB body without a length": (endless, "too_large"),
    "gzip bomb": (answering(response(bomb(), "Content-Encoding: gzip")), "too_large"),
    "one byte at a time": (trickle, "timeout"),
    "never an answer": (silent, "timeout"),
    "reset before the answer": (reset, "reset"),
    "closed before the answer": (answering(b""), "reset"),
    "reset after the headers": (reset_after_headers, "truncated"),
    "chunked without the end": (answering(response(b"5\r\nSTATU\r\n", "Transfer-Encoding: chunked")), "truncated"),
    "length larger than the body": (answering(response(b"STATUS", "Content-Length: 60")), "truncated"),
    "gzip cut off": (
        answering(response(gzip.compress(b"STATUS_OK:1" * 99)[:-9], "Content-Encoding: gzip")),
        "truncated",
    ),
    "gzip that is none": (answering(response(b"STATUS_OK:1", "Content-Encoding: gzip")), "bad_http"),
    "an encoding nobody asked for": (answering(response(b"STATUS_OK:1", "Content-Encoding: br")), "bad_http"),
    "no HTTP": (answering(b"220 mail.example ESMTP\r\n\r\n"), "bad_http"),
    "endless header": (answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * MIB + b"\r\n\r\n"), "bad_http"),
}

PATIENCE = defaultdict(lambda: 30.0, timeout=1.0)  # seconds, by the word that a failure ends as


@asynccontextmanager
async def fetcher(*, total_seconds: float = 30.0, proxy_url: str | None = None) -> AsyncIterator[HttpClient]:
    proxy = SecretStr(proxy_url) if proxy_url else None
    async with HttpClient(connect_seconds=10.0, total_seconds=total_seconds, proxy_url=proxy) as opened:
        yield opened


def is_silent_about_the_key(error: BaseException) -> bool:
    """Neither the text nor the chain of causes has it; a traceback prints both."""
    chain = []
    link: BaseException | None = error
    while link is not None:
        chain += [str(link), repr(link), *map(repr, link.args)]
        link = link.__cause__ or link.__context__
    return KEY not in "".join([*chain, *traceback.format_exception(error)])


@pytest.mark.parametrize("name", FAILURES)
async def test_a_bad_day_is_one_word_and_one_request_and_the_key_is_not_in_it(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    serve, word = FAILURES[name]
    async with peer(serve) as there, fetcher(total_seconds=PATIENCE[word]) as opened:
        with pytest.raises(FetchFailed) as failed:
            await opened.get(there.url)

    assert failed.value.code == word
    assert is_silent_about_the_key(failed.value)
    assert KEY not in caplog.text
    assert len(there.requests) == 1


async def test_a_purchase_on_a_kept_connection_that_breaks_is_not_sent_again() -> None:
    arrived = []

    async def once_then_break(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append("first")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        arrived.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.transport.abort()

    async with peer(once_then_break) as there, fetcher() as opened:
        await opened.get(there.url)
        with pytest.raises(FetchFailed):
            await opened.get(there.url)

    assert len(there.requests) + len(arrived) - 1 == 2  # one connection, two requests; none was repeated


async def test_a_name_without_an_address_is_unsent_and_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with fetcher() as opened:
        with pytest.raises(FetchFailed) as failed:
            await opened.get(URL(f"http://no-such-host.invalid{PATH}", encoded=True))

    assert failed.value.code == "dns"
    assert failed.value.code in UNSENT
    assert is_silent_about_the_key(failed.value)


async def test_a_refused_connection_is_unsent_and_silent() -> None:
    async with peer(silent) as there:
        pass
    async with fetcher() as opened:
        with pytest.raises(FetchFailed) as failed:
            await opened.get(there.url)

    assert failed.value.code == "connect"
    assert is_silent_about_the_key(failed.value)


async def test_a_certificate_nobody_signed_is_a_tls_failure_and_silent(tmp_path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-days", "1", "-nodes"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(certificate), *subject]
    subprocess.run(made, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with peer(answering(response(b"STATUS_OK:1")), tls=tls) as there, fetcher() as opened:
        with pytest.raises(FetchFailed) as failed:
            await opened.get(there.url)

    assert failed.value.code == "tls"
    assert there.requests == []
    assert is_silent_about_the_key(failed.value)


async def test_a_proxy_that_is_away_is_unsent_and_its_password_stays_inside() -> None:
    async with peer(silent) as closed:
        pass
    async with fetcher(proxy_url=f"http://user:{KEY}@127.0.0.1:{closed.url.port}") as opened:
        with pytest.raises(FetchFailed) as failed:
            await opened.get(URL("http://127.0.0.1:1/"))

    assert failed.value.code == "proxy"
    assert is_silent_about_the_key(failed.value)
    assert KEY not in repr(opened)


async def test_a_proxy_gets_the_whole_url_of_a_plain_request() -> None:
    async with (
        peer(answering(response(b"ACCESS_BALANCE:1"))) as proxy,
        fetcher(proxy_url=f"http://127.0.0.1:{proxy.url.port}") as opened,
    ):
        answer = await opened.get(URL("http://provider.example/handler_api.php"))

    assert answer.body == b"ACCESS_BALANCE:1"
    assert proxy.requests[0].startswith("GET http://provider.example/handler_api.php")


async def test_a_redirect_to_another_host_is_the_answer_and_nobody_else_is_asked() -> None:
    async with peer(answering(response(b"STATUS_OK:1"))) as other:
        target = str(other.url).replace("127.0.0.1", "localhost")
        moved = response(b"", f"Location: {target}", status="301 Moved Permanently")
        async with peer(answering(moved)) as there, fetcher() as opened:
            answer = await opened.get(there.url)

    assert (answer.status, other.requests) == (301, [])
    assert KEY not in repr(answer)


async def test_a_redirect_to_another_port_is_another_host() -> None:
    async with peer(answering(response(b"STATUS_OK:1"))) as other:
        moved = response(b"", f"Location: {other.url}", status="302 Found")
        async with peer(answering(moved)) as there, fetcher() as opened:
            answer = await opened.get(there.url)

    assert (answer.status, other.requests) == (302, [])


async def test_a_redirect_within_the_host_is_followed_but_not_for_ever() -> None:
    async def around(request: web.Request) -> web.Response:
        if request.path == "/there":
            return web.Response(text="ACCESS_BALANCE:1")
        raise web.HTTPFound(location="/there" if request.path == "/once" else request.path_qs)

    async with served(around) as root, fetcher() as opened:
        once = await opened.get(root / "once")
        round_and_round = await opened.get(root / "circle")

    assert (once.status, once.body) == (200, b"ACCESS_BALANCE:1")
    assert round_and_round.status == 302


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[URL]:
    """A real aiohttp server, whatever the path."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield URL(f"http://{host}:{port}")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
    ],
)
async def test_a_compressed_answer_is_inflated(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    raw = response(pack(b"STATUS_OK:877613"), f"Content-Encoding: {encoding}", "Content-Type: text/html")
    async with peer(answering(raw)) as there, fetcher() as opened:
        answer = await opened.get(there.url)

    assert answer.body == b"STATUS_OK:877613"


async def test_an_answer_of_exactly_the_limit_is_whole() -> None:
    async with peer(answering(response(b"S" * MIB))) as there, fetcher() as opened:
        answer = await opened.get(there.url)

    assert len(answer.body) == MIB


async def test_an_answer_keeps_its_status_and_has_lower_case_headers_and_the_hour() -> None:
    async def throttled(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "7"})

    async with served(throttled) as root, HttpClient(clock=lambda: 1234.5) as opened:
        answer = await opened.get(root)

    assert (answer.status, answer.headers["retry-after"], answer.body) == (429, "7", b"")
    assert answer.received_at == 1234.5


async def test_a_204_is_an_empty_answer() -> None:
    async with peer(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as there, fetcher() as opened:
        answer = await opened.get(there.url)

    assert answer == RawResponse(204, {}, b"", answer.received_at)


async def test_a_url_is_sent_as_it_was_encoded() -> None:
    async with peer(answering(response(b"OK"))) as there, fetcher() as opened:
        await opened.get(
            there.url.with_path("/x", encoded=True).with_query(None).join(URL("/x?a=%2Bb%20c", encoded=True))
        )

    assert there.requests[0].startswith("GET /x?a=%2Bb%20c HTTP/1.1\r\n")


async def test_cookies_are_not_kept() -> None:
    async with peer(answering(response(b"OK", "Set-Cookie: a=b"))) as there, fetcher() as opened:
        await opened.get(there.url)
        await opened.get(there.url)

    assert "cookie" not in there.requests[1].lower()


@pytest.mark.parametrize("name", FAILURES)
async def test_a_client_makes_trouble_of_every_failure_and_no_key_is_in_it(name: str) -> None:
    serve, word = FAILURES[name]
    async with peer(serve) as there, fetcher(total_seconds=PATIENCE[word]) as opened:
        base_url = str(there.url.with_query(None))
        client = SmsVerified(api_key=SecretStr(KEY), base_url=base_url, fetcher=opened)
        said = await client.call(GET_NUMBER, {"country": "48", "service": "vk"})

    assert said == ProviderError("transient", word)
    assert KEY not in repr([said, client, vars(client), opened])
    assert f"api_key={KEY}" in there.requests[0]


async def test_a_cancelled_request_lets_go_of_its_connection() -> None:
    async with peer(silent) as there, fetcher(total_seconds=30) as opened:
        task = asyncio.create_task(opened.get(there.url))
        while not there.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task

    assert is_silent_about_the_key(cancelled.value)


async def test_a_fetcher_may_be_closed_twice_and_used_again() -> None:
    async with peer(answering(response(b"OK"))) as there:
        opened = HttpClient()
        await opened.get(there.url)
        await opened.close()
        await opened.close()
        answer = await opened.get(there.url)
        await opened.close()

    assert answer.body == b"OK"


def test_the_switch_that_stops_aiohttp_from_repeating_a_get_still_exists() -> None:
    assert "_retry_connection" in aiohttp.ClientSession.ATTRS
