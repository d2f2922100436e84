"""`smsbus account list|methods|call`: the configured accounts, and every documented method of their providers.

Methods have the names of the providers' documents, with the prefix `rent:` for SMS-Man's rent API. A method is called
once and never repeated automatically: some cost money, and after a time-out it is unknown whether it was spent.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from app.cli.account_messages import outcome, sentence
from app.cli.exit import AccountName, Code, Config, account_named, end, readable_errors, say, settings_for
from app.cli.purchase import Wanted, wanted_of
from app.cli.rows import AsJson, print_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from yarl import URL

    from app.settings.load import Settings
    from app.settings.sections import Account
    from providers.client import Api, Endpoint
    from providers.http_client import HttpClient, RawResponse
    from providers.results import Order

account_app = typer.Typer(no_args_is_help=True, help="The configured accounts, and what their providers offer.")

PATIENCE: Final = 60.0  # seconds: a person can wait, and after a time-out it is unknown whether something was bought
OF_SETTINGS: Final = " here: this reads the settings, and does not ask the service of SMSBUS_URL (`smsbus status` does)"
LARGEST: Final = 16 * 1024 * 1024  # bytes: a price list of all countries is large


class Recorder:
    """Keeps the last body, to show it if it is not recognised."""

    def __init__(self, http: "HttpClient") -> None:
        self._http = http
        self.body = b""

    async def get(self, url: "URL") -> "RawResponse":
        """Return the response to a GET."""
        return await self.request("GET", url)

    async def request(
        self, method: str, url: "URL", *, headers: "Mapping[str, str] | None" = None, body: bytes | None = None
    ) -> "RawResponse":
        """Return the response."""
        self.body = b""
        response = await self._http.request(method, url, headers=headers, body=body)
        self.body = response.body
        return response


@account_app.command("list", epilog="Example: smsbus account list")
def list_accounts(as_json: AsJson = False, config: Config = None) -> None:
    """Print one line per account: its name, its provider, and the address if it is not the default."""
    from app.settings.load import client_variables, without_secrets

    with readable_errors():
        accounts = settings_for(config).accounts
        for name, account in accounts.items():
            base_url = without_secrets(account.base_url) if account.base_url else None
            row = {"account": name, "provider": account.provider, "base_url": base_url}
            print_row(" ".join(part for part in row.values() if part), row, as_json=as_json)
        if not accounts:
            say(f"no account is configured{OF_SETTINGS if client_variables()[0] else ''}")


@account_app.command("methods", epilog="Example: smsbus account methods grizzly")
def list_methods(account: AccountName, as_json: AsJson = False, config: Config = None) -> None:
    """Print one line per method that `call` takes: its name, its parameters, and whether it costs money."""
    from providers import APIS

    with readable_errors():
        for endpoint in APIS[account_named(settings_for(config), account).provider].endpoints.values():
            print_row(_usage(endpoint), _as_row(endpoint), as_json=as_json)


def _as_row(endpoint: "Endpoint[Any]") -> dict[str, object]:
    takes = {"required": endpoint.required, "optional": endpoint.optional}
    return {"method": endpoint.name, **takes, "costs_money": endpoint.buys}


@account_app.command(epilog="Example: smsbus account call grizzly getNumber service=tg country=2 --watch")
def call(
    account: AccountName,
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="As in the provider's document; `account methods` lists them.")
    ],
    parameters: Annotated[list[str] | None, typer.Argument(metavar="K=V…", help="The method's parameters.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before spending money.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help='Watch the order that is bought; prints {"watch_id": …} after it.')
    ] = False,
    config: Config = None,
) -> None:
    """Call a method once and print the result as JSON. Methods that cost money show the price and ask first.

    A bought order is printed before anything else can fail. With --watch a second JSON document follows,
    {"watch_id": …}; when the order cannot be watched, the exit code is 1 and stderr has the command that watches it.
    """
    with readable_errors():
        settings = settings_for(config)
        if watch:
            _insist_on_watchable(settings, account, method)
        called_with = parameters or []
        answer = called(settings, account, method, called_with, yes=yes)
        _print(answer)
        if watch and (order := bought(answer)):
            wanted = wanted_of(account, settings.accounts[account].zone, order, given(called_with))
            typer.echo(json.dumps({"watch_id": _watch(settings, wanted, config)}))


def _insist_on_watchable(settings: "Settings", name: str, method: str) -> None:
    """Check that a watch can be opened, before money is spent."""
    from bus.kafka import topics
    from schemas.topics import WATCHES

    account = settings.accounts.get(name)
    if account is None or account.provider == "pingme" or not _endpoint(account, method).buys:
        raise end(Code.USAGE, f"--watch needs a method of a polled account that buys an order; {method} does not")
    asyncio.run(topics.partitions(settings.kafka, WATCHES))


def _print(answer: object) -> None:
    """Print a result at once; if stdout is closed, a purchase is printed on stderr."""
    try:
        typer.echo(as_json(answer))
    except (OSError, UnicodeError):
        if bought(answer) is None:
            raise
        say(as_json(answer).encode("ascii", "backslashreplace").decode())


def _watch(settings: "Settings", wanted: "Wanted", config: "Path | None") -> str:
    """Open a watch on the bought order; on any error, print what was bought and the command that watches it."""
    from app.cli.watch import put

    try:
        with readable_errors():
            return asyncio.run(put(settings.kafka, wanted.request(), keep=True))
    except BaseException as error:
        unwatched = end(Code.FAILED, *wanted.unwatched(config))
        if isinstance(error, typer.Exit):
            raise unwatched from None
        raise


def called(settings: "Settings", name: str, method: str, parameters: list[str], *, yes: bool) -> object:
    """Return the typed result of one call; an error ends the command with a message."""
    account = account_named(settings, name)
    endpoint = _endpoint(account, method)
    params = _params(account, endpoint, parameters)
    if endpoint.buys:
        _agree(account, endpoint, params, yes=yes)
    answer, body = asyncio.run(_ask(account, endpoint, params))
    _insist_on_success(account, endpoint, answer, body)
    return answer


def bought(answer: object) -> "Order | None":
    """Return the order in a result of `called`; None if nothing was bought."""
    from providers.results import Order

    return answer if isinstance(answer, Order) else None


def as_json(answer: object) -> str:
    """Return the result as JSON: an object that begins with its kind, or a list of objects."""
    import re
    from dataclasses import asdict, is_dataclass

    from schemas.normalize import clean

    def plain(each: object) -> object:
        return asdict(each) if is_dataclass(each) and not isinstance(each, type) else each

    if isinstance(answer, tuple):
        shown: object = [plain(each) for each in answer]
    else:
        fields = plain(answer)
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(answer).__name__).lower()
        shown = {"answer": kind, **fields} if isinstance(fields, dict) else fields
    return clean(json.dumps(shown, ensure_ascii=False, indent=2))


@asynccontextmanager
async def _opened(account: "Account") -> "AsyncIterator[tuple[Api, Recorder]]":
    """Yield a client of the account, and the recorder of its responses."""
    from pydantic import SecretStr

    from providers import APIS
    from providers.http_client import HttpClient

    key = account.app_key if account.provider == "pingme" else account.api_key
    async with HttpClient(proxy_url=account.proxy_url, total_seconds=PATIENCE, limit=LARGEST) as http:
        recorder = Recorder(http)
        new = APIS[account.provider]
        yield new(api_key=key or SecretStr(""), base_url=account.base_url, fetcher=recorder), recorder


def _endpoint(account: "Account", method: str) -> "Endpoint[Any]":
    import difflib

    from providers import APIS

    if account.provider == "pingme" and account.app_key is None:
        raise end(Code.USAGE, "PingMe's methods need the account's app_key, which PingMe gives at activation")
    endpoints = APIS[account.provider].endpoints
    if method in endpoints:
        return endpoints[method]
    close = difflib.get_close_matches(method, endpoints, n=1)
    guess = f": did you mean {close[0]}?" if close else ""
    known = [f"  {_usage(endpoint)}" for endpoint in endpoints.values()]
    raise end(Code.USAGE, f"{account.provider} has no method {method}{guess} There are:", *known)


def _usage(endpoint: "Endpoint[Any]") -> str:
    optional = [f"[{name}=…]" for name in endpoint.optional]
    price = ["(costs money)"] if endpoint.buys else []
    return " ".join([endpoint.name, *(f"{name}=…" for name in endpoint.required), *optional, *price])


def given(parameters: list[str]) -> dict[str, str]:
    """Return the `name=value` arguments by name."""
    pairs = [parameter.partition("=") for parameter in parameters]
    return {name: value for name, _, value in pairs}


def _params(account: "Account", endpoint: "Endpoint[Any]", parameters: list[str]) -> dict[str, str]:
    """Return the parameters by name. PingMe's userId comes from the settings."""
    pairs = [parameter.partition("=") for parameter in parameters]
    names = [name for name, _, _ in pairs]
    allowed = (*endpoint.required, *endpoint.optional)
    params = given(parameters)
    if account.user_id and "userId" in allowed:
        params.setdefault("userId", account.user_id)
    problems = [f"{name} needs a value: {name}=…" for name, equals, _ in pairs if not equals and name in allowed]
    problems += [f"{name} is not a parameter of {endpoint.name}" for name in names if name not in allowed]
    problems += [f"{name} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [f"{name} is missing" for name in endpoint.required if not params.get(name) and name not in names]
    if problems:
        raise end(Code.USAGE, *problems, f"usage: {_usage(endpoint)}")
    return params


def _agree(account: "Account", endpoint: "Endpoint[Any]", params: dict[str, str], *, yes: bool) -> None:
    """Ask whether to spend the money; end the command if not."""
    price = asyncio.run(_price(account, endpoint, params))
    price_in_words = f"the price is {price}" if price else "price unknown: the provider does not say it beforehand"
    say(f"{endpoint.name} at {account.provider} costs money; {price_in_words}")
    if yes:
        return
    if not is_terminal():
        raise end(Code.USAGE, "there is no terminal for the question: add --yes to spend the money")
    say("Spend it? [y/N]")  # not typer.confirm, which leaves a blank on stdout
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise end(Code.FAILED, "nothing was bought")


def is_terminal() -> bool:
    """Return whether there is a person to ask."""
    return sys.stdin.isatty()


async def _price(account: "Account", endpoint: "Endpoint[Any]", params: dict[str, str]) -> str | None:
    async with _opened(account) as (client, _):
        return await client.price(endpoint, params)


async def _ask(account: "Account", endpoint: "Endpoint[Any]", params: dict[str, str]) -> tuple[object, bytes]:
    """Return the typed result, and the body that it was read from."""
    async with _opened(account) as (client, recorder):
        return await client.call(endpoint, params), recorder.body


def _insist_on_success(account: "Account", endpoint: "Endpoint[Any]", answer: object, body: bytes) -> None:
    from providers.http_client import UNSENT
    from providers.observation import Ended, Gone, ProviderError

    if isinstance(answer, Gone) or (isinstance(answer, Ended) and endpoint.buys):
        raise end(Code.FAILED, f"{account.provider} does not know this order, or it is over")
    if not isinstance(answer, ProviderError):
        return
    words = sentence(answer.code)
    lines = [f"{endpoint.name} at {account.provider}: {answer.code} ({words})"]
    if answer.kind == "unrecognised":
        lines.append(f"the response was: {_readable(account, body)}")
    if answer.kind == "transient" or (answer.kind == "unrecognised" and endpoint.buys):
        lines.append(outcome(buys=endpoint.buys, sent=answer.code not in UNSENT))
    raise end(Code.TIMED_OUT if answer.code == "timeout" else Code.FAILED, *lines)


def _readable(account: "Account", body: bytes) -> str:
    """Return the beginning of a body, printable and without the account's keys."""
    text = body.decode("utf-8", "replace")
    for key in (account.api_key, account.app_key):
        text = text.replace(key.get_secret_value(), "…") if key and key.get_secret_value() else text
    return "".join(letter if letter.isprintable() else " " for letter in text[:500])
