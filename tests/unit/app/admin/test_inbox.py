"""The inbox over HTTP: what is answered to each request, and why a request is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler

from app.admin import inbox as inbox_api
from app.admin.inbox import InboxApi
from app.admin.inbox_view import REFUSALS, frames
from app.admin.token import AMONG
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from inbox import asking
from inbox.asking import Page
from inbox.cursor import Cursor, Place, parts_of
from inbox.item import Item
from inbox.settings import InboxSettings
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from schemas.identity import event_id
from schemas.identity import watch_id as id_of_watch
from schemas.messages import Message
from schemas.timestamps import to_text
from schemas.topics import RECEIVED, STATES
from tests.inbox_part import TableInMemory, Topics, inbox_of
from tests.unit.schemas.test_messages import ended, received, rejected

pytestmark = pytest.mark.loopback

NOW_MS = 1_795_000_000_000
NOW = to_text(NOW_MS)
NUMBER = "16470000000"
ORDER = {"account": "main", "order_id": "860170"}
WATCH_ID = id_of_watch("main", "activation", "860170")
TEXT = {"Accept": "text/plain"}


def sms(number: int, code: str | None, **changes: Any) -> Message:
    """Return an SMS that was observed so many seconds ago, if the number is negative."""
    given = {"id": event_id("pingme", "shop", None, None, (str(number),)), "observed_at": to_text(NOW_MS + number)}
    found = {"code": code, "code_source": "extracted"} if code else {}
    return received(
        **{"recipient": f"+{NUMBER}", "recipient_raw": NUMBER, "text": f"[jd] {code}"} | given | found | changes
    )


def of_order(sequence: int, code: str | None, **changes: Any) -> Message:
    order = {
        "provider": "grizzlysms",
        "received_via": "poll",
        "watch_id": WATCH_ID,
        "order_kind": "activation",
        **ORDER,
    }
    return sms(-1000 + sequence, code, **order | {"sequence": sequence} | changes)


def item_of(message: Message, offset: int) -> Item:
    record = ReadRecord(0, offset, NOW_MS, b"key", message.to_json(), {})
    item = Item.of(Part(RECEIVED, 0), record)
    assert item is not None
    return item


class Api:
    """The routes, a client for them, and what is behind them."""

    def __init__(self, **settings: Any) -> None:
        self.topics = Topics(now_ms=NOW_MS)
        self.inbox = inbox_of(self.topics, InboxSettings(**settings))
        self.table = TableInMemory()
        self.table.caught_up()
        self.paused: dict[str, str] = {}
        self.passed: dict[tuple[Part, int], dict[str, bool]] = {}
        self.client: TestClient[Any, Any]
        self._offset = 0

    def publish(self, *messages: Message, partition: int = 0, **how: Any) -> None:
        for message in messages:
            self.topics.publish(message, partition, **how)

    async def taken(self, *messages: Message, **how: Any) -> None:
        """Publish, and return when the inbox has read it."""
        self.publish(*messages, **how)
        ends = await self.topics.ends()
        while self.inbox.following.tail.ends != ends:
            await asyncio.sleep(0)

    async def passed_by(self, part: Part, offset: int) -> dict[str, bool] | None:
        return self.passed.get((part, offset))

    def watch(self, kind: str = "activation", desired: str = "watch", **state: Any) -> None:
        """Open a watch, and commit its state."""
        asked = WatchRequest(order_kind=kind, **ORDER).watch(NOW_MS, "r1")
        watch = asked.model_copy(update={"expires_at": to_text(NOW_MS + 1000), "desired": desired})
        self.table.put(watch)
        self._offset += 1
        value = WatchState(
            watch=watch, provider="grizzlysms", key="1", looked_ms=NOW_MS, applied="r1", **state
        ).to_json()
        self.table.take(STATES, ReadRecord(0, self._offset, NOW_MS, watch.watch_id.encode(), value, {}))

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def text(self, path: str) -> tuple[int, str]:
        async with self.client.get(path, headers=TEXT) as answer:
            assert answer.content_type == ("text/plain" if answer.status == 200 else "application/problem+json")
            return answer.status, await answer.text()

    async def cursor(self) -> str:
        return (await self.get("/v1/cursor"))[1]["cursor"]

    async def waiting(self, path: str, **headers: str) -> "asyncio.Task[tuple[int, Any]]":
        """Return the task of a wait that has begun."""
        subscribers = self.inbox.following.tail.subscribers
        task = asyncio.create_task(self.get(path, **headers))
        while self.inbox.following.tail.subscribers == subscribers and not task.done():
            await asyncio.sleep(0)
        return task


@asynccontextmanager
async def served(api: Api, among: tuple[str, ...] | None = None) -> AsyncIterator[Api]:
    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[AMONG] = among
        return await handler(request)

    application = web.Application(middlewares=[limited])
    InboxApi(api.inbox, api.table, now_ms=lambda: NOW_MS, paused=api.paused.get, passed=api.passed_by).add_to(
        application.router
    )
    api.inbox.following.start()
    async with TestClient(TestServer(application)) as api.client:
        yield api
    await api.inbox.following.stop()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with served(Api()) as api:
        yield api


# ---- lists -----------------------------------------------------------------------------------------------------------


async def test_a_list_has_the_events_as_kafka_has_them_and_a_cursor_to_go_on_from(api):
    first, second = sms(-2000, "4711"), sms(-1000, "5822")
    await api.taken(first, second)

    status, listed = await api.get("/v1/sms")
    await api.taken(third := sms(0, None))
    _, rest = await api.get(f"/v1/sms?since={listed['cursor']}")

    assert (status, sorted(listed)) == (200, ["cursor", "items"])
    assert listed["items"] == [json.loads(each.to_json()) for each in (first, second)]
    assert [each["id"] for each in rest["items"]] == [third.id]


async def test_a_list_of_large_events_is_shorter_and_the_pages_have_all(api):
    events = [sms(-5000 + n, f"471{n}", text=f"code 471{n} {'x' * 1_500_000}") for n in range(5)]
    await api.taken(*events)

    _, newest = await api.get("/v1/sms")
    _, code = await api.text("/v1/sms?contains=4710")
    page, found = newest, []
    for since in ("1h", *[None] * 3):
        _, page = await api.get(f"/v1/sms?since={since or page['cursor']}")
        found.append([each["id"] for each in page["items"]])

    ids = [each.id for each in events]
    assert [each["id"] for each in newest["items"]] == ids[3:]
    assert found == [ids[:3], ids[3:], [], []]
    assert code.strip() == "4710"


async def test_what_is_private_is_kept_by_no_cache(api):
    await api.taken(first := sms(-1000, "4711"))

    for path in ("/v1/sms", f"/v1/sms/{first.id}", f"/v1/wait?recipient={NUMBER}&since=10m"):
        async with api.client.get(path) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize("headers", [{}, TEXT], ids=["JSON", "text"])
@pytest.mark.parametrize(("path", "status"), [("/v1/cursor", 200), ("/v1/sms/unknown", 404), ("/v1/wait", 400)])
async def test_what_holds_only_now_is_kept_by_no_cache(api, path, status, headers):
    """From an old cursor a wait would return an old code."""
    async with api.client.get(path, headers=headers) as answer:
        assert (answer.status, answer.headers.get("Cache-Control")) == (status, "no-store")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"recipient={NUMBER}", "abc"),
        (f"recipient=+{NUMBER}", "abc"),
        ("recipient=1647000000", ""),
        ("service=jd", "b"),
        ("has_code=false", "c"),
        ("contains=HELLO", "c"),
        ("freshness=history", "a"),
        ("since=2s", "bc"),
        (f"since={to_text(NOW_MS - 1500)}", "bc"),
        ("since=2026-11-18T12:06:38.500%2B01:00", "bc"),
        ("since=2026-11-18T12:06:38.500+01:00", "bc"),
        ("since=999999d", "abc"),
        ("limit=1", "c"),
        ("limit=1&since=2s", "b"),
    ],
)
async def test_a_list_has_what_was_asked_for(api, query, found):
    events = [
        sms(-3000, "4711", freshness="history"),
        sms(-1000, "5822", service="jd"),
        sms(-500, None, text="Hello"),
    ]
    await api.taken(*events)

    status, listed = await api.get(f"/v1/sms?{query}")

    names = {event.id: name for event, name in zip(events, "abc", strict=True)}
    assert (status, "".join(names[each["id"]] for each in listed["items"])) == (200, found)


async def test_text_is_the_newest_code_whatever_the_limit_and_the_beginning(api):
    await api.taken(sms(-3000, "4711"), sms(-2000, "5822"), sms(-1000, None))

    assert await api.text("/v1/sms") == (200, "5822\n")
    assert await api.text("/v1/sms?limit=1&since=1h") == (200, "5822\n")
    assert (await api.text("/v1/sms?recipient=1"))[0] == 404


@pytest.mark.parametrize(
    ("accept", "is_text"),
    [
        ("text/plain", True),
        ("Text/Plain; charset=utf-8, */*;q=0.1", True),
        ("application/json;q=0.1, text/plain", True),
        ("text/plain, application/json", True),
        ("application/json, text/plain", False),
        ("text/plain;q=0, application/json", False),
        ("text/plain;q=0", False),
        ("text/plain;q=0.5, application/json;q=x", False),
        ("*/*", False),
        ("", False),
    ],
)
async def test_a_client_gets_what_it_accepts_first_of_all(api, accept, is_text):
    await api.taken(sms(-1000, "4711"))

    status, answer = await api.get("/v1/sms", Accept=accept)

    assert (status, answer == 4711) == (200, is_text)


async def test_a_cursor_serves_a_client_that_wants_text_too(api):
    _, listed = await api.get(f"/v1/sms?recipient={NUMBER}")
    await api.taken(sms(-1000, "4711"))

    assert await api.text(f"/v1/sms?recipient={NUMBER}&since={listed['cursor']}") == (200, "4711\n")
    assert await api.text(f"/v1/wait?recipient={NUMBER}&since={listed['cursor']}") == (200, "4711\n")


async def test_an_sms_is_shown_with_its_way(api):
    shown = sms(
        -1000, "4711", provider_time=to_text(NOW_MS - 3500), provider_time_raw="x", provider_time_basis="stated"
    )
    await api.taken(shown, partition=4, via="journal")

    status, answer = await api.get(f"/v1/sms/{shown.id}")

    way = {"via": "journal", "topic": RECEIVED, "partition": 4, "offset": 0, "provider_delay": 2.5}
    assert (status, answer) == (200, {"sms": json.loads(shown.to_json()), "way": way, "forwards": None})
    assert await api.text(f"/v1/sms/{shown.id}") == (200, "4711\n")


async def test_an_sms_is_shown_with_the_targets_that_have_passed_it(api):
    shown = sms(-1000, "4711")
    await api.taken(shown, partition=4)
    api.passed[Part(RECEIVED, 4), 0] = {"hook": True, "slow": False}

    _, answer = await api.get(f"/v1/sms/{shown.id}")

    assert answer["forwards"] == {"hook": True, "slow": False}


async def test_one_record_that_is_no_json_for_others_spoils_no_list(api):
    event = json.loads(sms(-2000, "4711").to_json())
    broken = [
        json.dumps(event | {"id": "a", "sequence": float("nan")}).encode(),
        json.dumps(event | {"id": "b"}).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(event | {"id": "c"}).encode(),
    ]
    for value in broken:
        api.topics.put(Part(RECEIVED, 0), value, NOW_MS, {})
    await api.taken(sms(-1000, "5822"))

    assert [each["code"] for each in (await api.get("/v1/sms"))[1]["items"]] == ["5822"]


# ---- waits -----------------------------------------------------------------------------------------------------------


async def test_a_wait_for_a_number_returns_what_comes_after_it_began(api):
    await api.taken(sms(-1000, "4711"))
    waiting = await api.waiting(f"/v1/wait?recipient=+{NUMBER}&timeout=55")
    api.publish(sms(0, "5822", recipient="+16470000001", recipient_raw="16470000001"), sms(1, "6933"))

    status, answer = await waiting
    assert (status, [each["code"] for each in answer["items"]]) == (200, ["6933"])
    assert "next_sequence" not in answer


async def test_a_wait_in_which_nothing_comes_is_an_empty_200_whose_cursor_misses_nothing(api):
    status, answer = await api.get(f"/v1/wait?recipient={NUMBER}&timeout=1")
    await api.taken(sms(0, "4711"))
    _, later = await api.get(f"/v1/wait?recipient={NUMBER}&since={answer['cursor']}")

    assert (status, answer["items"]) == (200, [])
    assert [each["code"] for each in later["items"]] == ["4711"]


async def test_what_an_outage_held_back_is_no_news_to_a_wait_and_neither_is_what_is_not_live(api):
    waiting = await api.waiting(f"/v1/wait?recipient={NUMBER}")
    api.publish(sms(-6000, "4711"), sms(0, "5822", freshness="recovered"), sms(-4000, "6933"))

    assert [each["code"] for each in (await waiting)[1]["items"]] == ["6933"]


async def test_a_wait_from_the_cursor_of_a_list_takes_what_is_news_to_the_list(api):
    """However far back the list began."""
    _, listed = await api.get(f"/v1/sms?recipient={NUMBER}&since=24h")
    await api.taken(sms(-6000, "4711"), via="journal")  # published after the list, observed before it
    await api.taken(sms(-4000, "5822"))

    _, waited = await api.get(f"/v1/wait?recipient={NUMBER}&since={listed['cursor']}")

    assert [each["code"] for each in waited["items"]] == ["5822"]


async def test_a_wait_for_an_order_takes_its_first_sms_also_if_that_is_there(api):
    api.watch(sms_count=1)
    await api.taken(of_order(0, "4711", freshness="recovered"))

    by_order = await api.get("/v1/wait?account=main&order_id=860170")
    by_watch = await api.get(f"/v1/wait?watch_id={WATCH_ID}&sequence=0")

    answers = [(answer["items"][0]["code"], answer["next_sequence"]) for _, answer in (by_order, by_watch)]
    assert answers == [("4711", 1)] * 2


@pytest.mark.parametrize("comes", [(), (of_order(0, "4711"),)], ids=["nothing", "an SMS"])
async def test_the_cursor_of_a_wait_for_an_order_belongs_to_the_filters_of_the_wait(api, comes):
    api.watch()
    await api.taken(*comes)
    order = "account=main&order_id=860170"
    _, waited = await api.get(f"/v1/wait?{order}&timeout=1")
    await api.taken(later := of_order(1, "5822"))

    status, listed = await api.get(f"/v1/sms?{order}&since={waited['cursor']}")

    assert (status, [each["id"] for each in listed["items"]]) == (200, [later.id])


async def test_every_answer_to_a_wait_for_an_order_names_the_following_sequence(api):
    api.watch()
    _, nothing = await api.get("/v1/wait?account=main&order_id=860170&timeout=1")
    _, later = await api.get("/v1/wait?account=main&order_id=860170&sequence=3&timeout=1")
    waiting = await api.waiting("/v1/wait?account=main&order_id=860170&sequence=3")
    api.publish(of_order(2, "4711"), of_order(5, "5822"))

    assert (nothing["items"], nothing["next_sequence"], later["next_sequence"]) == ([], 0, 3)
    assert (await waiting)[1]["next_sequence"] == 6


async def test_a_wait_for_a_rent_is_one_for_news(api):
    api.watch("rent")
    rent = {"watch_id": id_of_watch("main", "rent", "860170"), "order_kind": "rent"}
    await api.taken(of_order(0, "4711", **rent))
    waiting = await api.waiting("/v1/wait?account=main&order_id=860170")
    api.publish(of_order(1, "5822"), of_order(2, "6933", **rent))

    answer = (await waiting)[1]
    assert [each["code"] for each in answer["items"]] == ["6933"]
    assert "next_sequence" not in answer


async def test_of_an_activation_and_a_rent_with_one_id_the_activation_is_waited_for(api):
    """Providers number them separately, and the rent may be the newer one."""
    api.watch()
    api.watch("rent")
    await api.taken(of_order(0, "4711"))

    _, answer = await api.get("/v1/wait?account=main&order_id=860170&timeout=1")

    assert [each["code"] for each in answer["items"]] == ["4711"]


async def test_a_wait_for_text_takes_the_first_sms_that_has_a_code(api):
    waiting = asyncio.create_task(api.text(f"/v1/wait?recipient={NUMBER}"))
    while not api.inbox.following.tail.subscribers:
        await asyncio.sleep(0)
    api.publish(sms(0, None), sms(1, "4711"))

    assert await waiting == (200, "4711\n")


async def test_a_wait_by_watch_is_for_that_watch_alone(api):
    api.watch("rent")
    other = id_of_watch("main", "rent", "860170")

    status, problem = await api.get(f"/v1/wait?watch_id={WATCH_ID}&account=main&order_id=860170")

    assert other != WATCH_ID
    assert (status, problem["reason"]) == (404, "unknown_watch")


# ---- cursors ---------------------------------------------------------------------------------------------------------


async def test_a_cursor_is_the_same_as_json_and_as_text(api):
    await api.taken(sms(0, "4711"))

    assert await api.text("/v1/cursor") == (200, f"{await api.cursor()}\n")


# ---- streams ---------------------------------------------------------------------------------------------------------


class Streamed:
    """What a stream has sent."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.begin = ""
        """The cursor that it begins with."""

    async def frame(self) -> list[str]:
        """Return the lines up to the next empty one."""
        async with asyncio.timeout(20):
            return (await self.answer.content.readuntil(b"\n\n")).decode().split("\n")[:-2]


