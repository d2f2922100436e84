"""The public listener against everything that is not a good callback, over real sockets.

Whatever comes: no 500, no stack trace, no word of it in an answer or a log, and every bit of it counted.
"""

import asyncio
import gzip
import io
import json
import logging
import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.contract import Receipt
from bus.memory import MemoryBus
from receiver import pingme
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from sandbox.pingme import PingMe, post_callback
from schemas.messages import Message, SmsReceived, SmsRejected
from tests.fuzz.wire import Reply

pytestmark = pytest.mark.usefixtures("no_collections")  # their time is charged to the account

TOKEN = "shop-token-0123456789"
PATH = f"/v1/pingme/{TOKEN}"
MARK = "XSECRETMARKX"  # stands in every input that can carry it, and must come back in none
GOOD = json.dumps({"userId": "u", "from": "22395", "to": "16470000000", "text": f"{MARK} 1"}).encode()
DEADLINE = 0.4  # the receiver's patience with a body here, in seconds

MAIN, STRANGER = "main", ""
LANE = {"fast_lane": True}


@dataclass
class RunningServer:
    """A running receiver, its bus, and all that it said."""

    receiver: CallbackServer
    bus: MemoryBus
    registry: CollectorRegistry
    said: list[bytes] = field(default_factory=list)

    def counted(self, outcome: str, account: str = MAIN) -> float:
        return self.registry.get_sample_value("smsbus_callbacks_total", {"account": account, "outcome": outcome}) or 0.0

    def all_counted(self) -> float:
        return sum(
            sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "smsbus_callbacks_total"
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}{PATH}"

    async def send(self, *parts: bytes, pause: float = 0.0, patience: float = 8.0) -> list[Reply]:
        """Return all replies to raw bytes, up to the one that ends the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.receiver.port)
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        async with asyncio.timeout(patience):
            said = await reader.read()
        writer.close()
        self.said.append(said)
        return replies(said)


def replies(said: bytes) -> list[Reply]:
    found = []
    while said:
        head, _, said = said.partition(b"\r\n\r\n")
        start, *lines = head.decode("ascii").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("Content-Length", "0"))
        found.append(Reply(int(start.split()[1]), headers, said[:length]))
        said = said[length:]
    return found


def post(body: bytes = GOOD, *lines: str, target: str = PATH, version: str = "1.1", length: int | None = None) -> bytes:
    head = [
        f"POST {target} HTTP/{version}",
        "Host: sms.example.org",
        f"X-Note: {MARK}",
        f"Content-Length: {len(body) if length is None else length}",
        *lines,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def last_post(body: bytes = GOOD, *lines: str, target: str = PATH) -> bytes:
    return post(body, "Connection: close", *lines, target=target)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not met():
            await asyncio.sleep(0.005)


@pytest.fixture(params=[True, False], ids=["fast lane", "aiohttp alone"], autouse=True)
def _lane(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LANE, "fast_lane", request.param)


async def open_server(bus: MemoryBus) -> RunningServer:
    settings = ReceiverSettings(host="127.0.0.1", port=0, body_deadline=DEADLINE, **LANE)
    registry = CollectorRegistry()
    account = PingMeAccount(name=MAIN, tokens=(SecretStr(TOKEN), SecretStr(TOKEN[::-1])), user_id="u")
    receiver = CallbackServer(
        bus, [account], settings, clock_ms=lambda: 1_700_000_000_000, metrics=ReceiverMetrics(registry)
    )
    await receiver.start()
    return RunningServer(receiver, bus, registry)


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Every line and trace that any library logs, at any level."""
    log = io.StringIO()
    listener, root = logging.StreamHandler(log), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(listener)
        root.setLevel(level)


@pytest.fixture
async def server(capfd: pytest.CaptureFixture[str]) -> AsyncIterator[RunningServer]:
    """A receiver that, at the end of every test, must have kept its mouth shut."""
    crashes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: crashes.append(context))
    opened = await open_server(MemoryBus())
    with listening() as log:
        yield opened
        await opened.receiver.stop(1.0)
    printed = "".join(capfd.readouterr())
    logged = log.getvalue() + printed
    assert crashes == []
    assert "Traceback" not in logged
    assert MARK not in logged
    assert TOKEN not in logged
    assert [line for line in printed.splitlines() if "unknown_callback_token" not in line] == []
    for said in opened.said:
        assert MARK.encode() not in said
        assert TOKEN.encode() not in said
        assert b"HTTP/1.1 5" not in said


