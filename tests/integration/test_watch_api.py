"""Watches over HTTP: what is asked for becomes a record on the watches topic, or a problem that says why not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from app.admin.token import guard
from app.admin.watches import Patience, WatchApi
from bus.kafka import topics
from bus.kafka.reader import BEGINNING, ReadRecord, read
from bus.settings import KafkaSettings
from bus.sharding.commands import CommandWriter
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from pollers.watches.watch_table import LivePoll, WatchTable
from schemas.topics import STATES, WATCHES
from tests.kafka_fixtures import TestKafka

NOW_MS = 1_795_000_000_000
TOKEN = "a-long-token-of-the-admin"
SOON = Patience(ready=0.3, outcome=0.3)
ASKED = {"account": "main", "order_id": "860170", "recipient": "33774545375", "client_ref": "mine"}
NOBODY = "0190b5a0-0000-8000-8000-000000000000"


class Api:
    """The routes on a port of their own, and a client for them."""

    def __init__(self, settings: KafkaSettings, token: str | None, patience: Patience = SOON) -> None:
        self.settings = settings
        self.token = token
        self.table = WatchTable(settings)
        self.lives: dict[str, LivePoll] = {}
        self.delays: dict[str, float] = {}
        self.writer = CommandWriter(settings)
        self.watches = WatchApi(
            self.table,
            self.writer,
            accounts={"main": "grizzlysms", "verified": "smsverified"},
            now_ms=lambda: NOW_MS,
            live=self.lives.get,
            expected_delay=self.delays.get,
            patience=patience,
        )
        self._offset = 0

    async def start(self) -> None:
        application = web.Application(middlewares=[guard(SecretStr(self.token))] if self.token else [])
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

    def commit(self, watch_id: str, **values: Any) -> None:
        """Be the shard, as far as the table sees it: the watch's state is this one now."""
        known = self.table.get(watch_id)
        assert known is not None
        assert known.watch is not None
        watch = known.watch.model_copy(update={"expires_at": "2026-11-18T11:31:40.000Z", "request_id": None})
        values = {"applied": known.watch.request_id, **values}
        state = WatchState(watch=watch, provider="smsman", key="1", looked_ms=NOW_MS, **values)
        self._offset += 1
        record = ReadRecord(0, self._offset, NOW_MS, watch_id.encode(), state.to_json(), {})
        self.table.take(STATES, record)

    async def asked(self, watch_id: str, request: str, body: Any = None, **values: Any) -> tuple[int, dict[str, Any]]:
        """Ask for something that the shard applies at once."""
        before = self._newest(watch_id)
        asking = asyncio.ensure_future(self.post(f"/v1/watches/{watch_id}/{request}", body))
        while (command := self._newest(watch_id)) == before:
            await asyncio.sleep(0.01)
        self.commit(watch_id, applied=command["request_id"], **values)
        return await asking

    def _newest(self, watch_id: str) -> Any:
        return json.loads(self.table._entries[watch_id].command or b"null")

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


async def test_the_first_post_opens_a_watch_and_the_same_again_is_one_more_request_for_it(api: Api) -> None:
    status, opened = await api.post("/v1/watches", ASKED)
    again_status, again = await api.post("/v1/watches", ASKED)

    assert (status, again_status) == (201, 200)
    assert again["watch_id"] == opened["watch_id"]
    first, second = await api.records()
    assert [first["request_id"], second["request_id"]] == [opened["request_id"], again["request_id"]]
    assert (first["watch_id"], first["order_id"], first["desired"]) == (opened["watch_id"], "860170", "watch")
    assert first["request_id"] != second["request_id"]


async def test_only_a_stated_end_stands_in_the_record(api: Api) -> None:
    await api.post("/v1/watches", ASKED)
    await api.post("/v1/watches", ASKED | {"expires_at": "2026-11-18T12:00:00.000Z"})

    assert [record["expires_at"] for record in await api.records()] == [None, "2026-11-18T12:00:00.000Z"]


