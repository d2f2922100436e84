"""The sandbox over real connections: bad days that really happen, a book that believes only what was written."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import aiohttp
import pytest
import uvloop
from aiohttp import web

from sandbox.plan import PlannedSms
from sandbox.scenario import parse
from sandbox.server import Sandbox
from sandbox.settings import Fault, OrderRequest, Scenario

ROOT = Path(__file__).parents[2]
ONE = (PlannedSms(code="877613"),)


class Client:
    """Asks a sandbox; a new connection for every question."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def get(self, path: str, **options) -> tuple[int, str]:
        async with self.session.get(self.sandbox.url + path, **options) as response:
            return response.status, await response.text()

    async def post(self, path: str, body: object, **options) -> tuple[int, str]:
        async with self.session.post(self.sandbox.url + path, json=body, **options) as response:
            return response.status, await response.text()

    def status_path(self, order) -> str:
        return f"/smsverified/stubs/handler_api.php?api_key=sandbox-smsverified&action=getStatus&id={order.id}"


@asynccontextmanager
async def running(scenario: Scenario | None = None, *, timeout: float = 10):
    sandbox = Sandbox(scenario, rng=Random(1))
    await sandbox.start()
    connector = aiohttp.TCPConnector(force_close=True)
    shown = {"Authorization": f"Bearer {sandbox.token}"}
    limit = aiohttp.ClientTimeout(total=timeout)
    async with aiohttp.ClientSession(connector=connector, timeout=limit, headers=shown) as session:
        yield Client(sandbox, session)
    await sandbox.stop()


@pytest.fixture
async def client():
    async with running() as client:
        yield client


def shown(client: Client, order) -> int:
    (entry,) = [sms for sms in client.sandbox.book.as_json(2e9)["sms"] if sms["order"] == order.id]
    return entry["shows"]


async def test_the_three_providers_answer_on_their_own_paths(client):
    key = "api_key=sandbox-grizzlysms&action=getBalance"
    answers = [
        await client.get("/smsverified/stubs/handler_api.php?api_key=sandbox-smsverified&action=getBalance"),
        await client.get(f"/grizzlysms/stubs/handler_api.php?{key}"),
        await client.get("/smsman/control/get-balance?token=sandbox-smsman"),
        await client.get("/smsman/rent-api/get-balance?token=sandbox-smsman"),
    ]

    assert answers == [
        (200, "ACCESS_BALANCE:799.70"),
        (200, "ACCESS_BALANCE:799.7000"),
        (200, '{"balance":"799.70"}'),
        (200, '{"balance":"799.70"}'),
    ]


async def test_sms_man_takes_post_on_its_control_api_alone(client):
    control, rent = (f"{client.sandbox.base_url('smsman')}/{api}/get-balance" for api in ("control", "rent-api"))
    async with client.session.post(control, data={"token": "sandbox-smsman"}) as answer:
        body = await answer.text()
    async with client.session.post(rent, data={"token": "sandbox-smsman"}) as refused:
        pass

    assert (body, refused.status) == ('{"balance":"799.70"}', 405)


async def test_an_answer_is_in_the_book_once_it_was_written(client):
    order = client.sandbox.open(OrderRequest(provider="smsverified", sms=ONE))
    before = shown(client, order)

    answer = await client.get(client.status_path(order))

    assert answer == (200, "STATUS_OK:877613")
    assert (before, shown(client, order)) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "status", "body", "retry_after"),
    [
        (Fault(kind="429"), 429, "Too Many Requests", None),
        (Fault(kind="429", retry_after=7), 429, "Too Many Requests", "7"),
        (Fault(kind="html"), 200, "<!DOCTYPE html>", None),
        (Fault(kind="empty"), 200, "", None),
        (Fault(kind="5xx"), 502, "<html>", None),
        (Fault(kind="5xx", status=503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), 503, "<html>", "Wed, 21 Oct"),
        (Fault(kind="wrong_key"), 200, "BAD_KEY", None),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
async def test_a_refused_question_shows_nothing(client, fault, status, body, retry_after):
    order = client.sandbox.open(OrderRequest(provider="smsverified", sms=ONE))
    client.sandbox.add_fault(fault)

    async with client.session.get(client.sandbox.url + client.status_path(order)) as answer:
        text = await answer.text()
    client.sandbox.clear_faults()

    assert (answer.status, text[: len(body)]) == (status, body)
    assert bool(text) == bool(body)
    assert (answer.headers.get("Retry-After") or "")[: len(retry_after or "")] == (retry_after or "")
    assert ("Retry-After" in answer.headers) == (retry_after is not None)
    assert shown(client, order) == 0
    assert await client.get(client.status_path(order)) == (200, "STATUS_OK:877613")
    assert client.sandbox.book.faults == {("smsverified", fault.kind): 1}


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("kind", "error"), [("reset", aiohttp.ClientOSError), ("truncated", aiohttp.ClientPayloadError)]
)
def test_an_answer_that_does_not_arrive_shows_nothing_but_the_question_had_its_effect(kind, error, loop, caplog):
    async def lose() -> None:
        async with running() as client:
            await lose_an_answer(client, kind, error)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(lose())

    assert not caplog.records


