"""`smsbus wait` and `smsbus cursor`: clients of the inbox's HTTP API."""

import asyncio
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.completion import account_names
from app.cli.exit import Code, Config, end, readable_errors, say
from app.cli.filters import Contains, Freshness, HasCode, OfAccount, OfOrder, Provider, Ref, Service, given
from app.durations import seconds_in
from app.process import now_ms
from app.since import HOW, is_cursor, moment_in
from schemas.normalize import number_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.waiting import Event, Wanted

LEAST_DIGITS, LONG_ENOUGH = 7, 11
"""Of a number: any, and the shortest that usually has its country's code."""


def wait(
    account: Annotated[
        str | None, typer.Argument(help="The account of an order.", autocompletion=account_names, callback=given)
    ] = None,
    order: Annotated[str | None, typer.Argument(help="The provider's id of the order.", callback=given)] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="NUMBER", help="Wait for a number's next SMS.", callback=given)
    ] = None,
    watch: Annotated[
        str | None, typer.Option("--watch", metavar="ID", help="Wait for a watch's SMS.", callback=given)
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="10m|TIME|CURSOR", help="Of a number: also what came since then.")
    ] = None,
    sequence: Annotated[
        int | None,
        typer.Option(min=0, help="Of an activation: its SMS with this number or a later one; 0 is the first."),
    ] = None,
    rent: Annotated[bool, typer.Option("--rent", help="The order is a rent.")] = False,
    number: Annotated[
        str | None, typer.Option(help="Of the order, for its SMS, where this begins to watch it.")
    ] = None,
    of_account: OfAccount = None,
    of_order: OfOrder = None,
    provider: Provider = None,
    service: Service = None,
    ref: Ref = None,
    freshness: Freshness = None,
    has_code: HasCode = None,
    contains: Contains = None,
    match: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Only an SMS whose text matches.", callback=given)
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="SECONDS|2m", help="Give up after so long: exit code 3.")] = "120",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole event.")] = False,
    as_text: Annotated[bool, typer.Option("--text", help="Print the SMS's text.")] = False,
    config: Config = None,
) -> None:
    """Wait for an SMS, and print its code, alone.

    Of an activation the first SMS counts, whether it came before or comes yet.
    Of a number the next one does. An order that was never watched is watched from now on, also after this command.
    Exit codes: 3 nothing came in time, 4 the watch ended without it, 6 nobody could say in time whether it came. The
    service is SMSBUS_URL with SMSBUS_TOKEN, or the one on this machine.
    """
    if account is not None and order is None:
        account, order = _in_one(account)
    names = {
        "recipient": to,
        "account": _once(account, of_account, "ACCOUNT, or --account"),
        "order_id": _once(order, of_order, "ORDER, or --order"),
        "watch_id": watch,
        "since": since,
        "provider": provider,
        "service": service,
        "client_ref": ref,
        "freshness": freshness,
        "contains": contains,
        "sequence": str(sequence) if sequence is not None else None,
        "has_code": str(has_code).lower() if has_code is not None else None,
    }
    if since is not None and not is_cursor(since) and moment_in(since, now_ms()) is None:
        raise end(Code.USAGE, f"--since: write it as {HOW}")
    if as_json and as_text:
        raise end(Code.USAGE, "--json and --text: give one of them")
    only_codes, seconds = not (as_json or as_text), _seconds(timeout)
    if only_codes and has_code is False:
        raise end(Code.USAGE, "an SMS without a code has only --text or --json to print")
    named = {name: value for name, value in names.items() if value is not None}
    with readable_errors():
        wanted = _wanted(named, match, rent=rent, number=number)._replace(codes=only_codes)
        event = _waited(wanted, seconds, config)
        typer.echo(json.dumps(event, ensure_ascii=False) if as_json else event["text"] if as_text else event["code"])


