"""What the clients ask, word by word, and what they make of the answers; the wire is a table."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from pollers.fetch import FetchFailed, RawAnswer
from pollers.observation import Ended, Gone, Last, Listing, SeenSms, Trouble, Waiting
from pollers.providers import PROVIDERS, grizzlysms, grizzlysms_rent, smsman, smsman_rent, smsverified
from pollers.providers.client import Endpoint
from receiver import pingme_control

KEY = "planted key/5e1f+"
ENCODED = "planted+key%2F5e1f%2B"
BASES = {
    "smsverified": f"https://activate-api.smsverified.com/stubs/handler_api.php?api_key={ENCODED}&action=",
    "grizzlysms": f"https://api.grizzlysms.com/stubs/handler_api.php?api_key={ENCODED}&action=",
    "smsman": "https://api.sms-man.com/",
}


class Wire:
    """Answers in this order; the last one again and again. A word instead of an answer is a failure."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.sent = []

    async def get(self, url):
        return await self.request("GET", url)

    async def request(self, method, url, *, headers=None, body=None):
        self.asked.append(str(url))
        self.sent.append((method, dict(headers or {}), body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, FetchFailed):
            raise answer
        return RawAnswer(200, {}, answer.encode())


def client(provider, *answers, **more):
    wire = Wire(*answers)
    return PROVIDERS[provider](api_key=SecretStr(KEY), base_url=None, fetcher=wire, **more), wire


def told(kind, word):
    """Return trouble that the provider told itself."""
    return Trouble(kind, word, answered=True)


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.mark.parametrize(
    ("provider", "order_kind", "answer", "asked", "observation"),
    [
        ("smsverified", "activation", "STATUS_OK:1", "getStatus&id=7", Last(SeenSms("1"))),
        ("grizzlysms", "activation", "STATUS_WAIT_RESEND", "getStatus&id=7", Waiting()),
        ("grizzlysms", "rent", '{"status":"success","values":{}}', "getRentStatus&id=7", Waiting()),
        (
            "smsman",
            "activation",
            '{"error_code":"wait_sms"}',
            f"control/get-sms?token={ENCODED}&request_id=7",
            Waiting(),
        ),
        (
            "smsman",
            "rent",
            '{"sms":[{"code":"1"}]}',
            f"rent-api/get-all-sms?token={ENCODED}&request_id=7",
            Listing((SeenSms("1"),)),
        ),
    ],
)
def test_a_poll_is_one_question(provider, order_kind, answer, asked, observation):
    polled, wire = client(provider, answer)

    assert run(polled.observe(order_kind, "7")) == observation
    assert wire.asked == [BASES[provider] + asked]


@pytest.mark.parametrize(
    ("provider", "order_kind", "action", "asked"),
    [
        ("smsverified", "activation", "next", "setStatus&id=7&status=3"),
        ("smsverified", "activation", "finish", "setStatus&id=7&status=6"),
        ("smsverified", "activation", "cancel", "setStatus&id=7&status=8"),
        ("grizzlysms", "activation", "next", "setStatus&id=7&status=3"),
        ("grizzlysms", "activation", "finish", "setStatus&id=7&status=6"),
        ("grizzlysms", "activation", "cancel", "setStatus&id=7&status=8"),
        ("grizzlysms", "rent", "finish", "setRentStatus&id=7&status=1"),
        ("grizzlysms", "rent", "cancel", "setRentStatus&id=7&status=2"),
        ("smsman", "activation", "next", f"control/set-status?token={ENCODED}&request_id=7&status=retrysms"),
        ("smsman", "activation", "finish", f"control/set-status?token={ENCODED}&request_id=7&status=close"),
        ("smsman", "activation", "cancel", f"control/set-status?token={ENCODED}&request_id=7&status=reject"),
        ("smsman", "rent", "finish", f"rent-api/set-status?token={ENCODED}&request_id=7&status=close"),
        ("smsman", "rent", "cancel", f"rent-api/set-status?token={ENCODED}&request_id=7&status=cancel"),
    ],
)
def test_an_action_is_one_request(provider, order_kind, action, asked):
    done = {"smsman": '{"request_id":7,"success":true}'}.get(provider, "ACCESS_READY")
    acting, wire = client(provider, '{"status":"success"}' if asked.startswith("setRent") else done)

    assert run(acting.act(order_kind, "7", action)) == "done"
    assert wire.asked == [BASES[provider] + asked]


@pytest.mark.parametrize("provider", ["grizzlysms", "smsman"])
def test_the_next_sms_of_a_rent_is_not_asked_for(provider):
    acting, wire = client(provider, "")

    assert run(acting.act("rent", "7", "next")) == "refused"
    assert wire.asked == []


def rent_page(quantity, *codes):
    values = {
        str(n): {"phoneFrom": "x", "text": code, "date": f"2026-01-01 00:00:{code}"} for n, code in enumerate(codes)
    }
    return json.dumps({"status": "success", "quantity": quantity, "values": values})


def test_a_rent_with_more_sms_than_one_page_shows_all_of_them_oldest_first():
    renting, wire = client("grizzlysms", rent_page("5 ", "55", "44"), rent_page("5", "33", "22"), rent_page(5, "11"))

    shown = run(renting.observe("rent", "7"))

    assert [sms.text for sms in shown.sms] == ["11", "22", "33", "44", "55"]
    assert [url.partition("getRentStatus")[2] for url in wire.asked] == ["&id=7", "&id=7&page=2", "&id=7&page=3"]


def test_a_provider_that_does_not_page_is_asked_for_one_page_in_vain():
    renting, wire = client("grizzlysms", rent_page("9", "55", "44"))

    shown = run(renting.observe("rent", "7"))

    assert [sms.text for sms in shown.sms] == ["44", "55"]
    assert len(wire.asked) == 2


def test_a_page_that_fails_leaves_the_newer_ones():
    renting, _ = client("grizzlysms", rent_page("4", "55", "44"), FetchFailed("reset"))

    assert [sms.text for sms in run(renting.observe("rent", "7")).sms] == ["44", "55"]


def test_smsverified_has_no_rents():
    polled, wire = client("smsverified", "")

    assert run(polled.observe("rent", "7")) == Trouble("request_error", "no_such_order_kind")
    assert run(polled.act("rent", "7", "cancel")) == Trouble("request_error", "no_such_order_kind")
    assert wire.asked == []


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("ACCESS_CANCEL", "done"),
        ("ALREADY_CANCEL", "done"),
        ("EARLY_CANCEL_DENIED", "too_early"),
        ("OTP_RECEIVED", "refused"),
        ("STATUS_ALREADY_CHANGED", "refused"),
        ("NO_ACTIVATION", "refused"),
        ("BAD_STATUS", "refused"),
        ("BAD_KEY", told("auth", "bad_key")),
        ("BAD_ACTION", told("request_error", "bad_action")),
        ("ERROR_SQL", told("transient", "error_sql")),
        (FetchFailed("timeout"), Trouble("transient", "timeout")),
    ],
)
def test_what_came_of_an_action_on_an_activation(answer, result):
    acting, wire = client("grizzlysms", answer)

    assert run(acting.act("activation", "7", "cancel")) == result
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("provider", "order_kind", "answer", "result"),
    [
        ("grizzlysms", "rent", '{"status":"error","error":"ALREADY_FINISH"}', "done"),
        ("grizzlysms", "rent", '{"status":"error","error":"CANT_CANCEL"}', "refused"),
        ("grizzlysms", "rent", '{"status":"error","error":"INCORECT_STATUS"}', "refused"),
        ("grizzlysms", "rent", '{"status":"error","error":"INVALID_PHONE"}', "refused"),
        ("grizzlysms", "rent", '{"status":"error","error":"SQL_ERROR"}', told("transient", "sql_error")),
        ("smsman", "activation", '{"success":false,"error_code":"wrong_status"}', "refused"),
        ("smsman", "activation", '{"success":false,"error_code":"wrong_token"}', told("auth", "wrong_token")),
        ("smsman", "activation", '{"request_id":7}', told("unrecognised", "unknown_shape")),
    ],
)
def test_what_came_of_other_actions(provider, order_kind, answer, result):
    acting, _ = client(provider, answer)

    assert run(acting.act(order_kind, "7", "cancel")) == result


