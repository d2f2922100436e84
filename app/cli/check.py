"""`smsbus check`: one line for each requirement of `smsbus serve`."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Code, Config, RoleOption, readable_errors, settings_for
from app.cli.rows import AsJson, print_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.checks.finding import Finding
    from app.settings.load import Settings

MARKS = {"ok": "✓ ok     ", "warning": "! warning", "failed": "✗ failed "}


def check(
    print_settings: Annotated[bool, typer.Option("--print", help="Print the settings first, secrets masked.")] = False,
    role: RoleOption = "all",
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Check settings, Kafka, topics, journal, clock and accounts; providers are asked whether they accept the key.

    Exit code: 0 OK, 1 problems found, 2 invalid settings.
    """
    with readable_errors():
        settings = settings_for(config)
        if print_settings:
            _print(settings, as_json=as_json)
        _print_finding("ok", _settings_read(config), as_json=as_json)
        if asyncio.run(_failed(settings, config, role, as_json=as_json)):
            raise typer.Exit(Code.FAILED)


def _settings_read(config: Config) -> str:
    from app.settings.load import FILE, config_file

    here = "" if config_file(config) else f": from variables alone, there is no {FILE} in this directory"
    return f"the settings can be read{here}"


def _print_finding(mark: str, text: str, *, as_json: bool) -> None:
    print_row(f"{MARKS[mark]} {text}", {"mark": mark, "text": text}, as_json=as_json)


async def _failed(settings: "Settings", config: Config, role: RoleOption, *, as_json: bool) -> bool:
    failed = False
    async for finding in _findings(settings, config, role):
        _print_finding(finding.mark, finding.text, as_json=as_json)
        failed = failed or finding.mark == "failed"
    return failed


async def _findings(settings: "Settings", config: Config, role: RoleOption) -> "AsyncIterator[Finding]":
    from datetime import UTC, datetime

    from app.checks.preflight import look
    from app.checks.running import running
    from app.settings.load import config_file

    async for finding in look(settings, now=datetime.now(UTC), file=config_file(config), role=role):
        yield finding
    for finding in await running(settings):
        yield finding


def _print(settings: "Settings", *, as_json: bool) -> None:
    from app.settings.load import shown

    for key, value in shown(settings):
        print_row(f"{key} = {value}", {"setting": key, "value": value}, as_json=as_json)
