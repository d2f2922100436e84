"""`smsbus callback url|rotate|test`: the URL that PingMe posts to, and the token at its end."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.outcome import Code, Config, end, readable_errors, say, settings_for

if TYPE_CHECKING:
    from app.settings import Settings

callback_app = typer.Typer(no_args_is_help=True, help="The URL that PingMe posts to, and the token at its end.")
AccountName = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's name in the settings.")]


@callback_app.command()
def url(account: AccountName, config: Config = None) -> None:
    """Print the callback URL, the newest token first. It is a secret: whoever has it can post SMS."""
    with readable_errors():
        settings = settings_for(config)
        for each in _urls(settings, account):
            typer.echo(each)
        if settings.receiver.public_url is None:
            say("SMSBUS_RECEIVER__PUBLIC_URL is not set: this is how this machine sees it, not how PingMe does")


@callback_app.command()
def rotate(account: AccountName, config: Config = None) -> None:
    """Put a new token before the old ones in smsbus.toml and print it; a restart of the service takes it up."""
    import secrets

    from app.rotation import put_first
    from app.settings import config_file, variable_in_charge

    with readable_errors():
        token = secrets.token_urlsafe(24)
        if variable := variable_in_charge(("accounts", account, "callback_tokens")):
            hint = f"the tokens come from {variable}, which only you can change; put a new one before them:"
            raise end(Code.FAILED, hint, token)
        file = config_file(config)
        if file is None:
            raise end(Code.USAGE, "there is no smsbus.toml here: name it with --config")
        put_first(file, account, token)
        typer.echo(token)
        say(f"{file} is changed: restart the service, give PingMe the new URL (`smsbus callback url {account}`),")
        say("and remove the old token when nothing is posted to it any longer")


@callback_app.command("test")
def probe(account: AccountName, config: Config = None) -> None:
    """Ask the callback URL whether it is ready, and whether it refuses a wrong token. Publishes nothing."""
    from app.doorbell import ring

    with readable_errors():
        settings = settings_for(config)
        problems = [problem for each in _urls(settings, account) for problem in asyncio.run(ring(each))]
        if problems:
            raise end(Code.FAILED, *dict.fromkeys(problems))
        say(f"the receiver is ready for {account}, and refuses a wrong token")


def _urls(settings: "Settings", name: str) -> list[str]:
    account = settings.accounts.get(name)
    if account is None:
        known = ", ".join(settings.accounts) or "none"
        raise end(Code.USAGE, f"there is no account {name}; configured: {known}")
    return [settings.callback_url(token.get_secret_value()) for token in account.callback_tokens]
