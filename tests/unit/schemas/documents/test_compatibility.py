"""A release's readers must be able to read what we write now, and new readers what lies on the topics."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from pydantic import Field

import schemas
from schemas.documents.compatibility import breaks
from schemas.documents.reader_schema import reader_schema
from schemas.messages import VALUES, SmsReceived

RELEASED = Path(schemas.__file__).parent / "released"
RELEASES = sorted(path.name for path in RELEASED.iterdir() if path.is_dir())


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("value", VALUES)
def test_readers_of_a_release_are_not_broken(release, value):
    released = json.loads((RELEASED / release / f"{value.TOPIC}.json").read_text(encoding="utf-8"))

    assert breaks(released, reader_schema(value)) == []


def test_the_first_release_is_kept_for_ever():
    assert "0.1.0" in RELEASES


def planted(change):
    schema = deepcopy(reader_schema(SmsReceived))
    change(schema)
    return breaks(reader_schema(SmsReceived), schema)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda schema: schema["properties"].pop("code"), "`code` was removed"),
        (lambda schema: schema["properties"]["code"].update(type="string"), "`code` was"),
        (lambda schema: schema["properties"]["id"].update(type=["string", "null"]), "`id` was"),
        (lambda schema: schema["properties"]["sequence"].update(type=["string", "null"]), "`sequence` was"),
        (lambda schema: schema["properties"]["observed_at"].pop("pattern"), "`observed_at` was"),
        (lambda schema: schema["properties"]["text"].update(maxLength=160), "`text` was"),
        (lambda schema: schema["properties"]["client_ref"].update(maxLength=256), "`client_ref` was"),
        (lambda schema: schema["properties"]["provider_fields"].update(additionalProperties=True), "`provider_fields`"),
        (lambda schema: schema["properties"]["provider"].update(enum=["pingme"]), "`provider` has a closed set"),
        (lambda schema: schema["properties"]["provider"].update(const="pingme"), "`provider` has a closed set"),
        (lambda schema: schema["required"].remove("code"), "`code` is no longer always there"),
        (lambda schema: schema["required"].append("new"), "`new` is required"),
        (lambda schema: schema.update(additionalProperties=False), "unknown keys are refused"),
        (lambda schema: schema.pop("additionalProperties"), "unknown keys are refused"),
    ],
)
def test_a_break_is_found_and_named(change, word):
    found = planted(change)

    assert len([line for line in found if word in line]) == 1, found


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].update(new={"type": ["string", "null"], "description": "Optional."}),
        lambda schema: schema["properties"]["provider"].update(description="Better said.", examples=["pingme", "new"]),
    ],
)
def test_a_new_optional_field_and_better_words_break_nobody(change):
    assert planted(change) == []


def test_a_field_named_in_added_later_is_not_required():
    class Later(SmsReceived):
        """An SMS."""

        ADDED_LATER = frozenset({"new"})
        new: str | None = Field(None, description="Of a later release.")

    assert breaks(reader_schema(SmsReceived), reader_schema(Later)) == []


def test_a_field_that_is_not_named_in_added_later_breaks_who_reads_old_records():
    class Forgotten(SmsReceived):
        """An SMS."""

        new: str | None = Field(None, description="Of a later release.")

    assert len(breaks(reader_schema(SmsReceived), reader_schema(Forgotten))) == 1