def assert_problem(reply: Reply, status: int, reason: str) -> None:
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert (reply.json["status"], reply.json["reason"]) == (status, reason)


async def test_the_receiver_answers_a_good_callback(server: RunningServer) -> None:
    (reply,) = await server.send(last_post())

    (message,) = server.bus.messages
    assert (reply.status, reply.json) == (200, {"status": "accepted", "id": message.event_id})
    assert server.counted("accepted") == 1
    assert server.registry.get_sample_value("smsbus_callback_seconds_count") == 1


async def test_the_other_token_of_a_rotation_opens_too_and_means_the_same_account(server: RunningServer) -> None:
    await server.send(last_post())
    (reply,) = await server.send(last_post(target=f"/v1/pingme/{TOKEN[::-1]}"))

    assert reply.json["status"] == "duplicate"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_probe_with_a_valid_token_is_answered_and_publishes_nothing(server: RunningServer, method: str) -> None:
    (reply,) = await server.send(f"{method} {PATH} HTTP/1.0\r\n\r\n".encode())

    assert (reply.status, reply.headers["Content-Length"]) == (200, "18")
    assert reply.body == (b'{"status":"ready"}' if method == "GET" else b"")
    assert (server.bus.messages, server.counted("ready")) == ([], 1)


async def test_livez_lives(server: RunningServer) -> None:
    (reply,) = await server.send(b"GET /livez HTTP/1.0\r\n\r\n")

    assert (reply.status, reply.json) == (200, {"status": "alive"})


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
async def test_a_body_of_five_mebibytes_is_413(server: RunningServer, framing: str) -> None:
    body = MARK.encode() * (5 * 1024 * 1024 // len(MARK))

    (reply,) = await server.send(post(body) if framing == "Content-Length" else chunked(*[body[:65536]] * 80))

    assert_problem(reply, 413, "too_large")
    assert (server.bus.messages, server.counted("too_large")) == ([], 1)


async def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(server: RunningServer) -> None:
    largest = b'{"text":"' + b"x" * (256 * 1024 - 11) + b'"}'

    (fits,) = await server.send(last_post(largest))
    (too_large,) = await server.send(last_post(largest + b" "))

    assert (fits.status, fits.json["status"]) == (200, "accepted")
    assert_problem(too_large, 413, "too_large")


async def test_a_gzip_bomb_is_413(server: RunningServer) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))

    (reply,) = await server.send(last_post(bomb, "Content-Encoding: gzip"))

    assert_problem(reply, 413, "too_large")
    assert (server.bus.messages, server.counted("too_large")) == ([], 1)


async def test_a_gzipped_callback_is_the_same_sms_as_a_plain_one(server: RunningServer) -> None:
    await server.send(last_post())
    (reply,) = await server.send(last_post(gzip.compress(GOOD), "Content-Encoding: gzip"))

    assert reply.json["status"] == "duplicate"


async def test_a_body_that_claims_to_be_gzip_and_is_not_is_kept_exactly(server: RunningServer) -> None:
    (reply,) = await server.send(last_post(gzip.compress(GOOD)[:-9], "Content-Encoding: gzip"))

    (message,) = server.bus.messages
    assert reply.json == {"status": "rejected", "reason": "not_json"}
    assert isinstance(message, SmsRejected)
    assert message.body_bytes == len(gzip.compress(GOOD)) - 9


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", MARK, "gz\u0131p"])
async def test_an_unknown_content_encoding_is_415(server: RunningServer, encoding: str) -> None:
    (reply,) = await server.send(post(GOOD, f"Content-Encoding: {encoding}"))

    assert_problem(reply, 415, "unsupported_encoding")
    assert (server.bus.messages, server.counted("unsupported_encoding")) == ([], 1)


