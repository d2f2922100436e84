"""`smsbus callback url|rotate|test`: the URL that PingMe posts to, and its token."""

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.check import MARKS
from app.cli.exit import AccountName, Code, Config, account_named, end, readable_errors, say, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Add a new token before the old ones and print it; SIGHUP makes the service use it.

    They are changed where they are: in smsbus.toml, or in the file that a variable `…__CALLBACK_TOKENS_FILE` names.
    """
    import secrets

    from receiver.auth import fingerprint

    with readable_errors():
        if force and not retire:
            raise end(Code.USAGE, "--force needs --retire")
        if retire:
            _retire(account, config, force=force)
            return
        called_back(settings_for(config), account)
        token = secrets.token_urlsafe(24)
        file = _put_first(account, config, token)
        typer.echo(token)
        say(f"its fingerprint in GET /v1/callbacks: {fingerprint(token)}")
        say(f"{file} is changed: {APPLY}, then give PingMe the new URL (`smsbus callback url {account}`)")
        say(f"the old one stays valid; `smsbus callback rotate {account} --retire` removes it a day after its last use")


def _put_first(account: str, config: Path | None, token: str) -> Path:
    """Put the token before the account's others, and return the file that was changed; ends where that cannot be."""
    from app.settings.rotation import put_first, put_first_alone

    do = "put this one before them, a comma between"
    if own := _file_of_tokens(account):
        with _else_yourself(account, do, token):
            put_first_alone(own, token)
        return own
    file = _file_to_change(account, config, do, token)
    put_first(file, account, token)
    return file


def _retire(name: str, config: Path | None, *, force: bool) -> None:
    """Remove the old tokens from the file; the service knows whether they are in use."""
    from datetime import UTC, datetime

    from app.settings.retirement import objections
    from app.settings.rotation import keep_first, keep_first_alone

    settings = settings_for(config)
    tokens = [token.get_secret_value() for token in called_back(settings, name).callback_tokens]
    old = len(tokens) - 1
    do = "keep only the first of them"
    own = _file_of_tokens(name)
    file = own or _file_to_change(name, config, do)
    if old < 1:
        say(f"{name} has no old token")
        return
    if not force and (reasons := asyncio.run(objections(settings, name, datetime.now(UTC)))):
        raise end(Code.FAILED, *reasons, "nothing was removed; --force removes them anyway")
    if own:
        with _else_yourself(name, do):
            keep_first_alone(own, tokens)
    else:
        keep_first(file, name, tokens)
    say(f"{file} is changed, {old} old token(s) removed: {APPLY}")
    if old > 1:
        say(f"more than one: does PingMe have the URL that is left (`smsbus callback url {name}`)?")


def _file_of_tokens(account: str) -> Path | None:
    """Return the file that has this account's tokens and nothing else, if a variable names one that is a file."""
    from app.settings.load import file_in_charge, variable_in_charge

    variable = variable_in_charge(_place_of(account))
    named = file_in_charge(variable) if variable else None
    return Path(named) if named and Path(named).is_file() else None


@contextmanager
def _else_yourself(account: str, do: str, *token: str) -> "Iterator[None]":
    """Where the file may not be replaced, end with what to `do` there."""
    from app.settings.load import variable_in_charge

    try:
        yield
    except OSError as error:
        variable = variable_in_charge(_place_of(account)) or ""
        raise _yourself(variable, f" ({error.strerror or type(error).__name__})", do, token) from None


def _file_to_change(account: str, config: Path | None, do: str, *token: str) -> Path:
    """Return the smsbus.toml that has the account's tokens; where a variable has them, end with what to `do` there."""
    from app.settings.load import config_file, variable_in_charge

    if variable := variable_in_charge(_place_of(account)):
        raise _yourself(variable, "", do, token)
    file = config_file(config)
    if file is None:
        raise end(Code.USAGE, "there is no smsbus.toml here: give its path with --config")
    return file


def _yourself(variable: str, because: str, do: str, token: tuple[str, ...]) -> typer.Exit:
    from app.settings.load import file_in_charge

    where, then = variable, "restart the service (SIGHUP does not read variables)"
    if named := file_in_charge(variable):
        where, then = f"the file {named} ({variable})", "send the service SIGHUP"
    line = f"the tokens come from {where}, which you have to change yourself{because}: {do}, then {then}"
    return end(Code.FAILED, line, *token)


def _place_of(account: str) -> tuple[str, str, str]:
    return ("accounts", account, "callback_tokens")


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
