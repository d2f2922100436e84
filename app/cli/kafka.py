"""`smsbus kafka up|down|run|status|configs`: a local Apache Kafka, without an installed Java."""

import asyncio
import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

if TYPE_CHECKING:
    from app.local_kafka.background import Detached

T = TypeVar("T")

CLEAN_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}  # without the JAVA_TOOL_OPTIONS or CLASSPATH of this machine

kafka_app = typer.Typer(no_args_is_help=True, help="Run a local Apache Kafka (no Java needed).")

Directory = Annotated[
    Path | None,
    typer.Option("--dir", help="Directory for its data. Default: smsbus/kafka in the user's state directory."),
]


@kafka_app.command(epilog="Example: smsbus kafka up --nodes 3")
def up(
    nodes: Annotated[Literal["1", "3"] | None, typer.Option(help="One node, or three with quick failover.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of a single node. Default: 9092.")] = None,
    directory: Directory = None,
) -> None:
    """Start Kafka, leave it running, and print its bootstrap servers."""
    from app.local_kafka import background

    if nodes == "3" and port:
        raise typer.BadParameter("--port is for one node only; three nodes use free ports")
    where = _absolute(directory)
    found = _found(where)
    if found and found.runs:
        typer.echo("Kafka is already running", err=True)
    else:
        found = _run(background.up(where, nodes=int(nodes) if nodes else None, port=port))
        typer.echo(
            f"Kafka is running, its data is in {where}; `smsbus kafka down{_option(directory)}` stops it", err=True
        )
    typer.echo(found.bootstrap_servers)


@kafka_app.command(epilog="Example: smsbus kafka down")
def down(directory: Directory = None) -> None:
    """Stop Kafka; its data is kept for the next `up`."""
    from app.local_kafka import background

    found = _found(_absolute(directory))
    if found:
        _run(background.down(found))
    typer.echo("Kafka is stopped" if found else "no Kafka was started here", err=True)


@kafka_app.command(epilog="Example: smsbus kafka run --dir /var/lib/smsbus-kafka")
def run(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 9092,
    directory: Directory = None,
) -> None:
    """Run one node with the topics of smsbus in the foreground, until SIGTERM or Ctrl-C: for systemd."""
    from app.local_kafka.foreground import serve_node
    from app.service_manager import ServiceManager
    from app.settings.load import process_environment

    manager = ServiceManager.of_environment(process_environment(), os.getpid())
    _run(serve_node(_absolute(directory), port, manager))


@kafka_app.command(epilog="Example: smsbus kafka status --json")
def status(
    directory: Directory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all details as JSON.")] = False,
) -> None:
    """Print the bootstrap servers; exit code 0: all nodes run, 1: they do not.

    Of the Kafka that `kafka up` started; `serve --local-kafka` keeps its own in the data directory, and of
    smsbus-kafka.service systemd knows.
    """
    from app.local_kafka import background

    found = _found(_absolute(directory)) or background.Detached(_absolute(directory), "", ())
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    elif found.runs:
        typer.echo(found.bootstrap_servers)
    else:
        where = f"no Kafka that `smsbus kafka up` started runs in {found.directory}, or not all of it"
        hint = f"`smsbus kafka up{_option(directory)}` starts it"
        typer.echo(
            f"{where}; {hint}. "
            "`smsbus serve --local-kafka` keeps its own, as smsbus-kafka.service does; not shown here",
            err=True,
        )
    raise typer.Exit(0 if found.runs else 1)


@kafka_app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    epilog="Example: smsbus kafka configs --bootstrap-server localhost:9092 --describe --topic sms.received.v1",
)
def configs(context: typer.Context) -> None:
    """Run Kafka's own `kafka-configs.sh`, on any Kafka: all options are that one's, also --help."""
    from app.local_kafka.tools import CONFIGS, tool_command

    command = _run(tool_command(CONFIGS, context.args))
    os.execve(command[0], command, CLEAN_ENVIRONMENT)  # noqa: S606  no shell is wanted


def _absolute(directory: Path | None) -> Path:
    from app.local_kafka.background import default_directory

    return (directory or default_directory()).absolute()


def _option(directory: Path | None) -> str:
    return f" --dir {directory}" if directory else ""


def _found(directory: Path) -> "Detached | None":
    """Return what was started there; one line where that cannot be read."""
    from app.cli.exit import readable_errors
    from app.local_kafka import background

    with readable_errors():
        return background.find(directory)


def _run(work: Coroutine[None, None, T]) -> T:
    """Run `work`; an error that a user can fix ends as one line and exit code 1."""
    from app.cli.exit import readable_errors
    from app.local_kafka import LocalKafkaError
    from app.process import PRIVATE

    os.umask(PRIVATE)
    try:
        with readable_errors():
            return asyncio.run(work)
    except LocalKafkaError as error:
        typer.echo(f"smsbus: {error}", err=True)
        raise typer.Exit(1) from None
