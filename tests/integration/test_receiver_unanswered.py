"""Senders that ask on before they are answered, or take no answers: what they hold, and what the honest ones are told.

On both roads, over real sockets.
"""

import asyncio
import gzip
import json
import random
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from bus.contract import Receipt
from bus.memory import MemoryBus
from receiver import connection
from schemas.messages import Message
from tests.paired_servers import Side, post
from tests.resets import complaints_of_a_reset

pytestmark = pytest.mark.usefixtures("no_collections")  # their time is charged to the account

KIB = 1024
MOST_EACH = 220 * KIB  # bytes that a connection holds; docs/guarantees.md says so
MANY = 20  # connections
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
SMS = json.dumps({"userId": "u", "from": "22395", "to": "16470000000", "text": "code is 5611"}).encode()
FIRST = {"a plain sms": post(SMS), "an array": post(b"[%b]" % SMS)}
UPGRADE = "Connection: Upgrade", "Upgrade: websocket"


def get(*lines: str) -> bytes:
    return "\r\n".join(["GET /livez HTTP/1.1", "Host: x", *lines, "", ""]).encode()


LARGE_HEAD = get(*(f"X-{n}: {'a' * 240}" for n in range(60)))
BEHIND = {
    "large heads": get(*(f"X-{n}: {'a' * 3900}" for n in range(4))) * 64,
    "heads of many fields": get(*(f"a{n}:" for n in range(60))) * 800,
    "a large head behind small ones": LIVEZ * 30 + LARGE_HEAD * 20,
    "small requests": LIVEZ * 9000,
    "a large body": post(b"x" * 256 * KIB),
    "line ends": b"\r\n" * 128 * KIB,
    "what is no http": get(*UPGRADE) + b"x" * 512 * KIB,
}


class SilentBus(MemoryBus):
    """Tells nobody."""

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        super().submit(message, key=key)
        return asyncio.get_running_loop().create_future()


@pytest.fixture(params=[True, False], ids=["fast lane", "aiohttp alone"])
async def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Start a receiver with these settings."""
    monkeypatch.setattr(connection, "LINGER", 0.05)
    sides: list[Side] = []

    async def start_receiver(bus: MemoryBus | None = None, **changed: object) -> Side:
        side = Side(fast_lane=request.param, max_body=300 * KIB, **changed)
        side.receiver.intake.bus = bus or side.receiver.intake.bus
        sides.append(side)
        await side.receiver.start()
        return side

    yield start_receiver
    for side in sides:
        await side.receiver.stop(0.05)


async def connect(side: Side) -> socket.socket:
    """Return a connection whose sender takes next to nothing."""
    sender = socket.socket()
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sender.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sender, ("127.0.0.1", side.receiver.port))
    return sender


async def send(sender: socket.socket, data: bytes, seconds: float = 1.0) -> None:
    """Send as much of it as is taken."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_sendall(sender, data)


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the status of the next answer and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    return head[9:12], (await reader.readexactly(length)).replace(b"duplicate", b"accepted")


def lines_of(side: Side) -> int:
    assert side.receiver._server is not None
    return len(side.receiver._server.connections)


async def until_nobody_is_there(side: Side) -> float:
    """Return after how many seconds."""
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(10):
        while lines_of(side):
            await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time() - began


# ---- memory ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("pause", [0.0, 0.01], ids=["at once", "then"])
async def test_what_is_asked_before_an_answer_takes_little_memory(
    opened: Any, first: str, behind: str, pause: float
) -> None:
    side = await opened(SilentBus())
    senders = [await connect(side) for _ in range(MANY)]
    head, rest = (FIRST[first], BEHIND[behind]) if pause else (b"", FIRST[first] + BEHIND[behind])
    await asyncio.gather(*[send(sender, head) for sender in senders])
    await asyncio.sleep(pause)
    tracemalloc.start()
    try:
        await asyncio.gather(*[send(sender, rest) for sender in senders])
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert lines_of(side) == MANY
    assert max(held, most) < MANY * MOST_EACH
    for sender in senders:
        sender.close()