async def test_a_trickling_body_is_408_at_the_deadline(server: RunningServer) -> None:
    begun = asyncio.get_running_loop().time()

    (reply,) = await server.send(chunked(end=b""), *[b"1\r\nx\r\n"] * 20, pause=DEADLINE / 10)

    assert_problem(reply, 408, "timeout")
    assert asyncio.get_running_loop().time() - begun >= DEADLINE
    assert (server.bus.messages, server.counted("timeout")) == ([], 1)


@pytest.mark.parametrize(
    "unfinished", [chunked(GOOD, end=b""), post(GOOD, length=len(GOOD) + 1)], ids=["chunked", "length"]
)
async def test_a_body_without_its_end_is_408_and_not_published(server: RunningServer, unfinished: bytes) -> None:
    (reply,) = await server.send(unfinished)

    assert_problem(reply, 408, "timeout")
    assert (server.bus.messages, server.counted("timeout")) == ([], 1)


@pytest.mark.parametrize(
    "unfinished", [chunked(GOOD, end=b""), post(GOOD, length=len(GOOD) + 1)], ids=["chunked", "length"]
)
@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
async def test_a_sender_gone_in_the_middle_publishes_nothing_and_is_counted(
    server: RunningServer, unfinished: bytes, *, reset: bool
) -> None:
    loop = asyncio.get_running_loop()
    sender = socket.socket()
    sender.setblocking(False)
    await loop.sock_connect(sender, ("127.0.0.1", server.receiver.port))
    await loop.sock_sendall(sender, unfinished)
    await until(lambda: server.receiver.intake.in_flight == 1)
    if reset:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sender.close()

    await until(lambda: server.counted("disconnected") == 1)
    assert server.bus.messages == []


async def test_broken_utf_8_is_published_with_replacement_characters(server: RunningServer) -> None:
    (reply,) = await server.send(last_post(b'{"text":"caf\xe9"}'))

    (message,) = server.bus.messages
    assert reply.status == 200
    assert isinstance(message, SmsReceived)
    assert message.text == "caf\ufffd"


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 40_000, b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}"]
)
async def test_json_nested_a_hundred_thousand_deep_is_a_dead_letter(server: RunningServer, body: bytes) -> None:
    (reply,) = await server.send(last_post(body))

    assert (reply.status, reply.json) == (200, {"status": "rejected", "reason": "too_deep"})
    assert server.registry.get_sample_value("smsbus_callbacks_rejected_total", {"reason": "too_deep"}) == 1
    assert server.counted("rejected") == 1


@pytest.mark.parametrize("lines", [[f"X-{n}: a" for n in range(100)], [f"X: {'a' * 5000}"]])
async def test_a_head_that_no_sender_of_ours_makes_is_refused(server: RunningServer, lines: list[str]) -> None:
    """Strangers could pin 2 MiB a connection with heads that aiohttp takes by default."""
    (reply,) = await server.send(last_post(GOOD, *lines))

    assert reply.status == 400
    assert server.bus.messages == []


async def test_an_array_is_answered_element_by_element_and_published_in_its_order(server: RunningServer) -> None:
    body = [{"text": f"{MARK} {word}", "to": "1"} for word in ("first", "second")]
    body[1:1] = [{"to": MARK}]

    (reply,) = await server.send(last_post(json.dumps([*body, body[0]]).encode()))

    first, bad, second = server.bus.messages
    assert reply.json == {
        "status": "accepted",
        "results": [
            {"status": "accepted", "id": first.event_id},
            {"status": "rejected", "reason": "text_missing"},
            {"status": "accepted", "id": second.event_id},
            {"status": "duplicate", "id": first.event_id},
        ],
    }
    assert isinstance(first, SmsReceived)
    assert isinstance(second, SmsReceived)
    assert (first.text, second.text) == (f"{MARK} first", f"{MARK} second")
    assert isinstance(bad, SmsRejected)
    assert [server.counted(outcome) for outcome in ("accepted", "duplicate", "rejected")] == [2, 1, 1]


@pytest.mark.parametrize("behind", ["/", "//", "%20", "%0D%0A", "%09"])
async def test_what_was_pasted_behind_a_callback_url_is_no_part_of_the_token(
    server: RunningServer, behind: str
) -> None:
    (reply,) = await server.send(last_post(target=PATH + behind))

    assert reply.status == 200
    assert len(server.bus.messages) == 1


