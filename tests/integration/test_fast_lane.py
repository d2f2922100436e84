"""What lasts longer than a conversation: time, a stop, a sender who does not read. On both roads, over real sockets."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import structlog

from bus.contract import NotDurable, Receipt
from bus.memory import MemoryBus
from schemas.messages import Message, SmsReceived
from tests.paired_servers import Side, post

pytestmark = pytest.mark.usefixtures("no_collections")  # their time is charged to the account

GOOD = json.dumps({"userId": "u", "from": "22395", "to": "16470000000", "text": "code is 5611"}).encode()
HEAD, _, BODY = post(GOOD).partition(b"\r\n\r\n")
HEAD += b"\r\n\r\n"
KEPT = 0.8  # seconds that an idle connection lives here
PATIENCE = 2.0  # seconds for a body


class SlowBus(MemoryBus):
    """Tells nobody before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[asyncio.Future[Receipt], asyncio.Future[Receipt]]] = []

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        later: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.waiting.append((later, super().submit(message, key=key)))
        return later

    def tell(self) -> None:
        for later, told in self.waiting:
            if not later.cancelled():
                later.set_result(told.result())
        self.waiting.clear()

    def fail(self, error: Exception) -> None:
        for later, _ in self.waiting:
            later.set_exception(error)
        self.waiting.clear()


@pytest.fixture(params=[True, False], ids=["fast lane", "aiohttp alone"])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    side = Side(fast_lane=request.param, keepalive_timeout=KEPT, body_deadline=PATIENCE)
    side.receiver.intake.bus = SlowBus()
    await side.receiver.start()
    yield side
    await side.receiver.stop(1.0)


def bus_of(side: Side) -> SlowBus:
    assert isinstance(side.receiver.intake.bus, SlowBus)
    return side.receiver.intake.bus


async def until(side: Side, *, in_flight: int) -> None:
    async with asyncio.timeout(5):
        while side.receiver.intake.in_flight != in_flight or len(bus_of(side).waiting) > in_flight:
            await asyncio.sleep(0.002)


async def connect(side: Side) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", side.receiver.port)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def seconds_until_closed(reader: asyncio.StreamReader, began: float) -> float:
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    return asyncio.get_running_loop().time() - began


