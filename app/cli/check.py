"""`smsbus check`: one line for each requirement of `smsbus serve`."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Code, Config, RoleOption, readable_errors, settings_for

if TYPE_CHECKING:
    from app.settings.load import Settings

MARKS = {"ok": "✓ ok     ", "warning": "! warning", "failed": "✗ failed "}


def check(
    print_settings: Annotated[bool, typer.Option("--print", help="Print the settings first, secrets masked.")] = False,
    role: RoleOption = "all",
    config: Config = None,
) -> None:
    """Check settings, Kafka, topics, journal, clock and accounts.

    Exit code: 0 OK, 1 problems found, 2 invalid settings.
    """
    with readable_errors():
        settings = settings_for(config)
        if print_settings:
            _print(settings)
        typer.echo(f"{MARKS['ok']} the settings can be read")
        if asyncio.run(_failed(settings, config, role)):
            raise typer.Exit(Code.FAILED)


async def _failed(settings: "Settings", config: Config, role: RoleOption) -> bool:
    from datetime import UTC, datetime

    from app.checks.preflight import look
    from app.settings.load import config_file

    failed = False
    async for finding in look(settings, now=datetime.now(UTC), file=config_file(config), role=role):
        typer.echo(f"{MARKS[finding.mark]} {finding.text}")
        failed = failed or finding.mark == "failed"
    return failed


def _print(settings: "Settings") -> None:
    from app.settings.load import shown

    for key, value in shown(settings):
        typer.echo(f"{key} = {value}")
