"""What aiohttp does and its documentation does not say: the files connection.py are built on each of these.

A red test here is no bug of ours: a new aiohttp behaves differently, so look at what relied on the old way.
"""

import ast
import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import EMPTY_PAYLOAD, ClientSession, TCPConnector, web
from aiohttp.client_proto import ResponseHandler
from aiohttp.web import RequestHandler, Server, StreamResponse
from aiohttp.web_protocol import _ErrInfo

import receiver
from receiver import answers
from receiver.connection import Connection
from tests.parsed import parsed
from tests.resets import complaints_of_a_reset

HOUSE = Path(receiver.__file__).parent
NAMES = {
    *("_buffer_paused", "_close", "_current_request", "_force_close", "_handler_waiter", "_keepalive_handle"),
    *("_keepalive_timeout", "_loop", "_messages", "_next_keepalive_close_time", "_pause_reading_for_buffer", "_paused"),
    *("_process_keepalive", "_request_count", "_request_in_progress", "_resume_reading_for_buffer", "_upgraded"),
    *("_read_bytes", "_task_handler", "_waiter"),
}
"""aiohttp's private names that `receiver/connection.py` uses."""


def private(file: Path) -> set[str]:
    """The private attributes that a file uses, of whatever object."""
    found = {node.attr for node in ast.walk(parsed(file)) if isinstance(node, ast.Attribute)}
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def of_aiohttp() -> set[str]:
    classes = {*RequestHandler.__mro__, *web.BaseRequest.__mro__}
    return {name for cls in classes for name in (*vars(cls), *getattr(cls, "__slots__", ()))}


def test_these_private_names_are_all_that_connection_uses() -> None:
    assert private(HOUSE / "connection.py") & of_aiohttp() == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_aiohttp_has_it(name: str) -> None:
    assert name in of_aiohttp()


OTHERS = [
    *(each for each in HOUSE.glob("*.py") if each.name != "connection.py"),
    HOUSE.parent / "app/admin/listener.py",
]


@pytest.mark.parametrize("file", OTHERS, ids=str)
def test_no_other_file_uses_any(file: Path) -> None:
    ours = set(Connection.__slots__)
    assert private(file) & of_aiohttp() - ours - set(vars(answers.Response)) == set()


def test_no_name_of_ours_is_one_of_aiohttps() -> None:
    """Else an upgrade of aiohttp would write into ours."""
    assert not of_aiohttp() & set(Connection.__slots__)


@asynccontextmanager
async def served(
    handler: Callable[[web.BaseRequest], Awaitable[StreamResponse]],
) -> AsyncIterator[tuple[list[RequestHandler], asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare aiohttp server, what it made of a connection, and that connection's other end."""
    server, made = Server(handler), []

    def connection() -> RequestHandler:
        made.append(server())
        return made[-1]

    listener = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
    try:
        yield made, reader, writer
    finally:
        writer.close()
        listener.close()
        await server.shutdown(1)


async def plain(request: web.BaseRequest) -> StreamResponse:
    return web.Response(text="x")


async def test_of_a_response_it_calls_prepare_and_write_eof_and_reads_keep_alive() -> None:
    """So `answers.Response` needs no `StreamResponse.__init__`."""
    asked: list[str] = []

    class Watched(answers.Response):
        def __getattribute__(self, name: str) -> object:
            asked.append(name)
            return super().__getattribute__(name)

    async def watched(request: web.BaseRequest) -> StreamResponse:
        asked.clear()
        return Watched(web.HTTPOk().status_code, b"x")  # type: ignore[arg-type]

    async with served(watched) as (_, reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\nx")

    inside = set(vars(answers.Response)) | {"_keep_alive", "_head", "_content"}
    assert {"prepare", "write_eof", "keep_alive"} <= set(asked)
    assert set(asked) - inside <= {"prepare", "write_eof", "keep_alive", "__class__", "__http_exception__"}


async def test_between_two_requests_it_waits_and_counts() -> None:
    async with served(plain) as (made, reader, writer):
        for number in (1, 2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\nx")
            (protocol,) = made
            async with asyncio.timeout(5):
                while protocol._waiter is None or protocol._waiter.done():
                    await asyncio.sleep(0)
            assert (protocol._request_count, protocol._current_request, protocol._messages) == (
                number,
                None,
                protocol._messages,
            )
            assert not protocol._messages
            assert protocol._keepalive_handle is not None
            assert not protocol._request_in_progress
            assert not protocol._force_close


async def test_while_a_handler_runs_the_request_is_the_current_one_and_its_body_the_last() -> None:
    seen: list[tuple[object, bool]] = []

    async def looks(request: web.BaseRequest) -> StreamResponse:
        seen.append((request.protocol._current_request, request.protocol._request_in_progress))
        assert request.content is EMPTY_PAYLOAD
        return await plain(request)

    async with served(looks) as (_, reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\nx")

    assert [(request is not None, running) for request, running in seen] == [(True, True)]


def test_an_error_stands_in_the_queue_of_messages_as_this() -> None:
    assert list(inspect.signature(_ErrInfo).parameters) == ["status", "exc", "message"]


async def test_a_request_whose_connection_is_lost_in_the_same_turn_ends_its_task_with_an_error() -> None:
    """So `Connection.connection_lost` cancels that task."""
    async with served(plain) as (made, *_):
        complaints = await complaints_of_a_reset(lambda: made, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert [type(each["exception"]) for each in complaints] == [TypeError]


# ---- the client --------------------------------------------------------------------------------------------------


async def test_forwarding_uses_two_private_names_of_a_connector() -> None:
    file = HOUSE.parent / "forwarding" / "connection.py"
    async with TCPConnector() as connector:
        its_own = {*dir(connector), *dir(ResponseHandler(asyncio.get_running_loop()))}

    assert private(file) & its_own == {"_factory", "_loop"}


async def test_a_connector_makes_its_connections_with_its_factory() -> None:
    """And a connection is told of each request, of what comes, and of each head."""
    called: list[str] = []

    class Watched(ResponseHandler):
        def __getattribute__(self, name: str) -> object:
            called.append(name)
            return super().__getattribute__(name)

        def feed_data(self, *message: object) -> None:
            called.append("with a head")
            super().feed_data(*message)  # type: ignore[arg-type]

    async with (
        served(plain) as (_, _, writer),
        TCPConnector() as connector,
        ClientSession(connector=connector) as client,
    ):
        connector._factory = lambda: Watched(asyncio.get_running_loop())
        async with client.get("http://{}:{}/".format(*writer.get_extra_info("peername"))):
            pass

    assert {"connection_made", "set_response_params", "data_received", "with a head"} <= {*called}