@pytest.mark.parametrize(
    "token", ["wrong", "", TOKEN[:-1], f"{TOKEN}x", f"/{TOKEN}", f"{TOKEN}/x", f"{TOKEN}%00", "%zz%ed%a0%80", MARK]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_wrong_token_is_404_and_leaves_nothing_behind(server: RunningServer, token: str, method: str) -> None:
    request = last_post(target=f"/v1/pingme/{token}").replace(b"POST", method.encode(), 1)

    (reply,) = await server.send(request)

    assert_problem(reply, 404, "unknown_token")
    assert (server.bus.messages, server.counted("unknown_token", STRANGER)) == ([], 1)


@pytest.mark.parametrize(
    "target", [PATH.replace("shop", "%73hop"), f"{PATH}?a={MARK}", f"http://{MARK}.example{PATH}", f"{PATH}#x"]
)
async def test_a_callback_url_may_be_spelled_in_every_equivalent_way(server: RunningServer, target: str) -> None:
    (reply,) = await server.send(last_post(target=target))

    assert (reply.status, reply.json["status"]) == (200, "accepted")


@pytest.mark.parametrize(
    "target", ["/", "/v1/pingme", "/v1/other/x", "/livez/", "/metrics", f"/{MARK}", "//livez", "*", f"/..{PATH}"]
)
async def test_nothing_else_is_served(server: RunningServer, target: str) -> None:
    (reply,) = await server.send(f"OPTIONS {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert_problem(reply, 404, "not_found")
    assert server.counted("not_found", STRANGER) == 1


@pytest.mark.parametrize(
    ("method", "path", "allow", "account"),
    [
        ("PUT", PATH, "GET, HEAD, POST", MAIN),
        ("DELETE", PATH, "GET, HEAD, POST", MAIN),
        ("OPTIONS", PATH, "GET, HEAD, POST", MAIN),
        ("POST", "/livez", "GET, HEAD", STRANGER),
    ],
)
async def test_a_wrong_method_is_405_and_names_the_right_ones(
    server: RunningServer, method: str, path: str, allow: str, account: str
) -> None:
    (reply,) = await server.send(last_post(target=path).replace(b"POST", method.encode(), 1))

    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == allow
    assert (server.bus.messages, server.counted("method_not_allowed", account)) == ([], 1)


async def test_pipelined_callbacks_are_answered_in_their_order(server: RunningServer) -> None:
    bodies = [json.dumps({"text": str(index), "to": "1"}).encode() for index in range(40)]

    found = await server.send(b"".join(map(post, bodies)), last_post(b"{}"))

    ids = [message.event_id for message in server.bus.messages if isinstance(message, SmsReceived)]
    assert len(ids) == 40
    assert [reply.json.get("id") for reply in found] == [*ids, None]


async def test_http_1_0_is_answered_and_closed_unless_it_asks_to_stay(server: RunningServer) -> None:
    (closed,) = await server.send(post(version="1.0"))
    stayed, last = await server.send(
        post(GOOD, "Connection: keep-alive", version="1.0"), post(version="1.0"), pause=0.05
    )

    assert [reply.status for reply in (closed, stayed, last)] == [200, 200, 200]
    assert [reply.headers["Connection"] for reply in (closed, stayed, last)] == ["close", "keep-alive", "close"]


async def test_a_sender_that_expects_100_continue_gets_it_before_its_body(server: RunningServer) -> None:
    head, _, body = last_post(GOOD, "Expect: 100-continue").partition(b"\r\n\r\n")

    go_on, answer = await server.send(head + b"\r\n\r\n", body, pause=0.1)

    assert (go_on.status, answer.status, answer.json["status"]) == (100, 200, "accepted")


async def test_a_sender_that_expects_100_continue_with_a_wrong_token_is_not_asked_for_its_body(
    server: RunningServer,
) -> None:
    head, _, _ = last_post(GOOD, "Expect: 100-continue", target="/v1/pingme/wrong").partition(b"\r\n\r\n")

    (reply,) = await server.send(head + b"\r\n\r\n")

    assert_problem(reply, 404, "unknown_token")


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
async def test_a_sender_that_offers_to_upgrade_is_answered_as_if_it_had_not(
    server: RunningServer, protocol: str
) -> None:
    upgrade = post(GOOD, "Connection: Upgrade", f"Upgrade: {protocol}")

    found = await server.send(upgrade, last_post(), pause=0.1)

    assert [reply.json["status"] for reply in found] == ["accepted", "duplicate"]


GET = f"GET /{MARK} HTTP/1.1\r\nHost: x\r\n".encode()
NOT_HTTP = {
    "a NUL in the request line": GET.replace(MARK.encode(), MARK.encode() + b"\0"),
    "a NUL in a header": GET + b"A: " + MARK.encode() + b"\0\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARK.encode(),
    "an unknown method": GET.replace(b"GET", MARK.encode()) + b"\r\n",
    "a header without a colon": GET + MARK.encode() + b"\r\n\r\n",
    "a header of 20 kB": GET + b"A: " + MARK.encode() * 1700 + b"\r\n\r\n",
    "a request line of 70 kB": GET.replace(MARK.encode(), MARK.encode() * 6000),
    "300 headers": GET + f"A: {MARK}\r\n".encode() * 300 + b"\r\n",
    "no Host": f"GET /{MARK} HTTP/1.1\r\n\r\n".encode(),
    "a space in the target": GET.replace(MARK.encode(), b"a b " + MARK.encode()) + b"\r\n",
    "a broken absolute target": GET.replace(b"/", b"http://[::1", 1) + b"\r\n",
    "an absolute target with a broken port": GET.replace(b"/", b"http://a:port/", 1) + b"\r\n",
    "a relative target": GET.replace(b"/", b"", 1) + b"\r\n",
    "CONNECT to nowhere": GET.replace(b"GET /", b"CONNECT ::::") + b"\r\n",
    "bytes that are no ASCII": GET.replace(MARK.encode(), b"\xff\xfe" + MARK.encode()) + b"\r\n",
    "two lengths": post(GOOD, "Content-Length: 3"),
    "a negative length": post(GOOD, length=-1),
    "a length beyond 64 bits": post(GOOD, length=10**30),
    "a length and chunks": post(GOOD, "Transfer-Encoding: chunked"),
    "a length that is too short": post(GOOD, length=len(GOOD) - len(MARK)),
    "only line ends and noise": b"\r\n\r\n\r\n" + MARK.encode() + b"\r\n\r\n",
}


@pytest.mark.parametrize("what", NOT_HTTP)
async def test_what_is_not_http_is_400_and_ends_the_connection(server: RunningServer, what: str) -> None:
    *_, reply = await server.send(NOT_HTTP[what])

    assert_problem(reply, 400, "bad_request")
    assert reply.headers["Connection"] == "close"
    assert (server.bus.messages, server.counted("bad_request", STRANGER)) == ([], 1)


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["in one segment", "in two segments"])
@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nhelloXX\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n"])
async def test_broken_chunks_are_400(server: RunningServer, broken: bytes, pause: float) -> None:
    start = chunked(MARK.encode(), end=b"")

    (reply,) = await server.send(*([start, broken] if pause else [start + broken]), pause=pause)

    assert_problem(reply, 400, "bad_request")
    assert server.bus.messages == []
    assert server.counted("bad_request", STRANGER) + server.counted("bad_request") == 1


async def test_broken_chunks_behind_a_long_head_are_400_at_once(server: RunningServer) -> None:
    """The head fills a piece: aiohttp parses the chunk before its task has the request."""
    start = chunked(MARK.encode(), end=b"").replace(b"Host: x", b"Host: x\r\nX-Long: " + b"x" * 1024)

    (reply,) = await server.send(start + b"ZZ\r\n")

    assert_problem(reply, 400, "bad_request")


async def test_broken_chunks_after_a_404_say_nothing_more(server: RunningServer) -> None:
    start = chunked(MARK.encode(), end=b"").replace(TOKEN.encode(), b"wrong")

    (reply,) = await server.send(start, b"zz\r\n", pause=0.05)

    assert_problem(reply, 404, "unknown_token")


async def test_a_good_callback_followed_by_noise_is_not_lost_in_silence(server: RunningServer) -> None:
    *before, last = await server.send(post(), b"\0\0noise\r\n\r\n", pause=0.05)

    assert [reply.json["status"] for reply in before] == ["accepted"]
    assert_problem(last, 400, "bad_request")


async def test_a_thousand_mutilated_requests_are_all_answered_or_dropped_quietly(server: RunningServer) -> None:
    rng = random.Random(7)
    originals = [
        *NOT_HTTP.values(),
        post(),
        last_post(),
        chunked(GOOD),
        last_post(gzip.compress(GOOD), "Content-Encoding: gzip"),
    ]

    for _ in range(20):
        await asyncio.gather(*(mutilate_and_send(server, rng, rng.choice(originals)[:4000]) for _ in range(50)))

    (reply,) = await server.send(last_post())
    assert reply.status == 200
    assert server.all_counted() > 500


async def mutilate_and_send(server: RunningServer, rng: random.Random, request: bytes) -> None:
    noise = b"\r\n\0 :/?#%[]@;,=\"'\xff" + bytes(range(48, 58))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(request) + 1)
        request = request[:at] + bytes([rng.choice(noise)]) * rng.randint(0, 2) + request[at + rng.randint(0, 2) :]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.receiver.port)
    writer.write(request)
    try:
        async with asyncio.timeout(0.2):
            server.said.append(await reader.read())
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()


