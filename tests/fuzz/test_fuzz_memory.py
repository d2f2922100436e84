"""One receiver, thousands of fuzzed requests, and afterwards it holds nothing that it did not hold before."""

import asyncio
import functools
import gc
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from bus.contract import Delivery, Receipt, promised
from receiver.connection import LINGER
from receiver.request_head import Heads
from receiver.server import CallbackServer
from schemas.messages import Message
from tests.fuzz import material
from tests.fuzz.budget import MINUTES, TIMEOUT
from tests.fuzz.parts import PATH, FuzzedBus, Public, public
from tests.fuzz.wire import said_to, takes_a_good_callback

pytestmark = [pytest.mark.timeout(TIMEOUT), pytest.mark.long]

CACHING: Final = frozenset({"aiohttp", "bus", "receiver", "schemas", "yarl"})
WARM_UP: Final = 600
REQUESTS: Final = int(1500 * max(1.0, MINUTES))
ENDING: Final = 0.5  # seconds within which one of the tasks ends, while any is about to
BYTES_EACH: Final = 50  # of growth for a request: less than any trace of one takes


class ForgetfulBus(FuzzedBus):
    """Takes everything and keeps nothing, so that all that grows is the receiver's."""

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        return promised(Receipt(message.event_id, "kafka", duplicate=False, delivery=Delivery("kafka")))


@pytest.fixture
def server() -> Iterator[Public]:
    with public(ForgetfulBus(), patience=0.05) as opened:
        yield opened


def request(rng: random.Random) -> bytes:
    """No two alike: what is kept by token, by header, by number or by text grows with them."""
    body = bytearray(rng.choice(material.BODIES) or b"{}")
    for _ in range(rng.randint(0, 4)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    body = body.replace(b"16470000000", b"1%010d" % rng.randrange(10**10))
    target = PATH if rng.random() < 0.8 else f"/v1/pingme/{rng.random()}"
    wrong = rng.choice((0, 0, 0, 0, 0, 1, -1))
    head = f"{rng.choice(('POST', 'POST', 'PUT'))} {target} HTTP/1.1\r\nHost: {rng.random()}\r\nX-{rng.random()}: a\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % max(0, len(body) + wrong) + body


def send(server: Public, rng: random.Random, number: int) -> None:
    for _ in range(number):
        said_to(server, [request(rng)], reset=rng.random() < 0.1)
    assert takes_a_good_callback(server)


class Held(NamedTuple):
    bytes: int
    tasks: int
    files: int


async def tasks(receiver: CallbackServer) -> int:
    """Return the lasting tasks of the loop, once no connection is left: aiohttp lingers for a body nobody will send."""
    async with asyncio.timeout(5 * LINGER):
        while receiver._server is not None and receiver._server.connections:
            await asyncio.sleep(0.05)
    lasting = asyncio.all_tasks() - {asyncio.current_task()}
    while lasting and (ended := (await asyncio.wait(lasting, timeout=ENDING))[0]):
        lasting -= ended
    return len(lasting)


def held(server: Public) -> Held:
    """Return what is held at rest, without the bounded caches: they are meant to fill."""
    running = server.home.run(tasks(server.receiver))
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper) and each.__module__.partition(".")[0] in CACHING:
            each.cache_clear()
        if isinstance(each, Heads):
            each._remembered.clear()
    gc.collect()
    return Held(tracemalloc.get_traced_memory()[0], running, len(list(Path("/proc/self/fd").iterdir())))


def test_thousands_of_fuzzed_requests_leave_nothing_behind(server: Public) -> None:
    rng = random.Random(11)
    tracemalloc.start()
    try:
        send(server, rng, WARM_UP)
        before = held(server)

        send(server, rng, REQUESTS)
        after = held(server)
    finally:
        tracemalloc.stop()

    assert after.bytes - before.bytes < REQUESTS * BYTES_EACH
    assert (after.tasks, after.files) == (before.tasks, before.files)
    assert server.complaints.all == []
