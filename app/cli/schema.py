"""`smsbus schema list|export|push|check`: the contract as documents, and in a schema registry."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.exit import Code, Config, end, or_stdin, readable_errors, say, settings_for

if TYPE_CHECKING:
    from app.schema_registry import Compatibility, SchemaRegistry
    from bus.settings import KafkaSettings
    from schemas.documents.flink import Brokers

schema_app = typer.Typer(no_args_is_help=True, help="The contract as documents and code, and in a schema registry.")

Registry = Annotated[
    str,
    typer.Option(
        "--registry",
        metavar="URL",
        help="Base address of Confluent's API: http://localhost:8081; of Apicurio it ends with /apis/ccompat/v7. "
        "With -, read from stdin.",
    ),
]
STDOUT = Path("-")


@schema_app.command("list", epilog="Example: smsbus schema list")
def list_() -> None:
    """Print the names of the documents."""
    from schemas.documents.export import documents

    for name in sorted(documents()):
        typer.echo(name)


@schema_app.command(epilog="Example: smsbus schema export --format flink -")
def export(
    directory: Annotated[
        Path, typer.Argument(help="Where to write them; created if missing. With -, print them.", allow_dash=True)
    ] = Path("smsbus-schemas"),
    format_: Annotated[
        Literal["jsonschema", "jsonschema-draft7", "asyncapi", "openapi", "flink", "python", "typescript"] | None,
        typer.Option("--format", help="Only documents of this format."),
    ] = None,
    config: Config = None,
) -> None:
    """Write the documents and print their paths. Flink's has the servers and the topic prefix of the settings."""
    from schemas.documents.export import documents

    if directory == STDOUT and format_ is None:
        message = "say which: one document is printed, not all"
        raise typer.BadParameter(message, param_hint="--format")
    with readable_errors():
        brokers = _brokers(settings_for(config).kafka)
        made = documents(*[format_] if format_ else [], brokers=brokers)
        for name, text in sorted(made.items()):
            typer.echo(text if directory == STDOUT else _written(directory / name, text), nl=directory != STDOUT)


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _brokers(kafka: "KafkaSettings") -> "Brokers":
    from schemas.documents.flink import Brokers

    return Brokers(
        servers=",".join(kafka.servers),
        topic_prefix=kafka.topic_prefix,
        security_protocol=kafka.security_protocol,
        sasl_mechanism=kafka.sasl_mechanism,
    )


@schema_app.command(epilog="Example: smsbus schema push --registry http://localhost:8081")
def push(registry: Registry, config: Config = None) -> None:
    """Register the JSON Schema (draft-07) of each topic, with the compatibility FORWARD.

    The subject is the topic's name and -value. What is there already stays as it is.
    """
    with readable_errors():
        prefix = settings_for(config).kafka.topic_prefix
        asyncio.run(_push(registry, prefix))


async def _push(address: str, prefix: str) -> None:
    from app.schema_registry import topic_schemas

    async with _registry(address) as registry:
        for subject, schema in topic_schemas(prefix).items():
            pushed = await registry.push(subject, schema)
            typer.echo(f"{subject} version {pushed.version} {'registered' if pushed.is_new else 'was there'}")


@schema_app.command(epilog="Example: smsbus schema check --registry http://localhost:8081")
def check(registry: Registry, config: Config = None) -> None:
    """Ask a registry whether this version's schemas may follow the registered ones. Changes nothing.

    Exit code: 0 they may, 1 they may not.
    """
    with readable_errors():
        prefix = settings_for(config).kafka.topic_prefix
        if not asyncio.run(_check(registry, prefix)):
            raise typer.Exit(Code.FAILED)


async def _check(address: str, prefix: str) -> bool:
    from app.schema_registry import topic_schemas

    well = True
    async with _registry(address) as registry:
        for subject, schema in topic_schemas(prefix).items():
            found = await registry.check(subject, schema)
            typer.echo(f"{subject} {_finding(found)}")
            for problem in found.problems:
                say(f"smsbus: {subject}: {problem}")
            well = well and not found.problems
    return well


def _finding(found: "Compatibility") -> str:
    if not found.version:
        return "is not registered"
    word = "incompatible" if found.problems else "compatible"
    return f"{word} with version {found.version} ({found.level})"


def _registry(address: str) -> "SchemaRegistry":
    from app.schema_registry import SchemaRegistry, registry_url

    try:
        return SchemaRegistry(registry_url(or_stdin(address)))
    except ValueError as error:
        raise end(Code.USAGE, f"--registry: {error}") from None
