"""What holds of every message: it renders as a Kafka record that any reader of the published schema can read."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bus.record import build
from schemas.messages import Message

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SCHEMAS: Final = Path(__file__).parents[2] / "schemas" / "json"


@cache
def _reader(model: type[Message]) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator  # seconds: it compiles grammars

    schema = json.loads((SCHEMAS / f"{model.TOPIC}.json").read_text())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def check_record(message: Message) -> None:
    record = build(message, topic_prefix="", instance="fuzz")
    _reader(type(message)).validate(json.loads(record.value))
    assert type(message).model_validate_json(record.value) == message
    assert record.key