@pytest.mark.parametrize(
    ("provider", "good", "bad", "word"),
    [
        ("smsverified", "ACCESS_BALANCE:1", "BAD_KEY", "bad_key"),
        ("grizzlysms", "ACCESS_BALANCE:0.0000", "NO_KEY", "no_key"),
        ("smsman", '{"balance":"0"}', '{"success":false,"error_code":"wrong_token"}', "wrong_token"),
    ],
)
def test_a_key_is_alive_or_it_is_trouble(provider, good, bad, word):
    assert run(client(provider, good)[0].alive()) is None
    assert run(client(provider, bad)[0].alive()) == told("auth", word)
    assert run(client(provider, FetchFailed("reset"))[0].alive()) == Trouble("transient", "reset")


@pytest.mark.parametrize("provider", ["smsverified", "grizzlysms"])
def test_status_v2_gives_way_to_status_within_the_same_poll(provider):
    polled, wire = client(provider, "BAD_ACTION", "STATUS_OK:1", status_action="getStatusV2")

    assert run(polled.observe("activation", "7")) == Last(SeenSms("1"))
    assert [url.rpartition("action=")[2] for url in wire.asked] == ["getStatusV2&id=7", "getStatus&id=7"]


def test_status_v2_is_given_up_after_three_refusals_in_a_row_and_not_before():
    refused = ["BAD_ACTION", "STATUS_WAIT_CODE"]
    served = ['{"verificationType":0,"sms":null}']
    polled, wire = client(
        "grizzlysms", *refused * 2, *served, *refused * 3, "STATUS_WAIT_CODE", status_action="getStatusV2"
    )

    async def polls():
        return [await polled.observe("activation", "7") for _ in range(8)]

    assert run(polls()) == [Waiting()] * 8
    assert sum("getStatusV2" in url for url in wire.asked) == 6
    assert "getStatusV2" not in "".join(wire.asked[-2:])


