"""What is said of a wrong request about a watch: what each field must be, and nothing of a model's own words."""

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app.admin.parameters import WrongQuery
from app.admin.watch_messages import MUST_BE, PAST, sentences, wrong_value
from app.admin.watch_query import query_in
from app.cli import cli
from app.cli.exit import Code
from pollers.watch_commands import WatchRequest

ASKED = {"account": "main", "order_id": "7"}
NOW = "2026-11-18T11:06:40.000Z"


def said_of(body: object) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        WatchRequest.model_validate(body)
    return sentences(refused.value, "a watch", WatchRequest.model_fields)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"account": "main"}, ["order_id is missing: it must be text of 1 to 128 characters"]),
        (ASKED | {"order_id": 7}, ["order_id must be text of 1 to 128 characters"]),
        (ASKED | {"order_id": ""}, ["order_id must be text of 1 to 128 characters"]),
        (ASKED | {"after_sms": "wait"}, ["after_sms must be keep, request_next or finish"]),
        (
            ASKED | {"expires_at": "2026-02-30T00:00:00.000Z"},
            ["expires_at must be a time like 2026-01-31T12:00:00.000Z"],
        ),
        (ASKED | {"client_reff": "mine"}, ["client_reff is not a field of a watch (did you mean client_ref?)"]),
        (ASKED | {"z" * 50: 1}, [f"{'z' * 40}… is not a field of a watch"]),
        ([], ["the body must be a JSON object"]),
    ],
)
def test_each_wrong_field_has_a_sentence(body: object, said: list[str]) -> None:
    assert said_of(body) == said


def test_there_are_words_for_every_field() -> None:
    assert set(WatchRequest.model_fields) <= set(MUST_BE)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, None),
        ({"message_type": "voice", "expires_at": NOW}, None),
        ({"message_type": "fax"}, "message_type must be sms, call or voice"),
        ({"expires_at": "2026-11-18T11:06:39.999Z"}, PAST),
    ],
)
def test_values_of_the_right_form_may_be_wrong(more: dict[str, str], said: str | None) -> None:
    assert wrong_value(WatchRequest(**ASKED, **more), NOW) == said


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("limit", "0")], "limit must be 1 to 1000"),
        ([("state", "")], "state must be one of open, ended,"),
        ([("account", "")], "account must be the name of an account"),
        ([("client_ref", "")], "client_ref must be the text of a watch"),
        ([("recipient", "+")], "recipient must be a number, without letters"),
        ([("recipent", "1")], "recipent is not a parameter of this request (did you mean recipient?)"),
        ([("limit", "1"), ("limit", "2")], "limit is given twice"),
    ],
)
def test_each_wrong_parameter_has_a_sentence(pairs: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(WrongQuery) as refused:
        query_in(pairs)

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("7", "--after-sms", "wait"), "--after-sms: keep, request_next or finish"),
        (("7", "--history", "all"), "--history: emit or skip"),
        (("7" * 129,), "ORDER: text of 1 to 128 characters"),
        (("7", "--type", "fax"), "--type: sms, call or voice"),
        (("",), "ORDER must not be empty"),
        (("7", "--until", "soon"), "--until: how long to watch, like 20m, 4h or 30d"),
        (("7", "--until", "0m"), "--until: how long to watch, like 20m, 4h or 30d"),
    ],
)
def test_the_command_names_its_own_options(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(cli, ["watch", "add", "main", *words])

    assert (result.exit_code, result.stderr) == (Code.USAGE, f"smsbus: {said}\n")
