"""The pages say nothing that is not true: settings, commands, topics, signals and files are those of the program."""

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import BaseModel, SecretStr

from app.cli import cli
from app.cli.exit import Code
from app.degraded import MEANINGS
from app.reloading import reload
from app.settings.load import Settings
from app.settings.sections import Account
from app.workers.admin import RESTARTING
from bus import health
from bus.kafka_bus import KafkaBus
from forwarding.forward import Forward
from forwarding.settings import ForwardSettings
from inbox.following import Following
from pollers.poller import Poller
from receiver.strangers import Strangers
from schemas.topics import TOPICS
from tests.parsed import parsed

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text("utf-8")
OPERATIONS = (DOCS / "operations.md").read_text("utf-8")
RUNBOOK = (DOCS / "runbook.md").read_text("utf-8")
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "bench" / "README.md", ROOT / "deploy" / "README.md"]
PROGRAM = [
    path
    for folder in ("app", "bus", "forwarding", "inbox", "receiver", "pollers", "providers")
    for path in (ROOT / folder).rglob("*.py")
]


def section(page: str, title: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    heading = re.search(rf"^(#+) {re.escape(title)}\n", page, re.MULTILINE)
    assert heading, title
    rest = page[heading.end() :]
    following = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def first_column(text: str) -> set[str]:
    """Return the words in code quotes in the first column of the tables."""
    cells = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


# ---- README ----------------------------------------------------------------------------------------------------------


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_the_first_screen_says_that_no_real_provider_was_ever_asked():
    first_screen = " ".join(README.splitlines()[:30])

    assert "never been run against the real providers" in first_screen


def test_every_page_is_reached_from_the_readme():
    pages = {page.relative_to(ROOT).as_posix() for page in DOCS.glob("*.md")}
    pages |= {page.relative_to(ROOT).as_posix() for page in (DOCS / "guides").glob("*.md")}

    assert pages - set(re.findall(r"\]\(([^)#]+)", README)) == set()


# ---- settings --------------------------------------------------------------------------------------------------------


def fields(model: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, (*place, name))
        elif name not in {"accounts", "forwards"}:
            yield ".".join((*place, name)), field


def table() -> dict[str, str]:
    page = (DOCS / "configuration.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_.<>]+)` \| (?:`([^`]*)`)?([^|]*)\|", page, re.MULTILINE)
    assert len(rows) == len({name for name, *_ in rows})
    return {name: default for name, default, _ in rows}


def test_every_setting_stands_in_the_table_and_no_other():
    settings = {name for name, _ in fields(Settings)}
    accounts = {f"accounts.<name>.{name}" for name in Account.model_fields}
    forwards = {f"forwards.<name>.{name}" for name in ForwardSettings.model_fields}

    assert set(table()) == settings | accounts | forwards


@pytest.mark.parametrize(
    ("name", "field"), list(fields(Settings)), ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_default_in_the_table_is_the_program_s(name: str, field: Any):
    shown = table()[name]
    if field.default_factory is not None or name.endswith("_dir"):
        return
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default

    assert shown == ("" if default in (None, (), "") else str(default))


# ---- commands, links, files, topics ----------------------------------------------------------------------------------


def commands() -> list[str]:
    text = "\n".join(page.read_text("utf-8") for page in PAGES if page.name != "CHANGELOG.md")
    lines = re.findall(r"^\$ (smsbus .*)$", text, re.MULTILINE)
    inline = re.findall(r"`(smsbus(?:\s[^`]*)?)`", text)
    return sorted({re.sub(r"\s+", " ", line.split("#")[0]).strip() for line in lines + inline} - {"smsbus"})


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_pages_exists(line: str):
    command: Any = typer.main.get_command(cli)
    words = shlex.split(line)[1:]
    while words and not words[0].startswith("-") and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"smsbus has no command {name!r}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}

    passes_on = command.context_settings.get(
        "ignore_unknown_options"
    )  # another program's: tests/e2e/test_secure_kafka.py

    assert passes_on or {word for word in words if word.startswith("-")} - {"-"} <= options  # alone: stdin or stdout


def test_the_files_on_the_way_of_an_sms_exist():
    page = (DOCS / "how-it-works.md").read_text("utf-8")
    files = re.findall(r"`((?:receiver|schemas|bus|inbox|forwarding|pollers|providers|app)/[\w./]*)`", page)

    assert len(set(files)) >= 25
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_topics_are_those_of_the_program():
    said = re.findall(r"`(sms\.[a-z.-]+v1)`", (DOCS / "messages.md").read_text("utf-8"))

    assert set(said) == {topic.name for topic in TOPICS}


# ---- signals ---------------------------------------------------------------------------------------------------------


@cache
def trees() -> list[ast.Module]:
    return [*map(parsed, PROGRAM)]


@cache
def calls(tree: ast.AST) -> list[tuple[str, ast.expr | None, list[str]]]:
    """Return the calls that begin with texts: the name of what is called, what it is an attribute of, and the texts."""
    found: list[tuple[str, ast.expr | None, list[str]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if texts and isinstance(node.func, ast.Name | ast.Attribute):
                is_name = isinstance(node.func, ast.Name)
                found.append((node.func.id, None, texts) if is_name else (node.func.attr, node.func.value, texts))
    return found


def switches() -> set[str]:
    """Return the events of what the log says at its beginning: those of `bus.health`."""
    classes = {health.Alarm.__name__, health.Refusals.__name__}
    found = set()
    for tree in trees():
        sources = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        if health.__name__ in sources or classes <= names:
            found |= {texts[0] for name, _, texts in calls(tree) if name in classes}
    return found


def noted() -> set[str]:
    """Return the events of the log that nobody needs to act on; an alarm's end is beside its beginning."""
    return {
        texts[0]
        for tree in trees()
        for name, owner, texts in calls(tree)
        if name == "info" and owner is not None and ast.unparse(owner).endswith("log")
    }


def logged() -> set[str]:
    """Return the events of the log that are warnings or worse."""
    found = switches()
    for tree in trees():
        for name, owner, texts in calls(tree):
            is_log = isinstance(owner, ast.Name | ast.Attribute) and ast.unparse(owner).endswith("log")
            is_uncommitted = name == "add" and owner is not None and ast.unparse(owner).endswith("uncommitted")
            if (is_log and name in {"warning", "error", "exception"}) or name == Strangers.__name__ or is_uncommitted:
                found.add(texts[0])
    return found


# Said with a variable as the event: `Intake.failed`, the throttle's transitions, and a refused reload.
COMPUTED = {"request_failed", "connection_failed", "account_backing_off", "account_paused", reload.REFUSED}


def test_every_warning_and_error_of_the_log_is_explained_and_no_other():
    assert first_column(section(OPERATIONS, "Errors") + section(OPERATIONS, "Warnings")) == logged() | COMPUTED


def test_the_end_of_every_alarm_is_named_beside_its_beginning():
    errors = section(OPERATIONS, "Errors").splitlines()

    for word in sorted(switches()):
        assert [f"ends with `{word}_no_more`" in row for row in errors if row.startswith(f"| `{word}` |")] == [True], (
            word
        )


def test_every_note_of_the_log_is_explained_and_no_other():
    assert first_column(section(OPERATIONS, "Notes")) == noted() | {"reloaded"}  # a warning, too


def test_no_row_of_the_log_is_there_twice():
    rows = re.findall(r"^\| (`[a-z_`, ]+) \|", section(OPERATIONS, "Log"), re.MULTILINE)

    assert len(rows) == len(set(rows)) > 40


def reasons() -> list[str]:
    """Return the degraded reasons as patterns; what is computed may be any word."""
    words: list[str] = [*switches(), RESTARTING, reload.REFUSED, "messages_in_journal"]
    for node in ast.walk(ast.parse(inspect.getsource(Poller) + inspect.getsource(KafkaBus))):
        many = ast.GeneratorExp | ast.ListComp | ast.SetComp
        yielded = node.value if isinstance(node, ast.Yield) else node.elt if isinstance(node, many) else None
        if isinstance(yielded, ast.Constant):
            words.append(str(yielded.value))
        elif isinstance(yielded, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else r"\w+" for part in yielded.values]
            words.append("".join(map(str, parts)))
    inbox = ast.walk(ast.parse(dedent(inspect.getsource(Following.degraded))))
    words += [str(node.value) for node in inbox if isinstance(node, ast.Constant) and "inbox_" in str(node.value)]
    forward = ast.walk(ast.parse(dedent(inspect.getsource(Forward.degraded))))
    words += [str(node.values[0].value).rstrip(":") for node in forward if isinstance(node, ast.JoinedStr)]
    return [rf"{word}(?::NAME)?" for word in words if word != "topics"]


def test_every_degraded_reason_is_explained_and_no_other():
    said = first_column(section(OPERATIONS, "Health")) - {"/livez", "/readyz", "/metrics"}
    patterns = reasons()

    assert {pattern for pattern in patterns if not any(re.fullmatch(pattern, word) for word in said)} == set()
    assert {word for word in said if not any(re.fullmatch(pattern, word) for pattern in patterns)} == set()


def test_every_degraded_reason_has_a_meaning_for_people():
    said = first_column(section(OPERATIONS, "Health")) - {"/livez", "/readyz", "/metrics"}

    assert {word.partition(":")[0] for word in said} == {*MEANINGS}


def test_every_metric_is_explained_and_no_other():
    said = first_column(section(OPERATIONS, "Metrics"))
    exported = {
        texts[0]
        for tree in trees()
        for _, _, texts in calls(tree)
        if re.fullmatch(r"smsbus_\w+", texts[0]) and texts[1:]
    }

    assert {re.sub("_(total|info)$", "", name) for name in said} == exported


def test_every_exit_code_is_explained():
    rows = re.findall(r"^\| (\d+) \|", section(OPERATIONS, "Exit codes"), re.MULTILINE)

    assert [int(code) for code in rows] == sorted(Code)


# ---- runbook ---------------------------------------------------------------------------------------------------------


def entries(title: str) -> dict[str, str]:
    """Return the entries of a part of the runbook by the words of their headings, each in one line."""
    parts = re.split(r"^### (.*)\n", section(RUNBOOK, title), flags=re.MULTILINE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {word: " ".join(text.split()) for heading, text in pairs for word in re.findall(r"`(.+?)`", heading)}


def test_every_degraded_reason_and_error_of_the_log_has_an_entry_in_the_runbook_and_no_other():
    reasons, errors = set(entries("Degraded reasons")), set(entries("Errors in the log"))

    assert reasons & errors == set()
    assert reasons >= set(MEANINGS)
    assert reasons | errors == set(MEANINGS) | first_column(section(OPERATIONS, "Errors"))


@pytest.mark.parametrize("word", sorted(MEANINGS))
def test_the_runbook_says_of_a_degraded_reason_what_the_program_says(word: str):
    entry, means = entries("Degraded reasons")[word], MEANINGS[word]

    assert means.what in entry
    assert f"*Users*: {means.users}" in entry


@pytest.mark.skipif(not ALERTS.exists(), reason="there are no alerts as files")
def test_every_alert_is_in_the_runbook():
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    alerts = section(RUNBOOK, "Alerts")
    headings = {heading.lower().replace(" ", "-") for heading in re.findall("^### (.*)$", alerts, re.MULTILINE)}

    assert rules
    assert {rule["alert"] for rule in rules} - set(re.findall(r"`(\w+)`", alerts)) == set()
    assert {rule["annotations"]["runbook"].partition("#")[2] for rule in rules} - headings == set()