@asynccontextmanager
async def streaming(api: Api, path: str, **headers: str) -> AsyncIterator[Streamed]:
    async with api.client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        streamed = Streamed(answer)
        retry, begin = await streamed.frame()
        assert retry == "retry: 1000"
        streamed.begin = begin.removeprefix("id: ")
        yield streamed


async def test_a_stream_has_an_event_for_each_and_the_cursor_after_the_last(api):
    events = sms(-1, "4711", text="a\u2028b\nc"), sms(0, "5822")
    async with streaming(api, "/v1/stream") as stream:
        api.publish(*events)
        first, second = await stream.frame(), await stream.frame()

    assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (stream.answer.headers["Cache-Control"], stream.answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert first == ["event: received", f"data: {events[0].to_json().decode()}"]
    assert second[:2] == ["event: received", f"data: {events[1].to_json().decode()}"]
    assert Cursor.of(second[2].removeprefix("id: "), (RECEIVED,)).places[Part(RECEIVED, 0)].offset == 2


def test_a_page_goes_to_a_stream_in_pieces():
    """A client that reads slowly keeps a piece, not all that the inbox has, and has seconds for each."""
    text = "a" * 30_000
    items = [item_of(sms(number, "4711", text=text), number) for number in range(9)]
    cursor = Cursor(1, b"1234", NOW_MS, dict.fromkeys(parts_of((RECEIVED,)), Place(9)))

    pieces = [*frames(Page(items, cursor))]

    whole = b"".join(b"event: received\ndata: " + item.value + b"\n\n" for item in items)
    assert b"".join(pieces) == whole[:-1] + f"id: {cursor.text()}\n\n".encode()
    assert len(pieces) == 3
    assert max(map(len, pieces)) < 64 * 1024 + 32_000


async def test_a_stream_says_every_now_and_then_that_it_is_there(api, monkeypatch):
    monkeypatch.setattr(inbox_api, "PING_EVERY", 0.01)

    async with streaming(api, "/v1/stream") as stream:
        ping, cursor = await stream.frame()

    assert ping == ": ping"
    assert cursor.startswith("id: ")


async def test_a_quiet_stream_of_a_busy_topic_says_how_far_it_has_read(api, monkeypatch):
    monkeypatch.setattr(inbox_api, "PING_EVERY", 0.01)

    async with streaming(api, "/v1/stream?recipient=19990000000") as stream:
        await api.taken(sms(-2, "4711"), sms(-1, "5822"))
        read_to, now = 0, 2
        while read_to < now:  # a ping may have been under way
            ping, cursor = await stream.frame()
            assert ping == ": ping"
            read_to = Cursor.of(cursor.removeprefix("id: "), (RECEIVED,)).places[Part(RECEIVED, 0)].offset


async def test_who_is_cut_off_before_the_first_event_goes_on_where_the_stream_began(api):
    async with streaming(api, "/v1/stream") as stream:
        begin = stream.begin
    await api.taken(sms(-1, "5822"))

    async with streaming(api, "/v1/stream", **{"Last-Event-ID": begin}) as stream:
        assert '"code":"5822"' in (await stream.frame())[1]


async def test_a_stream_has_the_events_that_were_asked_for(api):
    async with streaming(api, "/v1/stream?events=rejected,watch_ended") as stream:
        api.publish(sms(0, "4711"), letter := rejected(observed_at=NOW), end := ended(ended_at=NOW))
        frames = [await stream.frame(), await stream.frame()]

    expected = ("rejected", letter), ("watch_ended", end)
    assert [frame[:2] for frame in frames] == [
        [f"event: {name}", f"data: {event.to_json().decode()}"] for name, event in expected
    ]


async def test_a_stream_goes_on_after_the_last_event_that_its_client_has_whatever_its_address_says(api):
    before = await api.cursor()
    await api.taken(sms(-2, "4711"))
    last = await api.cursor()
    await api.taken(sms(-1, "5822"))

    async with streaming(api, f"/v1/stream?since={before}", **{"Last-Event-ID": last}) as stream:
        assert '"code":"5822"' in (await stream.frame())[1]
    async with streaming(api, f"/v1/stream?since={before}") as stream:
        assert '"code":"4711"' in (await stream.frame())[1]


async def test_a_stream_of_the_last_minutes_begins_with_them(api):
    await api.taken(sms(-61_000, "4711"), sms(-30_000, "5822"))

    async with streaming(api, "/v1/stream?since=1m") as stream:
        assert '"code":"5822"' in (await stream.frame())[1]


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/sms?recipent=1", "recipent is not a parameter of this request (did you mean recipient?)."),
        ("/v1/sms?limit=1&limit=2", "limit is given twice."),
        ("/v1/sms?limit=1001&has_code=yes", "has_code must be true or false; limit must be 1 to 1000."),
        (
            "/v1/sms?since=yesterday",
            "since must be 10m (or 30s, 2h, 7d), a past time like 2026-03-25T03:17:06Z, or a cursor.",
        ),
        ("/v1/sms?since=2026-03-25T03:17:06", "since must be 10m (or 30s, 2h, 7d), a past time"),
        (f"/v1/sms?since={'A' * 50}", "since is not a cursor of this inbox: it was cut, or is of other events."),
        (
            "/v1/sms?provider=grizzly",
            "provider must be one of pingme, smsverified, grizzlysms, smsman (did you mean grizzlysms?).",
        ),
        ("/v1/sms?sequence=1", "sequence is not a parameter of this request"),
        ("/v1/sms/x?limit=1", "limit is not a parameter of this request."),
        ("/v1/cursor?recipient=1", "recipient is not a parameter of this request."),
        ("/v1/wait", "say what to wait for: recipient, or account and order_id, or watch_id."),
        ("/v1/wait?account=main", "say what to wait for"),
        ("/v1/wait?order_id=1", "say what to wait for"),
        (f"/v1/wait?order_id=1&recipient={NUMBER}", "say what to wait for"),
        (f"/v1/wait?recipient={NUMBER}&sequence=1", "sequence counts the SMS of an activation"),
        ("/v1/wait?account=main&order_id=860170&since=10m", "an activation's SMS are counted: leave out since"),
        (f"/v1/wait?recipient={NUMBER}&timeout=56", "timeout must be 1 to 55 (whole seconds)."),
        ("/v1/wait?recipient=nobody", "recipient must be a number, without letters."),
        ("/v1/sms?recipient=alice1", "recipient must be a number, without letters."),
        (
            "/v1/sms?since=2999-01-01T00:00:00Z",
            "since must be 10m (or 30s, 2h, 7d), a past time like 2026-03-25T03:17:06Z, or a",
        ),
        ("/v1/stream?events=received,all", "events must be some of received, rejected, watch_ended, with commas"),
    ],
)
async def test_a_wrong_query_is_400_and_says_what_was_meant(api, path, detail):
    api.watch()

    status, problem = await api.get(path)

    assert (status, problem["reason"], problem["type"]) == (400, "invalid_query", "urn:smsbus:problem:invalid_query")
    assert problem["detail"].startswith(detail)
    assert not problem["detail"].endswith("..")