async def lose_an_answer(client, kind, error):
    order = client.sandbox.open(OrderRequest(provider="smsverified", sms=ONE))
    client.sandbox.add_fault(Fault(kind=kind))

    with pytest.raises(error) as lost:
        await client.get(client.status_path(order))
    with pytest.raises(error):
        await client.get(client.status_path(order).replace("getStatus", "setStatus&status=3"))
    client.sandbox.clear_faults()

    assert kind != "reset" or isinstance(lost.value.__cause__ or lost.value, ConnectionResetError)
    assert shown(client, order) == 0
    assert await client.get(client.status_path(order)) == (200, "STATUS_WAIT_RETRY:877613")


async def test_a_slow_answer_arrives_late_and_then_it_was_shown(client):
    order = client.sandbox.open(OrderRequest(provider="smsverified", sms=ONE))
    client.sandbox.add_fault(Fault(kind="slow", seconds=0.3))
    began = client.sandbox.clock.now()

    answer = await client.get(client.status_path(order))

    assert answer == (200, "STATUS_OK:877613")
    assert order.sms[0].shown - began >= 0.3


async def test_a_slow_answer_to_somebody_who_has_left_shows_nothing(client, caplog):
    order = client.sandbox.open(OrderRequest(provider="smsverified", sms=ONE))
    client.sandbox.add_fault(Fault(kind="slow", seconds=0.4))

    with pytest.raises(TimeoutError):
        await client.get(client.status_path(order), timeout=aiohttp.ClientTimeout(total=0.1))
    await asyncio.sleep(0.6)

    assert shown(client, order) == 0
    assert not caplog.records


async def test_an_order_is_opened_and_sent_more_over_http(client):
    plan = {"provider": "grizzlysms", "kind": "rent", "number": "66846426435", "sms": [{"at": -5, "text": "hello"}]}
    status, body = await client.post("/control/orders", plan)
    order = json.loads(body)
    more = {
        "provider": "grizzlysms",
        "kind": "rent",
        "order": order["order"],
        "text": "again",
        "sender": "22395",
        "at": -1,
    }

    assert (status, order["number"]) == (201, "66846426435")
    assert (await client.post("/control/sms", more))[0] == 201
    assert (await client.post("/control/sms", more | {"order": "none"}))[0] == 404
    book = json.loads((await client.get("/book"))[1])
    first, second = book["sms"]
    assert (first["text"], first["nonce"], first["shown"], first["index"]) == ("hello", "hello", None, 0)
    assert (second["text"], second["sender"], second["index"]) == ("again", "22395", 1)
    assert second["at"] < book["now"] - 0.9


async def test_a_wrong_request_is_told_what_is_wrong(client):
    status, body = await client.post("/control/orders", {"provider": "smsman", "lifetim": 5})
    async with client.session.post(client.sandbox.url + "/control/orders", data=b"{") as broken:
        pass

    assert (status, body) == (422, "lifetim: no such key; did you mean lifetime?\n")
    assert broken.status == 400


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer \udce9"}])
@pytest.mark.parametrize(("method", "path"), [("POST", "orders"), ("POST", "sms"), ("POST", "bad"), ("DELETE", "bad")])
async def test_who_does_not_show_the_token_controls_nothing(client, method, path, shown):
    url = f"{client.sandbox.url}/control/{path}"
    async with (
        aiohttp.ClientSession(headers=shown) as stranger,
        stranger.request(method, url, json={"provider": "smsman", "kind": "empty"}) as answer,
    ):
        assert answer.status == 401


async def test_a_bad_day_begins_and_ends_over_http(client):
    path = "/smsman/control/get-balance?token=sandbox-smsman"
    await client.post("/control/bad", {"kind": "empty", "provider": "smsman"})
    during = await client.get(path)
    async with client.session.delete(client.sandbox.url + "/control/bad"):
        pass

    assert during == (200, "")
    assert (await client.get(path))[1] == '{"balance":"799.70"}'
    assert json.loads((await client.get("/book"))[1])["bad_days"] == [
        {"provider": "smsman", "kind": "empty", "answers": 1}
    ]


async def test_a_bad_day_that_was_begun_late_has_its_window_from_then(client):
    path = "/smsman/control/get-balance?token=sandbox-smsman"
    await asyncio.sleep(1.2)  # longer than the window
    client.sandbox.add_fault(Fault(kind="empty", until=1.0))
    during = await client.get(path)
    async with asyncio.timeout(30):
        while not (after := (await client.get(path))[1]):
            await asyncio.sleep(0.1)

    assert (during, after) == ((200, ""), '{"balance":"799.70"}')


