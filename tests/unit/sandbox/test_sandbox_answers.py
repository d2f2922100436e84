"""What the simulated providers say, compared with the literals of the providers' own documents."""

import json
import re

import pytest

from sandbox.faults import ActiveFaults

ONE = [{"code": "877613", "text": "877613"}]


def pairs(text: str) -> object:
    return json.loads(text, object_pairs_hook=list)


@pytest.mark.parametrize(
    ("provider", "action", "query", "literal"),
    [
        ("smsverified", "getBalance", {}, "ACCESS_BALANCE:44.60"),
        ("smsverified", "getStatus", {"id": "1"}, "NO_ACTIVATION"),
        ("smsverified", "getFullSms", {"id": "1"}, "NO_ACTIVATION"),
        ("smsverified", "setStatus", {"id": "1", "status": "1"}, "NO_ACTIVATION"),
        ("smsverified", "getStatusV2", {"id": "1"}, "BAD_ACTION"),
        ("smsverified", "getNumber", {}, "BAD_SERVICE"),
        ("smsverified", "getBalance", {"api_key": "wrong"}, "BAD_KEY"),
        ("smsverified", "getBalance", {"api_key": ""}, "NO_KEY"),
        ("grizzlysms", "getBalance", {}, "ACCESS_BALANCE:0.0000"),
        ("grizzlysms", "getNumber", {"service": "tg"}, "NO_BALANCE"),
        ("grizzlysms", "getStatus", {"id": "1"}, "NO_ACTIVATION"),
        ("grizzlysms", "getStatusV2", {"id": "1"}, "NO_ACTIVATION"),
        ("grizzlysms", "setStatus", {"id": "1", "status": "1"}, "NO_ACTIVATION"),
        ("grizzlysms", "getActiveActivations", {}, "null"),
        ("grizzlysms", "getFullSms", {}, "BAD_ACTION"),
        ("grizzlysms", "getBalance", {"api_key": "wrong"}, "BAD_KEY"),
        ("grizzlysms", "getRentStatus", {}, '{ "status": "error", "error": "NO_ID_RENT" }'),
        ("grizzlysms", "getRentStatus", {"id": "1"}, '{ "status": "error", "error": "INVALID_PHONE" }'),
        ("grizzlysms", "getRentNumber", {"api_key": "wrong"}, '{ "status": "error", "error": "BAD_KEY" }'),
        ("grizzlysms", "getRentNumber", {}, '{ "status": "error", "error": "BAD_COUNTRY" }'),
        ("grizzlysms", "getRentNumber", {"country": "0"}, '{ "status": "error", "error": "BAD_SERVICE" }'),
        ("grizzlysms", "getRentPrices", {}, '{ "status": "error", "error": "INVALID_TIME" }'),
        (
            "grizzlysms",
            "getRentPrices",
            {"rent_time": "240"},
            '{ "status": "success", "values": { "0": { "tg": { "cost": 12, "max_hours": 10, "count": 15 } } } }',
        ),
        ("grizzlysms", "getRentHistory", {"id": "1"}, '{ "status": "success", "values": {} }'),
        ("grizzlysms", "setRentStatus", {"id": "1"}, '{ "status": "error", "error": "INVALID_PHONE" }'),
        ("grizzlysms", "continueRentNumber", {"rent_time": "240"}, '{ "status": "error", "error": "NO_ID_RENT" }'),
        (
            "grizzlysms",
            "continueRentNumber",
            {"id": "1", "rent_time": "240"},
            '{ "status": "error", "error": "RENT_DIE" }',
        ),
        ("grizzlysms", "getPrices", {"country": "12"}, '{"12":{"tg":{"count":831358,"cost":0.35,"retry":0}}}'),
        ("smsman", "control/get-balance", {}, '{"balance":"799.70"}'),
        (
            "smsman",
            "control/get-balance",
            {"token": "wrong"},
            '{"success":false,"error_code":"wrong_token","error_msg":"Wrong token!"}',
        ),
        (
            "smsman",
            "control/limits",
            {"token": "wrong"},
            '{"success":false,"error_code":"wrong_token","error_msg":{"token":"Wrong token!"}}',
        ),
        ("smsman", "control/limits", {}, '[{"application_id":"1","country_id":"1","numbers":"32302"}]'),
        ("smsman", "control/get-prices", {}, '{"4":{"3":{"cost":"0.15","count":32302}}}'),
        ("smsman", "control/get-prices", {"country_id": "4"}, '{"3":{"cost":"0.15","count":32302}}'),
        ("smsman", "control/countries", {}, '{"1":{"id":"1","title":"Russia","code":"RU"}}'),
        ("smsman", "control/applications", {}, '{"3":{"id":"3","title":"Telegram","code":"tg"}}'),
        ("smsman", "rent-api/get-balance", {}, '{"balance":"799.70"}'),
        (
            "smsman",
            "rent-api/limits",
            {},
            '{"type":"hour","time":"4","limits":[{"country_id":"1","count":"127","cost":"151.68"}]}',
        ),
        ("smsman", "rent-api/get-all-requests", {}, '{"requests_info":[]}'),
    ],
)
def test_what_needs_no_order_is_answered_as_documented(asked, provider, action, query, literal):
    providers = asked(smsverified={"balance": 44.60}, grizzlysms={"balance": 0, "odd": 0})

    response = providers.respond(provider, action, **query)

    if literal.startswith(("{", "[", "null")):
        assert (pairs(response.body), response.content_type) == (pairs(literal), "application/json")
    else:
        assert (response.body, response.content_type) == (literal, "text/html; charset=UTF-8")