@pytest.mark.parametrize("name", [NUMBER, "1" * 4000, "a\r\nb", "\u202e<script>"])
async def test_the_name_of_an_unknown_parameter_is_told_to_who_sent_it_alone_and_not_at_length(api, name, caplog):
    async with api.client.get("/v1/sms", params={name: "x"}) as answer:
        raw, problem = await answer.text(), await answer.json(content_type=None)

    assert (answer.status, problem["reason"]) == (400, "invalid_query")
    assert problem["detail"].startswith(name.splitlines()[0][:40])
    assert len(problem["detail"]) < 100
    assert (raw.isascii(), len(raw.splitlines()), caplog.text) == (True, 1, "")


@pytest.mark.parametrize("path", ["/v1/wait?recipient=1", "/v1/stream"])
async def test_the_head_of_what_lasts_is_refused_at_once(api, path):
    async with asyncio.timeout(5), api.client.head(path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


async def test_an_account_that_the_token_does_not_read_is_403_with_those_that_it_does():
    async with served(Api(), among=("main", "shop")) as api:
        status, problem = await api.get("/v1/sms?account=grizzly")

    assert (status, problem["reason"]) == (403, "other_account")
    assert "the SMS of main, shop only" in problem["detail"]


@pytest.mark.parametrize("last", ["10m", "A" * 60])
async def test_a_last_event_that_is_no_cursor_is_400_and_not_all_that_there_is(api, last):
    status, problem = await api.get("/v1/stream", **{"Last-Event-ID": last})

    assert (status, problem["reason"]) == (400, "invalid_query")
    assert problem["detail"].startswith("Last-Event-ID is not a cursor of this inbox")


async def test_a_cursor_of_other_filters_is_400(api):
    _, listed = await api.get(f"/v1/sms?recipient={NUMBER}")

    status, problem = await api.get(f"/v1/sms?recipient=1&since={listed['cursor']}")

    assert (status, problem["reason"]) == (400, "cursor_of_other_filters")
    assert "/v1/cursor" in problem["detail"]


async def test_a_cursor_from_before_all_that_is_kept_is_400_with_one_of_now():
    async with served(Api(events=1)) as api:
        old = await api.cursor()
        await api.taken(sms(-2, "4711"), sms(-1, "5822"))

        status, problem = await api.get(f"/v1/sms?since={old}")
        again, _ = await api.get(f"/v1/sms?since={problem['cursor']}")

    assert (status, problem["reason"], again) == (400, "cursor_gone", 200)


@pytest.mark.parametrize("events", ["received", "rejected", "received,rejected,watch_ended"])
async def test_the_cursor_of_now_is_of_the_events_that_were_asked_for(api, events):
    _, listed = await api.get(f"/v1/sms?events={events}")
    api.inbox.following.cluster += 1

    _, problem = await api.get(f"/v1/sms?events={events}&since={listed['cursor']}")
    again, page = await api.get(f"/v1/sms?events={events}&account=main&since={problem['cursor']}")

    assert (problem["reason"], again, page["items"]) == ("cursor_gone", 200, [])


@pytest.mark.parametrize("path", ["/v1/sms", "/v1/wait", "/v1/stream"])
async def test_a_cursor_of_another_kafka_is_400(api, path):
    other = Cursor.of(await api.cursor(), (RECEIVED,))._replace(cluster=1).text()

    status, problem = await api.get(f"{path}?recipient={NUMBER}&since={other}")

    assert (status, problem["reason"]) == (400, "cursor_gone")


async def test_an_sms_that_is_not_kept_is_404(api):
    status, problem = await api.get("/v1/sms/6bd66c27-1e4d-872d-a312-5fc86f25695a")

    assert (status, problem["reason"]) == (404, "unknown_sms")
    assert "24 hours" in problem["detail"]


async def test_an_order_that_nobody_watches_is_404(api):
    status, problem = await api.get("/v1/wait?account=main&order_id=1")

    assert (status, problem["reason"]) == (404, "unknown_watch")
    assert "POST /v1/watches" in problem["detail"]


@pytest.mark.parametrize("path", ["/v1/sms", f"/v1/wait?recipient={NUMBER}&timeout=1"])
async def test_text_is_404_where_there_is_no_code(api, path):
    await api.taken(sms(0, None))

    status, problem = await api.text(path)

    assert (status, json.loads(problem)["reason"]) == (404, "no_code")


@pytest.mark.parametrize("kind", ["activation", "rent"])
async def test_an_account_that_is_paused_is_409_with_why(api, kind):
    api.watch(kind)
    api.paused["main"] = "bad_key"

    status, problem = await api.get("/v1/wait?account=main&order_id=860170")

    assert (status, problem["reason"]) == (409, "account_paused")
    assert "bad_key" in problem["detail"]


@pytest.mark.parametrize("kind", ["activation", "rent"])
async def test_a_wait_whose_account_is_paused_meanwhile_is_409_too(api, kind, monkeypatch):
    monkeypatch.setattr(asking, "LOOK_EVERY", 0.01)
    api.watch(kind)
    waiting = await api.waiting("/v1/wait?account=main&order_id=860170&timeout=55")
    api.paused["main"] = "bad_key"

    status, problem = await waiting

    assert (status, problem["reason"]) == (409, "account_paused")


async def test_what_is_there_is_returned_also_if_its_account_is_paused_now(api):
    api.watch(sms_count=1)
    await api.taken(of_order(0, "4711"))
    api.paused["main"] = "bad_key"

    assert (await api.get("/v1/wait?account=main&order_id=860170"))[0] == 200
    assert (await api.get("/v1/wait?account=main&order_id=860170&sequence=1"))[0] == 409


async def test_a_watch_that_ended_without_the_sms_is_410_with_why(api):
    api.watch(ended="expired", sms_count=1)
    await api.taken(of_order(0, "4711"))

    there = await api.get("/v1/wait?account=main&order_id=860170")
    status, problem = await api.get("/v1/wait?account=main&order_id=860170&sequence=1")

    assert there[0] == 200
    assert (status, problem["reason"], problem["ended"]) == (410, "watch_ended", "expired")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({}, "expired, or cancelled at the provider"),
        ({"desired": "cancel"}, "cancelled"),
        ({"performed": "cancel"}, "cancelled"),
        ({"desired": "cancel", "refused": "cancel"}, "expired, or cancelled at the provider"),
    ],
)
async def test_an_order_that_nobody_here_cancelled_is_not_told_to_be_cancelled(api, state, why):
    api.watch(ended="cancelled", **state)

    status, problem = await api.get("/v1/wait?account=main&order_id=860170")

    assert (status, problem["ended"]) == (410, "cancelled")
    assert problem["detail"] == f"The watch ended ({why}) without this SMS."


