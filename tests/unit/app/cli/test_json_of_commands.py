"""Every command that prints a table has `--json`, as docs/command-line.md has it."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app.checks import preflight
from app.cli import cli, rejected, watch
from app.cli.exit import Code
from app.rejected.replaying import Plan
from app.status import Status
from app.trace.report import as_json
from app.trace.searching import Round
from app.trace.waiting_rows import Waiting
from bus.journal.journal import FILE_NAME, Journal
from bus.kafka.topics import Findings
from bus.record import build
from bus.settings import KafkaSettings
from pollers.watch_commands import WatchRequest
from pollers.watches.watch_table import WatchTable
from tests.messages import sms
from tests.unit.app.test_command_line import commands

pytestmark = pytest.mark.usefixtures("process_is_restored")
run = CliRunner().invoke
PAGE = (Path(__file__).parents[4] / "docs" / "command-line.md").read_text("utf-8")
NO_TABLE = {
    "init": "files, and what to do next",
    "serve": "a log",
    "kafka run": "a log",
    "open": "one address",
    "cursor": "one cursor",
    "topics create": "names",
    "topics print": "commands to run",
    "journal drain": "the ledger's line",
    "journal export": "writes JSON to a file",
    "journal skip": "what it did",
    "callback url": "addresses",
    "callback rotate": "one token",
    "callback test": "nothing",
    "account call": "JSON always",
    "trigger pingme": "the response",
    "trigger activation": "one order",
    "trigger rent": "one order",
    "schema list": "names",
    "schema export": "paths, or the documents themselves",
    "schema push": "a line for each topic",
    "schema check": "a line for each topic",
    "watch add": "one id",
    "watch show": "JSON always",
    "watch next": "nothing",
    "watch stop": "nothing",
    "watch finish": "nothing",
    "watch cancel": "nothing",
    "kafka up": "one address",
    "kafka down": "nothing",
    "kafka configs": "what Kafka's own tool prints",
    "forward": "a line for each event, as it is taken",
    "sandbox": "settings to source",
    "dev": "a log",
    "demo": "a log",
}
"""What these print on stdout instead."""
ACCOUNTS = {
    "SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme",
    "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "hunter2-hunter2-hunter2",
    "SMSBUS_ACCOUNTS__POOL__PROVIDER": "grizzlysms",
    "SMSBUS_ACCOUNTS__POOL__API_KEY": "hunter2-hunter2",
    "SMSBUS_ACCOUNTS__POOL__BASE_URL": "http://127.0.0.1:9/stubs/handler_api.php",
}


def documented() -> dict[str, list[str]]:
    """Return the keys of each command's objects, as the page has them."""
    rows = re.findall(r"^\| `smsbus (.+) --json` \| (.*) \|$", PAGE, re.MULTILINE)
    return {name: re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", keys.split(";")[0])) for name, keys in rows}


@pytest.fixture
def objects(environment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what a command prints with `--json`."""
    monkeypatch.chdir(tmp_path)
    environment({"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_BUS__JOURNAL_DIR": str(tmp_path / "journal"), **ACCOUNTS})

    def printed(*words: str, code: Code = Code.OK) -> list[dict[str, Any]]:
        result = run(cli, [*words, "--json"])
        assert result.exit_code == code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return printed


def test_each_command_has_json_or_prints_no_table() -> None:
    found = {" ".join(path): command for path, command in commands(typer.main.get_command(cli))}
    with_json = {name for name, each in found.items() if any("--json" in option.opts for option in each.params)}

    assert {*NO_TABLE} == {*found} - with_json
    assert {*documented()} == with_json


def test_accounts_and_their_methods(objects: Any) -> None:
    pool, shop = sorted(objects("account", "list"), key=lambda row: str(row["account"]))
    methods = objects("account", "methods", "pool")

    assert pool == {
        "account": "pool",
        "provider": "grizzlysms",
        "base_url": ACCOUNTS["SMSBUS_ACCOUNTS__POOL__BASE_URL"],
    }
    assert shop == {"account": "shop", "provider": "pingme", "base_url": None}
    assert [*pool] == documented()["account list"]
    assert [*methods[0]] == documented()["account methods"]
    [buys] = [each for each in methods if each["method"] == "getNumber"]
    assert buys["costs_money"]
    assert "service" in buys["required"]


async def in_journal(directory: Path) -> None:
    directory.mkdir(parents=True)
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    await journal.append([build(sms(), topic_prefix="", instance="t")])
    await journal.close()


def test_journals_and_their_rows(objects: Any, tmp_path: Path) -> None:
    one, damaged = tmp_path / "journal" / "abcdefghijkl", tmp_path / "journal" / "mnopqrstuvwx"
    asyncio.run(in_journal(one))
    damaged.mkdir()
    (damaged / FILE_NAME).write_bytes(b"no database" * 1000)

    whole, broken = objects("journal", "status", code=Code.FAILED)
    [row] = objects("journal", "show", "--directory", str(one))

    assert [*whole] == documented()["journal status"]
    assert (whole["directory"], whole["rows"], whole["held"], whole["problem"]) == (str(one), 1, False, None)
    assert whole["oldest"].endswith("Z")
    assert (whole["damaged"], broken["damaged"]) == (0, None)
    assert (broken["rows"], broken["bytes"], broken["oldest"]) == (None, None, None)
    assert "it is damaged" in broken["problem"]
    assert [*row] == documented()["journal show"]


def test_watches_whole(objects: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = WatchTable(KafkaSettings())
    table.caught_up()
    table.put(WatchRequest(account="pool", order_id="7", recipient="16470000000").watch(1_795_000_000_000, "r1"))

    async def read(_: KafkaSettings) -> WatchTable:
        return table

    monkeypatch.setattr(watch, "_table", read)
    [row] = objects("watch", "list")
    shown = json.loads(run(cli, ["watch", "show", "pool/7"]).stdout)

    assert row == shown
    assert row["recipient"] == "16470000000"


def test_what_is_wrong_with_the_topics(objects: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Findings(), Findings(problems=["it is missing"], warnings=["few replicas"])]

    async def inspect(*_: object) -> Findings:
        return answers.pop(0)

    async def missing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr("bus.kafka.topics.inspect", inspect)
    monkeypatch.setattr("bus.kafka.granted.missing", missing)
    well, wrong = objects("topics", "check"), objects("topics", "check", code=Code.FAILED)

    assert well == [{"mark": "ok", "text": "all topics are configured correctly"}]
    assert wrong == [{"mark": "failed", "text": "it is missing"}, {"mark": "warning", "text": "few replicas"}]
    assert [*well[0]] == documented()["topics check"] == documented()["check"]


def test_replays_and_traces() -> None:
    assert [*rejected._result(Plan(), [], {}, does_it=False)] == documented()["rejected replay"]
    assert [*as_json(Round(None), Waiting())] == documented()["trace"]


def test_settings_and_checks(objects: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(*_: object, **__: object) -> Any:
        yield preflight.Finding("failed", "Kafka does not answer")

    monkeypatch.setattr(preflight, "look", look)
    *settings, well, wrong = objects("check", "--print", code=Code.FAILED)

    assert {"setting": "accounts.pool.api_key", "value": "**********"} in settings
    assert (well["mark"], wrong) == ("ok", {"mark": "failed", "text": "Kafka does not answer"})


def test_the_status_of_the_service_and_of_kafka(objects: Any) -> None:
    [kafka] = objects("kafka", "status", "--dir", "nowhere", code=Code.FAILED)

    assert [*kafka] == documented()["kafka status"]
    assert {*Status._fields} == {*documented()["status"]}
