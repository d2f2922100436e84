"""The token for reading: it reads and waits, changes nothing, and sees no account that it is not given."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr, ValidationError

from app.admin.inbox import InboxApi
from app.admin.token import ABOUT, answer_token, guard
from app.settings.sections import AdminSettings
from tests.unit.app.admin.test_inbox import NOW_MS, WATCH_ID, Api, of_order, sms

pytestmark = pytest.mark.loopback

OURS, READS, SHOPS = "operator-operator-operator", "reads-reads-reads-reads", "shops-shops-shops-shops"
NOBODY = "6bd66c27-1e4d-872d-a312-5fc86f25695a"
ALL_PATHS = ("/v1/sms", "/v1/cursor", "/v1/watches", "/v1/callbacks", "/v1/journal/rows")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """What came for two accounts, of which the reader of `shop` sees one."""
    api = Api()
    applications = []
    for reads, accounts in ((READS, ()), (SHOPS, ("shop",))):
        application = web.Application(middlewares=[guard(SecretStr(OURS), SecretStr(reads), accounts)])
        InboxApi(api.inbox, api.table, now_ms=lambda: NOW_MS).add_to(application.router)
        application.router.add_get(ABOUT, answer_token)
        application.router.add_route("*", "/{path:.*}", _other)
        applications.append(application)
    api.inbox.following.start()
    async with (
        TestClient(TestServer(applications[0])) as api.client,
        TestClient(TestServer(applications[1])) as limited,
    ):
        api.limited = limited  # type: ignore[attr-defined]
        yield api
    await api.inbox.following.stop()


async def _other(_: web.Request) -> web.Response:
    return web.json_response({})


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("token", "statuses"),
    [
        (OURS, [200, 200, 200, 200, 200]),
        (READS, [200, 200, 200, 200, 403]),
        ("wrong", [401] * 5),
    ],
)
async def test_who_may_read_what(api: Api, token: str, statuses: list[int]) -> None:
    assert [(await api.get(path, **shown(token)))[0] for path in ALL_PATHS] == statuses


async def test_each_says_what_it_may_do(api: Api) -> None:
    ours, reads = [await api.get(ABOUT, **shown(token)) for token in (OURS, READS)]
    async with api.limited.get(ABOUT, headers=shown(SHOPS)) as answer:  # type: ignore[attr-defined]
        limited = await answer.json()

    assert ours[:2] == (200, {"reads_only": False, "accounts": None})
    assert reads[:2] == (200, {"reads_only": True, "accounts": None})
    assert limited == {"reads_only": True, "accounts": ["shop"]}
    assert (await api.get(ABOUT, **shown("wrong")))[0] == 401


@pytest.mark.parametrize("path", ["/v1/watches", f"/v1/watches/{WATCH_ID}/next", "/v1/journal/skip", "/v1/sms"])
async def test_it_changes_nothing(api: Api, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        async with api.client.request(method, path, headers=shown(READS)) as answer:
            assert (answer.status, (await answer.json())["reason"]) == (403, "read_only")


async def test_a_limited_one_sees_its_accounts_alone(api: Api) -> None:
    mine, other = sms(-2000, "4711"), of_order(0, "5822")
    api.watch()
    await api.taken(mine, other)

    async def get(path: str) -> tuple[int, dict]:
        async with api.limited.get(path, headers=shown(SHOPS)) as answer:  # type: ignore[attr-defined]
            return answer.status, await answer.json()

    listed, named = await get("/v1/sms"), await get("/v1/sms?order_id=860170")
    by_id = [await get(f"/v1/sms/{each}") for each in (mine.event_id, other.event_id, NOBODY)]
    waits = [await get(f"/v1/wait?watch_id={each}&timeout=1") for each in (WATCH_ID, NOBODY)]

    assert [each["id"] for each in listed[1]["items"]] == [mine.event_id]
    assert named[1]["items"] == []
    assert [status for status, _ in by_id] == [200, 404, 404]
    assert by_id[1] == by_id[2]  # what is another's is as if it were not there
    assert (waits[0], waits[0][0]) == (waits[1], 404)
    assert (await get("/v1/watches"))[0] == 403


@pytest.mark.parametrize(
    "path", ["/v1/sms?account={}", "/v1/wait?account={}&order_id=860170", "/v1/stream?account={}&since=1m"]
)
async def test_one_that_asks_for_another_account_is_told_which_it_may_read(api: Api, path: str) -> None:
    api.watch()

    answers = []
    for account in ("main", "nobody"):
        async with api.limited.get(path.format(account), headers=shown(SHOPS)) as answer:  # type: ignore[attr-defined]
            answers.append((answer.status, await answer.json()))
    async with api.limited.get("/v1/sms?account=shop", headers=shown(SHOPS)) as answer:  # type: ignore[attr-defined]
        own = answer.status

    assert answers[0] == answers[1]
    assert (answers[0][0], answers[0][1]["reason"], own) == (403, "other_account", 200)
    assert answers[0][1]["detail"] == "This token (admin.read_token) reads the SMS of shop only."


@pytest.mark.parametrize(
    ("path", "method", "is_enough"),
    [
        ("/v1/sms", "GET", True),
        ("/v1/wait", "GET", True),
        ("/v1/watches", "GET", True),
        ("/v1/watches", "POST", False),
        ("/v1/journal/rows", "GET", False),
    ],
)
async def test_who_shows_no_token_is_told_where_one_for_reading_is_enough(
    api: Api, path: str, method: str, is_enough: bool
) -> None:
    async with api.client.request(method, path) as answer:
        detail = (await answer.json())["detail"]

    assert answer.status == 401
    assert detail.startswith("Send the admin token: Authorization: Bearer")
    assert ("A token for reading (admin.read_token) is enough" in detail) == is_enough


async def test_a_limited_one_is_not_enough_for_the_watches(api: Api) -> None:
    async with api.limited.get("/v1/watches") as answer:  # type: ignore[attr-defined]
        assert "is enough" not in (await answer.json())["detail"]


async def test_a_limited_wait_takes_no_sms_of_another_account(api: Api) -> None:
    async with api.limited.get("/v1/cursor", headers=shown(SHOPS)) as answer:  # type: ignore[attr-defined]
        cursor = (await answer.json())["cursor"]
    await api.taken(sms(1, "5822", account="other"), sms(2, "4711"))

    path = f"/v1/wait?recipient=16470000000&since={cursor}"
    async with api.limited.get(path, headers=shown(SHOPS)) as answer:  # type: ignore[attr-defined]
        found = await answer.json()

    assert [each["code"] for each in found["items"]] == ["4711"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"token": OURS, "read_token": OURS}, "must not be admin.token"),
        ({"read_token": "short"}, "can be guessed"),
    ],
)
def test_a_token_for_reading_that_would_protect_nothing_is_refused(values: dict[str, str], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        AdminSettings.model_validate(values)
    assert AdminSettings.model_validate({"read_accounts": "a, b"}).read_accounts == ("a", "b")
