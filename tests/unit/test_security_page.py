"""SECURITY.md is true of the program: its tables of topics and listeners, its numbers, its settings."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.admin.token import OPEN
from app.page import PATHS
from app.settings.sections import UNGUESSABLE, AdminSettings
from bus.kafka.acls import Role, rights
from bus.settings import KafkaSettings
from pollers.poller import GROUP
from receiver.connection import MOST_HEAD_BYTES
from receiver.settings import KIB, ReceiverSettings
from receiver.strangers import SAY_EVERY
from schemas.topics import TOPICS

PAGE = (Path(__file__).parents[2] / "SECURITY.md").read_text()
DAY_MS = 24 * 60 * 60 * 1000


def section(title: str) -> str:
    found = re.search(rf"^###? {title}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    lines = re.findall(r"^\| (.*) \|$", section(title), re.MULTILINE)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines[1:]]


@pytest.mark.parametrize(("role", "column"), [("receiver", 1), ("pollers", 2)])
def test_the_table_of_topics_gives_each_role_what_its_acls_give(role: Role, column: int) -> None:
    given = {
        right.name: right.operations for right in rights(KafkaSettings(), role, GROUP) if right.resource == "topic"
    }
    said = {row[0].strip("`"): row[column] for row in rows("Topics")}

    assert set(said) == {topic.name for topic in TOPICS}
    assert {name: tuple(words.split(", ")) for name, words in said.items() if words != "nothing"} == {
        name: tuple(operation for operation in operations if operation != "Describe")
        for name, operations in given.items()
    }


def test_the_table_of_personal_data_says_for_how_long_each_topic_keeps_it() -> None:
    said = {row[0].strip("`"): row[2] for row in rows("What is personal data here")}

    for topic in TOPICS:
        kept = topic.configs.get("retention.ms")
        assert topic.name in said
        assert (f"{int(kept) // DAY_MS} days" if kept else "compacted") in said[topic.name]


def test_the_table_of_listeners_names_every_open_path_of_the_admin_listener() -> None:
    everybody = [row for row in rows("Listeners") if row[0].startswith("admin") and "no token" in row[2]]

    assert [set(re.findall(r"`(/\w+)`", row[1])) for row in everybody] == [set(OPEN)]


def test_the_table_of_listeners_says_what_the_page_gives_without_a_token() -> None:
    (given,) = [row for row in rows("Listeners") if "`/page/`" in row[1]]

    assert "without a token" in given[2]
    assert {path for path in PATHS if not path.startswith("/page/")} == {"/"}


@pytest.mark.parametrize(
    ("listener", "settings"), [("public", ReceiverSettings()), ("admin", AdminSettings())], ids=["public", "admin"]
)
def test_the_listeners_are_where_the_page_says(listener: str, settings: Any) -> None:
    assert any(row[0].startswith(f"{listener}, `{settings.host}:{settings.port}`") for row in rows("Listeners"))


def test_its_bounds_are_the_program_s() -> None:
    settings = ReceiverSettings()

    assert f"fewer than {UNGUESSABLE} characters" in PAGE
    assert f"one line in {SAY_EVERY:.0f} seconds" in PAGE
    assert f"a head of {MOST_HEAD_BYTES // KIB} KiB" in PAGE
    assert f"a body of {settings.max_body // KIB} KiB" in PAGE
    assert f"{settings.body_deadline:.0f} seconds" in PAGE
    assert f"{settings.max_connections:,} connections" in PAGE
    assert f"{settings.max_in_flight:,} callbacks" in PAGE
    assert f"`kafka.security_protocol` is `{KafkaSettings().security_protocol}` by default" in PAGE
