"""The committed documents for readers, made from the models. `python -m schemas.export` writes them again."""

import json
from pathlib import Path
from typing import Any

from schemas.asyncapi import asyncapi
from schemas.messages import VALUES
from schemas.openapi import openapi
from schemas.reader_schema import reader_schema


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
    for path in write(Path(__file__).parent):
        print(path)  # noqa: T201 - a program's output