@pytest.mark.parametrize("kind", ["activation", "rent"])
async def test_an_order_that_another_replica_has_just_opened_is_waited_for(api, kind):
    api.table.unread = [WatchRequest(order_kind=kind, **ORDER).watch(NOW_MS, "r1")]

    assert (await api.get("/v1/wait?account=main&order_id=860170&timeout=1"))[0] == 200


async def test_an_order_that_another_replica_has_just_opened_again_is_waited_for(api):
    api.watch(ended="expired")
    api.table.unread = [WatchRequest(**ORDER).watch(NOW_MS, "r2")]

    assert (await api.get("/v1/wait?account=main&order_id=860170&timeout=1"))[0] == 200
    assert api.table.unread == []


async def test_a_watch_that_ends_and_is_opened_again_elsewhere_is_waited_for_on(api, monkeypatch):
    monkeypatch.setattr(asking, "LOOK_EVERY", 0.01)
    api.watch()
    waiting = await api.waiting("/v1/wait?account=main&order_id=860170&timeout=55")
    api.watch(ended="expired")
    api.table.unread = [WatchRequest(**ORDER).watch(NOW_MS, "r2")]

    assert (await waiting)[0] == 200
    assert api.table.unread == []


async def test_without_kafka_nobody_knows_whether_an_order_was_opened_again(api):
    unknown = "/v1/wait?account=main&order_id=1"
    api.watch(ended="expired")
    api.table.away = True

    answers = [await api.get("/v1/wait?account=main&order_id=860170"), await api.get(unknown)]

    assert [(status, problem["reason"]) for status, problem in answers] == [(503, "inbox_blind")] * 2