async def accepted(side: Side, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(post(GOOD))
    await until(side, in_flight=1)
    bus_of(side).tell()
    return await answer(reader)


async def test_an_idle_connection_is_closed_after_its_time_and_each_answer_begins_it_anew(side: Side) -> None:
    reader, writer = await connect(side)

    for _ in range(5):
        await asyncio.sleep(KEPT / 2)
        began = asyncio.get_running_loop().time()
        assert b"HTTP/1.1 200" in await accepted(side, reader, writer)

    assert KEPT * 0.9 <= await seconds_until_closed(reader, began) < KEPT * 4
    writer.close()


@pytest.mark.parametrize("body", [BODY, BODY[:9]], ids=["in the bus", "half read"])
async def test_a_request_under_way_is_not_idle(side: Side, body: bytes) -> None:
    reader, writer = await connect(side)
    writer.write(HEAD + body)
    await until(side, in_flight=1)
    await asyncio.sleep(KEPT + 0.05)

    writer.write(BODY[len(body) :])
    async with asyncio.timeout(5):
        while not bus_of(side).waiting:
            await asyncio.sleep(0.002)
    began = asyncio.get_running_loop().time()
    bus_of(side).tell()

    assert b"HTTP/1.1 200" in await answer(reader)
    assert KEPT * 0.9 <= await seconds_until_closed(reader, began) < KEPT * 4
    writer.close()


@pytest.mark.parametrize("stopping", [False, True], ids=["open", "stopping"])
async def test_a_body_that_does_not_come_is_408_at_its_deadline(side: Side, *, stopping: bool) -> None:
    reader, writer = await connect(side)
    began = asyncio.get_running_loop().time()
    writer.write(HEAD + BODY[:9])
    await until(side, in_flight=1)
    stop = asyncio.create_task(side.receiver.stop(5.0)) if stopping else None

    said = await answer(reader)

    assert PATIENCE * 0.9 <= asyncio.get_running_loop().time() - began < PATIENCE * 4
    assert said.startswith(b"HTTP/1.1 408")
    assert b"\r\nConnection: close\r\n" in said
    assert side._counted()["smsbus_callbacks_total", "main", "timeout"] == 1
    writer.close()
    if stop is not None:
        await stop


async def test_a_body_that_trickles_has_no_more_time_than_another(side: Side) -> None:
    reader, writer = await connect(side)
    began = asyncio.get_running_loop().time()
    writer.write(HEAD)
    answered = asyncio.create_task(answer(reader))  # read as it comes: what is written after it resets the connection
    for byte in BODY[:20]:
        if not answered.done():
            writer.write(bytes([byte]))
            await asyncio.sleep(PATIENCE / 10)

    assert (await answered).startswith(b"HTTP/1.1 408")
    assert PATIENCE * 0.9 <= asyncio.get_running_loop().time() - began < PATIENCE * 4
    writer.close()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_sender_gone_while_the_bus_has_its_sms_costs_nothing(side: Side, *, reset: bool) -> None:
    _, writer = await connect(side)
    writer.write(post(GOOD))
    await until(side, in_flight=1)
    if reset:
        sender: socket.socket = writer.get_extra_info("socket")
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
    await asyncio.sleep(0.05)

    bus_of(side).tell()
    await until(side, in_flight=0)

    assert len(bus_of(side).messages) == 1
    assert side._counted()["smsbus_callbacks_total", "main", "accepted"] == 1


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [(NotDurable("full", 9), b"503", b"not_durable"), (KeyError("16470000000"), b"503", b"internal_error")],
)
async def test_what_the_bus_fails_on_later_is_503(side: Side, error: Exception, status: bytes, reason: bytes) -> None:
    reader, writer = await connect(side)
    with structlog.testing.capture_logs() as lines:
        writer.write(post(GOOD))
        await until(side, in_flight=1)
        bus_of(side).fail(error)
        said = await answer(reader)
        kept = await seconds_until_closed(reader, asyncio.get_running_loop().time())

    assert said.startswith(b"HTTP/1.1 " + status)
    assert reason in said
    assert b"\r\nRetry-After: " in said
    assert (b"\r\nConnection: close\r\n" in said) == (kept < KEPT / 2) == (reason == b"internal_error")
    assert "16470000000" not in repr(lines)
    assert [line["event"] for line in lines] == (["request_failed"] if reason == b"internal_error" else [])
    writer.close()


