"""docs/messages.md is read by strangers: what it says of fields and topics must be so."""

import re
from pathlib import Path

import pytest

import schemas
from schemas.documents.reader_schema import reader_schema
from schemas.messages import VALUES

PAGE = (Path(schemas.__file__).parent.parent / "docs" / "messages.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (yes|no) \| (.+) \|$", re.MULTILINE)


def rows(value):
    section = PAGE.split(f"\n## {value.__name__}\n")[1].split("\n## ")[0]
    return ROW.findall(section)


@pytest.mark.parametrize("value", VALUES)
def test_the_page_lists_the_fields_of_the_model_in_their_order(value):
    assert [name for name, *_ in rows(value)] == list(value.model_fields)


@pytest.mark.parametrize("value", VALUES)
def test_the_page_says_which_fields_can_be_null(value):
    fields = reader_schema(value)["properties"]

    assert {name for name, _, null, _ in rows(value) if null == "yes"} == {
        name for name, field in fields.items() if "null" in field["type"]
    }


@pytest.mark.parametrize("value", VALUES)
def test_the_page_names_the_known_values(value):
    said = {name: set(re.findall(r"`([^`]+)`", text)) for name, _, _, text in rows(value)}

    for name, field in reader_schema(value)["properties"].items():
        if name not in {"provider", "received_via"} or value.__name__ == "SmsReceived":
            assert set(field.get("examples", [])) <= said[name], name


@pytest.mark.parametrize("value", VALUES)
def test_the_page_names_the_topic(value):
    assert f"`{value.TOPIC}`" in PAGE
