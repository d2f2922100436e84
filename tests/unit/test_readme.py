"""The README says nothing that is not true: its settings, commands, links and topics are compared with the program."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel, SecretStr

from app.cli import cli
from app.sections import Account
from app.settings import Settings
from bus.topics import TOPICS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "README.md"]


def fields(model: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, (*place, name))
        elif name != "accounts":
            yield ".".join((*place, name)), field


def table() -> dict[str, str]:
    section = README.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.<>]+)` \| (?:`([^`]*)`)?([^|]*)\|", section, re.MULTILINE)
    return {name: default for name, default, _ in rows}


def test_every_setting_stands_in_the_table_and_no_other() -> None:
    settings = {name for name, _ in fields(Settings)}
    accounts = {f"accounts.<name>.{name}" for name in Account.model_fields}

    assert set(table()) == settings | accounts


@pytest.mark.parametrize(
    ("name", "field"), list(fields(Settings)), ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_default_in_the_table_is_the_program_s(name: str, field: Any) -> None:
    shown = table()[name]
    if field.default_factory is not None or name.endswith("_dir"):
        return
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default

    assert shown == ("" if default in (None, (), "") else str(default))


def commands() -> list[str]:
    lines = re.findall(r"^\$ (smsbus .*)$", README, re.MULTILINE)
    inline = re.findall(r"`(smsbus(?:\s[^`]*)?)`", README)
    return sorted({re.sub(r"\s+", " ", line.split("#")[0]).strip() for line in lines + inline} - {"smsbus"})


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_readme_exists(line: str) -> None:
    command: Any = typer.main.get_command(cli)
    words = shlex.split(line)[1:]
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"smsbus has no command {name!r}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}

    assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_files_on_the_way_of_an_sms_exist() -> None:
    way = README.partition("## The way of one SMS")[2].partition("## The promise")[0]
    files = re.findall(r"`((?:receiver|schemas|bus|pollers)/[a-z_./]*)`", way)

    assert len(files) >= 13
    assert all((ROOT / file).exists() for file in files)


def test_the_topics_are_those_of_the_program() -> None:
    assert set(re.findall(r"`(sms\.[a-z.-]+v1)`", README)) == {topic.name for topic in TOPICS}