async def test_what_a_sender_pipelines_while_the_bus_is_slow_is_read_within_bounds_and_answered_in_order(
    side: Side,
) -> None:
    some = [post(json.dumps({"text": str(n), "to": "1", "x": "x" * 1000}).encode()) for n in range(4000)]
    reader, writer = await connect(side)
    writer.transport.set_write_buffer_limits(0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    writer.write(some[0])
    await until(side, in_flight=1)
    for n, request in enumerate(some[1:]):
        writer.write(request)
        for _ in range(4 if n < 100 else 1):  # the first ones in segments of their own
            await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    taken = sum(map(len, some)) - writer.transport.get_write_buffer_size()

    async with asyncio.timeout(30):
        for n in range(len(some)):
            while not bus_of(side).waiting:
                await asyncio.sleep(0)
            bus_of(side).tell()
            assert b"HTTP/1.1 200" in await answer(reader), n

    assert taken < sum(map(len, some)) / 2  # the rest waited in the sender
    assert [m.text for m in bus_of(side).messages if isinstance(m, SmsReceived)] == [str(n) for n in range(4000)]
    writer.close()


async def test_of_a_sender_who_reads_no_answers_little_is_taken(side: Side) -> None:
    side.receiver.intake.bus = MemoryBus()
    loop = asyncio.get_running_loop()
    assert side.receiver._listener is not None
    listening = side.receiver._listener.sockets[0]
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # its connections inherit it
    sender = socket.socket()
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sender.setblocking(False)
    await loop.sock_connect(sender, ("127.0.0.1", side.receiver.port))

    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            for _ in range(5000):
                await loop.sock_sendall(sender, post(GOOD))
                for _ in range(4):  # one at a time: the fast lane's
                    await asyncio.sleep(0)

    assert 100 < side._counted()["smsbus_callbacks_total", "main", "duplicate"] < 2500
    sender.close()


async def test_who_says_goodbye_takes_one_more_callback_on_each_connection(side: Side) -> None:
    first, second = await connect(side), await connect(side)
    first[1].write(post(GOOD))
    await until(side, in_flight=1)

    side.receiver.say_goodbye()
    second[1].write(post(GOOD))
    await until(side, in_flight=2)
    bus_of(side).tell()

    assert b"\r\nConnection: close\r\n" not in await answer(first[0])  # it was there before
    last = await answer(second[0])
    assert last.startswith(b"HTTP/1.1 200")
    assert b"\r\nConnection: close\r\n" in last
    assert await second[0].read() == b""
    for _, writer in (first, second):
        writer.close()


async def test_a_stop_answers_what_the_bus_has_and_sends_the_next_one_away(side: Side) -> None:
    reader, writer = await connect(side)
    writer.write(post(GOOD))
    await until(side, in_flight=1)
    stop = asyncio.create_task(side.receiver.stop(5.0))
    await asyncio.sleep(0.01)
    writer.write(post(GOOD))
    await asyncio.sleep(0.01)

    bus_of(side).tell()
    first, second = await answer(reader), await answer(reader)

    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 503")
    assert b'"closing"' in second
    assert b"\r\nConnection: close\r\n" in second
    assert await reader.read() == b""
    await stop
    writer.close()


async def test_a_stop_ends_although_the_bus_never_tells(side: Side) -> None:
    reader, writer = await connect(side)
    writer.write(post(GOOD))
    await until(side, in_flight=1)
    began = asyncio.get_running_loop().time()

    await side.receiver.stop(0.2)

    assert 0.2 <= asyncio.get_running_loop().time() - began < 2.0
    assert await reader.read() == b""
    bus_of(side).tell()
    await asyncio.sleep(0.01)  # nobody is there any longer
    assert len(bus_of(side).messages) == 1
    writer.close()


async def test_what_the_bus_tells_just_behind_the_grace_is_answered_still(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.server.CUT_OFF", 3.0)
    reader, writer = await connect(side)
    writer.write(post(GOOD))
    await until(side, in_flight=1)
    began = asyncio.get_running_loop().time()
    stop = asyncio.create_task(side.receiver.stop(0.1))
    await asyncio.sleep(0.3)

    bus_of(side).tell()

    assert (await answer(reader)).startswith(b"HTTP/1.1 200")
    assert await reader.read() == b""
    await stop
    assert asyncio.get_running_loop().time() - began < 2.0
    writer.close()


@pytest.mark.parametrize("requests", [1, 2])
async def test_a_sender_that_closes_its_side_behind_whole_requests_gets_their_responses(
    side: Side, requests: int
) -> None:
    """As `nc -N` and other small clients do."""
    reader, writer = await connect(side)
    writer.write(post(GOOD) * requests)
    writer.write_eof()

    for _ in range(requests):
        await until(side, in_flight=1)
        async with asyncio.timeout(5):
            while not bus_of(side).waiting:
                await asyncio.sleep(0.002)
        bus_of(side).tell()
        said = await answer(reader)
        assert b"HTTP/1.1 200" in said

    assert b"\r\nConnection: close\r\n" in said
    assert await seconds_until_closed(reader, asyncio.get_running_loop().time()) < KEPT / 2


async def test_a_sender_that_closes_its_side_within_a_body_is_gone(side: Side) -> None:
    reader, writer = await connect(side)
    writer.write(HEAD + BODY[:9])
    await until(side, in_flight=1)
    writer.write_eof()

    assert await seconds_until_closed(reader, asyncio.get_running_loop().time()) < PATIENCE * 0.9
    await until(side, in_flight=0)


async def test_a_flood_of_requests_that_store_nothing_holds_up_nobody_else(side: Side) -> None:
    """One of them a turn of the event loop, on however many connections they are pipelined."""
    flood = [await connect(side) for _ in range(20)]
    for _, writer in flood:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 30)
    turns, responses = 0, 0
    async with asyncio.timeout(20):
        while responses < 100:
            await asyncio.sleep(0)
            turns += 1
            responses = int(counted(side, "not_found"))

    assert responses <= turns + 1
    for _, writer in flood:
        writer.close()


def counted(side: Side, outcome: str) -> float:
    return side.registry.get_sample_value("smsbus_callbacks_total", {"account": "", "outcome": outcome}) or 0.0
