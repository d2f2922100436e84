"""The committed documents for readers, generated from the models by `python -m schemas.documents.export`."""

import json
from pathlib import Path
from typing import Any

from schemas.documents.asyncapi import asyncapi
from schemas.documents.openapi import openapi
from schemas.documents.reader_schema import reader_schema
from schemas.messages import VALUES


def documents() -> dict[str, str]:
    """Return the text of each document by its path within this package."""
    made = {f"json/{value.TOPIC}.json": reader_schema(value) for value in VALUES}
    made |= {"json/asyncapi.json": asyncapi(), "json/openapi.json": openapi()}
    return {path: _text(document) for path, document in made.items()}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


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
