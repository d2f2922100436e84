"""The supervisor's two edges on real parts: a child on its pipe, and a listener that passes requests on to another."""

import asyncio
import errno
import os
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.inbox import STREAM_HEADERS
from app.admin.listener import Listener
from app.errors import StartupError
from app.process import allow_many_connections
from app.settings.sections import AdminSettings
from app.wiring import Reading
from app.workers import supervisor, worker_process
from app.workers.admin import JointAdmin
from app.workers.worker_process import Worker
from bus.contract import Ledger
from inbox.lasting import MOST

MANY = partial(aiohttp.TCPConnector, limit=0)
SHOWN = "a-long-token-of-the-admin"

SAYS_PORT = "import sys; print(4711, flush=True); "
SERVES = SAYS_PORT + """sys.stdin.read(); print('{"accepted": 3, "published": 3}')"""
HEARS = f"""
import sys
{SAYS_PORT}
lines = sys.stdin.read().splitlines()
print('{{"accepted": %d}}' % len(lines))
"""
HURRIES = (  # where tests run side by side, SIGINT is ignored until somebody handles it
    f"import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(0)); {SAYS_PORT}sys.stdin.read()"
)
READS = SAYS_PORT + "line = sys.stdin.readline(); sys.exit(int(line)) if line else None"
CRASHES = SAYS_PORT + "sys.exit(7)"


def worker(program: str) -> Worker:
    return Worker("receiver-1", [sys.executable, "-c", program])


async def until(holds) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_worker_that_is_told_to_stop_leaves_its_ledger():
    child = worker(SERVES)
    run = asyncio.create_task(child.run())
    await child.ready.wait()
    serving = child.admin

    child.stop()
    await run

    assert serving == "http://127.0.0.1:4711"
    assert (child.exit_code, child.admin, child.restarts) == (0, None, 0)
    assert child.ledger == Ledger(accepted=3, published=3)


async def test_a_worker_is_told_to_stop_before_python_is_up():
    child = worker(SERVES)
    run = asyncio.create_task(child.run())
    await asyncio.sleep(0)

    child.stop()
    await run

    assert child.exit_code == 0
    assert child.ledger.accepted == 3


async def test_a_worker_that_ends_by_itself_is_started_again_and_its_pause_does_not_hold_up_the_end():
    child = worker(CRASHES)
    run = asyncio.create_task(child.run())
    await until(lambda: child.restarts == 2)
    await until(lambda: child.admin is None and child.exit_code == 7)

    told = time.monotonic()
    child.stop()
    await run

    assert time.monotonic() - told < 5
    assert child.exit_code in {0, 7}
    assert child.silent_seconds() > 0


@pytest.mark.parametrize("serves", [True, False], ids=["while it serves", "before python is up"])
async def test_a_worker_is_sent_the_files_of_its_settings_once(serves):
    child = worker(HEARS)
    run = asyncio.create_task(child.run())
    await (child.ready.wait() if serves else asyncio.sleep(0))

    child.reload(b"{}\n")
    await child.ready.wait()
    child.stop()
    await run

    assert (child.exit_code, child.ledger.accepted) == (0, 1)


async def test_a_worker_whose_end_is_expected_serves_on_and_is_not_started_again():
    """Whoever stops a service may tell each of its processes, at once."""
    child = worker(SERVES)
    running = asyncio.create_task(child.run())
    await until(lambda: child.admin is not None)
    with structlog.testing.capture_logs() as logged:
        child.expect_end()
        await asyncio.sleep(0.1)
        assert child.admin is not None
        child._signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            await running

    assert (child.exit_code, child.restarts, logged) == (-signal.SIGTERM, 0, [])


async def test_a_worker_that_is_started_again_is_sent_what_the_others_have_taken():
    child = worker(READS)
    run = asyncio.create_task(child.run())
    await child.ready.wait()

    child.reload(b"7\n")
    await until(lambda: child.restarts == 1)
    await until(lambda: child.admin is None and child.exit_code == 7)
    child.stop()
    await run

    assert child.exit_code in {0, 7}


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def times_refused(count: int, function):
    """Refuse so many calls as a system does that has no file descriptor left."""
    left = iter(range(count))

    def call(*arguments, **named):
        if next(left, None) is not None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return function(*arguments, **named)

    return call