def test_smsverified_s_lists_are_keyed_as_in_its_document(asked):
    providers = asked()

    countries = json.loads(providers.says("smsverified", "getCountries"))
    assert countries["31"] == {
        "id": 48,
        "rus": "Нидерланды",
        "eng": "Netherlands",
        "chn": "荷兰",
        "visible": 1,
        "rent": 0,
    }
    assert json.loads(providers.says("smsverified", "getNumbersStatus"))["yahoo_0"] == 167
    assert json.loads(providers.says("smsverified", "getPrices"))["england"]["mb"] == {"count": 4123, "price": 0.4}


def test_a_number_is_bought_with_the_ids_and_the_money_of_the_document(asked):
    providers = asked("2024-01-11 20:26:56")  # 1705004816

    verified = providers.says("smsverified", "getNumber", service="vk", country="48")
    grizzly = providers.says("grizzlysms", "getNumber", service="tg")

    assert re.fullmatch(r"ACCESS_NUMBER:860170500\d{7}:\d{11}", verified)
    assert re.fullmatch(r"ACCESS_NUMBER:38496653:\d{11}", grizzly)
    assert providers.says("grizzlysms", "getBalance") == "ACCESS_BALANCE:799.3500"


def test_get_number_v2_answers_with_the_times_of_the_sample(asked):
    providers = asked("2026-05-07 13:58:16")

    bought = json.loads(providers.says("grizzlysms", "getNumberV2", service="tg", country="12"))

    assert bought == {
        "activationCancel": "2026-05-07 14:03:16",
        "activationCost": 0.35,
        "activationEnd": "2026-05-07 14:18:16",
        "activationId": 38496653,
        "activationTime": "2026-05-07 13:58:16",
        "canGetAnotherSms": "1",
        "countryCode": "12",
        "currency": 643,
        "phoneNumber": bought["phoneNumber"],
    }


@pytest.mark.parametrize(
    ("provider", "shown"),
    [
        ("smsverified", {"getStatus": "STATUS_OK:877613", "getFullSms": "FULL_SMS:[vk] 877613"}),
        ("grizzlysms", {"getStatus": "STATUS_OK:877613"}),
    ],
)
def test_an_activation_shows_its_sms_in_the_words_of_the_document(asked, provider, shown):
    providers = asked()
    order = providers.open(provider, sms=[ONE[0] | {"at": 5}], service="vk")
    before = {action: providers.says(provider, action, id=order.id) for action in shown}

    providers.later(5)

    assert set(before.values()) == {"STATUS_WAIT_CODE"}
    assert {action: providers.says(provider, action, id=order.id) for action in shown} == shown


