"""The committed documents for readers, generated from the models by `python -m schemas.documents.export`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, get_args

from schemas.documents.asyncapi import asyncapi
from schemas.documents.flink import LOCAL, Brokers, flink
from schemas.documents.openapi import openapi
from schemas.documents.python import python
from schemas.documents.reader_schema import draft7, reader_schema
from schemas.documents.typescript import typescript
from schemas.messages import VALUES

Format = Literal["jsonschema", "jsonschema-draft7", "asyncapi", "openapi", "flink", "python", "typescript"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def documents(*formats: Format, brokers: Brokers = LOCAL) -> dict[str, str]:
    """Return the text of each document by its path within this package; of these formats, none: of all.

    `brokers` are what an engine connects with. The committed documents have the default.
    """
    return {path: text for each in formats or FORMATS for path, text in _MAKERS[each](brokers).items()}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


_MAKERS: Final[dict[Format, Callable[[Brokers], dict[str, str]]]] = {
    "jsonschema": lambda _: {f"json/{value.TOPIC}.json": _text(reader_schema(value)) for value in VALUES},
    "jsonschema-draft7": lambda _: {f"draft-07/{value.TOPIC}.json": _text(draft7(value)) for value in VALUES},
    "asyncapi": lambda _: {"json/asyncapi.json": _text(asyncapi())},
    "openapi": lambda _: {"json/openapi.json": _text(openapi())},
    "flink": lambda brokers: {"flink/smsbus.sql": flink(brokers)},
    "python": lambda _: {"python/smsbus_messages.py": python()},
    "typescript": lambda _: {"typescript/smsbus.ts": typescript()},
}


def write(package: Path) -> list[Path]:
    """Write the documents below `package` and return their paths."""
    written = []
    for name, text in documents().items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    for path in write(Path(__file__).parents[1]):
        print(path)  # noqa: T201 - a program's output
