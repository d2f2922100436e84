"""`smsbus trigger …`: send a test SMS, by callback or through the sandbox."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.callback import called_back
from app.cli.completion import account_names
from app.cli.exit import Code, Config, end, or_stdin, readable_errors, settings_for

if TYPE_CHECKING:
    from app.settings.load import Settings

trigger_app = typer.Typer(no_args_is_help=True, help="Send a test SMS: by callback, or to an order in the sandbox.")


@trigger_app.command(epilog="Example: smsbus trigger pingme --to 16470000000")
def pingme(
    to: Annotated[str, typer.Option(help="Receiving number.")] = "12015550100",
    sender: Annotated[str, typer.Option("--from", help="Sender.")] = "14165550123",
    text: Annotated[str, typer.Option(help="Text of the SMS.")] = "[jd] code is 482913.",
    account: Annotated[
        str | None, typer.Option(help="PingMe account. Default: the only one.", autocompletion=account_names)
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Post to this URL instead of the account's callback URL; -: read it from stdin."),
    ] = None,
    bad: Annotated[
        Literal["duplicate", "malformed"] | None, typer.Option(help="Send it twice, or send a malformed body.")
    ] = None,
    config: Config = None,
) -> None:
    """Post one callback and print the response. Exit code 5: the receiver could not make it durable."""
    from app.process import now_ms
    from schemas.timestamps import to_text

    with readable_errors():
        where, user_id = (or_stdin(url), "sandbox") if url else _callback(settings_for(config), account)
        fields = {"app": "jd", "from": sender, "to": to, "userId": user_id, "text": text, "time": to_text(now_ms())}
        if bad == "malformed":
            del fields["text"]
        for _ in range(2 if bad == "duplicate" else 1):
            _post(where, fields)


def _callback(settings: "Settings", name: str | None) -> tuple[str, str]:
    """Return the callback URL of an account and the userId that it expects."""
    names = [name] if name else [each.name for each in settings.pingme_accounts()]
    if len(names) != 1:
        known = ", ".join(names) or "none"
        raise end(Code.USAGE, f"give the account with --account, or a URL with --url; configured: {known}")
    account = called_back(settings, names[0])
    return settings.callback_url(account.callback_tokens[0].get_secret_value()), account.user_id or "sandbox"


Account = Annotated[
    str, typer.Argument(help="A polled account whose base_url is a sandbox.", autocompletion=account_names)
]
Text = Annotated[str | None, typer.Option(help="Text of the SMS; {code} and {nonce} are filled in.")]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with the sandbox's token. Default: where `smsbus sandbox` writes it.")
]
After = Annotated[float, typer.Option("--after", min=0, help="Seconds until the SMS arrives.")]


@trigger_app.command(epilog="Example: smsbus trigger activation grizzlysms --after 5")
def activation(
    account: Account, text: Text = None, after: After = 1.0, token_file: TokenFile = None, config: Config = None
) -> None:
    """Open an activation in the sandbox that receives an SMS, and watch it; prints the watch's id and the order."""
    _order(config, account, "activation", text, after, token_file)


@trigger_app.command(epilog="Example: smsbus trigger rent grizzlysms")
def rent(
    account: Account, text: Text = None, after: After = 1.0, token_file: TokenFile = None, config: Config = None
) -> None:
    """Open a rent in the sandbox that receives an SMS, and watch it; prints the watch's id and the order."""
    _order(config, account, "rent", text, after, token_file)


def _order(config: Path | None, name: str, kind: str, text: str | None, after: float, token_file: Path | None) -> None:
    from app.cli.watch import insist_on_kind, put
    from pollers.watch_commands import WatchRequest

    with readable_errors():
        settings = settings_for(config)
        account = settings.accounts.get(name)
        if account is None or account.base_url is None:
            raise end(
                Code.USAGE,
                f"{name} is not a polled account with a base_url: source the lines that `smsbus sandbox` printed",
            )
        insist_on_kind(account.provider, kind)
        if token_file is not None and not token_file.is_file():
            raise end(Code.USAGE, f"{token_file} does not exist")
        plan = {"at": after} | ({"text": text} if text else {})
        wanted = {"provider": account.provider, "kind": kind, "sms": [plan]}
        order = asyncio.run(_opened(account.base_url, wanted, token_file))
        asked = WatchRequest(account=name, order_kind=kind, order_id=order["order"], recipient=order["number"])
        typer.echo(f"{asyncio.run(put(settings.kafka, asked))} {order['order']}")


async def _opened(base_url: str, wanted: Mapping[str, object], token_file: Path | None) -> dict[str, str]:
    import aiohttp
    from yarl import URL

    from app.cli.sandbox_token import default_file, read

    url = URL(base_url).origin() / "control" / "orders"
    kept = token_file or default_file(url.port or 0)
    shown = {"Authorization": f"Bearer {read(kept)}"}
    try:
        async with aiohttp.ClientSession() as session, session.post(url, json=wanted, headers=shown) as answer:
            if answer.status == 401:
                raise end(
                    Code.FAILED, f"{url} does not accept the token in {kept}: give another file with --token-file"
                )
            if answer.status != 201:
                raise end(Code.FAILED, f"{url} is not a sandbox (HTTP {answer.status}): see `smsbus sandbox`")
            order: dict[str, str] = await answer.json()
            return order
    except aiohttp.ClientConnectionError:
        raise end(Code.FAILED, f"nothing listens at {url}: is `smsbus sandbox` running?") from None


def _post(url: str, fields: dict[str, str]) -> None:
    from sandbox.pingme import post_callback

    answer = asyncio.run(post_callback(url, fields))
    if not answer.http:
        raise end(Code.FAILED, "no response: is `smsbus serve` running, and is the URL right?")
    words = (answer.status, answer.id, answer.reason)
    typer.echo(" ".join([str(answer.http), *(word for word in words if word)]))
    if not answer.seen:
        raise typer.Exit(Code.NOT_DURABLE if answer.http == 503 else Code.FAILED)
