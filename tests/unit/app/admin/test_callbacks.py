"""`/v1/callbacks`: each token by its fingerprint, with its last use, of several receivers the latest; test SMS."""

import json
from functools import partial
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.callbacks import TEST, CallbackApi, nobody_sends, together, view
from app.admin.listener import Admin
from app.settings.sections import AdminSettings
from app.workers.admin import JointAdmin, WorkerResponse
from app.workers.worker_process import Worker
from receiver.server import TokenUse
from sandbox.pingme_wire import CallbackResponse as Answer
from schemas.documents.openapi import openapi

START_MS, LATER_MS = 1_700_000_000_000, 1_700_000_060_000
START, LATER = "2023-11-14T22:13:20.000Z", "2023-11-14T22:14:20.000Z"
OURS = "a-long-token-of-the-admin"


def token(fingerprint: str, *, newest: bool = False, used: str | None = None) -> dict[str, object]:
    return {"fingerprint": fingerprint, "newest": newest, "last_used_at": used}


def said(since: str, *tokens: dict[str, object], account: str = "shop") -> str:
    return json.dumps({"since": since, "accounts": [{"account": account, "tokens": tokens}]})


def test_each_account_s_tokens_are_shown_in_their_order_with_what_is_known_of_their_use():
    uses = [TokenUse("shop", "b", True, None), TokenUse("shop", "a", False, LATER_MS), TokenUse("x", "c", True, None)]

    assert view(uses, START_MS) == {
        "since": START,
        "accounts": [
            {"account": "shop", "tokens": [token("b", newest=True), token("a", used=LATER)]},
            {"account": "x", "tokens": [token("c", newest=True)]},
        ],
    }


def test_of_several_receivers_the_latest_use_and_the_latest_beginning_count():
    one = said(START, token("b", newest=True), token("a", used=LATER))
    other = said(LATER, token("b", newest=True, used=LATER), token("a", used=START))

    assert together([one, other]) == json.loads(
        said(LATER, token("b", newest=True, used=LATER), token("a", used=LATER))
    )


def test_until_each_receiver_has_it_so_no_token_is_the_newest():
    before, after = said(START, token("a", newest=True)), said(START, token("b", newest=True), token("a"))

    assert together([before, after]) == json.loads(said(START, token("a"), token("b")))


async def test_without_the_admin_token_nothing_is_shown():
    api = CallbackApi(list, lambda: START_MS)
    settings = AdminSettings(token=SecretStr(OURS))
    admin = Admin(settings, alive=bool, condition=bool, registry=CollectorRegistry(), extend=api.add_to)
    application = admin._runner.app

    async def ask(**headers: str) -> int:
        request = make_mocked_request("GET", "/v1/callbacks", headers=headers, app=application)
        request._match_info = await application.router.resolve(request)
        handler = request.match_info.handler
        for middleware in reversed(application.middlewares):
            handler = partial(middleware, handler=handler)
        return (await handler(request)).status

    assert [await ask(), await ask(Authorization="Bearer x"), await ask(Authorization=f"Bearer {OURS}")] == [
        401,
        401,
        200,
    ]


class Asked(JointAdmin):
    """Hears from its workers what it is told to, if they are shown the token."""

    def __init__(self, *answers: WorkerResponse | None) -> None:
        workers = [Worker(f"receiver-{n}", []) for n in range(len(answers))]
        super().__init__(AdminSettings(), workers, None, None, CollectorRegistry())
        self.answers = dict(zip(self._receivers, answers, strict=True))

    async def _ask_one(self, worker, path, headers=None):
        assert (path, headers) == ("/v1/callbacks", {"Authorization": "Bearer x"})
        return self.answers[worker]


async def test_for_all_workers_there_is_one_answer_or_none():
    request = make_mocked_request("GET", "/v1/callbacks", headers={"Authorization": "Bearer x"})
    answer = WorkerResponse(200, said(START, token("a", newest=True)))

    both = await Asked(answer, answer)._callbacks(request)
    missing = [await Asked(answer, other)._callbacks(request) for other in (None, WorkerResponse(401, "{}"))]

    assert json.loads(both.text) == json.loads(answer.text)
    assert [each.status for each in missing] == [503, 503]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (Answer(200, "accepted", "an-id"), 200, {"status": "accepted", "id": "an-id", "reason": None}),
        (
            Answer(200, "rejected", reason="not_json"),
            200,
            {"status": "rejected", "id": None, "reason": "not_json"},
        ),
        (
            Answer(503, reason="not_durable"),
            503,
            "The receiver answered 503 (not_durable), so the test SMS was not",
        ),
        (Answer(0), 503, "The receiver of this process does not answer, so the test SMS was not taken."),
        (None, 404, "No PingMe account of this name is configured."),
    ],
)
async def test_a_test_sms_is_answered_with_what_the_receiver_said(answer, status, said):
    asked = []

    async def send(name: str) -> Answer | None:
        asked.append(name)
        return answer

    application = web.Application()
    CallbackApi(list, lambda: START_MS, send=send).add_to(application.router)
    request = make_mocked_request("POST", "/v1/callbacks/shop/test", app=application)
    request._match_info = await application.router.resolve(request)

    response = await request.match_info.handler(request)
    content = json.loads(response.text)
    assert (asked, response.status) == (["shop"], status)
    assert content == said if status == 200 else content["detail"].startswith(said)


async def test_a_text_of_ones_own_is_refused_rather_than_ignored():
    body = StreamReader(Mock(), 1024)
    body.feed_data(b'{"text": "mine"}')
    body.feed_eof()
    application = web.Application()
    CallbackApi(list, lambda: START_MS).add_to(application.router)
    request = make_mocked_request("POST", "/v1/callbacks/shop/test", app=application, payload=body)
    request._match_info = await application.router.resolve(request)

    response = await request.match_info.handler(request)

    assert response.status == 400
    assert "smsbus trigger pingme --text" in json.loads(response.text)["detail"]


async def test_where_nobody_sends_there_is_no_account():
    assert await nobody_sends("shop") is None
    assert TEST in openapi()["paths"]