def test_status_v2_shows_the_sms_as_json_and_everything_else_as_a_token(asked):
    providers = asked("2026-02-26 12:05:50")
    order = providers.open("grizzlysms", sms=[{"at": 5, "code": "852508", "text": "Code {code}"}])
    waiting = providers.says("grizzlysms", "getStatusV2", id=order.id)

    providers.later(5)

    assert waiting == "STATUS_WAIT_CODE"
    assert providers.says("grizzlysms", "getStatusV2", id=order.id) == (
        '{"verificationType":2,"sms":{"dateTime":"2026-02-26 12:05:55","code":"852508","text":"Code 852508"}}'
    )


def test_the_active_ones_are_a_bare_array_with_ids_as_texts(asked):
    providers = asked()
    order = providers.open("grizzlysms", number="19565550151")
    providers.open("grizzlysms", lifetime=1)
    providers.later(2)

    assert providers.says("grizzlysms", "getActiveActivations") == (
        f'[{{"activationCost":0.35,"activationId":"{order.id}","activationStatus":1,"countryCode":"12",'
        '"phoneNumber":"19565550151","serviceCode":"tg"}]'
    )


def test_the_row_of_an_active_one_changes_with_its_sms_until_it_ends(asked):
    providers = asked()
    order = providers.open("grizzlysms", sms=[{"at": 5, "code": "1111", "text": "a {code}"}, {"at": 9, "code": "2222"}])

    def row():
        listed = json.loads(providers.says("grizzlysms", "getActiveActivations"))
        return listed and tuple(listed[0].get(key) for key in ("activationStatus", "smsCode", "smsText"))

    rows = [row()]
    providers.later(5)
    rows.append(row())
    providers.says("grizzlysms", "setStatus", id=order.id, status="3")
    rows.append(row())
    providers.later(5)
    rows.append(row()[:2])
    providers.says("grizzlysms", "setStatus", id=order.id, status="6")
    rows.append(row())

    assert rows == [(1, None, None), (6, "1111", "a 1111"), (3, "1111", "a 1111"), (6, "2222"), None]
    assert [sms.shows for sms in order.sms] == [0, 0]


def test_the_list_of_active_ones_lags_on_a_stale_day(asked):
    providers = asked()
    providers.open("grizzlysms", sms=ONE)

    stale = providers.respond("grizzlysms", "getActiveActivations", faults=ActiveFaults(lag=5))

    assert json.loads(stale.body)[0]["activationStatus"] == 1


def test_orders_that_ended_are_not_looked_at_for_the_list(asked):
    providers = asked()
    for _ in range(3):
        providers.open("grizzlysms", lifetime=1)
    order = providers.open("grizzlysms")
    providers.later(2)

    providers.says("grizzlysms", "getActiveActivations")

    assert providers.world.accounts["grizzlysms"]._running == [order]


@pytest.mark.parametrize(("setting", "action"), [("status_v2", "getStatusV2"), ("active_list", "getActiveActivations")])
def test_what_stands_in_no_document_need_not_be_offered(asked, setting, action):
    providers = asked(grizzlysms={setting: False})

    assert providers.says("grizzlysms", action, id="1") == "BAD_ACTION"
    assert providers.says("grizzlysms", "getStatus", id="1") == "NO_ACTIVATION"


def test_a_rent_is_shown_page_by_page_where_that_is_set(asked):
    providers = asked(grizzlysms={"odd": 0, "page": 2})
    order = providers.open("grizzlysms", "rent", sms=[{"at": -n, "text": str(n)} for n in range(5)])

    def page(**query):
        said = json.loads(providers.says("grizzlysms", "getRentStatus", id=order.id, **query))
        return said["quantity"], [sms["text"] for sms in said["values"].values()]

    assert [page(), page(page="2"), page(page="3"), page(page="4")] == [
        ("5", ["0", "1"]),
        ("5", ["2", "3"]),
        ("5", ["4"]),
        ("5", []),
    ]
    assert page(size="4", page="x") == ("5", ["0", "1", "2", "3"])
    assert [sms.shows for sms in order.sms] == [1, 2, 2, 2, 2]