@pytest.mark.parametrize(
    ("owner", "name"),
    [(socket, "socketpair"), (asyncio, "create_subprocess_exec")],
    ids=["no pipe", "no process"],
)
async def test_a_worker_is_tried_again_when_the_system_has_nothing_left_for_it(monkeypatch, owner, name):
    child = worker(READS)
    run = asyncio.create_task(child.run())
    await child.ready.wait()
    files = open_files()

    monkeypatch.setattr(worker_process, "restart_backoff", lambda *_: 0.01)
    monkeypatch.setattr(owner, name, times_refused(2, getattr(owner, name)))
    with structlog.testing.capture_logs() as lines:
        child.reload(b"7\n")
        await until(lambda: child.restarts >= 4 and child.admin is not None)
    child.stop()
    await run

    said = [(line["exit_code"], line.get("reason")) for line in lines if line["event"] == "worker_ended"]
    assert said[:3] == [(7, None), (os.EX_OSERR, "Too many open files"), (os.EX_OSERR, "Too many open files")]
    assert open_files() <= files


@pytest.mark.parametrize(
    "garbage",
    [
        "no number",
        "[]",
        '{"accepted": ',
        '{"odd": 1}',
        '{"accepted": "x"}',
        "x" * 60_000,
        "[" * 9000,
        "9" * 5000,
        "true",
    ],
)
async def test_what_a_worker_says_and_nobody_understands_ends_nothing(garbage):
    program = f"import sys; print({garbage!r} * 2, flush=True); {SERVES}; print(0)"
    child = worker(program)
    with structlog.testing.capture_logs() as lines:
        run = asyncio.create_task(child.run())
        await child.ready.wait()
        child.stop()
        await run

    assert "worker_not_understood" in {line["event"] for line in lines}
    assert (child.exit_code, child.ledger) == (0, Ledger(accepted=3, published=3))
    assert [line for line in lines if len(line) > 3] == []  # event, level, process: nothing is quoted


async def test_a_worker_that_dies_before_it_has_read_its_files_is_started_again():
    child = Worker("receiver-1", [sys.executable, "-c", CRASHES], b"{}\n")
    run = asyncio.create_task(child.run())

    await until(lambda: child.restarts == 1)
    child.stop()
    await run

    assert child.exit_code in {0, 7}


async def test_a_worker_that_is_hurried_before_it_is_told_to_stop_is_not_started_again():
    child = worker(HURRIES)
    run = asyncio.create_task(child.run())
    await until(lambda: child.admin)

    child.hurry()
    await run

    assert child.restarts == 0


@pytest.mark.parametrize("command", [[sys.executable, "-c", "import sys; sys.exit(7)"], ["/no/such/program"]])
async def test_a_first_start_that_fails_is_not_tried_again(command):
    child = Worker("receiver-1", command)

    await child.run()

    assert child.exit_code in {7, 71}
    assert not child.ready.is_set()


async def test_the_start_is_refused_when_one_worker_does_not_start_and_the_others_are_stopped():
    workers = [worker(SERVES), Worker("receiver-2", [sys.executable, "-c", "import sys; sys.exit(7)"])]
    runs = {each: asyncio.create_task(each.run()) for each in workers}

    with pytest.raises(StartupError, match=r"receiver-2 did not start \(exit code 7\)"):
        await supervisor._all_ready(runs)
    await supervisor._stop(runs)

    assert workers[0].ledger.accepted == 3


# ---- the listener --------------------------------------------------------------------------------------------------


