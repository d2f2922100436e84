"""`smsbus schema list|export`: the contract as documents."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.exit import readable_errors

schema_app = typer.Typer(no_args_is_help=True, help="The contract as documents: JSON Schema, AsyncAPI, OpenAPI.")


@schema_app.command("list", epilog="Example: smsbus schema list")
def list_() -> None:
    """Print the names of the documents."""
    from schemas.documents.export import documents

    for name in sorted(documents()):
        typer.echo(name)


@schema_app.command(epilog="Example: smsbus schema export schemas --format openapi")
def export(
    directory: Annotated[Path, typer.Argument(help="Where to write them; created if missing.")] = Path(
        "smsbus-schemas"
    ),
    format_: Annotated[
        Literal["jsonschema", "asyncapi", "openapi"] | None,
        typer.Option("--format", help="Only documents of this format."),
    ] = None,
) -> None:
    """Write the documents and print their paths."""
    from schemas.documents.export import documents

    with readable_errors():
        for name, text in sorted(documents().items()):
            if format_ in {None, _format(name)}:
                path = directory / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                typer.echo(path)


def _format(name: str) -> str:
    return next((word for word in ("asyncapi", "openapi") if word in name), "jsonschema")