def test_without_pages_the_same_is_shown_whatever_page_is_asked_for(asked):
    providers = asked()
    order = providers.open("grizzlysms", "rent", sms=[{}, {}])

    assert providers.says("grizzlysms", "getRentStatus", id=order.id, page="2") == (
        providers.says("grizzlysms", "getRentStatus", id=order.id)
    )


def test_a_provider_that_wants_a_resend_says_so_while_it_waits(asked):
    providers = asked(grizzlysms={"resend": 1})
    order = providers.open("grizzlysms", sms=[])

    assert providers.says("grizzlysms", "getStatus", id=order.id) == "STATUS_WAIT_RESEND"


@pytest.mark.parametrize(
    ("provider", "status", "answer", "then"),
    [
        ("smsverified", "1", "ACCESS_READY", "STATUS_OK:877613"),
        ("smsverified", "3", "ACCESS_RETRY_GET", "STATUS_WAIT_RETRY:877613"),
        ("smsverified", "6", "ACCESS_ACTIVATION", "NO_ACTIVATION"),
        ("smsverified", "8", "ACCESS_CANCEL", "STATUS_CANCEL"),
        ("smsverified", "7", "BAD_ACTION", "STATUS_OK:877613"),
        ("grizzlysms", "1", "ACCESS_READY", "STATUS_OK:877613"),
        ("grizzlysms", "3", "ACCESS_RETRY_GET", "STATUS_WAIT_RETRY:877613"),
        ("grizzlysms", "6", "ACCESS_ACTIVATION", "NO_ACTIVATION"),
        ("grizzlysms", "8", "EARLY_CANCEL_DENIED", "STATUS_OK:877613"),
        ("grizzlysms", "7", "BAD_STATUS", "STATUS_OK:877613"),
    ],
)
def test_set_status_answers_and_acts_as_documented(asked, provider, status, answer, then):
    providers = asked()
    order = providers.open(provider, sms=ONE)

    assert providers.says(provider, "setStatus", id=order.id, status=status) == answer
    assert providers.says(provider, "getStatus", id=order.id) == then


@pytest.mark.parametrize(("status", "answer"), [("1", "NO_ACTIVATION"), ("3", "NO_ACTIVATION"), ("8", "ACCESS_CANCEL")])
def test_a_cancelled_activation_of_smsverified_can_only_be_cancelled_again(asked, status, answer):
    providers = asked()
    order = providers.open("smsverified", sms=ONE)
    providers.says("smsverified", "setStatus", id=order.id, status="8")

    assert providers.says("smsverified", "setStatus", id=order.id, status=status) == answer


@pytest.mark.parametrize("status", ["8", "-1"])
def test_grizzly_cancels_after_two_minutes_where_no_sms_came(asked, status):
    providers = asked()
    empty, full = providers.open("grizzlysms", sms=[]), providers.open("grizzlysms", sms=ONE)
    early = providers.says("grizzlysms", "setStatus", id=empty.id, status=status)

    providers.later(120)

    assert early == "EARLY_CANCEL_DENIED"
    assert providers.says("grizzlysms", "setStatus", id=full.id, status=status) == "STATUS_ALREADY_CHANGED"
    assert providers.says("grizzlysms", "setStatus", id=empty.id, status=status) == "ACCESS_CANCEL"
    assert providers.says("grizzlysms", "setStatus", id=empty.id, status=status) == "ALREADY_CANCEL"
    assert providers.says("grizzlysms", "setStatus", id=empty.id, status="3") == "STATUS_ALREADY_CHANGED"


RENTED = (
    '{ "status": "success", "quantity": "2 ", "values": { "0 ": { "phoneFrom": "66846426435", "service": "tg", "test": '
    '"123456", "date": "2023-10-26 11:03:39" }, "1": { "phoneFrom ": "66846426435", "service": "tg", "test": "224444", '
    '"date": "2023-10-26 11:02:31" } } }'
)


