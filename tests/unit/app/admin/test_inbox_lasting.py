"""Waits and streams on the admin listener: how many it holds, and how they end when their process stops."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app import wiring
from app.admin.listener import MOST_CONNECTIONS
from app.settings.load import Settings
from app.settings.sections import AdminSettings
from bus.kafka.topics_reader import Part
from inbox.asking import Inbox
from inbox.following import Following
from inbox.lasting import Lasting
from inbox.settings import InboxSettings
from inbox.tail import Tail
from pollers.watches.watch_table import WatchTable
from schemas.topics import MESSAGE_PARTITIONS, RECEIVED, REJECTED, WATCH_ENDED

pytestmark = pytest.mark.loopback
TOKEN = "a-long-token-of-the-admin"
FEW = 100  # that may wait, in place of 1,200; more than the connections that are left for others
WAIT = "/v1/wait?recipient=16470000000&timeout=55"
EMPTY = {Part(topic, n): 0 for topic in (RECEIVED, REJECTED, WATCH_ENDED) for n in range(MESSAGE_PARTITIONS)}


class EmptyTopics:
    """Topics to which nothing comes."""

    cluster = "c"

    async def ends(self):
        return EMPTY

    async def begins(self, since_ms, at_most):
        return EMPTY

    def place(self, positions):
        pass

    def has_read_all(self):
        return True

    async def fetch(self):
        await asyncio.sleep(0.1)  # one that does not return in seconds is a Kafka that hangs
        return []


@asynccontextmanager
async def open_reader():
    yield EmptyTopics()


@pytest.fixture
async def inbox():
    settings = InboxSettings()
    some = Inbox(Following(Tail(settings), settings, open_reader, now_ms=int), now_ms=int)
    some.lasting = Lasting(FEW)
    some.following.start()
    yield some
    await some.following.stop()


@pytest.fixture
async def client(inbox):
    """A client of a process that is an inbox alone; `admin` is its listener."""
    settings = Settings(admin=AdminSettings(port=0, token=SecretStr(TOKEN)))
    watching = wiring.Watching(settings.kafka, WatchTable(settings.kafka))
    admin = wiring.inbox_admin(settings, CollectorRegistry(), inbox, watching, degraded=tuple, present=lambda: settings)
    await admin.start()
    url, headers = f"http://127.0.0.1:{admin.port}", {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(url, headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        session.admin = admin
        yield session
    await admin.stop()


async def reason(answering) -> tuple[int, str, str]:
    async with answering as answer:
        return answer.status, answer.headers["Retry-After"], (await answer.json(content_type=None))["reason"]


async def until(holds) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


async def waiting(client, inbox, count: int) -> list[asyncio.Future]:
    asked = [asyncio.ensure_future(client.get(WAIT)) for _ in range(count)]
    await until(lambda: len(inbox.lasting) == count)
    return asked


async def test_as_many_wait_as_may_and_one_more_is_told_so_and_probes_are_still_answered(client, inbox):
    asked = await waiting(client, inbox, FEW)
    probes = [await client.get("/livez") for _ in range(MOST_CONNECTIONS // 2)]

    assert [await reason(client.get(path)) for path in (WAIT, "/v1/stream")] == [(503, "5", "too_many_waits")] * 2
    assert len(client.admin._connections) > FEW
    assert client.admin.degraded() == ()
    assert len(inbox.lasting) == FEW
    assert not any(each.done() for each in asked)
    for probe in probes:
        await probe.read()
    for each in asked:
        each.cancel()


async def test_a_stop_answers_those_who_wait_and_ends_the_streams(client, inbox):
    asked = await waiting(client, inbox, 3)
    async with client.get("/v1/stream") as stream:
        await stream.content.readuntil(b"\n\n")
        inbox.lasting.close()
        rest = await stream.read()

    assert rest == b""
    assert [await reason(await each) for each in asked] == [(503, "5", "closing")] * 3
    assert [await reason(client.get(path)) for path in (WAIT, "/v1/stream")] == [(503, "5", "closing")] * 2
    async with client.get("/v1/sms") as listed:
        assert listed.status == 200


@pytest.mark.parametrize("path", [WAIT, "/v1/stream"])
@pytest.mark.parametrize("only_its_half", [True, False], ids=["its half", "all"])
async def test_who_leaves_makes_room_at_once(client, inbox, path, only_its_half):
    _, writer = await asyncio.open_connection("127.0.0.1", client.admin.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    await until(lambda: len(inbox.lasting) == 1)

    writer.write_eof() if only_its_half else writer.close()

    await until(lambda: len(inbox.lasting) == 0)
    assert inbox.following.tail.subscribers == 0
    writer.close()


@pytest.mark.parametrize("path", [WAIT, "/v1/stream"])
@pytest.mark.parametrize("how", ["write_eof", "abort", "close"])
async def test_who_leaves_before_its_request_has_begun_takes_no_place(client, inbox, path, how):
    """The request and the end of its connection arrive together, as on a busy process."""
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", client.admin.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        getattr(writer if how != "abort" else writer.transport, how)()
    async with client.get("/v1/sms") as listed:  # what came before it has begun
        assert listed.status == 200

    await until(lambda: len(inbox.lasting) == 0)
    assert inbox.following.tail.subscribers == 0
