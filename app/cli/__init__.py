"""The command line: `smsbus`. Each command is a function of its module; this table lists them.

Results go to stdout, messages to stderr. Heavy imports are inside the commands, so that `--help` is quick.
"""

import inspect
from pathlib import Path
from typing import Annotated

import typer

from app.cli import (
    account,
    callback,
    check,
    demo,
    forward,
    init,
    journal,
    open_page,
    rejected,
    sandbox,
    schema,
    serve,
    status,
    tail,
    topics,
    trace,
    trigger,
    wait,
    watch,
)
from app.cli.filters import EITHER_NAME
from app.cli.kafka import kafka_app
from app.process import collect_rarely, hear_every_signal, open_closed_streams, write_every_text

cli = typer.Typer(
    name="smsbus",
    help="Every SMS your numbers receive, as one durable stream on Kafka.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # Typer's traceback shows local variables, and so numbers and tokens
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from app.version import version

        typer.echo(f"smsbus {version()}")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the program itself."""


cli.command("init", epilog="Example: smsbus init --systemd --domain sms.example.org --yes")(init.init)
cli.command("serve", epilog="Example: smsbus serve --role receiver --workers 2")(serve.serve)
cli.command("status", epilog="Example: smsbus status --json | jq .degraded")(status.status)
cli.command("check", epilog="Example: smsbus check --role receiver")(check.check)
cli.command("open", epilog="Example: smsbus open --print")(open_page.open_page)
cli.command("tail", epilog="Example: smsbus tail --since 1h -f --service tg --json", context_settings=EITHER_NAME)(
    tail.tail
)
cli.command("forward", epilog="Example: smsbus forward localhost:3000/hook --service tg", context_settings=EITHER_NAME)(
    forward.forward
)
cli.command("wait", epilog="Example: CODE=$(smsbus wait grizzly 38496653 --timeout 60)", context_settings=EITHER_NAME)(
    wait.wait
)
cli.command("cursor", epilog="Example: SINCE=$(smsbus cursor)")(wait.cursor)
cli.command("trace", epilog="Example: smsbus trace +16470000000 --since 2h")(trace.trace)
cli.add_typer(topics.topics_app, name="topics")
cli.add_typer(journal.journal_app, name="journal")
cli.add_typer(rejected.rejected_app, name="rejected")
cli.add_typer(callback.callback_app, name="callback")
cli.add_typer(account.account_app, name="account")
cli.add_typer(trigger.trigger_app, name="trigger")
cli.add_typer(schema.schema_app, name="schema")
cli.add_typer(watch.watch_app, name="watch")
cli.add_typer(kafka_app, name="kafka")
cli.command("sandbox", epilog="Example: smsbus sandbox --scenario storm")(sandbox.sandbox)
cli.command("dev", epilog="Example: smsbus dev --open")(demo.dev)
cli.command("demo", epilog="Example: smsbus demo --seconds 20")(demo.demo)


def _unwrap(group: typer.Typer) -> None:
    """Let the terminal wrap the help of each command: the lines of a docstring are wrapped already."""
    for command in group.registered_commands:
        paragraphs = (inspect.getdoc(command.callback) or "").split("\n\n")  # PYTHONOPTIMIZE=2 leaves none
        command.help = "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
    for each in group.registered_groups:
        _unwrap(each.typer_instance)  # type: ignore[arg-type] # as above


_unwrap(cli)


def have_a_home() -> None:
    """Take `/`, as Docker does, where this user has no home directory: what cannot be written there is said then."""
    try:
        Path.home()
    except RuntimeError:
        from app.settings.load import take_root_as_home

        take_root_as_home()


def main() -> None:
    """Run the command line and end the process with the command's exit code."""
    hear_every_signal()
    open_closed_streams()
    write_every_text()
    have_a_home()
    collect_rarely()
    cli()