def test_by_default_status_v2_is_not_asked():
    polled, wire = client("grizzlysms", "STATUS_WAIT_CODE")

    run(polled.observe("activation", "7"))

    assert "getStatusV2" not in wire.asked[0]


def test_a_full_text_is_the_sms_or_nothing():
    assert run(client("smsverified", "FULL_SMS:[vk] 1234")[0].full_text("7")) == SeenSms(text="1234", sender="vk")
    assert run(client("smsverified", "STATUS_WAIT_CODE")[0].full_text("7")) is None
    assert run(client("smsverified", FetchFailed("timeout"))[0].full_text("7")) is None


def test_full_texts_are_no_longer_asked_for_where_they_are_not_offered():
    polled, _ = client("smsverified", "BAD_ACTION")

    async def ask():
        offered = []
        for _ in range(3):
            offered.append(polled.has_full_text)
            await polled.full_text("7")
        return [*offered, polled.has_full_text]

    assert run(ask()) == [True, True, True, False]


@pytest.mark.parametrize("provider", ["grizzlysms", "smsman"])
def test_the_others_have_no_full_text(provider):
    polled, wire = client(provider, "")

    assert polled.has_full_text is False
    assert run(polled.full_text("7")) is None
    assert wire.asked == []


def test_these_are_the_documented_methods():
    assert {name: set(each.endpoints) for name, each in PROVIDERS.items()} == {
        "smsverified": {"getBalance", "getCountries", "getNumbersStatus", "getNumber", "getStatus", "getFullSms"}
        | {"setStatus", "getPrices"},
        "grizzlysms": {"getNumber", "getNumberV2", "setStatus", "getStatus", "getStatusV2", "getBalance", "getPrices"}
        | {"getActiveActivations", "getRentNumber", "continueRentNumber", "getRentHistory", "setRentStatus"}
        | {"getRentStatus", "getRentPrices"},
        "smsman": {"get-balance", "limits", "get-number", "get-sms", "set-status", "get-prices", "countries"}
        | {"applications", "rent:get-balance", "rent:limits", "rent:get-number", "rent:get-sms", "rent:get-all-sms"}
        | {"rent:set-status"},
    }
    assert set(pingme_control.PingMeControl.endpoints) == {
        "getAppList",
        "lockNumber",
        "subNumber",
        "unSubNumber",
        "getNumberList",
    }