def cursor(config: Config = None) -> None:
    """Print the inbox's cursor of now: what comes later is found with --since CURSOR."""
    with readable_errors(), _or_unavailable("there is no cursor now"):
        typer.echo(asyncio.run(_cursor(config)))


def _in_one(named: str) -> tuple[str, str | None]:
    """Return account and order of ACCOUNT/ORDER, as `smsbus watch` takes them."""
    account, slash, order = named.partition("/")
    return account, order if slash else None


def _once(argument: str | None, option: str | None, names: str) -> str | None:
    if argument is not None and option is not None:
        raise end(Code.USAGE, f"give it once: {names}")
    return argument if argument is not None else option


def _seconds(timeout: str) -> int:
    found = int(timeout) if timeout.isdecimal() and timeout.isascii() else seconds_in(timeout)
    if not found:
        raise end(Code.USAGE, "--timeout must be seconds, 1 or more, or a duration like 2m")
    return found


def _wanted(named: dict[str, str], match: str | None, *, rent: bool, number: str | None) -> "Wanted":
    from app.waiting import Wanted

    ways = [{"recipient"}, {"recipient", "account"}, {"account", "order_id"}, {"watch_id"}]
    if named.keys() & {"recipient", "account", "order_id", "watch_id"} not in ways:
        account = named.get("account", "")
        guess = f" (did you mean --to {account}?)" if len(number_written(account)) >= LEAST_DIGITS else ""
        raise end(Code.USAGE, f"say what to wait for: --to NUMBER, or ACCOUNT ORDER, or --watch ID{guess}")
    if number is not None and "order_id" not in named:
        raise end(Code.USAGE, "--number is of an order, ACCOUNT ORDER; for a number's next SMS it is --to NUMBER")
    try:
        return Wanted(named, re.compile(match) if match else None, rent, number)
    except re.error as error:
        raise end(Code.USAGE, f"--match is not a regular expression: {error}") from None


def _waited(wanted: "Wanted", seconds: int, config: Config) -> "Event":
    from app.waiting import WatchEnded, WrongQuestion

    try:
        with _or_unavailable(f"nobody could say within {seconds} s whether an SMS came"):
            return asyncio.run(_wait(wanted, seconds, config))
    except WatchEnded as ended:
        raise end(Code.ENDED, str(ended)) from None
    except WrongQuestion as wrong:
        raise end(Code.USAGE, *str(wrong).splitlines()) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def _or_unavailable(unknown: str) -> "Iterator[None]":
    """End the command where nobody can say now what it asks."""
    from app.waiting import Unavailable

    try:
        yield
    except Unavailable as outage:
        raise end(Code.UNAVAILABLE, f"{unknown}: {outage}") from None


async def _wait(wanted: "Wanted", seconds: int, config: Config) -> "Event":
    from app.service import service
    from app.waiting import came_before, wait_for

    async with service(config) as there:
        event = await wait_for(there, wanted, seconds, lambda text: say(f"smsbus: {text}"))
        if event is not None:
            return event
        since = await came_before(there, wanted, seconds)
    hint = f"; one came shortly before this began: {since} finds it" if since else ""
    raise end(Code.TIMED_OUT, f"nothing came within {seconds} s{hint}{_spelling(wanted.parameters)}")


def _spelling(parameters: "Mapping[str, str]") -> str:
    """Return a hint if a number is not written as providers write it."""
    written = number_written(parameters.get("recipient", ""))
    if written and (written.startswith("0") or LEAST_DIGITS <= len(written) < LONG_ENOUGH):
        return "; a number is matched whole, with its country's code and no 00: like 16470000000"
    return ""


async def _cursor(config: Config) -> str:
    from app.service import ServiceError, service
    from app.waiting import Unavailable

    async with service(config) as there:
        answer = await there.get("/v1/cursor")
    if answer.status == 503:
        raise Unavailable(answer.detail)
    if answer.status != 200:
        raise ServiceError(answer.detail)
    return str(answer.content["cursor"])
