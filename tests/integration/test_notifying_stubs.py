"""Notifications and heartbeats over real HTTP, to stubs of the services that take them."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.listener import Admin
from app.checks.topics import marker
from app.notify import lasting, notifying
from app.settings.load import Settings, load
from app.settings.sections import AdminSettings, HeartbeatSettings, NotifySettings
from app.wiring import Reading
from tests.e2e.program import Installation, eventually

pytestmark = pytest.mark.timeout(180)

AWAY = "127.0.0.1:1"


class Stub:
    """What ntfy, Slack and healthchecks.io take: it refuses what they would refuse."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.hangs = False
        application = web.Application()
        application.router.add_post("/topic", self._ntfy)
        application.router.add_post("/services/T0/B0/x", self._slack)
        application.router.add_get("/ping", self._ping)
        self.server = TestServer(application)

    def url(self, path: str) -> SecretStr:
        return SecretStr(f"http://user:password@127.0.0.1:{self.server.port}{path}")

    def count(self, kind: str) -> int:
        return Counter(each for each, _ in self.seen)[kind]

    async def _ntfy(self, request: web.Request) -> web.Response:
        text = await request.text()
        if "Title" not in request.headers or not 0 < len(text) < 4096:
            return web.Response(status=400)
        self.seen.append(("ntfy", f"{request.headers['Title']}: {text}"))
        return web.json_response({"event": "message"})

    async def _slack(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.Response(status=400, text="invalid_payload")
        said: dict[str, Any] = await request.json()
        if set(said) != {"text"}:
            return web.Response(status=400, text="no_text")
        self.seen.append(("slack", said["text"]))
        return web.Response(text="ok")

    async def _ping(self, _: web.Request) -> web.Response:
        self.seen.append(("ping", ""))
        if self.hangs:
            await asyncio.sleep(30)
        return web.Response(text="OK")


@pytest.fixture
async def stub():
    stub = Stub()
    async with stub.server:
        yield stub


@pytest.fixture
def quickly(monkeypatch):
    """Two minutes are two tenths of a second, and a look comes every hundredth."""
    monkeypatch.setattr(lasting, "LASTING", 0.2)
    monkeypatch.setattr(lasting, "GONE", 0.1)
    monkeypatch.setattr(notifying, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(notifying, "BEAT_EVERY", 0.05)


@pytest.mark.parametrize(("path", "form"), [("/topic", "ntfy"), ("/services/T0/B0/x", "slack")], ids=["ntfy", "slack"])
async def test_a_service_is_told_of_a_problem_and_of_its_end_and_the_heartbeat_ceases_between(
    stub: Stub, quickly: None, path: str, form: Any
) -> None:
    condition = Reading(())
    admin = Admin(AdminSettings(port=0), alive=lambda: True, condition=lambda: condition, registry=CollectorRegistry())
    admin.ready = True
    settings = Settings(
        notify=NotifySettings(url=stub.url(path), format=form), heartbeat=HeartbeatSettings(url=stub.url("/ping"))
    )

    async def beats() -> bool:
        return stub.count("ping") > 3

    async def told() -> bool:
        return stub.count(form) == 1

    async def ended() -> bool:
        return stub.count(form) == 2

    async with notifying.notifying(settings, admin, CollectorRegistry()):
        await eventually(beats, 20, "heartbeats")
        condition = Reading(("kafka_away",))
        await eventually(told, 20, "the notification")
        stub.seen = [each for each in stub.seen if each[0] != "ping"]
        await asyncio.sleep(0.2)
        assert stub.count("ping") == 0
        condition = Reading(())
        await eventually(ended, 20, "its end")
        await eventually(beats, 20, "heartbeats")

    (_, first), (_, second) = [each for each in stub.seen if each[0] == form]
    assert "kafka_away: Kafka accepts nothing. SMS are still accepted" in first
    assert "smsbus: ended: kafka_away" in second


async def test_several_workers_send_one_heartbeat_and_a_service_that_hangs_delays_no_stop(
    stub: Stub, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.hangs = True
    smsbus = Installation(tmp_path, AWAY, "test.")
    smsbus._settings["HEARTBEAT__URL"] = stub.url("/ping").get_secret_value()
    for name, value in smsbus._settings.items():
        monkeypatch.setenv(f"SMSBUS_{name}", value)
    verified = marker(load(), "all")
    verified.parent.mkdir(parents=True)
    verified.touch()
    replica = await smsbus.serve("--workers", "2")

    async def beaten() -> bool:
        return stub.count("ping") > 0

    await eventually(beaten, 20, "a heartbeat")
    await asyncio.sleep(1.0)
    began = asyncio.get_running_loop().time()
    code = await replica.terminate()

    assert (code, stub.count("ping")) == (0, 1)
    assert asyncio.get_running_loop().time() - began < 8
    assert "password" not in replica.log.read_text()