def test_these_cost_money_and_no_others():
    every = [each.endpoints for each in (*PROVIDERS.values(), pingme_control.PingMeControl)]

    assert {name for endpoints in every for name, endpoint in endpoints.items() if endpoint.buys} == {
        "getNumber",
        "getNumberV2",
        "getRentNumber",
        "continueRentNumber",
        "get-number",
        "rent:get-number",
        "lockNumber",
        "subNumber",
    }


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_method_asks_once_with_its_own_name_and_never_shows_the_key(provider):
    for name, endpoint in PROVIDERS[provider].endpoints.items():
        asking, wire = client(provider, FetchFailed("timeout"))
        params = dict.fromkeys((*endpoint.required, *endpoint.optional), "x&y=z")

        said = run(asking.ask(endpoint, params))

        assert said == Trouble("transient", "timeout")
        [asked] = wire.asked
        assert name.removeprefix("rent:") in asked
        assert all(f"&{parameter}=x%26y%3Dz" in asked for parameter in params)
        assert KEY not in repr((said, asking, vars(asking), endpoint))


def test_an_own_base_url_replaces_the_providers():
    wire = Wire("ACCESS_BALANCE:1")
    for name, base_url in (
        ("grizzlysms", "http://127.0.0.1:9/stubs/handler_api.php"),
        ("smsman", "http://127.0.0.1:9/"),
    ):
        run(PROVIDERS[name](api_key=SecretStr("k"), base_url=base_url, fetcher=wire).alive())

    assert wire.asked == [
        "http://127.0.0.1:9/stubs/handler_api.php?api_key=k&action=getBalance",
        "http://127.0.0.1:9/control/get-balance?token=k",
    ]


COUNTRIES = '{"44":{"id":16,"eng":"England"},"31":{"id":48,"eng":"Netherlands"}}'


@pytest.mark.parametrize(
    ("provider", "endpoint", "params", "answers", "price"),
    [
        (
            "smsverified",
            smsverified.GET_NUMBER,
            {"country": "16", "service": "mb"},
            ['{"england":{"mb":{"count":4123,"price":0.4}}}', COUNTRIES],
            "0.4",
        ),
        (
            "smsverified",
            smsverified.GET_NUMBER,
            {"country": "48", "service": "mb"},
            ['{"england":{"mb":{"count":4123,"price":0.4}}}', COUNTRIES],
            None,
        ),
        ("smsverified", smsverified.GET_NUMBER, {"country": "48", "service": "mb"}, ["BAD_KEY"], None),
        (
            "grizzlysms",
            grizzlysms.GET_NUMBER_V2,
            {"country": "12", "service": "tg"},
            ['{"12":{"tg":{"count":831358,"cost":0.35}}}'],
            "0.35",
        ),
        ("grizzlysms", grizzlysms.GET_NUMBER, {"service": "tg"}, ['{"0":{"tg":{"cost":0.35}}}'], "0.35"),
        (
            "grizzlysms",
            grizzlysms.GET_NUMBER,
            {"service": "tg"},
            ['{"0":{"tg":{"cost":0.35}},"1":{"tg":{"cost":9}}}'],
            None,
        ),
        (
            "grizzlysms",
            grizzlysms_rent.GET_RENT_NUMBER,
            {"country": "0", "service": "tg", "rent_time": "4"},
            ['{"status":"success","values":{"0":{"tg":{"cost":12,"max_hours":10,"count":15}}}}'],
            "12",
        ),
        ("grizzlysms", grizzlysms_rent.CONTINUE_RENT_NUMBER, {"id": "7", "rent_time": "4"}, [""], None),
        (
            "smsman",
            smsman.GET_NUMBER,
            {"country_id": "1", "application_id": "3"},
            ['{"3":{"cost":"0.15","count":32302}}'],
            "0.15",
        ),
        (
            "smsman",
            smsman.GET_NUMBER,
            {"country_id": "1", "application_id": "3"},
            ['{"2":{"3":{"cost":"9"}},"1":{"3":{"cost":"0.15"}}}'],
            "0.15",
        ),
        (
            "smsman",
            smsman_rent.GET_NUMBER,
            {"country_id": "1", "type": "hour", "time": "4"},
            ['{"type":"hour","time":"4","limits":[{"country_id":"1","count":"127","cost":"151.68"}]}'],
            "151.68",
        ),
    ],
)
def test_the_price_is_the_providers_or_unknown(provider, endpoint, params, answers, price):
    asking, wire = client(provider, *answers)

    assert run(asking.price(endpoint, params)) == price
    assert not any(f"action={endpoint.name}&" in url or "/get-number" in url for url in wire.asked)


def test_sms_man_lists_stock_by_the_applications_id_too():
    said = smsman.parse_limits(RawAnswer(200, {}, b'{"3":{"country_id":1,"numbers":5}}'))

    assert [(stock.service, stock.country, stock.count) for stock in said] == [("3", "1", 5)]