def test_a_rent_shows_its_sms_with_the_slips_of_the_sample_or_as_the_format_line_has_it(asked):
    plan = [{"at": -68, "text": "224444", "sender": "66846426435"}, {"text": "123456", "sender": "66846426435"}]
    bodies = {}
    for odd in (1, 0):
        providers = asked("2023-10-26 11:03:39", grizzlysms={"odd": odd})
        order = providers.open("grizzlysms", "rent", sms=plan)
        bodies[odd] = providers.says("grizzlysms", "getRentStatus", id=order.id)

    clean = (
        RENTED.replace(' "quantity": "2 "', ' "quantity": "2"')
        .replace('"0 "', '"0"')
        .replace("phoneFrom ", "phoneFrom")
    )
    assert pairs(bodies[1]) == pairs(RENTED)
    assert pairs(bodies[0]) == pairs(clean.replace('"test"', '"text"'))


def test_a_rent_of_grizzly_is_bought_prolonged_and_finished(asked):
    providers = asked("2023-12-31 15:30:52")
    asking = {"country": "0", "service": "tg", "rent_time": "240"}
    bought = json.loads(providers.says("grizzlysms", "getRentNumber", **asking))
    empty = providers.says("grizzlysms", "getRentStatus", id="38496653")
    longer = json.loads(providers.says("grizzlysms", "continueRentNumber", id="38496653", rent_time="60"))

    number = bought["phone"]["number"]
    assert bought == {
        "status": "success",
        "phone": {"id": "38496653", "endDate": "2023-12-31T19:30:52", "number": number},
    }
    assert empty == '{"status":"success","values":{}}'
    assert longer["phone"]["endDate"] == "2023-12-31T20:30:52"
    assert json.loads(providers.says("grizzlysms", "getRentHistory", id="38496653"))["quantity"] == "1"
    assert "INCORECT_STATUS" in providers.says("grizzlysms", "setRentStatus", id="38496653", status="3")
    assert providers.says("grizzlysms", "setRentStatus", id="38496653", status="1") == '{"status":"success"}'
    assert "ALREADY_FINISH" in providers.says("grizzlysms", "setRentStatus", id="38496653", status="1")
    assert "INVALID_PHONE" in providers.says("grizzlysms", "getRentStatus", id="38496653")


@pytest.mark.parametrize(("sms", "seconds"), [([{}], 0), ([], 1201)])
def test_a_rent_of_grizzly_is_not_cancelled_after_an_sms_or_20_minutes(asked, sms, seconds):
    providers = asked()
    order = providers.open("grizzlysms", "rent", sms=sms)
    providers.later(seconds)
    fresh = providers.open("grizzlysms", "rent", sms=[])

    assert "CANT_CANCEL" in providers.says("grizzlysms", "setRentStatus", id=order.id, status="2")
    assert providers.says("grizzlysms", "setRentStatus", id=fresh.id, status="2") == '{"status":"success"}'
    assert "ALREADY_CANCEL" in providers.says("grizzlysms", "setRentStatus", id=fresh.id, status="2")


WAITING = ',"error_code":"wait_sms","error_msg":"Still waiting..."}'
GONE = '{"success":false,"error_code":"wrong_request_id","error_msg":{"request_id":["Current request not exists"]}}'


def test_an_activation_at_sms_man_waits_shows_its_code_and_waits_again(asked):
    providers = asked()
    order = providers.open("smsman", sms=[{"at": 1, "code": "1243"}], number="12125551234", service="31", country="1")
    names = '{"request_id":44274,"country_id":1,"application_id":31,"number":"12125551234"'

    assert providers.says("smsman", "control/get-sms", request_id=order.id) == names + WAITING
    providers.later(1)
    assert providers.says("smsman", "control/get-sms", request_id=order.id) == names + ',"sms_code":"1243"}'
    status = {"request_id": order.id, "status": "retrysms"}
    assert providers.says("smsman", "control/set-status", **status) == '{"request_id":44274,"success":true}'
    assert providers.says("smsman", "control/get-sms", request_id=order.id) == names + WAITING