async def test_a_live_watch_is_prolonged_without_saying_again_what_it_is(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    api.commit(opened["watch_id"])

    order = {name: ASKED[name] for name in ("account", "order_id")}
    later = "2026-11-18T12:00:00.000Z"
    status, _ = await api.post("/v1/watches", order | {"recipient": "+33 774 545 375", "expires_at": later})

    assert status == 200
    record = (await api.records())[-1]
    assert (record["client_ref"], record["expires_at"]) == ("mine", later)


async def test_an_ended_watch_is_opened_again_as_it_was(api: Api) -> None:
    described = {"service": "tg", "message_type": "call", "history": "skip", "after_sms": "finish"}
    _, opened = await api.post("/v1/watches", ASKED | described | {"expires_at": "2026-11-18T12:00:00.000Z"})
    api.commit(opened["watch_id"], ended="gone")

    status, _ = await api.post("/v1/watches", {"account": "main", "order_id": "860170"})

    assert status == 201
    first, again = await api.records()
    names = ("recipient", "client_ref", *described)
    assert {name: again[name] for name in names} == {name: first[name] for name in names}
    assert again["expires_at"] is None


async def test_an_ended_watch_is_opened_again_whatever_it_was_before(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    api.commit(opened["watch_id"], ended="gone", sms_count=2)

    status, again = await api.post("/v1/watches", ASKED | {"after_sms": "finish"})
    _, shown = await api.get(f"/v1/watches/{opened['watch_id']}")

    assert (status, again["watch_id"]) == (201, opened["watch_id"])
    assert (shown["ended"], shown["sms_count"]) == (None, 2)
    assert [record["after_sms"] for record in await api.records()] == ["keep", "finish"]


async def test_a_live_watch_with_other_words_is_a_conflict_that_names_them(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    api.commit(opened["watch_id"])

    status, problem = await api.post("/v1/watches", ASKED | {"client_ref": "yours", "after_sms": "finish"})

    assert (status, problem["reason"]) == (409, "conflict")
    assert "after_sms, client_ref: leave them out, or repeat them" in problem["detail"]
    assert f"`smsbus watch show {opened['watch_id']}`" in problem["detail"]
    assert len(await api.records()) == 1


async def test_a_call_can_be_watched_for(api: Api) -> None:
    status, _ = await api.post("/v1/watches", ASKED | {"message_type": "call"})

    assert status == 201
    assert [record["message_type"] for record in await api.records()] == ["call"]


async def test_who_opens_a_watch_hears_how_long_it_will_wait_where_that_is_long(api: Api) -> None:
    _, quick = await api.post("/v1/watches", ASKED)
    api.delays["main"] = 90.0
    _, slow = await api.post("/v1/watches", ASKED)

    assert "expected_delay_seconds" not in quick
    assert slow["expected_delay_seconds"] == 90.0


async def test_a_watch_whose_state_cannot_be_read_takes_no_requests(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    watch_id = opened["watch_id"]
    api.table.take(STATES, ReadRecord(0, 1, NOW_MS, watch_id.encode(), b"{", {}))

    again = await api.post("/v1/watches", ASKED)
    stop = await api.post(f"/v1/watches/{watch_id}/stop")
    shown = await api.get(f"/v1/watches/{watch_id}")

    assert [(status, problem["reason"]) for status, problem in (again, stop)] == [(409, "unreadable")] * 2
    assert (shown[1]["unreadable"], shown[1]["client_ref"]) == (True, "mine")
    assert len(await api.records()) == 1


@pytest.mark.parametrize(
    ("body", "reason", "named"),
    [
        (ASKED | {"account": "other"}, "unknown_account", "main"),
        ({"account": "main"}, "invalid_watch", "order_id"),
        (ASKED | {"order_kind": "purchase"}, "invalid_watch", "order_kind"),
        (ASKED | {"expires_at": "soon"}, "invalid_watch", "expires_at"),
        (ASKED | {"expires_at": "2026-02-30T00:00:00.000Z"}, "invalid_watch", "expires_at"),
        (ASKED | {"expires_at": "2026-11-18T11:06:39.999Z"}, "invalid_watch", "expires_at must not be in the past"),
        (ASKED | {"message_type": "fax"}, "invalid_watch", "message_type must be sms, call or voice"),
        (ASKED | {"account": "verified", "order_kind": "rent"}, "invalid_watch", "smsverified has no rents"),
        (ASKED | {"surprise": 1}, "invalid_watch", "surprise is not a field of a watch"),
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


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}]
)
async def test_without_the_token_nothing_is_shown_or_done(guarded: Api, headers: dict[str, str]) -> None:
    opened = await guarded.post("/v1/watches", ASKED, headers=headers)
    listed = await guarded.get("/v1/watches", headers=headers)
    stopped = await guarded.post(f"/v1/watches/{NOBODY}/stop", headers=headers)

    assert [opened[0], listed[0], stopped[0]] == [401, 401, 401]
    assert await guarded.records() == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_with_the_token_a_watch_is_opened(guarded: Api, scheme: str) -> None:
    status, _ = await guarded.post("/v1/watches", ASKED, headers={"Authorization": f"{scheme} {TOKEN}"})

    assert status == 201


@pytest.mark.parametrize("request_", ["next", "stop", "finish", "cancel"])
async def test_each_request_is_a_record_of_its_own_and_answered_with_its_outcome(api: Api, request_: str) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    watch_id = opened["watch_id"]

    first = await api.asked(watch_id, request_, outcome="accepted")
    second = await api.asked(watch_id, request_, outcome="already")

    assert (first[0], first[1]["request"], first[1]["status"]) == (202, request_, "accepted")
    assert (second[0], second[1]["status"]) == (202, "already")
    records = await api.records()
    assert [record["desired"] for record in records] == ["watch", request_, request_]
    assert [record["request_id"] for record in records[1:]] == [first[1]["request_id"], second[1]["request_id"]]


async def test_a_request_that_no_shard_applies_in_time_is_pending(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    status, answer = await api.post(f"/v1/watches/{opened['watch_id']}/finish")

    assert (status, answer["status"]) == (202, "pending")


@pytest.mark.parametrize(
    ("body", "after"),
    [(b"", None), (b"{}", None), (b'{"after": null}', None), (b'{"after": 3}', 3), (b'{"after": 3.0}', 3)],
)
async def test_the_next_sms_can_be_asked_for_after_so_many(api: Api, body: bytes, after: int | None) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    async with api.session.post(f"/v1/watches/{opened['watch_id']}/next", data=body) as answer:
        assert answer.status == 202
    assert [record["next_after"] for record in await api.records()] == [None, after]


@pytest.mark.parametrize(
    ("body", "named"), [(b"{", "the body"), (b"3", "the body"), (b'{"after": -1}', "after"), (b'{"until": 1}', "until")]
)
async def test_a_wrong_body_of_next_is_a_problem_that_names_what_is_wrong(api: Api, body: bytes, named: str) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    async with api.session.post(f"/v1/watches/{opened['watch_id']}/next", data=body) as answer:
        problem = await answer.json(content_type=None)

    assert (problem["status"], problem["reason"]) == (400, "invalid_request")
    assert named in problem["detail"]
    assert len(await api.records()) == 1


async def test_an_ended_watch_takes_no_requests(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    api.commit(opened["watch_id"], ended="expired")

    status, problem = await api.post(f"/v1/watches/{opened['watch_id']}/next")

    assert (status, problem["reason"]) == (409, "ended")
    assert len(await api.records()) == 1


async def test_a_request_that_finds_the_watch_ended_says_so(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    status, problem = await api.asked(opened["watch_id"], "next", outcome="ended", ended="expired")

    assert (status, problem["reason"]) == (409, "ended")


async def test_a_moment_may_leave_out_its_milliseconds(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED | {"expires_at": "2026-11-18T12:00:00Z"})

    _, shown = await api.get(f"/v1/watches/{opened['watch_id']}")

    assert shown["expires_at"] == "2026-11-18T12:00:00.000Z"


async def test_watches_are_listed_and_shown_and_what_is_not_there_is_404(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)

    listed = await api.get("/v1/watches")
    shown = await api.get(f"/v1/watches/{opened['watch_id']}")
    nobody = await api.get(f"/v1/watches/{NOBODY}")
    odd = await api.post(f"/v1/watches/{opened['watch_id']}/dance")
    by_order = await api.get("/v1/watches/main/860170")
    no_order = await api.get("/v1/watches/main/860171")
    async with api.session.get(f"/v1/watches/{opened['watch_id']}/stop") as answer:
        wrong_method = answer.status, answer.headers["Allow"]

    assert listed == (200, {"watches": [shown[1]], "next": None, "total": 1})
    assert (shown[1]["client_ref"], shown[1]["sms_count"], shown[1]["seen_by_a_poller"]) == ("mine", 0, False)
    assert shown[1]["expires_at"] == "2026-11-18T11:31:40.000Z"
    assert (nobody[0], odd[0], no_order[0], wrong_method) == (404, 404, 404, (405, "POST"))
    assert by_order == shown


async def test_a_watch_is_shown_with_its_polls_and_what_was_asked_done_and_refused(api: Api) -> None:
    _, opened = await api.post("/v1/watches", ASKED)
    watch_id = opened["watch_id"]
    api.commit(
        watch_id,
        first_look=False,
        answer="waiting",
        performed="next",
        performed_ms=NOW_MS,
        refused="cancel",
        refused_code="early_cancel_denied",
        refused_ms=NOW_MS + 1,
        not_before_ms=NOW_MS + 2,
    )

    _, committed = await api.get(f"/v1/watches/{watch_id}")
    api.lives[watch_id] = LivePoll(NOW_MS + 5_000, "last", 1.5)
    _, polled = await api.get(f"/v1/watches/{watch_id}")

    assert committed["performed"] == {"action": "next", "at": "2026-11-18T11:06:40.000Z"}
    refused = {"action": "cancel", "at": "2026-11-18T11:06:40.001Z", "code": "early_cancel_denied"}
    assert committed["refused"] == refused
    assert committed["not_before"] == "2026-11-18T11:06:40.002Z"
    polls = [[each["last_polled_at"], each["last_answer"], each["next_poll_in"]] for each in (committed, polled)]
    assert polls == [["2026-11-18T11:06:40.000Z", "waiting", None], ["2026-11-18T11:06:45.000Z", "last", 1.5]]


async def test_watches_are_listed_by_filters_and_pages(api: Api) -> None:
    for number in range(5):
        await api.post("/v1/watches", ASKED | {"order_id": str(number), "client_ref": f"ref {number % 2}"})

    _, page = await api.get("/v1/watches", params={"limit": "2", "client_ref": "ref 0", "account": "main"})
    _, rest = await api.get("/v1/watches", params={"limit": "2", "client_ref": "ref 0", "after": page["next"]})
    _, ended = await api.get("/v1/watches", params={"state": "ended"})

    assert {watch["order_id"] for watch in page["watches"] + rest["watches"]} == {"0", "2", "4"}
    assert (len(page["watches"]), rest["next"], ended["watches"]) == (2, None, [])


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("state=sleepy", "state"),
        ("after=nowhere", "after"),
        ("colour=red&limit=-1", "colour is not a parameter of this request; limit must be 1 to 1000"),
        ("recipient=%2B", "recipient"),
        ("client_ref=", "client_ref"),
        ("account=main&account=other", "account"),
    ],
)
async def test_wrong_parameters_of_the_list_are_a_problem_that_names_them(api: Api, query: str, named: str) -> None:
    status, problem = await api.get(f"/v1/watches?{query}")

    assert (status, problem["reason"]) == (400, "invalid_query")
    assert named in problem["detail"]


async def test_while_the_watches_are_not_read_the_answer_is_503(settings: KafkaSettings) -> None:
    api = Api(settings, None)
    await api.start()

    status, problem = await api.post("/v1/watches", ASKED)

    assert (status, problem["reason"]) == (503, "not_ready")
    await api.stop()


async def test_a_request_waits_until_the_watches_are_read(settings: KafkaSettings) -> None:
    api = Api(settings, None, Patience(ready=30, outcome=0.3))
    await api.start()

    asking = asyncio.ensure_future(api.post("/v1/watches", ASKED))
    await asyncio.sleep(0.05)
    waits = not asking.done()
    await api.table.fill()

    assert waits
    assert (await asking)[0] == 201
    await api.stop()


async def test_a_table_that_follows_knows_what_others_write(settings: KafkaSettings) -> None:
    api, writer = Api(settings, None), CommandWriter(settings)
    following = asyncio.ensure_future(api.table.follow())
    assert await api.table.wait_filled(20)

    watch = WatchRequest(account="main", order_id="7").watch(NOW_MS, "r1")
    await writer.put(watch.key(), watch.to_json())
    async with asyncio.timeout(20):
        while api.table.get(watch.watch_id) is None:
            await asyncio.sleep(0.05)

    assert api.table.behind is False
    following.cancel()
    await asyncio.wait([following])
    await writer.close()


async def test_a_table_that_has_caught_up_knows_what_kafka_has_confirmed_elsewhere(settings: KafkaSettings) -> None:
    """A wait at another replica right after `POST /v1/watches` was told that the order is unknown, or has ended."""
    table, writer = WatchTable(settings), CommandWriter(settings)
    following = asyncio.create_task(table.follow())
    assert await table.wait_filled(20)

    for number in range(5):
        watch = WatchRequest(account="main", order_id=str(number)).watch(NOW_MS, "r1")
        await writer.put(watch.key(), watch.to_json())
        await table.catch_up()
        assert table.get(watch.watch_id) is not None

    following.cancel()
    await asyncio.wait([following])
    await writer.close()


async def installed(kafka: TestKafka) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)
    await topics.create(settings)
    return settings


async def test_a_table_without_kafka_is_behind_until_it_comes_back(own_kafka: TestKafka) -> None:
    settings = await installed(own_kafka)
    await own_kafka.kill()
    table = WatchTable(settings)
    following = asyncio.ensure_future(table.follow())
    async with asyncio.timeout(40):
        while not table.behind:
            await asyncio.sleep(0.05)
    filled_without_kafka = table.filled
    await own_kafka.start()

    assert filled_without_kafka is False
    assert await table.wait_filled(30)
    assert table.behind is False
    following.cancel()
    await asyncio.wait([following])


async def test_while_kafka_is_away_the_answer_is_503_and_afterwards_201(own_kafka: TestKafka) -> None:
    api = Api(await installed(own_kafka), None)
    await api.table.fill()
    await api.start()
    await own_kafka.kill()

    async with api.session.post("/v1/watches", json=ASKED) as answer:
        problem = await answer.json(content_type=None)
        away = (answer.status, problem["reason"], answer.headers["Retry-After"])
    nothing_kept = await api.get("/v1/watches")
    await own_kafka.start()
    await own_kafka.led()
    status, _ = await api.post("/v1/watches", ASKED)
    await api.stop()

    assert away == (503, "kafka_away", "5")
    assert "it may or may not be performed" in problem["detail"]
    assert nothing_kept == (200, {"watches": [], "next": None, "total": 0})
    assert status == 201
