"""Health and metrics: what a probe is told in each condition."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, Counter
from pydantic import SecretStr

from app.admin import listener
from app.admin.listener import MOST_CONNECTIONS, Admin
from app.serve import OTHER_FILES
from app.settings.sections import AdminSettings


@dataclass(frozen=True)
class Condition:
    can_accept: bool = True
    degraded: tuple[str, ...] = ()


async def asked(path, *, alive=True, condition=None, ready=True, registry=None):
    """Ask the application itself, without a socket."""
    admin = Admin(
        AdminSettings(),
        alive=lambda: alive,
        condition=lambda: condition or Condition(),
        registry=registry or CollectorRegistry(),
    )
    admin.ready = ready
    application = admin._runner.app
    request = make_mocked_request("GET", path, app=application)
    matched = await application.router.resolve(request)
    request._match_info = matched
    return await matched.handler(request)


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
@pytest.mark.parametrize(("alive", "status"), [(True, 200), (False, 503)])
async def test_liveness_is_the_loop_and_the_lanes(path, alive, status):
    assert (await asked(path, alive=alive)).status == status


async def test_liveness_does_not_care_whether_anything_can_be_accepted():
    answer = await asked("/livez", condition=Condition(can_accept=False, degraded=("kafka_away",)), ready=False)

    assert answer.status == 200


@pytest.mark.parametrize(
    ("condition", "ready", "status", "word"),
    [
        (Condition(), True, 200, "ready"),
        (Condition(degraded=("kafka_away",)), True, 200, "ready"),
        (Condition(can_accept=False, degraded=("kafka_away", "journal_unwritable")), True, 503, "full"),
        (Condition(), False, 503, "stopping"),
    ],
)
async def test_readiness_is_lost_only_when_nothing_can_be_accepted_or_when_stopping(condition, ready, status, word):
    answer = await asked("/readyz", condition=condition, ready=ready)

    assert answer.status == status
    assert json.loads(answer.text) == {"status": word, "degraded": list(condition.degraded)}


def admin_that(starting):
    admin = Admin(
        AdminSettings(), alive=lambda: True, condition=Condition, registry=CollectorRegistry(), starting=starting
    )
    admin.ready = True
    return admin


async def readyz(admin):
    answer = await admin._readyz(make_mocked_request("GET", "/readyz"))
    return answer.status, json.loads(answer.text)["status"]


async def test_until_it_has_started_it_is_not_ready_and_afterwards_it_never_starts_again():
    starts = [True, True, False, True]
    admin = admin_that(lambda: starts.pop(0))

    answers = [await readyz(admin) for _ in range(4)]

    assert answers == [(503, "starting"), (503, "starting"), (200, "ready"), (200, "ready")]


async def test_what_stops_while_it_starts_is_stopping():
    admin = admin_that(lambda: True)
    admin.ready = False

    assert await readyz(admin) == (503, "stopping")


async def test_metrics_are_those_of_the_registry():
    registry = CollectorRegistry()
    Counter("smsbus_probe", "A count.", registry=registry).inc(3)

    answer = await asked("/metrics", registry=registry)

    assert b"smsbus_probe_total 3.0" in answer.body


async def test_what_readiness_calls_degraded_is_a_metric_too():
    condition = Condition(degraded=("kafka_away", "account_paused:shop"))

    answer = await asked("/metrics", condition=condition)

    assert b'smsbus_degraded{reason="kafka_away"} 1.0' in answer.body
    assert b'smsbus_degraded{account="shop",reason="account_paused"} 1.0' in answer.body


async def test_before_it_is_told_so_nothing_is_ready():
    admin = Admin(AdminSettings(), alive=lambda: True, condition=Condition, registry=CollectorRegistry())

    assert admin.ready is False


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", b"401"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
        (b"\x16\x03\x01 482913\r\n\r\n", b"400"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nbroken 482913\r\n\r\n", b"400"),
    ],
)
async def test_every_answer_is_ours_and_names_no_versions(sent, status):
    admin = Admin(AdminSettings(port=0), alive=lambda: True, condition=Condition, registry=CollectorRegistry())
    await admin.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", admin.port)
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await admin.stop()

    assert head.split()[1] == status
    assert b"Server: smsbus\r\n" in head
    assert (b"application/problem+json" in head) == (status != b"200")


@pytest.mark.loopback
async def test_what_breaks_in_a_handler_is_a_problem_that_quotes_nothing():
    def breaks():
        raise RuntimeError("482913")

    admin = Admin(AdminSettings(port=0), alive=breaks, condition=Condition, registry=CollectorRegistry())
    await admin.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", admin.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await reader.read()
    await admin.stop()

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"application/problem+json" in answer
    assert b"482913" not in answer


TOKEN = "a-long-token-of-the-admin"
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
POST = f"POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 4\r\n\r\n".encode()


@asynccontextmanager
async def admin_that_listens():
    """Give an admin listener with one more route, which answers the body, and what connects to it."""

    async def echo(request):
        return web.Response(body=await request.read())

    admin = Admin(
        AdminSettings(port=0, token=SecretStr(TOKEN)),
        alive=lambda: True,
        condition=Condition,
        registry=CollectorRegistry(),
        extend=lambda router: router.add_post("/echo", echo),
    )
    admin.ready = True
    writers = []

    async def connect():
        reader, writer = await asyncio.open_connection("127.0.0.1", admin.port)
        writers.append(writer)
        return reader, writer

    await admin.start()
    try:
        yield admin, connect
    finally:
        for writer in writers:
            writer.close()
        await admin.stop()


async def body_of(reader, writer, sent=LIVEZ):
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


@pytest.mark.loopback
async def test_one_connection_more_than_the_limit_closes_the_one_that_is_idle_longest():
    async with admin_that_listens() as (admin, connect):
        for_ever = [await connect() for _ in range(MOST_CONNECTIONS)]
        for reader, writer in for_ever[1:]:
            await body_of(reader, writer)

        newest = await body_of(*await connect())
        closed = await for_ever[0][0].read()
        other = json.loads(await body_of(*for_ever[1], sent=LIVEZ.replace(b"livez", b"readyz")))

        assert (newest, closed) == (b'{"status": "alive"}', b"")
        assert len(admin._connections) == MOST_CONNECTIONS
        assert other["degraded"] == ["admin_connections_full"]


async def test_the_files_that_are_kept_for_others_suffice_for_the_admin_listener():
    assert MOST_CONNECTIONS < OTHER_FILES / 2


@pytest.mark.loopback
async def test_the_rest_of_a_head_that_does_not_come_ends_the_connection(monkeypatch):
    monkeypatch.setattr(listener, "DEADLINE", 0.05)
    async with admin_that_listens() as (_, connect):
        reader, writer = await connect()
        writer.write(b"GET /livez HTTP/1.1\r\n")

        assert (await reader.read()).split()[1] == b"408"


@pytest.mark.loopback
async def test_the_rest_of_a_body_that_does_not_come_ends_the_connection(monkeypatch):
    monkeypatch.setattr(listener, "DEADLINE", 0.05)
    async with admin_that_listens() as (_, connect):
        reader, writer = await connect()
        writer.write(POST + b"12")

        assert (await reader.read()).split()[1] == b"408"


@pytest.mark.loopback
async def test_a_body_that_comes_in_pieces_is_read_whole():
    async with admin_that_listens() as (_, connect):
        reader, writer = await connect()
        writer.write(POST + b"12")
        await writer.drain()

        assert await body_of(reader, writer, b"34") == b"1234"


def packed(body):
    content = gzip.compress(body)
    return POST.replace(b"Content-Length: 4", b"Content-Encoding: gzip\r\nContent-Length: %d" % len(content)) + content


@pytest.mark.loopback
async def test_a_packed_body_is_unpacked_within_the_limit_of_an_unpacked_one():
    async with admin_that_listens() as (_, connect):
        reader, writer = await connect()
        whole = await body_of(reader, writer, packed(b"1234"))
        too_large = await body_of(reader, writer, packed(bytes(1024 * 1024 + 1)))
        broken = await body_of(reader, writer, POST.replace(b"Host: x", b"Host: x\r\nContent-Encoding: gzip") + b"1234")

    assert whole == b"1234"
    assert [json.loads(each)["status"] for each in (too_large, broken)] == [413, 400]
