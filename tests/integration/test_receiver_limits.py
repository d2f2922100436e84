"""One account's URL in foreign hands, over real sockets and on both ways: the other account is answered at once."""

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import repeat
from typing import Any

import pytest
import structlog

from bus.contract import Receipt
from bus.memory import MemoryBus
from receiver import allowance, body, connection, pingme
from receiver.allowance import OVER, TOO_MANY
from schemas.messages import Message
from tests.paired_servers import OTHER, TOKEN, Side, post

pytestmark = pytest.mark.usefixtures("no_collections")  # their time is charged to the account

KIB = 1024
GOOD = json.dumps({"userId": "u", "from": "22395", "to": "16470000000", "text": "code is 5611"}).encode()
GENUINE = post(GOOD, target=f"/v1/pingme/{OTHER}")
ARRAY = b"[%b]" % b",".join([json.dumps({"text": str(n), "to": "1"}).encode() for n in range(98)] + [b"1"])
LARGE = json.dumps({"userId": "u", "to": "1", "text": "x" * 5000}).encode()
JUNK = b"x" * 200 * KIB
PACKED = "Content-Encoding: gzip"
QUEUED: dict[str, bytes] = {
    "an array": post(ARRAY),
    "a packed array": post(gzip.compress(ARRAY), PACKED),
    "a packed sms": post(gzip.compress(GOOD), PACKED),
    "a deflated sms": post(zlib.compress(GOOD), "Content-Encoding: deflate"),
    "a large sms": post(LARGE),
    "a large form": post(b"text=" + b"a" * 5000),
    "much junk": post(b"x" * 5000),
    "packed junk": post(gzip.compress(JUNK), PACKED),
}
CHUNKED_HALF = post(b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"") + b"400\r\n{"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HoldingBus(MemoryBus):
    """Keeps what comes of the account `main` waiting until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[asyncio.Future[Receipt], asyncio.Future[Receipt]]] = []
        self.holds = True

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        told = super().submit(message, key=key)
        if not self.holds or getattr(message, "account", "") != "main":
            return told
        later: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.held.append((later, told))
        return later

    def go_on(self) -> None:
        for later, told in self.held:
            later.set_result(told.result())
        self.held.clear()


class RunningServer:
    """A running receiver, its bus, and lines to it."""

    def __init__(self, **changed: object) -> None:
        self.bus = HoldingBus()
        self.side = Side(**{"max_body": 256 * KIB, **changed})  # type: ignore[arg-type]
        self.side.receiver.intake.bus = self.bus
        self._lines: list[asyncio.StreamWriter] = []

    async def line(self) -> Line:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.side.receiver.port)
        self._lines.append(writer)
        return reader, writer

    async def ask(self, request: bytes, line: Line | None = None) -> bytes:
        reader, writer = line or await self.line()
        writer.write(request)
        return await answer(reader)

    async def asked(self, request: bytes) -> Line:
        """Ask, and do not wait."""
        line = await self.line()
        line[1].write(request)
        return line

    async def genuine(self) -> None:
        """It is answered, whatever waits: that waits for ever, or for longer than this."""
        async with asyncio.timeout(4):
            assert (await self.ask(GENUINE)).startswith(b"HTTP/1.1 200")

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not met():
                await asyncio.sleep(0.002)

    def counted(self, outcome: str, account: str = "main") -> float:
        return self.side._counted().get(("smsbus_callbacks_total", account, outcome), 0.0)

    @property
    def in_flight(self) -> int:
        return self.side.receiver.intake.in_flight

    async def close(self) -> None:
        self.bus.holds = False
        self.bus.go_on()
        for writer in self._lines:
            writer.close()
        await self.side.receiver.stop(1.0)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def is_limited(said: bytes, reason: str) -> int:
    """Fail unless it is this 429 and leaves the connection open; return when to come back."""
    head, _, document = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 429 Too Many Requests")
    assert b"Connection: close" not in head
    assert (json.loads(document)["reason"], json.loads(document)["status"]) == (reason, 429)
    return int(head.partition(b"Retry-After: ")[2].partition(b"\r\n")[0])


@pytest.fixture(params=[True, False], ids=["fast lane", "aiohttp alone"])
async def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Open a server with these settings."""
    monkeypatch.setattr(connection, "LINGER", 0.05)
    houses: list[RunningServer] = []

    async def open_server(**changed: object) -> RunningServer:
        server = RunningServer(fast_lane=request.param, **changed)
        houses.append(server)
        await server.side.receiver.start()
        return server

    yield open_server
    for server in houses:
        await server.close()


