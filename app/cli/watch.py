"""`smsbus watch …`: what is to be watched, straight to and from Kafka."""

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.outcome import Code, Config, end, readable_errors, say, settings_for

if TYPE_CHECKING:
    from bus.settings import KafkaSettings
    from pollers.watch_table import Known, WatchTable
    from pollers.watches import WatchRequest

watch_app = typer.Typer(no_args_is_help=True, help="Orders at polling providers whose SMS are wanted.")

UNITS = {"m": 60, "h": 3600, "d": 86400}
Id = Annotated[str, typer.Argument(metavar="WATCH", help="The watch's id, or ACCOUNT/ORDER.")]


@watch_app.command()
def add(
    account: Annotated[str, typer.Argument(help="The configured account.")],
    order: Annotated[str, typer.Argument(help="The provider's id of the activation or rent.")],
    rent: Annotated[bool, typer.Option("--rent", help="It is a rent.")] = False,
    number: Annotated[str | None, typer.Option(help="The number that it bought.")] = None,
    service: Annotated[str | None, typer.Option(help="The provider's word for the service.")] = None,
    until: Annotated[str | None, typer.Option(metavar="20m", help="How long to watch.")] = None,
    ref: Annotated[str | None, typer.Option(help="Your own text, echoed in every event.")] = None,
    history: Annotated[str, typer.Option(help="SMS older than the watch: emit or skip.")] = "emit",
    after_sms: Annotated[str, typer.Option(help="After an SMS: keep, request_next or finish.")] = "keep",
    config: Config = None,
) -> None:
    """Watch an order; prints the watch's id. The same again prints the same id."""
    from pydantic import ValidationError

    from pollers.watches import WatchRequest
    from schemas import timestamps

    now_ms = time.time_ns() // 1_000_000
    expires = timestamps.to_text(now_ms + _seconds(until) * 1000) if until else None
    with readable_errors():
        settings = settings_for(config)
        if account not in settings.accounts:
            raise end(Code.USAGE, f"no account {account} is configured; there are: {', '.join(settings.accounts)}")
        try:
            asked = WatchRequest(
                account=account,
                order_kind="rent" if rent else "activation",
                order_id=order,
                recipient=number,
                service=service,
                expires_at=expires,
                history=history,
                after_sms=after_sms,
                client_ref=ref,
            )
        except ValidationError as error:
            raise end(Code.USAGE, *(f"--{each['loc'][0]}: {each['msg']}" for each in error.errors())) from None
        typer.echo(asyncio.run(put(settings.kafka, asked)))


async def put(kafka: "KafkaSettings", asked: "WatchRequest") -> str:
    """Ask for a watch; return its id. Ends the command where the same watch is open with other words."""
    from bus.commands import CommandWriter
    from pollers.watches import conflicts

    watch, table = asked.watch(time.time_ns() // 1_000_000), await _table(kafka)
    there = table.get(watch.watch_id)
    if there and (different := conflicts(there.watch, watch)):
        raise end(Code.FAILED, f"{watch.watch_id} is open with another {', '.join(different)}")
    if there is None:
        writer = CommandWriter(kafka)
        try:
            await writer.put(watch.key(), watch.to_json())
        finally:
            await writer.close()
    return watch.watch_id


@watch_app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Ended ones, too.")] = False, config: Config = None
) -> None:
    """Print one line a watch, newest first; the numbers are masked."""
    with readable_errors():
        for known in asyncio.run(_table(settings_for(config).kafka)).all():
            if everything or known.ended is None:
                typer.echo(_line(known))


@watch_app.command()
def show(watch: Id, config: Config = None) -> None:
    """Print a watch and how far it has come, as JSON."""
    from app.watch_api import told

    with readable_errors():
        table = asyncio.run(_table(settings_for(config).kafka))
        typer.echo(json.dumps(told(_found(table, watch)), ensure_ascii=False, indent=2))


def _wish(name: str, meaning: str) -> None:
    def command(watch: Id, config: Config = None) -> None:
        with readable_errors():
            asyncio.run(_say(settings_for(config).kafka, watch, name))
            say(f"{name} is asked for; the shard's owner does it")

    watch_app.command(name, help=meaning)(command)


_wish("stop", "Stop watching; the order stays as it is at the provider.")
_wish("next", "Ask the provider for the next SMS on the same number, once the present one is published.")
_wish("finish", "Finish the order at the provider.")
_wish("cancel", "Cancel the order at the provider, after one last look.")


async def _say(kafka: "KafkaSettings", watch: str, wish: str) -> None:
    from app.watch_api import wished
    from bus.commands import CommandWriter

    known = _found(await _table(kafka), watch)
    if known.ended is not None:
        raise end(Code.FAILED, f"this watch has ended: {known.ended}")
    writer = CommandWriter(kafka)
    try:
        changed = wished(known, wish)
        await writer.put(changed.key(), changed.to_json())
    finally:
        await writer.close()


async def _table(kafka: "KafkaSettings") -> "WatchTable":
    from pollers.watch_table import WatchTable

    table = WatchTable(kafka)
    await table.fill()
    return table


def _found(table: "WatchTable", named: str) -> "Known":
    account, _, order = named.partition("/")
    for known in table.all():
        if named == known.watch.watch_id or (account, order) == (known.watch.account, known.watch.order_id):
            return known
    raise end(Code.FAILED, f"there is no watch {named}: see `smsbus watch list --all`")


def _line(known: "Known") -> str:
    from app.sms_lines import masked_number

    watch = known.watch
    status = known.ended or ("watching" if known.progress else "not seen by a poller yet")
    fields = (watch.watch_id, watch.account, watch.order_kind, watch.order_id, masked_number(watch.recipient or ""))
    return "\t".join((*fields, f"{known.sms_count} SMS", status, f"until {watch.expires_at}"))


def _seconds(duration: str) -> int:
    match = re.fullmatch(r"(\d{1,5})([mhd])", duration)
    if match is None:
        message = "write it as 20m, 4h or 30d"
        raise typer.BadParameter(message)
    return int(match[1]) * UNITS[match[2]]