@pytest.fixture
async def pollers():
    """A worker whose listener tells what it was asked."""

    async def echo(request: web.Request) -> web.Response:
        words = [request.method, request.path_qs, request.headers.get("Authorization", ""), await request.text()]
        return web.json_response(words, status=202, headers={"Retry-After": "7", "X-Inner": "1"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", echo)
    async with TestServer(application) as server:
        child = Worker("pollers", [])
        child.admin = f"http://127.0.0.1:{server.port}"
        yield child


@pytest.fixture
async def admin(pollers):
    listener = JointAdmin(AdminSettings(port=0, token=SecretStr(SHOWN)), [], pollers, None, CollectorRegistry())
    await listener.start()
    yield listener
    await listener.stop()


async def ask(admin: JointAdmin, head: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", admin.port)
    writer.write(f"{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {SHOWN}\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer


async def test_a_request_for_the_pollers_arrives_whole_and_so_does_the_answer(admin):
    url = f"http://127.0.0.1:{admin.port}/v1/watches/a%2Fb?x=1"
    headers = {"Authorization": f"Bearer {SHOWN}", "Cookie": "c=1"}
    async with aiohttp.ClientSession() as session, session.post(url, data="body", headers=headers) as answer:
        words = await answer.json()

    assert words == ["POST", "/v1/watches/a%2Fb?x=1", f"Bearer {SHOWN}", "body"]
    assert (answer.status, answer.headers["Retry-After"]) == (202, "7")
    assert "X-Inner" not in answer.headers


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/v1/watches", "//127.0.0.1:9/v1/watches"])
async def test_no_target_leads_to_anybody_else(admin, target):
    answer = await ask(admin, f"GET {target}")

    assert answer.startswith("HTTP/1.1 202")


@pytest.mark.parametrize("gone", [None, "http://127.0.0.1:9"])
async def test_while_the_pollers_are_away_the_caller_is_told_to_come_back(admin, pollers, gone):
    pollers.admin = gone

    answer = await ask(admin, "GET /v1/watches")

    assert answer.startswith("HTTP/1.1 503")
    assert "Retry-After: 5" in answer
    assert '"not_ready"' in answer


# ---- the inbox behind the listener -----------------------------------------------------------------------------------


class Bare(Listener):
    """A listener with nothing behind it."""

    async def readiness(self) -> tuple[Reading, bool]:
        return Reading(()), False

    async def lives(self) -> bool:
        return True


class PlayedInbox:
    """A worker whose `/v1/wait` and `/v1/stream` a test plays; it keeps what it was asked with."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.refusing = False
        self.ends = 0
        self.worker = Worker("inbox", [])

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.refusing:
            headers = {"Retry-After": "5", "Content-Type": "application/problem+json", "X-Inner": "1"}
            return web.Response(status=503, text="{}", headers=headers)
        response = web.StreamResponse(headers=STREAM_HEADERS)
        await response.prepare(request)
        try:
            while (part := await self.parts.get()) is not None:
                await response.write(part)
        finally:
            self.ends += 1
            self.ended.set()
        return response

    async def wait(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        try:
            await self.parts.get()
        finally:
            self.ends += 1
            self.ended.set()
        return web.Response(text="4711\n")

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/v1/stream", self.stream, allow_head=False)  # as the inbox has them
        router.add_get("/v1/wait", self.wait, allow_head=False)
        router.add_get("/v1/sms/{id}", self.wait)


@pytest.fixture
async def inbox():
    played = PlayedInbox()
    admin = Bare(AdminSettings(port=0, token=SecretStr(SHOWN)), played.routes, CollectorRegistry(), lasting=MOST)
    await admin.start()
    played.worker.admin = f"http://127.0.0.1:{admin.port}"
    yield played
    await admin.stop()


@pytest.fixture
async def joint(inbox, pollers):
    settings = AdminSettings(port=0, token=SecretStr(SHOWN))
    listener = JointAdmin(settings, [], pollers, inbox.worker, CollectorRegistry())
    await listener.start()
    headers = {"Authorization": f"Bearer {SHOWN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}", headers=headers, connector=MANY()) as session:
        session.listener = listener
        yield session
    await listener.stop()


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


async def test_a_stream_is_passed_on_as_it_comes_with_its_headers(joint, inbox):
    asked = {"Accept": "text/event-stream", "Last-Event-ID": "c1", "X-Outer": "1"}
    async with joint.get("/v1/stream?recipient=1%2B1", headers=asked) as stream:
        inbox.parts.put_nowait(b"id: c2\n\n")
        first = await stream.content.readuntil(b"\n\n")
        inbox.parts.put_nowait(b"id: c3\n\n")
        second = await stream.content.readuntil(b"\n\n")
        inbox.parts.put_nowait(None)
        rest = await stream.read()
    [request] = inbox.asked

    assert (stream.status, first, second, rest) == (200, b"id: c2\n\n", b"id: c3\n\n", b"")
    assert STREAM_HEADERS.items() <= {**stream.headers}.items()
    assert request.rel_url.raw_path_qs == "/v1/stream?recipient=1%2B1"
    assert (request.headers["Accept"], request.headers["Last-Event-ID"]) == ("text/event-stream", "c1")
    assert "X-Outer" not in request.headers


@pytest.mark.parametrize("path", ["/v1/wait", "/v1/stream"])
async def test_the_head_of_what_lasts_is_refused_at_once(joint, path):
    async with asyncio.timeout(5), joint.head(path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


async def test_a_stream_that_is_refused_is_refused_in_the_inbox_s_words(joint, inbox):
    inbox.refusing = True
    async with joint.get("/v1/stream") as refused:
        text = await refused.text()

    assert (refused.status, refused.headers["Retry-After"], text) == (503, "5", "{}")
    assert refused.content_type == "application/problem+json"
    assert "X-Inner" not in refused.headers


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/wait"])
async def test_who_leaves_ends_the_inbox_s_side_at_once(joint, inbox, path):
    asking = asyncio.ensure_future(joint.get(path))
    await until(lambda: inbox.asked)
    if path == "/v1/stream":
        (await asking).close()
    asking.cancel()

    await soon(inbox.ended)


async def test_when_stopping_begins_waits_and_streams_end_and_the_inbox_still_answers(joint, inbox):
    waiting = asyncio.ensure_future(joint.get("/v1/wait"))
    async with joint.get("/v1/stream") as stream:
        inbox.parts.put_nowait(b"id: c2\n\n")
        await stream.content.readuntil(b"\n\n")
        await until(lambda: len(joint.listener.lasting) == 2)
        joint.listener.lasting.close()
        rest = await stream.read()
    told = await waiting
    late = [await joint.get(path) for path in ("/v1/wait", "/v1/stream")]
    await until(lambda: inbox.ends == 2)  # else one of them might take what is for the next
    inbox.parts.put_nowait(b"")
    listed = await joint.get("/v1/sms/x")

    assert rest == b""
    for answer in (told, *late):
        reason = (await answer.json(content_type=None))["reason"]
        assert (answer.status, answer.headers["Retry-After"], reason) == (503, "5", "closing")
    assert (listed.status, await listed.text()) == (200, "4711\n")


async def test_an_inbox_that_dies_ends_its_streams(joint, inbox):
    async with joint.get("/v1/stream") as stream:
        inbox.parts.put_nowait(b"id: c2\n\n")
        await stream.content.readuntil(b"\n\n")
        inbox.asked[0].transport.abort()
        async with asyncio.timeout(5):
            rest = await stream.read()

    assert rest == b""


@pytest.mark.parametrize(
    "path", ["/v1/stream", "/v1/wait", "/v1/sms", "/v1/sms/x", "/v1/cursor", "/v1/rejected/x/replay"]
)
@pytest.mark.parametrize("gone", [None, "http://127.0.0.1:9"])
async def test_while_the_inbox_is_away_the_caller_is_told_to_come_back(joint, inbox, path, gone):
    inbox.worker.admin = gone

    async with joint.get(path) as refused:
        told = await refused.json(content_type=None)

    assert (refused.status, refused.headers["Retry-After"], told["reason"]) == (503, "5", "not_ready")


async def test_everything_else_is_the_pollers(joint, inbox):
    async with joint.get("/v1/watches") as answer:
        words = await answer.json()

    assert words[:2] == ["GET", "/v1/watches"]
    assert inbox.asked == []


async def test_as_many_wait_through_both_listeners_as_an_inbox_takes_and_others_are_still_answered(joint, inbox):
    allow_many_connections()
    asking = [asyncio.ensure_future(joint.get("/v1/wait")) for _ in range(MOST)]
    await until(lambda: len(inbox.asked) == MOST)
    for path in ("/v1/watches", "/livez"):
        async with joint.get(path) as answer:
            assert answer.status in {200, 202, 503}
    for _ in range(MOST):
        inbox.parts.put_nowait(b"")
    answers = await asyncio.gather(*asking)
    texts = {await answer.text() for answer in answers}

    assert {answer.status for answer in answers} == {200}
    assert texts == {"4711\n"}