@pytest.mark.parametrize("status", ["close", "reject", "used"])
def test_an_activation_that_was_ended_is_not_known_to_sms_man_any_more(asked, status):
    providers = asked()
    order = providers.open("smsman", sms=ONE)

    assert "true" in providers.says("smsman", "control/set-status", request_id=order.id, status=status)
    assert providers.says("smsman", "control/get-sms", request_id=order.id) == GONE
    assert providers.says("smsman", "control/get-sms", request_id="9") == GONE


def test_sms_man_refuses_a_status_that_is_none_and_a_purchase_without_money(asked):
    providers = asked(smsman={"balance": 0.2})
    bought = json.loads(providers.says("smsman", "control/get-number", application_id="3", country_id="7"))

    assert {"request_id": 44274, "country_id": 7, "application_id": 3}.items() <= bought.items()
    assert "wrong_status" in providers.says("smsman", "control/set-status", request_id="44274", status="x")
    assert '"error_code":"balance"' in providers.says("smsman", "control/get-number")


def test_a_rent_at_sms_man_shows_the_newest_or_all_newest_first(asked):
    providers = asked("2023-05-28 11:12:13")
    plan = [
        {"at": -148, "code": "974210", "text": "Apple ID 代码为：{code}。 "},
        {"code": "330428", "text": "Apple ID 代码为：{code}。 "},
    ]
    order = providers.open("smsman", "rent", sms=plan, number="79210000229", service="0", country="1")
    names = '{"request_id":44274,"application_id":0,"country_id":1,"number":"79210000229","sms":'
    newest = '{"text":"Apple ID 代码为：330428。 ","code":"330428","time":"2023-05-28 11:12:13"}'
    oldest = '{"text":"Apple ID 代码为：974210。 ","code":"974210","time":"2023-05-28 11:09:45"}'

    one = providers.says("smsman", "rent-api/get-sms", request_id=order.id)
    shows = [sms.shows for sms in order.sms]
    everything = providers.says("smsman", "rent-api/get-all-sms", request_id=order.id)
    assert json.loads(one) == json.loads(f"{names}{newest}}}")
    assert json.loads(everything) == json.loads(f"{names}[{newest},{oldest}]}}")
    assert (shows, [sms.shows for sms in order.sms]) == ([0, 1], [1, 2])


def test_a_rent_at_sms_man_lasts_as_ordered_and_can_be_ended(asked):
    providers = asked()
    first = json.loads(providers.says("smsman", "rent-api/get-number", country_id="1", type="hour", time="4"))
    second = json.loads(providers.says("smsman", "rent-api/get-number", country_id="1", type="hour", time="4"))
    ended = {"request_id": str(second["request_id"]), "status": "cancel"}
    empty = json.loads(providers.says("smsman", "rent-api/get-all-sms", request_id=ended["request_id"]))["sms"]

    assert "wrong_time" in providers.says("smsman", "rent-api/get-number", type="year", time="1")
    assert empty == []
    assert "true" in providers.says("smsman", "rent-api/set-status", **ended)
    assert providers.says("smsman", "rent-api/get-sms", request_id=ended["request_id"]) == GONE
    assert json.loads(providers.says("smsman", "rent-api/get-all-requests"))["requests_info"] == [first]
    providers.later(4 * 3600)
    assert providers.says("smsman", "rent-api/get-all-sms", request_id=str(first["request_id"])) == GONE


def test_naive_times_go_with_the_provider_s_own_clock(asked):
    providers = asked("2026-02-26 12:05:55")
    order = providers.open("grizzlysms", sms=ONE)

    ahead = providers.respond("grizzlysms", "getStatusV2", faults=ActiveFaults(clock=10800.0), id=order.id)
    assert json.loads(ahead.body)["sms"]["dateTime"] == "2026-02-26 15:05:55"