async def test_who_asks_a_table_that_cannot_catch_up_is_told_so_in_seconds(api, monkeypatch):
    monkeypatch.setattr(inbox_api, "READY_SECONDS", 0)
    monkeypatch.setattr(api.table, "catch_up", asyncio.Event().wait)

    status, problem = await api.get("/v1/wait?account=main&order_id=1")

    assert (status, problem["reason"]) == (503, "inbox_blind")


async def test_until_the_watches_are_read_nobody_knows_an_order(api):
    api.table._filled.clear()

    status, problem = await api.get("/v1/wait?account=main&order_id=860170")

    assert (status, problem["reason"]) == (503, "not_ready")


PATHS = ["/v1/sms", "/v1/sms/x", "/v1/cursor", f"/v1/wait?recipient={NUMBER}", "/v1/stream"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("seconds", "reason"), [(0, "not_ready"), (6, "inbox_blind")])
async def test_until_the_topics_are_read_the_answer_is_503(path, seconds, reason):
    api = Api()
    api.topics.away = True
    async with served(api):
        api.topics.seconds = seconds
        async with api.client.get(path) as answer:
            problem = await answer.json(content_type=None)

    assert (answer.status, problem["reason"], answer.headers["Retry-After"]) == (503, reason, "5")


@pytest.mark.parametrize("path", [f"/v1/wait?recipient={NUMBER}&timeout=1", "/v1/cursor"])
async def test_while_kafka_does_not_answer_nobody_knows_what_is_new(api, path):
    await api.cursor()
    api.topics.go_away()

    status, problem = await api.get(path)

    assert (status, problem["reason"]) == (503, "inbox_blind")
    assert (await api.get("/v1/sms"))[0] == 200


