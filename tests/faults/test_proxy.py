"""The proxy does what it is told, seen from both of its ends on real sockets."""

import asyncio
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import Proxy
from tests.loop_thread import LoopThread

HOST = "127.0.0.1"
SILENCE_SECONDS = 0.2  # in which a healthy proxy forwards thousands of times


class End:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hears(self, words: bytes) -> bool:
        async with asyncio.timeout(5):
            return await self.reader.readexactly(len(words)) == words

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await self.reader.read(1)  # the end of the stream is something, too
        except TimeoutError:
            return True
        return False

    async def is_reset(self) -> bool:
        try:
            async with asyncio.timeout(5):
                await self.reader.read(1)
        except ConnectionResetError:
            return True
        return False

    def says(self, words: bytes) -> None:
        self.writer.write(words)

    def resets(self) -> None:
        close_by_reset = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, close_by_reset)
        self.writer.transport.abort()


class Target:
    """Listens at `port`; what connects is taken with `connection`."""

    def __init__(self, server: asyncio.Server, connected: asyncio.Queue[End]) -> None:
        self.port: int = server.sockets[0].getsockname()[1]
        self._connected = connected

    @property
    def is_alone(self) -> bool:
        """Nobody has connected whom nobody took."""
        return self._connected.empty()

    async def connection(self) -> End:
        async with asyncio.timeout(5):
            return await self._connected.get()


@asynccontextmanager
async def listening() -> AsyncIterator[Target]:
    connected: asyncio.Queue[End] = asyncio.Queue()
    server = await asyncio.start_server(lambda *ends: connected.put_nowait(End(*ends)), HOST, 0)
    try:
        yield Target(server, connected)
    finally:
        server.close()


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with listening() as target:
        yield target


@pytest.fixture
def home() -> Iterator[LoopThread]:
    home = LoopThread()
    yield home
    home.close()


@pytest.fixture
def proxy(home: LoopThread, target: Target) -> Iterator[Proxy]:
    proxy = Proxy(target.port, home)
    yield proxy
    proxy.close()


async def connect(proxy: Proxy) -> End:
    return End(*await asyncio.open_connection(HOST, proxy.port))


async def turned_away(proxy: Proxy) -> bool:
    """Whether a new connection is reset, at once or a moment after it came about."""
    try:
        client = await connect(proxy)
    except ConnectionResetError:
        return True
    return await client.is_reset()


async def pair(proxy: Proxy, target: Target) -> tuple[End, End]:
    """A client's end and the target's, through the proxy."""
    client = await connect(proxy)
    return client, await target.connection()


async def test_bytes_pass_both_ways_and_are_counted(proxy: Proxy, target: Target) -> None:
    client, server = await pair(proxy, target)

    client.says(b"a question")
    asked = await server.hears(b"a question")
    server.says(b"an answer")
    answered = await client.hears(b"an answer")

    assert (asked, answered, proxy.connections, proxy.open) == (True, True, 1, 1)
    assert proxy.bytes["up"] == len(b"a question")


async def test_the_end_of_a_stream_is_passed_on_and_the_other_way_stays_open(proxy: Proxy, target: Target) -> None:
    client, server = await pair(proxy, target)

    client.says(b"all")
    client.writer.write_eof()
    asked = await asyncio.wait_for(server.reader.read(), 5)
    server.says(b"done")
    server.writer.close()

    assert asked == b"all"
    assert await asyncio.wait_for(client.reader.read(), 5) == b"done"


async def test_a_delay_adds_to_each_way_and_takes_neither_order_nor_throughput(proxy: Proxy, target: Target) -> None:
    client, server = await pair(proxy, target)
    proxy.delay(0.1)
    sent = random.Random(1).randbytes(8 * 2**20)  # more than a hundred times what is read at once

    began = time.monotonic()
    client.says(sent)
    there = await server.hears(sent)
    one_way = time.monotonic() - began
    server.says(b"!")
    back = await client.hears(b"!")
    both_ways = time.monotonic() - began

    assert (there, back) == (True, True)
    assert 0.1 <= one_way < 4
    assert both_ways - one_way >= 0.1


async def test_with_up_dropped_the_target_hears_nothing_and_is_still_heard(proxy: Proxy, target: Target) -> None:
    client, server = await pair(proxy, target)
    proxy.drop("up")

    client.says(b"lost")
    client.writer.write_eof()
    server.says(b"still there?")

    assert await client.hears(b"still there?")
    assert await server.hears_nothing()


async def test_with_down_dropped_the_client_hears_nothing_and_is_still_heard(proxy: Proxy, target: Target) -> None:
    client, server = await pair(proxy, target)
    proxy.drop("down")

    server.says(b"lost")
    client.says(b"still there?")

    assert await server.hears(b"still there?")
    assert await client.hears_nothing()


async def test_healing_resets_what_lost_bytes_and_nothing_else(proxy: Proxy, target: Target) -> None:
    lossy, lossy_server = await pair(proxy, target)
    whole, whole_server = await pair(proxy, target)
    proxy.drop("down")
    lossy_server.says(b"lost")
    assert await lossy.hears_nothing()

    proxy.heal()
    whole_server.says(b"whole")

    assert await lossy.is_reset()
    assert await lossy_server.is_reset()
    assert await whole.hears(b"whole")


async def test_a_frozen_proxy_forwards_and_closes_nothing_and_goes_on_where_it_was(
    proxy: Proxy, target: Target
) -> None:
    client, server = await pair(proxy, target)
    gone, gone_server = await pair(proxy, target)
    proxy.freeze()
    client.says(b"one ")
    gone_server.resets()

    assert await server.hears_nothing()
    assert await gone.hears_nothing()

    client.says(b"two")
    proxy.heal()

    assert await server.hears(b"one two")
    assert await gone.is_reset()


async def test_who_connects_to_a_frozen_proxy_waits_until_it_is_healed(proxy: Proxy, target: Target) -> None:
    proxy.freeze()

    client = await connect(proxy)
    client.says(b"hello")

    assert await client.hears_nothing()
    assert target.is_alone

    proxy.heal()

    assert await (await target.connection()).hears(b"hello")


async def test_a_reset_ends_both_sides_of_every_connection_frozen_ones_too(proxy: Proxy, target: Target) -> None:
    ends = [*await pair(proxy, target), *await pair(proxy, target)]
    proxy.freeze()

    proxy.reset()

    assert [await end.is_reset() for end in ends] == [True] * 4
    assert (proxy.connections, proxy.open) == (2, 0)


async def test_while_it_refuses_new_connections_are_reset_and_the_old_ones_go_on(proxy: Proxy, target: Target) -> None:
    client, server = await pair(proxy, target)
    proxy.refuse()

    refused = await turned_away(proxy)
    client.says(b"still here")

    assert refused
    assert await server.hears(b"still here")

    proxy.heal()

    assert await pair(proxy, target)


async def test_a_target_that_does_not_listen_or_goes_away_resets_the_client(home: LoopThread) -> None:
    async with listening() as target:
        proxy = Proxy(target.port, home)
        client, server = await pair(proxy, target)
        server.resets()
        reset = await client.is_reset()

    assert reset
    assert await turned_away(proxy)

    proxy.close()
