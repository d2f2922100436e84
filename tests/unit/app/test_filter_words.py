"""Filters have the same words in `tail`, `wait`, the HTTP API and the page's search."""

import json
import re
import typing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app import waiting
from app.admin.inbox_query import FILTERS, FRESHNESS, query_in
from app.admin.parameters import WrongQuery
from app.cli import cli, filters
from app.cli.exit import Code
from app.filter_words import FIELD_OF
from app.page import FILES
from inbox.filters import EQUAL, Filter

run = CliRunner().invoke
PAGE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text("utf-8")


def options(name: str) -> set[str]:
    group: typing.Any = typer.main.get_command(cli)
    return {option for parameter in group.commands[name].params for option in parameter.opts}


def test_each_filter_has_a_word() -> None:
    assert [*FIELD_OF.values()] == [name for name in Filter._fields if name not in {"topics", "among"}]
    assert {*FIELD_OF.values()} == {*FILTERS}


@pytest.mark.parametrize("command", ["tail", "wait"])
def test_commands_have_all_of_them(command: str) -> None:
    assert {f"--{word}" for word in FIELD_OF} <= options(command)


def test_the_page_has_all_of_them() -> None:
    search = FILES["/page/search.js"][0]
    fields = json.loads(re.sub(r"(\w+):", r'"\1":', re.search(r"FIELDS = (\{.*?\})", search)[1]))  # type: ignore[index]
    suggested = re.search(r"TOKENS = \{(.*?)\n\};", FILES["/page/words.js"][0], re.DOTALL)[1]  # type: ignore[index]

    assert fields == {word: field for word, field in FIELD_OF.items() if field in EQUAL}
    assert {f"{word}:" for word in FIELD_OF} - {*re.findall(r'"(\w+:)"', suggested)} == {"code:"}
    assert '"has:code"' in suggested
    assert 'has_code: "has_code", contains: "text"' in search


def test_each_kind_of_freshness_can_be_chosen() -> None:
    kinds, _ = typing.get_args(typing.get_args(filters.Freshness)[0])

    assert typing.get_args(kinds) == FRESHNESS


@pytest.mark.parametrize(("word", "field"), [each for each in FIELD_OF.items() if each[0] != each[1]])
def test_the_http_api_names_the_field_that_a_word_means(word: str, field: str) -> None:
    with pytest.raises(WrongQuery, match=rf"^{word} is not a parameter of this request \(did you mean {field}\?\)$"):
        query_in([(word, "1")], FILTERS)


def test_the_page_about_commands_has_the_words() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE)

    assert dict(rows) == FIELD_OF


@pytest.fixture
def waited_for(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What the service is asked to wait for."""
    asked: list[dict[str, str]] = []

    async def wait_for(_: object, wanted: waiting.Wanted, *__: object) -> dict[str, str]:
        asked.append(dict(wanted.parameters) | ({"codes": "only"} if wanted.codes else {}))
        return {"code": "1", "text": "code 1"}

    monkeypatch.setattr(waiting, "wait_for", wait_for)
    monkeypatch.setenv("SMSBUS_URL", "http://127.0.0.1:9")
    return asked


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ("--to 1 --account shop", {"recipient": "1", "account": "shop", "codes": "only"}),
        ("--recipient 1 --client-ref r", {"recipient": "1", "client_ref": "r", "codes": "only"}),
        ("--account shop --order 7", {"account": "shop", "order_id": "7", "codes": "only"}),
        ("shop --order_id 7", {"account": "shop", "order_id": "7", "codes": "only"}),
        ("--watch-id w --code --text", {"watch_id": "w", "has_code": "true"}),
        ("--watch w --json", {"watch_id": "w"}),
        ("--watch w --no-code --json", {"watch_id": "w", "has_code": "false"}),
        (
            "--watch w --has-code --freshness live",
            {"watch_id": "w", "has_code": "true", "freshness": "live", "codes": "only"},
        ),
    ],
)
def test_a_wait_takes_filters_by_either_name(
    waited_for: list[dict[str, str]], arguments: str, asked: dict[str, str]
) -> None:
    result = run(cli, ["wait", *arguments.split()])

    assert (result.exit_code, waited_for) == (Code.OK, [asked]), result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("wait shop 7 --account shop", "give it once: ACCOUNT, or --account"),
        ("wait shop 7 --order 7", "give it once: ORDER, or --order"),
        ("wait --to 1 --no-code", "only --text or --json to print"),
        ("wait --to 1 --freshness new", "'new' is not one of"),
        ("tail --freshness new", "'new' is not one of"),
        ("wait --to 1 --order 7", "say what to wait for"),
        ("wait --to 1 --number 2", "--number is of an order"),
        ("tail --provider grizly", "pingme, smsverified, grizzlysms, smsman (did you mean grizzlysms?)"),
        ("wait --to 1 --provider xyz", "it must be one of pingme, smsverified, grizzlysms, smsman"),
        ("forward localhost:3000 --provider Pingme", "(did you mean pingme?)"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: str, said: str) -> None:
    result = run(cli, arguments.split(), env={"COLUMNS": "200"})

    assert (result.exit_code, said in result.stderr) == (Code.USAGE, True), result.output