async def test_a_wait_in_which_kafka_stopped_answering_has_not_found_nothing(api):
    waiting = await api.waiting(f"/v1/wait?recipient={NUMBER}&timeout=50")
    api.topics.go_away()

    status, problem = await waiting
    assert (status, problem["reason"]) == (503, "inbox_blind")


@pytest.mark.parametrize("path", [f"/v1/wait?recipient={NUMBER}", "/v1/wait?account=main&order_id=860170"])
async def test_who_waits_while_the_process_stops_is_told_to_ask_again(api, path):
    api.watch()
    waiting = await api.waiting(f"{path}&timeout=55")
    await api.inbox.stop()

    answers = [await waiting, await api.get(path), await api.get("/v1/cursor")]

    assert [(status, problem["reason"]) for status, problem in answers] == [(503, "closing")] * 3
    assert (await api.get("/v1/sms"))[0] == 200


@pytest.mark.parametrize("path", [f"/v1/wait?recipient={NUMBER}", "/v1/stream"])
async def test_one_more_than_may_wait_is_told_so(api, path):
    api.inbox.lasting.most = 1
    waiting = await api.waiting(f"/v1/wait?recipient={NUMBER}&timeout=55")

    status, problem = await api.get(path)

    assert (status, problem["reason"]) == (503, "too_many_waits")
    waiting.cancel()


def test_every_reason_is_tested_here():
    source = Path(__file__).read_text("utf-8")

    assert [reason for _, reason, _ in REFUSALS.values() if source.count(f'"{reason}"') == 0] == []
