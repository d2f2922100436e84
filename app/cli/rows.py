"""What a command prints a line for each of: for people, or with `--json` an object of JSON (docs/command-line.md)."""

import json
from collections.abc import Mapping
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def print_row(text: str, row: Mapping[str, object], *, as_json: bool) -> None:
    """Print the text, or the object in one line."""
    typer.echo(json.dumps(row) if as_json else text)