# ---- turns ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", QUEUED)
async def test_of_one_account_what_is_no_plain_sms_is_in_the_bus_one_after_the_other(opened: Any, what: str) -> None:
    server = await opened()
    lines = [await server.asked(QUEUED[what]) for _ in range(20)]
    await server.until(lambda: server.in_flight == 20)
    one = len(server.bus.held)

    await server.genuine()
    assert one == (99 if "array" in what else 1)
    for _ in lines:
        await server.until(lambda: len(server.bus.held) == one)
        server.bus.go_on()

    answers = [await answer(reader) for reader, _ in lines]
    assert all(said.startswith(b"HTTP/1.1 200") for said in answers)


async def test_plain_sms_do_not_wait_behind_what_is_not(opened: Any) -> None:
    server = await opened()
    await server.asked(post(ARRAY))
    await server.until(lambda: len(server.bus.held) == 99)

    for n in range(1, 6):
        await server.asked(post(json.dumps({"text": str(n), "to": "2"}).encode()))
        await server.until(lambda n=n: len(server.bus.held) == 99 + n)

    await server.genuine()


@pytest.mark.parametrize("what", ["a large sms", "packed junk"])
async def test_others_are_answered_while_something_large_is_read(
    opened: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    server = await opened()
    server.bus.holds = False
    messages, reads, may_end = pingme.messages, threading.Event(), threading.Event()

    def slow(request: Any) -> Any:
        if request.caller.account == "main":
            reads.set()
            assert may_end.wait(5)
        return messages(request)

    monkeypatch.setattr(pingme, "messages", slow)
    reader, _ = await server.asked(QUEUED[what])
    await server.until(reads.is_set)

    await server.genuine()
    may_end.set()

    assert (await answer(reader)).startswith(b"HTTP/1.1 200")


async def test_the_fast_lane_goes_on_behind_what_had_to_wait_for_its_turn(opened: Any) -> None:
    server = await opened()
    server.bus.holds = False
    line = await server.line()

    for request in (post(GOOD), post(ARRAY), post(GOOD), post(LARGE), post(GOOD)):
        assert (await server.ask(request, line)).startswith(b"HTTP/1.1 200")

    fast = server.side.registry.get_sample_value("smsbus_callbacks_fast_lane_total")
    assert fast == (3 if server.side.receiver._settings.fast_lane else 0)


async def test_who_waits_for_its_turn_longer_than_for_a_body_is_429_and_has_cost_nothing(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await opened(body_deadline=0.2)
    await server.asked(post(ARRAY))
    await server.until(lambda: len(server.bus.held) == 99)
    nothing_is_read(monkeypatch)

    async with asyncio.timeout(3):
        for what in ("an array", "packed junk", "a large sms"):
            assert is_limited(await server.ask(QUEUED[what]), TOO_MANY) > 0
        await server.side.receiver.intake.allowances["other"].turn(0.01).__aenter__()

    assert server.counted(TOO_MANY) == 3
    assert len(server.bus.held) == 99


@pytest.mark.parametrize(
    ("first", "name", "value"),
    [(b"0", "QUICK", -0.15), (b"\x01" * 4000, "LARGE", 0.15 / 19_000)],
    ids=["long to read", "large in json"],
)
async def test_who_takes_long_to_read_or_becomes_large_waits_for_its_turn_with_plain_sms_too(
    opened: Any, monkeypatch: pytest.MonkeyPatch, first: bytes, name: str, value: float
) -> None:
    server = await opened()
    monkeypatch.setattr(allowance, name, value)  # the first callback costs so much that half a second has to pay for it
    plain = [post(b'{"text":"%b","to":"2"}' % text) for text in (first, *(b"%d" % n for n in range(1, 10)))]
    lines = [await server.asked(plain[0])]
    await server.until(lambda: len(server.bus.held) == 1)
    monkeypatch.undo()

    lines += [await server.asked(each) for each in plain[1:]]
    await server.until(lambda: server.in_flight == 10 and len(server.bus.held) == 2)  # the first one had no turn
    await server.genuine()
    for _ in plain[1:]:
        server.bus.go_on()
        await server.until(lambda: len(server.bus.held) == 1 or not server.in_flight)

    assert all([(await answer(reader)).startswith(b"HTTP/1.1 200") for reader, _ in lines])


# ---- bytes ----------------------------------------------------------------------------------------------------

HEAD_SECONDS = 0.8  # that a head may take here
LITTLE = {"allowance": 16 * KIB}  # a second: 960 KiB at once


def nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no callback of `main` is inflated or parsed."""
    messages = pingme.messages

    def only_others(request: Any) -> Any:
        assert request.caller.account != "main"
        return messages(request)

    def nothing(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(pingme, "messages", only_others)
    monkeypatch.setattr(body, "inflate", nothing)


def stop_the_clock(server: RunningServer) -> None:
    """Nothing is allowed anew, however long the test takes."""
    bucket = server.side.receiver.intake.allowances["main"]._bytes
    bucket._clock = repeat(bucket._filled_at).__next__


async def spend_all(server: RunningServer, request: bytes = QUEUED["packed junk"]) -> int:
    """Send until the allowance is used up; return how many requests were taken."""
    server.bus.holds = False
    for taken in range(100):
        if b" 429 " in (said := await server.ask(request)):
            assert is_limited(said, OVER) > 0
            return taken
    raise AssertionError


@pytest.mark.parametrize(
    ("request_", "least", "most"),
    [
        (QUEUED["packed junk"], 2, 4),  # 196 KiB inflated, and 268 as a dead letter
        (post(JUNK), 2, 4),
        (post(gzip.compress(LARGE.ljust(200 * KIB)), PACKED), 4, 6),  # an SMS: inflated only
        (post(b"[" + b"1," * 90 + b"1]" + b" " * 100 * KIB), 3, 6),
    ],
    ids=["packed junk", "junk", "a padded sms", "an array of junk"],
)
async def test_an_account_over_its_allowance_is_429_and_the_others_are_not(
    opened: Any, monkeypatch: pytest.MonkeyPatch, request_: bytes, least: int, most: int
) -> None:
    server = await opened(**LITTLE)
    assert least <= await spend_all(server, request_) <= most
    stop_the_clock(server)
    known = len(server.bus.messages)
    nothing_is_read(monkeypatch)

    for refused in (post(GOOD), post(b"{"), *QUEUED.values()):
        line = await server.line()
        assert is_limited(await server.ask(refused, line), OVER) > 0
        assert is_limited(await server.ask(post(GOOD), line), OVER) > 0  # on the same connection
    assert len(server.bus.messages) == known
    await server.genuine()

    assert server.counted(OVER) == 1 + 2 * (2 + len(QUEUED))
    assert server.counted(OVER, "other") == 0


async def test_who_gets_its_turn_when_the_allowance_is_used_up_is_429(opened: Any) -> None:
    server = await opened(**LITTLE)
    lines = [await server.asked(QUEUED["packed junk"]) for _ in range(12)]
    await server.until(lambda: server.in_flight == 12)

    while server.in_flight:
        server.bus.go_on()
        await asyncio.sleep(0)

    answers = [await answer(reader) for reader, _ in lines]
    assert [said[9:12] for said in answers].count(b"429") >= 8
    assert len(server.bus.messages) == 1  # one dead letter, and its repeats


async def test_a_sender_that_comes_back_when_told_to_is_taken(opened: Any) -> None:
    server = await opened(**LITTLE)
    await spend_all(server)
    bucket = server.side.receiver.intake.allowances["main"]._bytes
    seconds = is_limited(await server.ask(post(GOOD)), OVER)

    bucket._filled_at -= seconds  # so long ago

    assert (await server.ask(post(GOOD))).startswith(b"HTTP/1.1 200")


async def test_plain_sms_never_use_it_up(opened: Any) -> None:
    server = await opened(**LITTLE)
    server.bus.holds = False
    line = await server.line()

    for n in range(600):
        said = await server.ask(post(json.dumps({"to": "1", "text": f"{n} {'x' * 3000}"}).encode()), line)
        assert said.startswith(b"HTTP/1.1 200")


async def test_small_junk_uses_it_up_too(opened: Any) -> None:
    server = await opened(**LITTLE)
    server.bus.holds = False
    line = await server.line()
    stop_the_clock(server)
    taken = 0

    while b" 200 " in await server.ask(post(b"%d" % taken), line):
        taken += 1

    assert 800 < taken < 1100


@pytest.mark.parametrize("chunked", [False, True])
async def test_half_bodies_cost_what_has_come_of_them(opened: Any, *, chunked: bool) -> None:
    server = await opened(**LITTLE)
    head = post(b"", *(["Transfer-Encoding: chunked"] if chunked else []), length=250 * KIB)
    if chunked:
        head = head.replace(b"Content-Length: %d\r\n" % (250 * KIB), b"")
    part = b"%x\r\n%b\r\n" % (240 * KIB, b"x" * 240 * KIB) if chunked else b"x" * 240 * KIB
    lines = [await server.asked(head + part) for _ in range(3)]
    await server.until(lambda: server.side.receiver.intake.allowances["main"]._bytes._level < 300 * KIB)

    lines += [await server.asked(head + part) for _ in range(2)]
    await server.until(lambda: server.in_flight < 5)

    said = await asyncio.wait_for(first_answer(lines), 5)
    assert said.startswith(b"HTTP/1.1 429")
    await server.genuine()


async def first_answer(lines: list[Line]) -> bytes:
    waiting = [asyncio.ensure_future(reader.read(12)) for reader, _ in lines]
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    return done.pop().result()


async def test_a_limited_account_is_a_degraded_word_and_one_line_in_the_log(opened: Any) -> None:
    server = await opened(**LITTLE)
    assert server.side.receiver.degraded() == ()
    with structlog.testing.capture_logs() as lines:
        await spend_all(server)
        for _ in range(5):
            await server.ask(post(GOOD))

    assert [line["event"] for line in lines] == ["account_limited"]
    assert (lines[0]["account"], lines[0]["reason"]) == ("main", OVER)
    assert server.side.receiver.degraded() == ("account_limited:main",)


async def test_the_end_of_it_is_said_although_nobody_asks(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("receiver.intake.QUIET", 0.05)
    monkeypatch.setattr(allowance, "QUIET", 0.08)
    server = await opened(**LITTLE)
    with structlog.testing.capture_logs() as lines:
        await spend_all(server)
        await server.until(lambda: len(lines) == 2)

    assert [line["event"] for line in lines] == ["account_limited", "account_limited_no_more"]
    assert server.side.receiver.degraded() == ()


# ---- at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["plain", *QUEUED])
async def test_more_than_so_many_of_one_account_at_once_are_429(
    opened: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    server = await opened(max_in_flight=5)
    some = {"plain": post(GOOD), **QUEUED}[what]
    for _ in range(5):
        await server.asked(some)
    await server.until(lambda: server.in_flight == 5)
    nothing_is_read(monkeypatch)

    for more in (post(GOOD), *QUEUED.values()):
        assert is_limited(await server.ask(more), TOO_MANY) > 0

    await server.genuine()
    assert server.counted(TOO_MANY) == 1 + len(QUEUED)


async def test_half_bodies_over_the_limit_are_429_at_once_and_others_can_connect(opened: Any) -> None:
    server = await opened(max_in_flight=5, max_connections=20)
    half = post(GOOD, length=len(GOOD) + 5)
    for _ in range(5):
        await server.asked(half)
    await server.until(lambda: server.in_flight == 5)

    for _ in range(30):
        async with asyncio.timeout(1):
            assert is_limited(await server.ask(half), TOO_MANY) > 0
    await server.genuine()


@pytest.mark.parametrize("half", [post(GOOD, length=2000), CHUNKED_HALF], ids=["short", "chunked"])
async def test_half_bodies_take_no_place_of_whole_callbacks(opened: Any, half: bytes) -> None:
    server = await opened(max_in_flight=5)
    server.bus.holds = False
    for _ in range(5):
        await server.asked(half)
    await server.until(lambda: server.in_flight == 5)

    for whole in (post(GOOD), *QUEUED.values()):
        assert (await server.ask(whole)).startswith(b"HTTP/1.1 200 ")


async def test_who_is_refused_while_it_waits_to_go_on_must_connect_again(opened: Any) -> None:
    server = await opened(max_in_flight=1)
    await server.asked(post(GOOD))
    await server.until(lambda: server.in_flight == 1)
    head, _, _ = post(GOOD, "Expect: 100-continue").partition(b"\r\n\r\n")

    for token, status in ((TOKEN, b"429"), ("unknown", b"404")):
        said = await server.ask(head.replace(TOKEN.encode(), token.encode()) + b"\r\n\r\n")
        assert said.partition(b" ")[2].startswith(status)
        assert b"Connection: close" in said  # else the next request on it would be read as the body


async def test_what_is_answered_makes_room(opened: Any) -> None:
    server = await opened(max_in_flight=2)
    line = await server.line()
    server.bus.holds = False

    for _ in range(3):
        for request in (post(GOOD), post(ARRAY), post(b"{", length=1), post(GOOD, "Content-Encoding: br")):
            said = await server.ask(request, line)
            assert b" 429 " not in said
            line = await server.line() if b"Connection: close" in said else line
        half = await server.asked(post(GOOD, length=len(GOOD) + 1))
        await server.until(lambda: server.in_flight == 1)
        half[1].close()
        await server.until(lambda: server.in_flight == 0)


async def test_an_account_that_comes_and_goes_keeps_what_it_has_used(opened: Any) -> None:
    server = await opened(**LITTLE)
    await spend_all(server)
    receiver = server.side.receiver
    main, other = receiver._accounts

    receiver.take_accounts([main])
    assert set(receiver.intake.allowances) == {"main"}
    receiver.take_accounts([main, other])

    assert is_limited(await server.ask(post(GOOD)), OVER)
    await server.genuine()


# ---- connections and heads ------------------------------------------------------------------------------------


async def is_closed(line: Line) -> bool:
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.1):
            return await line[0].read(1) == b""
        return False
    return False


async def test_one_connection_too_many_closes_the_one_that_has_been_idle_longest(opened: Any) -> None:
    server = await opened(max_connections=4)
    server.bus.holds = False
    used, idle, second, busy = [await server.line() for _ in range(4)]
    await server.ask(post(GOOD), used)
    server.bus.holds = True
    busy[1].write(post(GOOD))
    await server.until(lambda: server.in_flight == 1)

    new = await server.line()
    assert (await server.ask(GENUINE, new)).startswith(b"HTTP/1.1 200")
    assert await idle[0].read() == b""
    newer = await server.line()
    assert (await server.ask(GENUINE, newer)).startswith(b"HTTP/1.1 200")
    assert await second[0].read() == b""

    server.bus.go_on()
    assert (await answer(busy[0])).startswith(b"HTTP/1.1 200")
    assert (await server.ask(GENUINE, used)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("half", [b"", b"POST / HTTP/1.1\r\nHost: x\r\n"], ids=["silent", "half a head"])
async def test_a_flood_of_connections_leaves_room_for_others(opened: Any, half: bytes) -> None:
    server = await opened(max_connections=20)
    for n in range(200):
        _, writer = await server.line()
        writer.write(half)
        if n % 10 == 0:
            await server.genuine()

    assert server.side.receiver._server is not None
    assert len(server.side.receiver._server.connections) <= 21


WRONG = post(GOOD, target="/v1/pingme/wrong")


@pytest.mark.parametrize("half", [b"", b"POST /v1/", WRONG], ids=["silent", "half a head", "with a wrong token"])
async def test_strangers_end_no_connection_that_brought_a_token(opened: Any, half: bytes) -> None:
    server = await opened(max_connections=20)
    server.bus.holds = False
    known = [await server.line() for _ in range(15)]
    for line in known:
        await server.ask(GENUINE, line)

    for _ in range(100):
        _, writer = await server.line()
        writer.write(half)
    await asyncio.sleep(0.01)

    for line in known:
        said = await server.ask(GENUINE, line)
        assert said.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" not in said


async def test_where_a_token_keeps_as_many_as_it_can_others_are_told_to_connect_again_and_never_cut_off(
    opened: Any,
) -> None:
    server = await opened(max_connections=20)
    server.bus.holds = False
    first = await server.line()
    await server.ask(GENUINE, first)
    for _ in range(14):
        assert b"Connection: close" not in await server.ask(post(GOOD), await server.line())

    for request in (GENUINE, post(GOOD), post(ARRAY), post(b"{"), WRONG, GENUINE) * 10:
        line = await server.line()
        said = await server.ask(request, line)
        assert (b"Connection: close" in said) == (request is not WRONG)
        assert request is WRONG or await line[0].read() == b""

    assert b"Connection: close" not in await server.ask(GENUINE, first)


async def test_who_asked_on_is_told_to_connect_again_behind_its_last_answer(opened: Any) -> None:
    server = await opened(max_connections=4)
    server.bus.holds = False
    for _ in range(3):
        await server.ask(post(GOOD), await server.line())

    for request in (GENUINE, post(ARRAY)):
        line = await server.line()
        line[1].write(request * 5)
        said = [await answer(line[0]) for _ in range(5)]
        assert [each[9:12] for each in said] == [b"200"] * 5
        assert [b"Connection: close" in each for each in said] == [False] * 4 + [True]


FIELDS = [f"X-{n}: {'x' * 2000}" for n in range(60)]


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "in parts"])
@pytest.mark.parametrize("before", [b"", GENUINE], ids=["first", "behind another"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "without an end"])
async def test_a_head_over_16_kib_is_400_and_ends_the_connection(
    opened: Any, monkeypatch: pytest.MonkeyPatch, before: bytes, *, whole: bool, pause: bool
) -> None:
    monkeypatch.setattr(connection, "LINGER", 1.0)  # longer than the rest of it takes to come
    server = await opened()
    request = post(GOOD, *FIELDS)
    head = request if whole else request.partition(b"\r\n\r\n")[0]
    reader, writer = await server.line()
    pieces = [head[at : at + 5000] for at in range(0, len(head), 5000)] if pause else [head]
    for piece in [before + pieces[0], *pieces[1:]]:
        writer.write(piece)
        await asyncio.sleep(0.002 if pause else 0)

    async with asyncio.timeout(30):
        said = await reader.read()
    replies = said.split(b"HTTP/1.1 ")[1:]
    assert [reply[:3] for reply in replies] == ([b"200"] if before else []) + [b"400"]
    assert b"Connection: close" in replies[-1]
    assert server.bus.messages == [] or before
    assert server.counted("bad_request", "") == 1


async def test_a_long_head_within_16_kib_is_taken(opened: Any) -> None:
    server = await opened()
    server.bus.holds = False
    line = await server.line()

    for _ in range(5):
        assert (await server.ask(post(GOOD, *FIELDS[:7]), line)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("before", [b"", GENUINE, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_head_has_as_long_to_arrive_as_a_body(opened: Any, before: bytes) -> None:
    server = await opened(body_deadline=HEAD_SECONDS)
    reader, writer = await server.line()
    writer.write(before + b"POST /v1/pingme/x HTTP/1.1\r\n")
    async with asyncio.timeout(30):
        if before:
            await answer(reader)
        began = asyncio.get_running_loop().time()
        for n in range(5):
            writer.write(b"X-%d: a\r\n" % n)
            await asyncio.sleep(0.02)
        said = await reader.read()

    assert HEAD_SECONDS / 2 < asyncio.get_running_loop().time() - began < HEAD_SECONDS * 4
    assert said.startswith(b"HTTP/1.1 408")
    assert b"Connection: close" in said
    assert server.counted("timeout", "") == 1


async def test_a_head_in_time_and_an_idle_connection_are_not_too_late(opened: Any) -> None:
    server = await opened(body_deadline=HEAD_SECONDS)
    server.bus.holds = False
    plain, array = post(GOOD), post(ARRAY)
    line = await server.line()

    for request in (plain, array, plain + plain, post(LARGE)):
        line[1].write(request[:30])
        await asyncio.sleep(0.01)
        assert (await server.ask(request[30:], line)).startswith(b"HTTP/1.1 200")
        if request == plain + plain:
            await answer(line[0])
        await asyncio.sleep(HEAD_SECONDS * 1.1)

    assert not await is_closed(line)


@pytest.mark.parametrize("ends", [(b"0\r\n", b"\r\n"), (b"0\r\n\r", b"\n"), (b"0", b"\r", b"\n", b"\r", b"\n")])
async def test_the_end_of_a_body_that_comes_in_pieces_begins_no_head(opened: Any, ends: tuple[bytes, ...]) -> None:
    server = await opened(body_deadline=HEAD_SECONDS)
    server.bus.holds = False
    line = await server.line()
    head = post(b"", "Transfer-Encoding: chunked").replace(b"\r\nContent-Length: 0", b"")
    line[1].write(head + b"%x\r\n%b\r\n" % (len(GOOD), GOOD))
    for piece in ends:
        await asyncio.sleep(0.01)
        line[1].write(piece)

    assert (await answer(line[0])).startswith(b"HTTP/1.1 200")
    line[1].write(b"\r\n")  # behind a body, too: RFC 9112, 2.2
    await asyncio.sleep(HEAD_SECONDS * 1.1)
    assert not await is_closed(line)


# ---- all of it at once ----------------------------------------------------------------------------------------

MALICE = [
    post(gzip.compress(JUNK), PACKED),
    post(gzip.compress(b"text=a&" + b"a&" * 100_000), PACKED),
    post(ARRAY),
    post(GOOD, length=4000),
    post(b"x" * 100, length=200 * KIB),
    post(b"%", "Transfer-Encoding: chunked"),
    b"POST /v1/pingme/x HTTP/1.1\r\nX: " + b"x" * 3000,
    post(b"[" + b"1," * 98 + b"1]"),
    post(b'{"text":"%b"}' % ("\ufdfa" * 1000).encode()),
]


async def test_a_holder_of_one_url_at_full_malice_hurts_nobody_else(opened: Any) -> None:
    server = await opened(allowance=64 * KIB, max_in_flight=50, max_connections=300, body_deadline=0.5)
    stopped = False

    async def be_evil(n: int) -> None:
        while not stopped:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                reader, _ = await server.asked(MALICE[n % len(MALICE)])
                async with asyncio.timeout(0.2):
                    await reader.read(1)
            n += 1

    server.bus.holds = False
    evil = [asyncio.create_task(be_evil(n)) for n in range(30)]
    line = await server.line()
    for _ in range(100):
        async with asyncio.timeout(2):
            assert (await server.ask(GENUINE, line)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.01)
    stopped = True
    await asyncio.gather(*evil)

    assert server.counted(OVER) > 0
    assert server.counted("accepted", "other") + server.counted("duplicate", "other") == 100