async def test_a_simulated_provider_finds_in_its_book_what_the_bus_has(server: RunningServer) -> None:
    provider = PingMe(
        server.url, numbers=20, rate=400, rng=random.Random(3), duplicates=0.3, malformed=0.2, user_id="u"
    )

    enough = asyncio.Event()
    posting = asyncio.create_task(provider.run(enough))
    async with asyncio.timeout(60):
        while len(provider.book) <= 100:
            await asyncio.sleep(0.05)
    enough.set()
    await posting

    received = [message for message in server.bus.messages if isinstance(message, SmsReceived)]
    refused = [message for message in server.bus.messages if isinstance(message, SmsRejected)]
    sent = {entry.nonce: entry for entry in provider.book}
    found = [sent[(message.text or "").rpartition("ref ")[2]] for message in received]
    assert len(provider.book) > 100
    assert all(entry.promised for entry in provider.book)
    assert [entry.ids for entry in found] == [{message.id} for message in received]
    assert {entry.nonce for entry in found} == {entry.nonce for entry in provider.book if entry.kind == "sms"}
    assert len(refused) == len(provider.book) - len(received)
    for number in {entry.number for entry in provider.book}:
        orders = [entry.order for entry in found if entry.number == number]
        assert orders == sorted(orders)
    assert any(len(entry.answers) > 1 for entry in provider.book)


