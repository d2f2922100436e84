"""`smsbus callback url|rotate|test`: the URL that PingMe posts to, and its token."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.check import MARKS
from app.cli.exit import AccountName, Code, Config, account_named, end, readable_errors, say, settings_for

if TYPE_CHECKING:
    from app.checks.finding import Finding
    from app.settings.load import Settings
    from app.settings.sections import Account

APPLY = "send the service SIGHUP (`kill -HUP`, `systemctl reload`), or restart it"
NOT_PROVEN = (
    "not proven: that PingMe reaches it (all was asked from this machine, behind its firewalls), and that "
    "an SMS arrives: `smsbus trigger pingme --account {}` sends one"
)
RETIRE = (
    "Remove all old tokens from the file. Refused unless the service running on this machine has recorded uses for 24 "
    "hours and seen none; --force removes them anyway, e.g. a leaked one."
)

callback_app = typer.Typer(no_args_is_help=True, help="The URL that PingMe posts to, and its token.")


@callback_app.command(epilog="Example: smsbus callback url shop")
def url(account: AccountName, config: Config = None) -> None:
    """Print the callback URLs, the newest token's first. They are secret: anyone who has one can post SMS."""
    with readable_errors():
        settings = settings_for(config)
        for each in _urls(settings, account):
            typer.echo(each)
        if settings.receiver.public_url is None:
            say("SMSBUS_RECEIVER__PUBLIC_URL is not set: this is the local address, not the one that PingMe needs")


@callback_app.command(epilog="Example: smsbus callback rotate shop")
def rotate(
    account: AccountName,
    retire: Annotated[bool, typer.Option("--retire", help=RETIRE)] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --retire: remove them without asking the service.")
    ] = False,
    config: Config = None,
) -> None:
    """Add a new token before the old ones in smsbus.toml and print it; SIGHUP makes the service use it."""
    import secrets

    from app.settings.rotation import put_first
    from receiver.auth import fingerprint

    with readable_errors():
        if force and not retire:
            raise end(Code.USAGE, "--force needs --retire")
        if retire:
            _retire(account, config, force=force)
            return
        called_back(settings_for(config), account)
        token = secrets.token_urlsafe(24)
        file = _file_to_change(account, config, "put this one before them, a comma between", token)
        put_first(file, account, token)
        typer.echo(token)
        say(f"its fingerprint in GET /v1/callbacks: {fingerprint(token)}")
        say(f"{file} is changed: {APPLY}, then give PingMe the new URL (`smsbus callback url {account}`)")
        say(f"the old one stays valid; `smsbus callback rotate {account} --retire` removes it a day after its last use")


def _retire(name: str, config: Path | None, *, force: bool) -> None:
    """Remove the old tokens from the file; the service knows whether they are in use."""
    from datetime import UTC, datetime

    from app.settings.retirement import objections
    from app.settings.rotation import keep_first

    settings = settings_for(config)
    tokens = [token.get_secret_value() for token in called_back(settings, name).callback_tokens]
    old = len(tokens) - 1
    file = _file_to_change(name, config, "keep only the first of them")
    if old < 1:
        say(f"{name} has no old token")
        return
    if not force and (reasons := asyncio.run(objections(settings, name, datetime.now(UTC)))):
        raise end(Code.FAILED, *reasons, "nothing was removed; --force removes them anyway")
    keep_first(file, name, tokens)
    say(f"{file} is changed, {old} old token(s) removed: {APPLY}")


def _file_to_change(account: str, config: Path | None, do: str, *token: str) -> Path:
    """Return the smsbus.toml that has the account's tokens; where a variable has them, end with what to `do` there."""
    from app.settings.load import config_file, file_in_charge, variable_in_charge

    if variable := variable_in_charge(("accounts", account, "callback_tokens")):
        where, then = variable, "restart the service (SIGHUP does not read variables)"
        if named := file_in_charge(variable):
            where, then = f"the file {named} ({variable})", "send the service SIGHUP"
        line = f"the tokens come from {where}, which you have to change yourself: {do}, then {then}"
        raise end(Code.FAILED, line, *token)
    file = config_file(config)
    if file is None:
        raise end(Code.USAGE, "there is no smsbus.toml here: give its path with --config")
    return file


@callback_app.command("test", epilog="Example: smsbus callback test shop")
def probe(account: AccountName, config: Config = None) -> None:
    """Check what can be known from here of the callback URL, and that a wrong token is refused. Publishes nothing."""
    with readable_errors():
        settings = settings_for(config)
        findings = list(dict.fromkeys(asyncio.run(_found(_urls(settings, account)))))
        for each in findings:
            if each.mark != "failed":
                typer.echo(f"{MARKS[each.mark]} {each.text}")
        if problems := [each.text for each in findings if each.mark == "failed"]:
            raise end(Code.FAILED, *problems)
        say(f"the receiver is ready for {account} and refuses a wrong token")
        say(NOT_PROVEN.format(account))


async def _found(urls: list[str]) -> "list[Finding]":
    from datetime import UTC, datetime

    from yarl import URL

    from app.checks.callback_url import probe
    from app.checks.public_address import address_findings

    findings = await address_findings(URL(urls[0]).origin(), datetime.now(UTC))
    for url in urls:
        findings += await probe(url)
    return findings


def _urls(settings: "Settings", name: str) -> list[str]:
    return [settings.callback_url(token.get_secret_value()) for token in called_back(settings, name).callback_tokens]


def called_back(settings: "Settings", name: str) -> "Account":
    """Return the PingMe account of this name; ends the command where there is none."""
    account = account_named(settings, name)
    if account.provider != "pingme":
        raise end(Code.USAGE, f"{name} is not a PingMe account, so it has no callback tokens")
    return account
