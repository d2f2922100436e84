"""Watches over HTTP: what is asked for becomes a record on the watches topic, or a problem that says why not."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from app.watch_api import WatchApi
from bus.commands import WATCHES, CommandWriter
from bus.reader import BEGINNING, read
from bus.settings import KafkaSettings
from pollers.watch_table import WatchTable
from tests.kafka_fixtures import TestKafka

NOW_MS = 1_795_000_000_000
TOKEN = "a-long-token-of-the-admin"
ASKED = {"account": "main", "order_id": "860170", "recipient": "33774545375", "client_ref": "mine"}
NOBODY = "0190b5a0-0000-8000-8000-000000000000"


class Api:
    """The routes on a port of their own, and a client for them."""

    def __init__(self, settings: KafkaSettings, token: str | None) -> None:
        self.settings = settings
        self.table = WatchTable(settings)
        self.writer = CommandWriter(settings)
        self.watches = WatchApi(
            self.table,
            self.writer,
            accounts=frozenset({"main"}),
            token=SecretStr(token) if token else None,
            now_ms=lambda: NOW_MS,
        )

    async def start(self) -> None:
        application = web.Application()
        self.watches.add_to(application.router)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.session = aiohttp.ClientSession(f"http://127.0.0.1:{self._runner.addresses[0][1]}")

    async def stop(self) -> None:
        await self.session.close()
        await self._runner.cleanup()
        await self.writer.close()

    async def post(self, path: str, body: Any = None, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(path, json=body, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.get(path, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def records(self) -> list[dict[str, Any]]:
        records = read(self.settings, WATCHES, start=BEGINNING, follow=False)
        return [json.loads(record.value or b"null") async for record in records]


@pytest.fixture
async def api(settings: KafkaSettings) -> AsyncIterator[Api]:
    api = Api(settings, None)
    await api.table.fill()
    await api.start()
    yield api
    await api.stop()


@pytest.fixture
async def guarded(settings: KafkaSettings) -> AsyncIterator[Api]:
    api = Api(settings, TOKEN)
    await api.table.fill()
    await api.start()
    yield api
    await api.stop()


async def test_the_first_post_opens_a_watch_and_the_same_again_answers_the_same_id(api: Api) -> None:
    status, opened = await api.post("/v1/watches", ASKED)
    again = await api.post("/v1/watches", ASKED)

    assert status == 201
    assert again == (200, opened)
    [record] = await api.records()
    assert (record["watch_id"], record["order_id"], record["desired"]) == (opened["watch_id"], "860170", "watch")
    assert record["expires_at"] == "2026-11-18T11:31:40.000Z"


async def test_the_same_order_with_other_wishes_is_a_conflict_that_names_them(api: Api) -> None:
    await api.post("/v1/watches", ASKED)

    status, problem = await api.post("/v1/watches", ASKED | {"client_ref": "yours", "after_sms": "finish"})

    assert (status, problem["reason"]) == (409, "conflict")
    assert "after_sms, client_ref" in problem["detail"]
    assert len(await api.records()) == 1


@pytest.mark.parametrize(
    ("body", "reason", "named"),
    [
        (ASKED | {"account": "other"}, "unknown_account", "main"),
        ({"account": "main"}, "invalid_watch", "order_id"),
        (ASKED | {"order_kind": "purchase"}, "invalid_watch", "order_kind"),
        (ASKED | {"expires_at": "soon"}, "invalid_watch", "expires_at"),
        (ASKED | {"expires_at": "2026-02-30T00:00:00.000Z"}, "invalid_watch", "expires_at"),
        (ASKED | {"surprise": 1}, "invalid_watch", "surprise"),
        ([], "invalid_watch", "the body"),
    ],
)
async def test_a_wrong_body_is_a_problem_that_says_what_is_wrong(api: Api, body: Any, reason: str, named: str) -> None:
    status, problem = await api.post("/v1/watches", body)

    assert (status, problem["reason"]) == (400, reason)
    assert named in problem["detail"]
    assert await api.records() == []


async def test_a_body_that_comes_in_pieces_is_read_whole(api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in json.dumps(ASKED).encode():
            yield bytes([byte])

    async with api.session.post("/v1/watches", data=pieces()) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
async def test_without_the_token_nothing_is_told_or_done(guarded: Api, headers: dict[str, str]) -> None:
    opened = await guarded.post("/v1/watches", ASKED, headers=headers)
    listed = await guarded.get("/v1/watches", headers=headers)
    wished = await guarded.post(f"/v1/watches/{NOBODY}/stop", headers=headers)

    assert [opened[0], listed[0], wished[0]] == [401, 401, 401]
    assert await guarded.records() == []


async def test_with_the_token_a_watch_is_opened(guarded: Api) -> None:
    status, _ = await guarded.post("/v1/watches", ASKED, headers={"Authorization": f"Bearer {TOKEN}"})

    assert status == 201


@pytest.mark.parametrize("wish", ["stop", "finish", "cancel"])
async def test_a_wish_stands_in_the_record(api: Api, wish: str) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    status, _ = await api.post(f"/v1/watches/{opened['watch_id']}/{wish}")

    assert status == 202
    assert [record["desired"] for record in await api.records()] == ["watch", wish]


async def test_the_wish_for_the_next_sms_says_after_how_many(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    status, _ = await api.post(f"/v1/watches/{opened['watch_id']}/next")

    assert status == 202
    assert [record["next_after"] for record in await api.records()] == [None, 0]


async def test_watches_are_listed_and_shown_and_what_is_not_there_is_404(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    listed = await api.get("/v1/watches")
    shown = await api.get(f"/v1/watches/{opened['watch_id']}")
    nobody = await api.get(f"/v1/watches/{NOBODY}")
    odd = await api.post(f"/v1/watches/{opened['watch_id']}/dance")

    assert listed == (200, {"watches": [shown[1]]})
    assert (shown[1]["client_ref"], shown[1]["sms_count"], shown[1]["seen_by_a_poller"]) == ("mine", 0, False)
    assert (nobody[0], odd[0]) == (404, 404)


async def test_until_the_watches_are_read_the_answer_is_503(settings: KafkaSettings) -> None:
    api = Api(settings, None)
    await api.start()

    status, problem = await api.post("/v1/watches", ASKED)

    assert (status, problem["reason"]) == (503, "not_ready")
    await api.stop()


async def test_while_kafka_is_away_the_answer_is_503_and_afterwards_201(api: Api, kafka: TestKafka) -> None:
    await kafka.kill()

    async with api.session.post("/v1/watches", json=ASKED) as answer:
        away = (answer.status, (await answer.json(content_type=None))["reason"], answer.headers["Retry-After"])
    nothing_kept = await api.get("/v1/watches")
    await kafka.start()
    status, _ = await api.post("/v1/watches", ASKED)

    assert away == (503, "kafka_away", "5")
    assert nothing_kept == (200, {"watches": []})
    assert status == 201