async def test_one_callback_can_be_posted_by_hand(server: RunningServer) -> None:
    answer = await post_callback(server.url, {"to": "16470000000", "text": "5611"})

    (message,) = server.bus.messages
    assert (answer.http, answer.status, answer.id) == (200, "accepted", message.event_id)


async def test_nobody_at_home_is_an_answer_too() -> None:
    server = await open_server(MemoryBus())
    url = server.url
    await server.receiver.stop(1.0)

    answer = await post_callback(url, {"text": "5611"})

    assert (answer.http, answer.seen) == (0, False)


class HalfFullBus(MemoryBus):
    """Takes one message, then is full."""

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        told = super().submit(message, key=key)
        self.full = True
        return told


@pytest.mark.parametrize("body", [GOOD, b"{", b'[{"text":"a"},{"text":"b"}]'], ids=["sms", "dead letter", "array"])
async def test_what_is_not_durable_is_503_with_a_time_to_come_back(body: bytes) -> None:
    bus = HalfFullBus()
    bus.full = body[:1] != b"["
    server = await open_server(bus)

    (reply,) = await server.send(last_post(body))

    assert_problem(reply, 503, "not_durable")
    assert int(reply.headers["Retry-After"]) >= 1
    assert server.counted("not_durable") == 1
    assert len(bus.messages) == (1 if body[:1] == b"[" else 0)
    bus.full = False
    (again,) = await server.send(last_post(b"[]"))  # the receiver itself is unharmed
    assert again.status == 200
    await server.receiver.stop(1.0)


class BrokenBus(MemoryBus):
    """Fails with an exception that quotes an SMS, as exceptions do."""

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        raise KeyError(message.to_json())