async def test_the_orders_of_a_scenario_are_open_from_the_start():
    scenario = parse('[[orders]]\nprovider = "smsverified"\ncount = 3\nsms = [{ code = "1" }]')

    async with running(scenario) as client:
        orders = list(client.sandbox.accounts["smsverified"].activations.values())
        answers = {await client.get(client.status_path(order)) for order in orders}

    assert len(orders) == 3
    assert answers == {(200, "STATUS_OK:1")}


async def test_a_sandbox_that_was_away_comes_back_where_it_was_with_what_it_had():
    async with running(parse('[[orders]]\nprovider = "smsverified"\nsms = [{ code = "1" }]')) as client:
        (order,) = client.sandbox.book.orders
        await client.sandbox.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(client.status_path(order))

        await client.sandbox.start()

        assert await client.get(client.status_path(order)) == (200, "STATUS_OK:1")
        assert client.sandbox.book.orders == [order]


async def test_pingme_s_numbers_are_locked_subscribed_and_listed(client):
    own, base = {"x-app-key": "sandbox-pingme"}, "/pingme/thirdparty"
    asking = {"userId": "xxx", "app": "jd", "number": ""}
    locked = json.loads((await client.post(f"{base}/lockNumber", asking, headers=own))[1])
    number = str(locked["result"]["number"])
    subscribed = await client.post(f"{base}/subNumber", asking | {"number": number}, headers=own)
    _, listing = await client.get(f"{base}/getNumberList?userId=xxx&app=", headers=own)

    assert locked == {"retcode": 0, "retmsg": "success", "result": {"number": int(number), "price": 0.5}}
    assert json.loads(subscribed[1]) == {"retcode": 0, "retmsg": "success", "result": {}}
    (row,) = json.loads(listing)["result"]["numbers"]
    assert (row["phone"], row["subStatus"], row["app"], row["codeRate"]) == (number, 1, "jd", "$0.2 / SMS")
    await client.post(f"{base}/unSubNumber", asking | {"number": number}, headers=own)
    _, listing = await client.get(f"{base}/getNumberList?userId=xxx&app=jd", headers=own)
    assert json.loads(listing)["result"]["numbers"][0]["subStatus"] == 0


@pytest.mark.parametrize(
    ("body", "retcode"),
    [({"userId": "xxx"}, 100004), ({"userId": "xxx", "app": "jd", "number": "1"}, 500002), ({"app": "jd"}, 100004)],
)
async def test_pingme_s_refusals_have_the_codes_of_the_document(client, body, retcode):
    _, answer = await client.post("/pingme/thirdparty/lockNumber", body, headers={"x-app-key": "sandbox-pingme"})

    assert json.loads(answer) == {"retcode": retcode, "retmsg": "", "result": {}}
    assert (await client.post("/pingme/thirdparty/lockNumber", body))[0] == 403


async def test_the_book_has_pingme_s_callbacks():
    stop, bodies = asyncio.Event(), []

    async def receive(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        if len(bodies) == 3:
            stop.set()
        return web.json_response({"status": "accepted", "id": "an-id"})

    application = web.Application()
    application.router.add_post("/here", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with running(parse("[pingme]\nrate = 50\nduplicates = 0\nmalformed = 0")) as client:
        await client.sandbox.post_callbacks(f"http://127.0.0.1:{runner.addresses[0][1]}/here", stop)
        callbacks = json.loads((await client.get("/book"))[1])["callbacks"]
    await runner.cleanup()

    assert len(callbacks) == len(bodies) >= 3
    for callback in callbacks:
        assert callback["promised"]
        assert callback["answers"][0]["id"] == "an-id"
        assert any(callback["nonce"] in body for body in bodies)


def test_standing_alone_it_prints_settings_that_work_and_ends_with_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "app", "sandbox", "--port", "0", "--scenario", "mild"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as process:
        lines = dict(process.stdout.readline().strip().split("=", 1) for _ in range(9))
        url = lines["SMSBUS_ACCOUNTS__SMSVERIFIED__BASE_URL"]
        key = lines["SMSBUS_ACCOUNTS__SMSVERIFIED__API_KEY"]
        with urllib.request.urlopen(f"{url}?action=getCountries&api_key={key}") as answer:
            countries = json.load(answer)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)

    assert lines["SMSBUS_ACCOUNTS__SMSMAN__BASE_URL"] == url.replace("/smsverified/stubs/handler_api.php", "/smsman")
    assert countries["31"]["id"] == 48
    assert process.returncode == 0


def test_a_scenario_that_is_wrong_ends_it_with_2_and_a_sentence(tmp_path):
    (tmp_path / "mine.toml").write_text("[smsman]\npase = 1")
    command = [sys.executable, "-m", "app", "sandbox", "--scenario", "mine.toml"]

    ended = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 2
    assert ended.stderr == "smsbus: mine.toml: smsman.pase: no such key; did you mean pace?\n"