@pytest.mark.parametrize(
    "message", ['"Current request not exists"', '{"a":"Current request not exists"}', '[["request NOT exists"]]']
)
def test_sms_man_says_gone_only_in_its_message(message):
    said = smsman.parse_sms(RawAnswer(200, {}, f'{{"success":false,"error_code":"x","error_msg":{message}}}'.encode()))

    assert said == Gone()


def test_a_rent_that_sms_man_shows_alone_is_the_last_and_not_all():
    said = smsman_rent.parse_rent_sms(RawAnswer(200, {}, b'{"sms":{"text":"a 1 ","code":"1"}}'))

    assert said == Last(SeenSms("1", "a 1 "))


def control(*answers):
    wire = Wire(*answers)
    return pingme_control.PingMeControl(app_key=SecretStr(KEY), base_url=None, asker=wire), wire


def test_locking_a_number_posts_json_with_the_key_in_a_header():
    client, wire = control('{"retcode":0,"result":{"number":16510000000,"price":0.5}}')

    said = run(client.ask(pingme_control.LOCK_NUMBER, {"userId": "u", "app": "jd"}))

    [(method, headers, body)] = wire.sent
    assert said == pingme_control.LockedNumber("16510000000", "0.5")
    assert (method, wire.asked) == ("POST", ["https://api.pingme.tel/thirdparty/lockNumber"])
    assert (headers["x-app-key"], headers["Content-Type"]) == (KEY, "application/json")
    assert json.loads(body) == {"userId": "u", "app": "jd", "number": ""}


def test_the_number_list_is_a_get_for_every_app_unless_one_is_named():
    client, wire = control('{"retcode":0,"result":{"numbers":[]}}')

    run(client.ask(pingme_control.GET_NUMBER_LIST, {"userId": "u"}))
    run(client.ask(pingme_control.GET_NUMBER_LIST, {"userId": "u", "app": "j d"}))
    run(client.ask(pingme_control.GET_APP_LIST, {}))

    root = "https://api.pingme.tel/thirdparty/"
    assert wire.asked == [
        f"{root}getNumberList?app=&userId=u",
        f"{root}getNumberList?app=j+d&userId=u",
        f"{root}getAppList",
    ]
    assert [method for method, _, _ in wire.sent] == ["GET"] * 3
    assert KEY not in repr(client) + "".join(wire.asked)


NUMBERS = (
    '{"retcode":0,"result":{"numbers":'
    '[{"phone":"1681","subRent":"$0.5 / Month","codeRate":"$0.2 / SMS","subStatus":1}]}}'
)


def test_pingme_tells_the_price_of_a_number_that_the_account_has():
    client, _ = control(NUMBERS)
    known = {"userId": "u", "app": "jd", "number": "1681"}

    assert run(client.price(pingme_control.SUB_NUMBER, known)) == "$0.5 / Month"
    assert run(client.price(pingme_control.LOCK_NUMBER, known)) == "$0.2 / SMS"
    assert run(client.price(pingme_control.LOCK_NUMBER, {"userId": "u", "app": "jd"})) is None
    assert run(client.price(pingme_control.SUB_NUMBER, known | {"number": "1"})) is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", "transient"),
        (200, b"<html>", "transient"),
        (502, b"<html>", "transient"),
        (403, b"", "auth"),
        (403, b'{"retcode":0,"result":{}}', "auth"),
        (429, b"", "throttled"),
        (200, b"[]", "unrecognised"),
        (200, b'{"retcode":7}', "unrecognised"),
        (200, b'{"retcode":0,"result":{}}', "unrecognised"),
        (400, b'{"retcode":"300002"}', "denied"),
        (200, b"[" * 100_000, "transient"),
    ],
)
def test_pingme_refuses_in_many_ways(status, body, kind):
    assert pingme_control.parse_locked(RawAnswer(status, {}, body)).kind == kind


def test_an_ended_rent_cannot_be_prolonged():
    said = grizzlysms_rent.parse_rent_number(RawAnswer(200, {}, b'{"status":"error","error":"RENT_DIE"}'))

    assert said == Ended("finished")


def test_every_endpoint_is_one_of_ours():
    assert all(isinstance(each, Endpoint) for client in PROVIDERS.values() for each in client.endpoints.values())