async def test_a_bug_of_ours_is_503_and_its_log_line_names_the_place_and_nothing_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = await open_server(BrokenBus())
    with structlog.testing.capture_logs() as lines:
        (reply,) = await server.send(last_post())
    await server.receiver.stop(1.0)

    assert_problem(reply, 503, "internal_error")
    assert reply.headers["Retry-After"] == "5"
    assert server.counted("internal_error", STRANGER) == 1
    (line,) = lines
    assert re.fullmatch(r"test_receiver_bad_input:\d+", line.pop("at"))
    assert line == {"event": "request_failed", "log_level": "error", "error": "KeyError"}
    assert capfd.readouterr() == ("", "")


async def test_a_bug_in_parsing_keeps_the_bytes_and_ends_the_repeats(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, __: object) -> SmsReceived:
        raise ZeroDivisionError(MARK)

    monkeypatch.setattr(pingme, "normalize", fail)

    with structlog.testing.capture_logs() as lines:
        (reply,) = await server.send(last_post())

    (message,) = server.bus.messages
    assert reply.json == {"status": "rejected", "reason": "internal_error"}
    assert isinstance(message, SmsRejected)
    assert message.body_bytes == len(GOOD)
    assert [(line["event"], line["error"], line["account"]) for line in lines] == [
        ("callback_failed", "ZeroDivisionError", MAIN)
    ]
    assert MARK not in repr(lines)


class SlowBus(MemoryBus):
    """Makes nothing durable before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        async def later() -> Receipt:
            await self.go.wait()
            return await MemoryBus.submit(self, message, key=key)

        return asyncio.ensure_future(later())


async def test_a_stop_finishes_what_is_in_flight_and_takes_nothing_new() -> None:
    bus = SlowBus()
    server = await open_server(bus)
    port = server.receiver.port
    reader, idle = await asyncio.open_connection("127.0.0.1", port)
    async with aiohttp.ClientSession() as session:
        in_flight = asyncio.create_task(session.post(server.url, data=GOOD))
        await until(lambda: server.receiver.intake.in_flight == 1)

        stopping = asyncio.create_task(server.receiver.stop(5.0))
        await asyncio.sleep(0)
        idle.write(post())
        late = replies(await reader.read())
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        bus.go.set()
        answer = await in_flight
        await stopping

    assert answer.status == 200
    assert_problem(late[0], 503, "closing")
    assert (late[0].headers["Connection"], late[0].headers["Retry-After"]) == ("close", "5")
    assert server.counted("closing", STRANGER) == 1
    assert len(bus.messages) == 1
    idle.close()


async def test_a_stop_ends_at_its_grace_although_something_never_ends() -> None:
    bus = SlowBus()
    server = await open_server(bus)
    loop = asyncio.get_running_loop()
    _, writer = await asyncio.open_connection("127.0.0.1", server.receiver.port)
    writer.write(post())
    await until(lambda: server.receiver.intake.in_flight == 1)

    begun = loop.time()
    await server.receiver.stop(0.2)

    assert 0.2 <= loop.time() - begun < 2.0
    writer.close()


async def test_a_stop_of_a_half_sent_callback_waits_for_its_other_half() -> None:
    server = await open_server(MemoryBus())
    whole = post()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.receiver.port)
    writer.write(whole[:-10])
    await until(lambda: server.receiver.intake.in_flight == 1)

    stopping = asyncio.create_task(server.receiver.stop(5.0))
    await asyncio.sleep(0)
    writer.write(whole[-10:])
    (reply,) = replies(await reader.read())
    await stopping

    assert (reply.status, len(server.bus.messages)) == (200, 1)
    writer.close()


async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    server = await open_server(MemoryBus())

    with pytest.raises(OSError, match="address already in use"):
        await open_house_on(server.receiver.port)

    await server.receiver.stop(1.0)


async def open_house_on(port: int) -> None:
    settings = ReceiverSettings(host="127.0.0.1", port=port)
    metrics = ReceiverMetrics(CollectorRegistry())
    receiver = CallbackServer(MemoryBus(), [], settings, clock_ms=lambda: 0, metrics=metrics)
    await receiver.start()
