"""`smsbus trigger pingme`: post one callback to the receiver, as the provider would."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.outcome import Code, Config, end, readable_errors, settings_for

if TYPE_CHECKING:
    from app.settings import Settings

trigger_app = typer.Typer(no_args_is_help=True, help="Post an SMS of your own to the receiver, as the provider would.")


@trigger_app.callback()
def _providers() -> None:
    """One command a provider."""


@trigger_app.command()
def pingme(
    to: Annotated[str, typer.Option(help="The number that receives it.")] = "12015550100",
    sender: Annotated[str, typer.Option("--from", help="Who sends it.")] = "14165550123",
    text: Annotated[str, typer.Option(help="The SMS.")] = "[jd] code is 482913.",
    account: Annotated[str | None, typer.Option(help="Which account. Default: the only one.")] = None,
    url: Annotated[str | None, typer.Option(help="Post there instead of to the account's callback URL.")] = None,
    bad: Annotated[
        Literal["duplicate", "malformed"] | None, typer.Option(help="Send it twice, or send nonsense.")
    ] = None,
    config: Config = None,
) -> None:
    """Post one callback, print what was answered. Exit code 5: the receiver could not make it durable."""
    from datetime import UTC, datetime

    with readable_errors():
        where, user_id = (url, "sandbox") if url else _callback(settings_for(config), account)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        fields = {"app": "jd", "from": sender, "to": to, "userId": user_id, "text": text, "time": now}
        if bad == "malformed":
            del fields["text"]
        for _ in range(2 if bad == "duplicate" else 1):
            _post(where, fields)


def _callback(settings: "Settings", name: str | None) -> tuple[str, str]:
    """Return the callback URL of an account and the userId that it expects."""
    names = [name] if name else list(settings.accounts)
    if len(names) != 1 or names[0] not in settings.accounts:
        known = ", ".join(settings.accounts) or "none"
        raise end(Code.USAGE, f"say which account with --account, or where with --url; configured: {known}")
    account = settings.accounts[names[0]]
    return settings.callback_url(account.callback_tokens[0].get_secret_value()), account.user_id or "sandbox"


def _post(url: str, fields: dict[str, str]) -> None:
    from sandbox.pingme import post_callback

    answer = asyncio.run(post_callback(url, fields))
    if not answer.http:
        raise end(Code.FAILED, "nobody answered: is `smsbus serve` running, and is the URL right?")
    words = (answer.status, answer.id, answer.reason)
    typer.echo(" ".join([str(answer.http), *(word for word in words if word)]))
    if not answer.seen:
        raise typer.Exit(Code.NOT_DURABLE if answer.http == 503 else Code.FAILED)
