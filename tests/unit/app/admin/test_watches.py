"""The answer to `next` names the SMS that it brings, so that a wait for that never returns the old code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.admin.inbox import InboxApi
from app.admin.watches import Patience, WatchApi
from bus.kafka.reader import ReadRecord
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from schemas.messages import Watch
from schemas.timestamps import to_text
from schemas.topics import STATES
from tests.inbox_part import TableInMemory, Topics, inbox_of
from tests.unit.schemas.test_messages import received

pytestmark = pytest.mark.loopback

NOW_MS = 1_795_000_000_000
WATCH = WatchRequest(account="main", order_id="860170").watch(NOW_MS, "r1")
ONE = f"/v1/watches/{WATCH.watch_id}"


class Shard:
    """Takes commands as Kafka does, and commits these states as soon as it has one."""

    def __init__(self, watch: Watch = WATCH) -> None:
        self.watch = watch
        self.table = TableInMemory()
        self.table.caught_up()
        self.table.put(watch)
        self.commits: list[dict[str, Any]] = []
        self._offset = 0

    async def put(self, key: str, value: bytes | None) -> None:
        request = Watch.model_validate_json(value or b"").request_id
        asyncio.get_running_loop().call_soon(self._commit_all, request)

    def commit(self, **values: Any) -> None:
        self._offset += 1
        watch = self.watch.model_copy(update={"expires_at": to_text(NOW_MS + 1000), "request_id": None})
        state = WatchState(watch=watch, provider="smsman", key="1", looked_ms=NOW_MS, **{"applied": "r1"} | values)
        self.table.take(STATES, ReadRecord(0, self._offset, NOW_MS, watch.watch_id.encode(), state.to_json(), {}))

    def _commit_all(self, request: str | None) -> None:
        for values in self.commits:
            self.commit(**{"applied": request} | values)


@asynccontextmanager
async def served(shard: Shard, *apis: InboxApi) -> AsyncIterator[TestClient[Any, Any]]:
    application = web.Application()
    writer: Any = shard
    watches = WatchApi(
        shard.table, writer, accounts={"main": "smsman"}, now_ms=lambda: NOW_MS, patience=Patience(1, 0.02)
    )
    for api in (watches, *apis):
        api.add_to(application.router)
    async with TestClient(TestServer(application)) as client:
        yield client


async def asked(shard: Shard, request: str = "next", body: Any = None) -> dict[str, Any]:
    async with served(shard) as client, client.post(f"{ONE}/{request}", json=body) as answer:
        assert answer.status == 202
        said: dict[str, Any] = await answer.json()
        return said


@pytest.mark.parametrize("status", ["accepted", "already"])
async def test_without_a_count_it_is_the_number_of_sms_when_the_shard_applied_it(status):
    shard = Shard()
    shard.commit(sms_count=1)  # the second SMS is published, and used; its state is not committed yet
    shard.commits = [
        {"applied": "r1", "sms_count": 2},
        {"outcome": status, "sms_count": 2},
        {"outcome": status, "sms_count": 3},  # what it brought, read at the same moment
    ]

    answer = await asked(shard)

    assert (answer["status"], answer["next_sequence"]) == (status, 2)


@pytest.mark.parametrize(("status", "count"), [("accepted", 1), ("already", 3)])
async def test_with_a_count_it_is_that_also_if_its_sms_has_come_by_itself(status, count):
    shard = Shard()
    shard.commits = [{"outcome": status, "sms_count": count}]

    answer = await asked(shard, body={"after": 1})

    assert (answer["status"], answer["next_sequence"]) == (status, 1)


async def test_while_it_is_pending_only_a_given_count_says_what_is_old():
    shard = Shard()
    shard.commit(sms_count=2)  # perhaps there are three, and the third was used

    without, with_count = await asked(shard), await asked(shard, body={"after": 3})

    assert (without["status"], without["next_sequence"]) == ("pending", None)
    assert (with_count["status"], with_count["next_sequence"]) == ("pending", 3)


async def test_a_request_that_was_overtaken_does_not_say_what_was_known_when_it_was_applied():
    shard = Shard()
    shard.commits = [{"applied": "another", "sms_count": 2}]

    answer = await asked(shard)

    assert (answer["status"], answer["next_sequence"]) == ("pending", None)


@pytest.mark.parametrize("request_", ["finish", "cancel", "stop"])
async def test_other_requests_bring_no_sms(request_):
    shard = Shard()
    shard.commits = [{}]

    assert "next_sequence" not in await asked(shard, request_)


def of_order(sequence: int, code: str) -> Any:
    given = {"order_kind": "activation", "order_id": "860170", "watch_id": WATCH.watch_id, "sequence": sequence}
    now = to_text(NOW_MS)
    return received(
        id=f"{sequence:08}-0000-8000-8000-000000000000", code=code, code_source="provider", observed_at=now, **given
    )


async def test_next_and_then_wait_never_returns_the_old_code():
    shard, topics = Shard(), Topics(now_ms=NOW_MS)
    shard.commits = [{"sms_count": 1}]
    inbox = inbox_of(topics)
    inbox.following.start()
    topics.publish(of_order(0, "4711"))  # its state is committed later than it is published
    wait = f"/v1/wait?watch_id={WATCH.watch_id}"
    async with served(shard, InboxApi(inbox, shard.table, now_ms=lambda: NOW_MS)) as client:
        await inbox.following.wait_filled(500)
        async with client.get(wait) as answer:
            first = await answer.json()
        async with client.post(f"{ONE}/next") as answer:
            sequence = (await answer.json())["next_sequence"]
        waiting = asyncio.create_task(client.get(f"{wait}&sequence={sequence}&timeout=55"))
        while not inbox.following.tail.subscribers:
            await asyncio.sleep(0)
        topics.publish(of_order(1, "5822"))
        second = await (await waiting).json()
    await inbox.following.stop()

    assert [each["items"][0]["code"] for each in (first, second)] == ["4711", "5822"]
    assert (sequence, first["next_sequence"]) == (1, 1)
