"""What the clients ask, word by word, and what they make of the answers; the wire is a table."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from providers import PROVIDERS, grizzlysms, grizzlysms_rent, pingme, smsman, smsman_rent, smsverified
from providers.client import Another, Endpoint
from providers.http_client import FetchFailed, RawResponse
from providers.observation import Ended, Gone, Last, Listing, ProviderError, SeenSms, Unfinished, Waiting

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
        return RawResponse(200, {}, answer.encode())


def client(provider, *answers, **more):
    wire = Wire(*answers)
    return PROVIDERS[provider](api_key=SecretStr(KEY), base_url=None, fetcher=wire, **more), wire


def told(kind, code):
    """Return trouble that the provider told itself."""
    return ProviderError(kind, code, answered=True)


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.mark.parametrize(
    ("provider", "order_kind", "answer", "asked", "observation"),
    [
        ("smsverified", "activation", "STATUS_OK:1", "getStatus&id=7", Last(SeenSms("1"))),
        ("grizzlysms", "activation", "STATUS_WAIT_RESEND", "getStatusV2&id=7", Waiting()),
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
    polling, wire = client(provider, answer)

    assert run(polling.poll(order_kind, "7")) == observation
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
    api, wire = client(provider, '{"status":"success"}' if asked.startswith("setRent") else done)

    assert run(api.act(order_kind, "7", action)) == "done"
    assert wire.asked == [BASES[provider] + asked]


@pytest.mark.parametrize("provider", ["grizzlysms", "smsman"])
def test_the_next_sms_of_a_rent_is_not_asked_for(provider):
    api, wire = client(provider, "")

    assert run(api.act("rent", "7", "next")) == ProviderError("denied", "a_rent_shows_all")
    assert wire.asked == []


def rent_page(quantity, *codes):
    values = {
        str(n): {"phoneFrom": "x", "text": code, "date": f"2026-01-01 00:00:{code}"} for n, code in enumerate(codes)
    }
    return json.dumps({"status": "success", "quantity": quantity, "values": values})


def polled(client, order_kind="rent", order_id="7"):
    """Poll as a caller does that can always afford the rest."""

    async def poll():
        observation = await client.poll(order_kind, order_id)
        while isinstance(observation, Unfinished):
            observation = await client.poll(order_kind, order_id, observation)
        return observation

    return run(poll())


def test_a_rent_with_more_sms_than_one_page_shows_all_of_them_oldest_first():
    renting, wire = client("grizzlysms", rent_page("5 ", "55", "44"), rent_page("5", "33", "22"), rent_page(5, "11"))

    shown = polled(renting)

    assert ([sms.text for sms in shown.sms], shown.complete) == (["11", "22", "33", "44", "55"], True)
    assert [url.partition("getRentStatus")[2] for url in wire.asked] == ["&id=7", "&id=7&page=2", "&id=7&page=3"]


def test_each_page_is_a_request_of_its_own_and_what_it_shows_can_be_used_without_the_rest():
    renting, wire = client("grizzlysms", rent_page("5 ", "55", "44"), rent_page("5", "33", "22"))

    first = run(renting.poll("rent", "7"))
    second = run(renting.poll("rent", "7", first))

    assert (type(first), [sms.text for sms in first.shows.sms]) == (Unfinished, ["44", "55"])
    assert (type(second), [sms.text for sms in second.shows.sms]) == (Unfinished, ["22", "33", "44", "55"])
    assert (first.shows.complete, second.shows.complete, len(wire.asked)) == (False, False, 2)


@pytest.mark.parametrize("quantity", ["2", None, "many"])
def test_a_rent_that_shows_all_it_has_is_complete_at_once(quantity):
    renting, wire = client("grizzlysms", rent_page(quantity, "55", "44"))

    assert run(renting.poll("rent", "7")).complete
    assert len(wire.asked) == 1


@pytest.mark.parametrize("second", [rent_page("9", "55", "44"), '{"status":"success","values":{}}'])
def test_a_page_that_adds_nothing_is_the_last(second):
    renting, wire = client("grizzlysms", rent_page("9", "55", "44"), second)

    shown = polled(renting)

    assert ([sms.text for sms in shown.sms], shown.complete) == (["44", "55"], True)
    assert len(wire.asked) == 2


@pytest.mark.parametrize(
    ("failed", "error"),
    [
        (FetchFailed("reset"), ProviderError("transient", "reset")),
        ('{"status":"error","error":"SERVER_ERROR"}', told("transient", "server_error")),
    ],
)
def test_a_page_that_fails_is_reported_while_the_caller_keeps_the_newer_ones(failed, error):
    renting, _ = client("grizzlysms", rent_page("4", "55", "44"), failed)

    assert polled(renting) == error


def test_a_rent_that_ends_between_two_pages_leaves_what_was_shown():
    renting, _ = client("grizzlysms", rent_page("4", "55", "44"), '{"status":"error","error":"INVALID_PHONE"}')

    shown = polled(renting)

    assert ([sms.text for sms in shown.sms], shown.complete) == (["44", "55"], False)


def test_no_rent_is_paged_for_ever():
    renting, wire = client("grizzlysms", *(rent_page("99", str(n)) for n in range(30, 0, -1)))

    shown = polled(renting)

    assert (len(wire.asked), len(shown.sms), shown.complete) == (grizzlysms_rent.MOST_PAGES, 20, True)


ACTIVE = '{"activationId":"7","activationStatus":1,"smsCode":null,"smsText":""}'


def listing(answer):
    return run(client("grizzlysms", answer)[0].active())


@pytest.mark.parametrize(
    "container",
    [
        "[ROW]",
        '{"status":"success","activeActivations":[ROW]}',
        '{"data":[ROW]}',
        '{"data":[],"activeActivations":{"rows":[ROW],"count":1}}',
        '{"data":[ROW],"activeActivations":{"rows":[],"count":0}}',
        '{"data":[ROW],"activeActivations":null}',
    ],
)
def test_the_running_activations_are_found_in_every_container_that_is_known(container):
    assert set(listing(container.replace("ROW", ACTIVE))) == {"7"}


@pytest.mark.parametrize(
    "none",
    ["null", "[]", "NO_ACTIVATIONS", '{"activeActivations":[]}', '{"data":[],"activeActivations":{"rows":[]}}'],
)
def test_that_none_is_running_is_said_in_these_ways(none):
    assert listing(none) == {}


@pytest.mark.parametrize(
    "answer",
    [
        f'{{"activations":[{ACTIVE}]}}',
        "{}",
        '{"data":{}}',
        '{"activeActivations":{"count":1}}',
        '{"data":[],"activeActivations":"many"}',
        '[{"id":7,"status":1}]',
        "[7]",
        "true",
    ],
)
def test_a_list_that_is_not_understood_is_never_an_empty_one(answer):
    said = listing(answer)

    assert (said.kind, said.code) in {("unrecognised", "unknown_shape"), ("unrecognised", "no_token")}


def test_an_unknown_container_was_told_by_the_provider():
    assert listing('{"activations":[]}') == told("unrecognised", "unknown_shape")
    assert listing("NO_ACTIVATION") == told("unrecognised", "unknown_token")
    assert listing("BAD_KEY") == told("auth", "bad_key")


@pytest.mark.parametrize(
    "changed",
    [
        '{"activationId":7,"activationStatus":6,"smsCode":null}',
        '{"activationId":"7","activationStatus":1,"smsCode":"1234"}',
        '{"activationId":"7","activationStatus":1,"smsCode":["1234"]}',
        '{"activationId":"7","activationStatus":1,"smsText":"Hi"}',
    ],
)
def test_a_row_says_something_else_when_its_status_code_or_text_does(changed):
    assert listing(f"[{ACTIVE}]")["7"] != listing(f"[{changed}]")["7"]


def test_the_list_is_one_request_and_is_given_up_after_three_refusals():
    polling, wire = client("grizzlysms", "BAD_ACTION", "BAD_ACTION", "null", *["BAD_ACTION"] * 3)

    async def call():
        offered = []
        for _ in range(6):
            await polling.active()
            offered.append(polling.has_list)
        return offered

    assert run(call()) == [True, True, True, True, True, False]
    assert [url.rpartition("action=")[2] for url in wire.asked] == ["getActiveActivations"] * 6


@pytest.mark.parametrize("provider", ["smsverified", "smsman"])
def test_the_others_have_no_list(provider):
    polling, wire = client(provider, "")

    assert polling.has_list is False
    assert run(polling.active()) == ProviderError("request_error", "no_list")
    assert wire.asked == []


OTHER = told("unrecognised", "other_order")
SHOWN_BY_ANOTHER = [
    ("smsman", "activation", '{"request_id":44275,"sms_code":"1234"}'),
    ("smsman", "activation", '{"request_id":"44275","sms_code":"1234"}'),
    ("smsman", "activation", '{"request_id":44275,"error_code":"wait_sms"}'),
    (
        "smsman",
        "activation",
        '{"request_id":44275,"success":false,"error_code":"x","error_msg":"Current request not exists"}',
    ),
    ("smsman", "rent", '{"request_id":44275,"sms":[{"code":"1","text":"x 1"}]}'),
    ("smsman", "rent", '{"request_id":44275,"sms":[]}'),
    ("grizzlysms", "activation", '{"activationId":44275,"sms":{"code":"1"}}'),
    ("grizzlysms", "activation", '{"id":"44275 ","sms":null}'),
    ("grizzlysms", "rent", '{"status":"success","id":"44275","values":[{"text":"1234"}]}'),
    ("grizzlysms", "rent", '{"status":"finish","id":"44275"}'),
    ("smsverified", "activation", '{"status":"STATUS_OK","id":44275,"code":"1"}'),
]


@pytest.mark.parametrize(("provider", "order_kind", "answer"), SHOWN_BY_ANOTHER)
def test_an_answer_about_another_order_says_nothing_about_this_one(provider, order_kind, answer):
    polling, _ = client(provider, answer, answer.replace("44275", "44274"))

    assert run(polling.poll(order_kind, "44274")) == OTHER
    assert run(polling.poll(order_kind, "44274")) != OTHER


@pytest.mark.parametrize(
    ("provider", "order_kind", "done"),
    [
        ("smsman", "activation", '{"request_id":44275,"success":true}'),
        ("smsman", "rent", '{"request_id":"44275","success":true}'),
        ("grizzlysms", "rent", '{"status":"success","id":44275}'),
    ],
)
def test_what_was_done_to_another_order_was_not_done(provider, order_kind, done):
    api, _ = client(provider, done, done.replace("44275", "44274"))

    assert run(api.act(order_kind, "44274", "finish")) == OTHER
    assert run(api.act(order_kind, "44274", "finish")) == "done"


def test_the_text_of_another_order_is_not_this_ones():
    assert run(client("smsverified", '{"status":"STATUS_OK","id":1,"code":"1"}')[0].full_text("7")) == OTHER


@pytest.mark.parametrize("id_", ["0", "null", '"None"', '""', '"req-8f7a"', '"c0ffee"', "false"])
def test_what_is_no_orders_id_makes_no_other_order(id_):
    polling, _ = client("smsman", f'{{"request_id":{id_},"sms_code":"1234"}}')

    assert run(polling.poll("activation", "44274")) == Last(SeenSms("1234"))


def test_one_id_of_several_is_the_orders():
    polling, _ = client("grizzlysms", '{"id":1,"activationId":44274,"sms":{"code":"1234"}}')

    assert run(polling.poll("activation", "44274")) == Last(SeenSms("1234"))


def test_trouble_stays_what_it_is_whatever_id_stands_beside_it():
    polling, _ = client("smsman", '{"request_id":1,"success":false,"error_code":"wrong_token"}')

    assert run(polling.poll("activation", "44274")) == told("auth", "wrong_token")


def test_a_prolonged_rent_is_an_order_whatever_its_id_is_now():
    bought = '{"status":"success","id":1,"phone":{"id":"9","number":"66846426435"}}'
    asking, _ = client("grizzlysms", bought)

    said = run(asking.call(grizzlysms_rent.CONTINUE_RENT_NUMBER, {"id": "7", "rent_time": "4"}))

    assert said.order_id == "9"


def test_the_next_sms_of_sms_man_is_asked_for_in_the_documented_way_where_the_other_is_not_known():
    unknown = '{"success":false,"error_code":"wrong_status"}'
    api, wire = client("smsman", unknown, '{"request_id":7,"success":true}', unknown)

    another = run(api.act("activation", "7", "next"))

    assert another == Another("ready")
    assert run(api.act("activation", "7", "next", another.how)) == "done"
    assert run(api.act("activation", "7", "next", another.how)) == told("denied", "wrong_status")
    assert [url.rpartition("status=")[2] for url in wire.asked] == ["retrysms", "ready", "ready"]


def test_smsverified_has_no_rents():
    polled, wire = client("smsverified", "")

    assert run(polled.poll("rent", "7")) == ProviderError("request_error", "no_such_order_kind")
    assert run(polled.act("rent", "7", "cancel")) == ProviderError("request_error", "no_such_order_kind")
    assert wire.asked == []


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("ACCESS_CANCEL", "done"),
        ("ALREADY_CANCEL", "done"),
        ("EARLY_CANCEL_DENIED", "too_early"),
        ("OTP_RECEIVED", told("denied", "otp_received")),
        ("STATUS_ALREADY_CHANGED", told("denied", "status_already_changed")),
        ("NO_ACTIVATION", told("denied", "no_such_order")),
        ("BAD_STATUS", told("denied", "bad_status")),
        ("BAD_KEY", told("auth", "bad_key")),
        ("BAD_ACTION", told("request_error", "bad_action")),
        ("ERROR_SQL", told("transient", "error_sql")),
        (FetchFailed("timeout"), ProviderError("transient", "timeout")),
    ],
)
def test_what_came_of_an_action_on_an_activation(answer, result):
    api, wire = client("grizzlysms", answer)

    assert run(api.act("activation", "7", "cancel")) == result
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("provider", "order_kind", "answer", "result"),
    [
        ("grizzlysms", "rent", '{"status":"error","error":"ALREADY_FINISH"}', "done"),
        ("grizzlysms", "rent", '{"status":"error","error":"CANT_CANCEL"}', told("denied", "cant_cancel")),
        ("grizzlysms", "rent", '{"status":"error","error":"INCORECT_STATUS"}', told("denied", "incorect_status")),
        ("grizzlysms", "rent", '{"status":"error","error":"INVALID_PHONE"}', told("denied", "no_such_order")),
        ("grizzlysms", "rent", '{"status":"error","error":"SQL_ERROR"}', told("transient", "sql_error")),
        ("smsman", "activation", '{"success":false,"error_code":"wrong_status"}', told("denied", "wrong_status")),
        ("smsman", "activation", '{"success":false,"error_code":"wrong_token"}', told("auth", "wrong_token")),
        ("smsman", "activation", '{"request_id":7}', told("unrecognised", "unknown_shape")),
    ],
)
def test_what_came_of_other_actions(provider, order_kind, answer, result):
    api, _ = client(provider, answer)

    assert run(api.act(order_kind, "7", "cancel")) == result


@pytest.mark.parametrize(
    ("provider", "body", "amount"),
    [
        ("smsverified", "ACCESS_BALANCE:44.60", "44.60"),
        ("grizzlysms", "ACCESS_BALANCE:-1.0000", "-1.0000"),
        ("smsman", '{"balance":"799.70"}', "799.70"),
    ],
)
def test_a_balance_is_the_provider_s_own_text(provider, body, amount):
    assert run(client(provider, body)[0].balance()).amount == amount
    assert run(client(provider, FetchFailed("reset"))[0].balance()) == ProviderError("transient", "reset")


@pytest.mark.parametrize(
    ("provider", "good", "bad", "code"),
    [
        ("smsverified", "ACCESS_BALANCE:1", "BAD_KEY", "bad_key"),
        ("grizzlysms", "ACCESS_BALANCE:0.0000", "NO_KEY", "no_key"),
        ("smsman", '{"balance":"0"}', '{"success":false,"error_code":"wrong_token"}', "wrong_token"),
    ],
)
def test_a_key_is_alive_or_it_is_trouble(provider, good, bad, code):
    assert run(client(provider, good)[0].alive()) is None
    assert run(client(provider, bad)[0].alive()) == told("auth", code)
    assert run(client(provider, FetchFailed("reset"))[0].alive()) == ProviderError("transient", "reset")


@pytest.mark.parametrize("provider", ["smsverified", "grizzlysms"])
def test_status_v2_gives_way_to_status_in_a_request_of_its_own(provider):
    polling, wire = client(provider, "BAD_ACTION", "STATUS_OK:1", status_action="getStatusV2")

    refused = run(polling.poll("activation", "7"))

    assert refused == Unfinished(None, "getStatus")
    assert run(polling.poll("activation", "7", refused)) == Last(SeenSms("1"))
    assert [url.rpartition("action=")[2] for url in wire.asked] == ["getStatusV2&id=7", "getStatus&id=7"]


def test_status_v2_is_given_up_after_three_refusals_in_a_row_and_not_before():
    refused = ["BAD_ACTION", "STATUS_WAIT_CODE"]
    served = ['{"verificationType":0,"sms":null}']
    polling, wire = client("grizzlysms", *refused * 2, *served, *refused * 3, "STATUS_WAIT_CODE")

    assert [polled(polling, "activation") for _ in range(8)] == [Waiting()] * 8
    assert sum("getStatusV2" in url for url in wire.asked) == 6
    assert "getStatusV2" not in "".join(wire.asked[-2:])


@pytest.mark.parametrize(
    ("provider", "more", "action"),
    [
        ("smsverified", {}, "getStatus&"),
        ("grizzlysms", {}, "getStatusV2&"),
        ("grizzlysms", {"status_action": "getStatus"}, "getStatus&"),
        ("grizzlysms", {"status_action": None}, "getStatusV2&"),
    ],
)
def test_a_poll_asks_what_the_provider_answers_best_unless_the_settings_say_otherwise(provider, more, action):
    polling, wire = client(provider, "STATUS_WAIT_CODE", **more)

    run(polling.poll("activation", "7"))

    assert f"action={action}" in wire.asked[0]


def test_a_full_text_is_the_sms_or_nothing():
    assert run(client("smsverified", "FULL_SMS:[vk] 1234")[0].full_text("7")) == SeenSms(text="1234", sender="vk")
    assert run(client("smsverified", "STATUS_WAIT_CODE")[0].full_text("7")) is None
    assert run(client("smsverified", "NO_ACTIVATION")[0].full_text("7")) is None


def test_a_full_text_that_cannot_be_had_is_the_trouble_of_the_account():
    assert run(client("smsverified", FetchFailed("timeout"))[0].full_text("7")) == ProviderError("transient", "timeout")
    assert run(client("smsverified", "TOO_MANY_REQUESTS")[0].full_text("7")) == told("throttled", "too_many_requests")


def test_full_texts_are_no_longer_asked_for_where_they_are_not_offered():
    polled, _ = client("smsverified", "BAD_ACTION")

    async def call():
        offered = []
        for _ in range(3):
            offered.append(polled.has_full_text)
            await polled.full_text("7")
        return [*offered, polled.has_full_text]

    assert run(call()) == [True, True, True, False]


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
    assert set(pingme.PingMeControl.endpoints) == {
        "getAppList",
        "lockNumber",
        "subNumber",
        "unSubNumber",
        "getNumberList",
    }


def test_these_cost_money_and_no_others():
    every = [each.endpoints for each in (*PROVIDERS.values(), pingme.PingMeControl)]

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

        said = run(asking.call(endpoint, params))

        assert said == ProviderError("transient", "timeout")
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
        ("smsman", smsman.GET_NUMBER, {"country_id": "1"}, ['{"3":{"cost":"0.15"}}'], None),
        ("smsman", smsman.GET_NUMBER, {"application_id": "3"}, ['{"3":{"cost":"0.15"}}'], None),
        ("smsman", smsman.GET_NUMBER, {}, ['{"3":{"cost":"0.15"}}'], None),
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
    said = smsman.parse_limits(RawResponse(200, {}, b'{"3":{"country_id":1,"numbers":5}}'))

    assert [(stock.service, stock.country, stock.count) for stock in said] == [("3", "1", 5)]


@pytest.mark.parametrize(
    "message", ['"Current request not exists"', '{"a":"Current request not exists"}', '[["request NOT exists"]]']
)
def test_sms_man_says_gone_only_in_its_message(message):
    said = smsman.parse_sms(
        RawResponse(200, {}, f'{{"success":false,"error_code":"x","error_msg":{message}}}'.encode())
    )

    assert said == Gone()


def test_a_rent_that_sms_man_shows_alone_is_the_last_and_not_all():
    said = smsman_rent.parse_rent_sms(RawResponse(200, {}, b'{"sms":{"text":"a 1 ","code":"1"}}'))

    assert said == Last(SeenSms("1", "a 1 "))


def control(*answers):
    wire = Wire(*answers)
    return pingme.PingMeControl(api_key=SecretStr(KEY), base_url=None, fetcher=wire), wire


def test_locking_a_number_posts_json_with_the_key_in_a_header():
    client, wire = control('{"retcode":0,"result":{"number":16510000000,"price":0.5}}')

    said = run(client.call(pingme.LOCK_NUMBER, {"userId": "u", "app": "jd"}))

    [(method, headers, body)] = wire.sent
    assert said == pingme.LockedNumber("16510000000", "0.5")
    assert (method, wire.asked) == ("POST", ["https://api.pingme.tel/thirdparty/lockNumber"])
    assert (headers["x-app-key"], headers["Content-Type"]) == (KEY, "application/json")
    assert json.loads(body) == {"userId": "u", "app": "jd", "number": ""}


def test_the_number_list_is_a_get_for_every_app_unless_one_is_named():
    client, wire = control('{"retcode":0,"result":{"numbers":[]}}')

    run(client.call(pingme.GET_NUMBER_LIST, {"userId": "u"}))
    run(client.call(pingme.GET_NUMBER_LIST, {"userId": "u", "app": "j d"}))
    run(client.call(pingme.GET_APP_LIST, {}))
    run(client.call(pingme.GET_APP_LIST, {"userId": "u"}))

    root = "https://api.pingme.tel/thirdparty/"
    assert wire.asked == [
        f"{root}getNumberList?app=&userId=u",
        f"{root}getNumberList?app=j+d&userId=u",
        f"{root}getAppList",
        f"{root}getAppList?userId=u",
    ]
    assert [method for method, _, _ in wire.sent] == ["GET"] * 4
    assert KEY not in repr(client) + "".join(wire.asked)


NUMBERS = (
    '{"retcode":0,"result":{"numbers":'
    '[{"phone":"1681","subRent":"$0.5 / Month","codeRate":"$0.2 / SMS","subStatus":1}]}}'
)


def test_pingme_tells_the_price_of_a_number_that_the_account_has():
    client, _ = control(NUMBERS)
    known = {"userId": "u", "app": "jd", "number": "1681"}

    assert run(client.price(pingme.SUB_NUMBER, known)) == "$0.5 / Month"
    assert run(client.price(pingme.LOCK_NUMBER, known)) == "$0.2 / SMS"
    assert run(client.price(pingme.LOCK_NUMBER, {"userId": "u", "app": "jd"})) is None
    assert run(client.price(pingme.SUB_NUMBER, known | {"number": "1"})) is None


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
    assert pingme.parse_locked(RawResponse(status, {}, body)).kind == kind


def test_an_ended_rent_cannot_be_prolonged():
    said = grizzlysms_rent.parse_rent_number(RawResponse(200, {}, b'{"status":"error","error":"RENT_DIE"}'))

    assert said == Ended("finished")


def test_every_endpoint_is_one_of_ours():
    assert all(isinstance(each, Endpoint) for client in PROVIDERS.values() for each in client.endpoints.values())
