"""`smsbus account` without a provider: what it lists, how it refuses, and how an answer is printed."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.account import as_json, bought
from app.cli.exit import Code
from providers.observation import Last, SeenSms, Waiting, WaitingNext
from providers.pingme import LockedNumber
from providers.results import Balance, Order, Price

run = CliRunner().invoke

pytestmark = pytest.mark.usefixtures("process_is_restored")
KEY = "planted-key-5e1f"
ACCOUNTS = {
    "SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme",
    "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "hunter2-hunter2-hunter2",
    "SMSBUS_ACCOUNTS__POOL__PROVIDER": "grizzlysms",
    "SMSBUS_ACCOUNTS__POOL__API_KEY": KEY,
    "SMSBUS_ACCOUNTS__POOL__BASE_URL": "http://127.0.0.1:9/stubs/handler_api.php",
    "SMSBUS_ACCOUNTS__MEN__PROVIDER": "smsman",
    "SMSBUS_ACCOUNTS__MEN__API_KEY": KEY,
}


@pytest.fixture(autouse=True)
def accounts(environment):
    environment(ACCOUNTS)


def refusal(*arguments):
    result = run(cli, ["account", "call", *arguments])
    assert result.stdout == ""
    assert KEY not in result.stderr
    return result.exit_code, result.stderr


def test_the_accounts_are_listed_without_their_secrets():
    result = run(cli, ["account", "list"])

    assert sorted(result.stdout.splitlines()) == [
        "men smsman",
        "pool grizzlysms http://127.0.0.1:9/stubs/handler_api.php",
        "shop pingme",
    ]


def test_no_accounts_are_no_lines(environment, monkeypatch):
    for name in ACCOUNTS:
        monkeypatch.delenv(name)

    result = run(cli, ["account", "list"])

    assert (result.exit_code, result.stdout, result.stderr) == (Code.OK, "", "no account is configured\n")


def test_no_accounts_here_are_said_to_be_no_accounts_of_a_service(monkeypatch):
    for name in ACCOUNTS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SMSBUS_URL", "http://smsbus.example:8081")

    result = run(cli, ["account", "list"])

    assert (result.exit_code, result.stdout) == (Code.OK, "")
    assert "does not ask the service of SMSBUS_URL" in result.stderr


def test_an_account_that_is_not_there_is_answered_with_those_that_are():
    code, said = refusal("poll", "getBalance")

    assert code == Code.USAGE
    assert "there is no account poll" in said
    assert all(name in said for name in ("shop", "pool", "men"))


def test_a_method_that_is_not_there_is_guessed_and_all_are_listed():
    code, said = refusal("pool", "getNumbr")

    assert code == Code.USAGE
    assert "did you mean getNumber?" in said
    assert "getRentNumber service=… country=… rent_time=… (costs money)" in said
    assert "getBalance" in said


@pytest.mark.parametrize(
    ("account", "line"),
    [
        ("pool", "getRentNumber service=… country=… rent_time=… (costs money)"),
        (
            "shop",
            "getNumberList userId=… [app=…]",
        ),  # without an app_key: what there is can be read before one is asked for
    ],
)
def test_the_methods_of_an_account_are_listed_with_their_parameters_and_what_costs_money(account, line):
    result = run(cli, ["account", "methods", account])

    assert (result.exit_code, result.stderr) == (Code.OK, "")
    assert line in result.stdout.splitlines()


def test_the_methods_of_an_account_that_is_not_there_are_refused_as_a_call_is():
    result = run(cli, ["account", "methods", "poll"])

    assert (result.exit_code, result.stdout) == (Code.USAGE, "")
    assert result.stderr.startswith("smsbus: there is no account poll; configured: ")


def test_the_rent_methods_of_sms_man_have_their_own_names():
    _, said = refusal("men", "?")

    assert "rent:get-all-sms request_id=…" in said
    assert "get-sms request_id=…" in said


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ([], "id is missing"),
        (["id=1", "state=8"], "state is not a parameter of setStatus"),
        (["id=1", "api_key=x"], "api_key is not a parameter of setStatus"),
        (["id=1", "action=getNumber"], "action is not a parameter of setStatus"),
        (["id=1", "status"], "status needs a value: status=…"),
        (["id=1", "status=8", "status=6"], "status is given twice"),
    ],
)
def test_wrong_parameters_are_named_with_the_right_ones(parameters, problem):
    code, said = refusal("pool", "setStatus", *parameters)

    assert code == Code.USAGE
    assert problem in said
    assert "usage: setStatus id=… status=… [forward=…]" in said


def test_pingmes_methods_need_the_app_key():
    code, said = refusal("shop", "getAppList")

    assert code == Code.USAGE
    assert "app_key" in said


@pytest.mark.parametrize(
    ("answer", "printed"),
    [
        (Balance("44.60", {"hold": "0"}), {"answer": "balance", "amount": "44.60", "details": {"hold": "0"}}),
        (Waiting(), {"answer": "waiting"}),
        (WaitingNext("1"), {"answer": "waiting_next", "code": "1"}),
        (LockedNumber("1651", None), {"answer": "locked_number", "number": "1651", "price": None}),
        ((), []),
    ],
)
def test_an_answer_is_an_object_that_says_what_it_is(answer, printed):
    assert json.loads(as_json(answer)) == printed


def test_a_list_is_a_list_of_objects():
    [price] = json.loads(as_json((Price("0.4", "england", "mb", 4123),)))

    assert (price["cost"], price["country"], price["service"], price["count"]) == ("0.4", "england", "mb", 4123)


def test_a_text_that_utf_8_cannot_carry_is_still_printed():
    printed = as_json(Last(SeenSms(text="é \ud83d")))

    assert json.loads(printed)["sms"]["text"] == "é \ufffd"
    assert printed.encode()


def test_only_an_order_was_bought():
    order = Order("rent", "7", "1651", expires="2023-12-31T19:30:52")

    assert bought(order) is order
    assert bought(Balance("1")) is None