@pytest.mark.parametrize("asks", [LIVEZ * 400, LIVEZ * 20 + LARGE_HEAD, post(SMS)], ids=["small", "large", "sms"])
async def test_answers_that_nobody_takes_hold_little_memory(opened: Any, asks: bytes) -> None:
    side = await opened()
    senders = [await connect(side) for _ in range(MANY)]
    tracemalloc.start()
    try:
        await asyncio.gather(*[send(sender, asks * (400 * KIB // len(asks)), 3.0) for sender in senders])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert lines_of(side) == MANY
    assert held < MANY * MOST_EACH
    for sender in senders:
        sender.close()


async def test_little_is_read_ahead_while_one_after_the_other_is_answered(opened: Any) -> None:
    side = await opened()
    reader, writer = await asyncio.open_connection("127.0.0.1", side.receiver.port)
    writer.write(LIVEZ * 20_000)
    said = most = 0

    async with asyncio.timeout(60):
        while said < 20_000:
            said += (await reader.readuntil(b"}")).count(b"HTTP/1.1 200")
            most = max(most, *(sum(map(len, line._held)) for line in side.receiver._server.connections))

    assert most < 100 * KIB
    writer.close()


# ---- how long -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asks", [LIVEZ, post(SMS), get("Connection: close")], ids=["stranger", "sms", "leaves"])
async def test_who_does_not_take_its_answers_is_closed(
    opened: Any, monkeypatch: pytest.MonkeyPatch, asks: bytes
) -> None:
    monkeypatch.setattr(connection, "TAKE", 0.5)
    side = await opened(keepalive_timeout=0.1)
    sender = await connect(side)
    many = (LIVEZ if asks.startswith(b"GET") else asks) * 3000

    await send(sender, many[: -len(LIVEZ)] + asks, 0.4)

    assert await until_nobody_is_there(side) < 2
    sender.close()


async def test_who_takes_its_answers_late_gets_them_all(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TAKE", 1.0)
    side = await opened(keepalive_timeout=0.1)
    sender = await connect(side)
    asks = asyncio.create_task(send(sender, LIVEZ * 2000, 20.0))
    said = b""

    async with asyncio.timeout(20):
        while said.count(b"HTTP/1.1 200") < 2000:
            if len(said) % 50_000 < 2_000:
                await asyncio.sleep(0.05)  # ten of these and more: longer than a single answer may wait
            said += await asyncio.get_running_loop().sock_recv(sender, 2_000)
    await asks
    sender.close()


# ---- order ----------------------------------------------------------------------------------------------------


def sms(text: str) -> bytes:
    return json.dumps({"userId": "u", "from": "1", "to": "16470000000", "text": text}).encode()


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    head = post(b"", "Transfer-Encoding: chunked").replace(b"\r\nContent-Length: 0", b"")
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def conversation(rng: random.Random) -> list[bytes]:
    """Requests of all kinds that leave a connection open, each with an answer of its own."""
    kinds: list[Callable[[str], bytes]] = [
        lambda text: post(sms(text)),
        lambda text: post(b"[%b,%b]" % (sms(text), sms("b" + text))),
        lambda text: post(sms(text + "x" * 20_000)),
        lambda text: post(sms(text).replace(b",", b",\r\n\r\n")),  # ends of heads that are none
        lambda text: chunked(sms(text), 7),
        lambda text: chunked(sms(text).replace(b",", b",\r\n\r\n"), 40),
        lambda text: post(gzip.compress(sms(text)), "Content-Encoding: gzip"),
        lambda text: post(sms(text), *UPGRADE),
        lambda text: post(sms(text), *(f"X-{n}: {'a' * 2000}" for n in range(7))),
        lambda text: post(sms(text), target=f"/v1/pingme/wrong{text}"),
        lambda _: LIVEZ,
        lambda _: get(*UPGRADE),
        lambda text: b"\r\n\r\n" + post(sms(text)),
        lambda text: post(b"{" + text.encode()),
    ]
    return [rng.choice(kinds)(str(n)) for n in range(60)]


def segments(rng: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(rng.sample(range(1, len(data)), rng.choice((0, 3, 40, 150))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("seed", range(8))
async def test_who_asks_on_honestly_gets_all_answers_in_order(opened: Any, seed: int) -> None:
    rng = random.Random(seed)
    side = await opened(body_deadline=2.0)
    requests, expected = conversation(rng), []
    for request in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", side.receiver.port)
        writer.write(request)
        expected.append(await answer(reader))
        writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", side.receiver.port)

    for segment in segments(rng, b"".join(requests)):
        writer.write(segment)
        await asyncio.sleep(0)

    async with asyncio.timeout(20):
        assert [await answer(reader) for _ in requests] == expected
        assert lines_of(side) == 1
    writer.write(LIVEZ)
    assert (await answer(reader))[0] == b"200"
    writer.close()


@pytest.mark.parametrize("before", [1, 2, 5])
async def test_half_a_head_behind_others_is_late_too(opened: Any, before: int) -> None:
    side = await opened(body_deadline=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", side.receiver.port)

    writer.write(post(b"[%b]" % SMS) * before + LIVEZ * before + b"GET /livez HTTP/1.1\r\nX-")

    async with asyncio.timeout(3):
        said = [(await answer(reader))[0] for _ in range(2 * before + 1)]
        assert await reader.read() == b""
    assert said == [b"200"] * 2 * before + [b"408"]
    writer.close()


@pytest.mark.parametrize("sent", [LIVEZ, post(SMS), b"GET\r\n\r\n"], ids=["get", "sms", "junk"])
async def test_a_reset_right_behind_a_request_is_no_error_of_ours(opened, sent):
    """aiohttp's task would go on with the request, without what it makes requests of."""
    side = await opened()
    _, writer = await asyncio.open_connection("127.0.0.1", side.receiver.port)

    complaints = await complaints_of_a_reset(lambda: side.receiver._server.connections, sent)
    writer.close()

    assert complaints == []
