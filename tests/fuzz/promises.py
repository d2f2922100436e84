"""What holds of every message: it renders as a Kafka record that any reader of the published schema can read."""

import json
from pathlib import Path
from typing import Final

from jsonschema import Draft202012Validator

from bus.record import build
from schemas.messages import MESSAGES, Message

SCHEMAS: Final = Path(__file__).parents[2] / "schemas" / "json"


def _reader(model: type[Message]) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{model.TOPIC}.json").read_text())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


_READERS: Final = {model: _reader(model) for model in MESSAGES}


def check_record(message: Message) -> None:
    record = build(message, topic_prefix="", instance="fuzz")
    _READERS[type(message)].validate(json.loads(record.value))
    assert type(message).model_validate_json(record.value) == message
    assert record.key
