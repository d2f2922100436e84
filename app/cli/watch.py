"""`smsbus watch …`: the watches, read from and written to Kafka directly; a service opens one of its own accounts."""

import asyncio
import json
import shlex
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.completion import account_names
from app.cli.exit import Code, Config, end, kafka_of, readable_errors, say, settings_for
from app.cli.rows import AsJson, print_row
from app.durations import seconds_in
from app.process import now_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bus.settings import KafkaSettings
    from pollers.watch_commands import WatchRequest
    from pollers.watches.watch_listing import Filters
    from pollers.watches.watch_table import Known, WatchTable
    from schemas.messages import Watch

watch_app = typer.Typer(no_args_is_help=True, help="Watch orders at polled providers for SMS.")

OPTIONS = {
    "order_id": "ORDER",
    "recipient": "--number",
    "service": "--service",
    "message_type": "--type",
    "history": "--history",
    "after_sms": "--after-sms",
    "client_ref": "--ref",
}
"""The command's options for the fields of a watch."""
BEHIND_MS = 60_000  # a smaller difference is not reported
Id = Annotated[list[str], typer.Argument(metavar="WATCH", help="The watch's id, or ACCOUNT ORDER.")]


@watch_app.command(epilog="Example: smsbus watch add grizzly 38496653 --until 20m --ref signup-42")
def add(
    account: Annotated[str, typer.Argument(help="The configured account.", autocompletion=account_names)],
    order: Annotated[str, typer.Argument(help="The provider's id of the activation or rent.")],
    rent: Annotated[bool, typer.Option("--rent", help="The order is a rent.")] = False,
    number: Annotated[str | None, typer.Option(help="The number of the order.")] = None,
    service: Annotated[str | None, typer.Option(help="The provider's name for the service.")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="sms|call|voice", help="What was bought. Default: sms.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="20m", help="How long to watch, like 20m, 4h or 30d. Default: 25m, for a rent 31d."),
    ] = None,
    ref: Annotated[str | None, typer.Option(help="Your own text, echoed in every event.")] = None,
    history: Annotated[
        str | None, typer.Option(metavar="emit|skip", help="What to do with SMS older than the watch. Default: emit.")
    ] = None,
    after_sms: Annotated[
        str | None, typer.Option(metavar="keep|request_next|finish", help="What to do after an SMS. Default: keep.")
    ] = None,
    config: Config = None,
) -> None:
    """Watch an order; prints the watch's id.

    Repeating it for the same order prints the same id: it reopens an ended watch, and a later --until extends it.
    Options that are left out keep their values.
    """
    from app.settings.load import client_variables
    from app.settings.sections import POLLED

    lasting = _seconds(until) if until is not None else None
    options = {
        "recipient": number,
        "service": service,
        "message_type": kind,
        "history": history,
        "after_sms": after_sms,
        "client_ref": ref,
    }
    said = {name: value for name, value in options.items() if value is not None}
    asked = _asked(account=account, order_kind="rent" if rent else "activation", order_id=order, **said)
    with readable_errors():
        settings = settings_for(config)
        polled = [name for name, each in settings.accounts.items() if each.provider in POLLED]
        if account not in polled:
            if client_variables()[0]:
                typer.echo(asyncio.run(_opened_by_service(asked, lasting, config)))
                return
            known = ", ".join(polled) or "none"
            raise end(Code.USAGE, f"no polled account {account} is configured; there are: {known}")
        insist_on_kind(settings.accounts[account].provider, asked.order_kind)
        typer.echo(asyncio.run(put(settings.kafka, asked, lasting=lasting)))


async def _opened_by_service(asked: "WatchRequest", lasting: int | None, config: Config) -> str:
    """Request a watch from the service of SMSBUS_URL, whose accounts these settings do not have; return its id."""
    from app.service import ServiceError, service
    from schemas import timestamps

    until = {"expires_at": timestamps.to_text(now_ms() + lasting * 1000)} if lasting is not None else {}
    async with service(config) as there:
        answer = await there.post("/v1/watches", {**asked.model_dump(exclude_unset=True), **until})
    if answer.status not in {200, 201}:
        raise ServiceError(answer.detail)
    return str(answer.content["watch_id"])


def insist_on_kind(provider: str, order_kind: str) -> None:
    """End the command if the provider has no such orders."""
    from app.admin.watch_messages import no_such_kind
    from providers import PROVIDERS, has_kind

    if provider in PROVIDERS and not has_kind(provider, order_kind):
        raise end(Code.USAGE, no_such_kind(provider, order_kind))


def _asked(**said: str) -> "WatchRequest":
    """Return the request with just these fields."""
    from pydantic import ValidationError

    from app.admin.watch_messages import MESSAGE_TYPES, MUST_BE
    from pollers.watch_commands import WatchRequest

    try:
        asked = WatchRequest.model_validate(said)
        wrong = [] if asked.message_type in MESSAGE_TYPES else ["message_type"]
    except ValidationError as error:
        wrong = [str(each["loc"][0]) for each in error.errors()]
    if not said["order_id"]:
        raise end(Code.USAGE, "ORDER must not be empty")
    if wrong:
        raise end(Code.USAGE, *(f"{OPTIONS[name]}: {MUST_BE[name]}" for name in wrong))
    return asked


async def put(kafka: "KafkaSettings", asked: "WatchRequest", *, lasting: int | None = None, keep: bool = False) -> str:
    """Request a watch that lasts so many seconds; return its id.

    If it is open with other values, `keep` leaves them as they are; without it the command ends.
    """
    from schemas import timestamps

    table = await _table(kafka)
    now_ms = _now_ms(table)
    if lasting is not None:
        asked = asked.model_copy(update={"expires_at": timestamps.to_text(now_ms + lasting * 1000)})
    known = table.get(asked.watch_id)
    _insist_on_no_conflict(known, asked, keep=keep)
    watch = asked.watch(now_ms, uuid.uuid4().hex, there=known.watch if known is not None else None)
    await _write(kafka, watch)
    return watch.watch_id


def _now_ms(table: "WatchTable") -> int:
    """Return our clock's time, or the pollers' if ours is behind: otherwise a watch would end too early."""
    ours_ms = now_ms()
    if (behind_ms := table.newest_ms - ours_ms) > BEHIND_MS:
        say(f"this machine's clock is {behind_ms // 1000} s or more behind the pollers' clock, which is used instead")
    return max(ours_ms, table.newest_ms)


def _insist_on_no_conflict(there: "Known | None", asked: "WatchRequest", *, keep: bool) -> None:
    from app.admin.watch_messages import in_conflict
    from pollers.watch_commands import conflicts

    if there is None or there.watch is None or there.ended is not None:
        return
    if there.stuck:
        raise end(Code.FAILED, f"the state of {asked.watch_id} cannot be read by this version, so it is left unchanged")
    if not keep and (different := conflicts(there.watch, asked)):
        raise end(Code.FAILED, f"{asked.watch_id} is open {in_conflict(different, asked.watch_id)}")


@watch_app.command("list", epilog="Example: smsbus watch list --account grizzly")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Include ended watches.")] = False,
    account: Annotated[
        str | None, typer.Option(help="Only watches of this account.", autocompletion=account_names)
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="Only open, ended or unreadable ones, or those ended for this reason.")
    ] = None,
    ref: Annotated[str | None, typer.Option(help="Only watches with this --ref.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print one line for each watch, newest first; numbers are masked, except with --json."""
    from pollers.watches.watch_listing import STATES, Filters

    if state is not None and state not in STATES:
        raise end(Code.USAGE, f"--state must be one of {', '.join(STATES)}")
    with readable_errors():
        filters = Filters(account=account, state=state, client_ref=ref)
        with_ended = everything or state is not None
        asyncio.run(_list(kafka_of(settings_for(config)), filters, with_ended=with_ended, as_json=as_json))


async def _list(kafka: "KafkaSettings", filters: "Filters", *, with_ended: bool, as_json: bool) -> None:
    from app.admin.watch_view import view

    found = False
    async for known in _listed(await _table(kafka), filters):
        if with_ended or known.ended is None:
            found = True
            print_row(_line(known), view(known, now_ms=now_ms()), as_json=as_json)
    if not found:
        say("no such watch is there" if with_ended else "no such watch is open (--all has those that ended)")


async def _listed(table: "WatchTable", filters: "Filters") -> "AsyncIterator[Known]":
    from pollers.watches.watch_listing import LARGEST_PAGE

    after: str | None = None
    while True:
        page = await table.listing(filters, LARGEST_PAGE, after)
        for known in page.watches:
            yield known
        if (after := page.next) is None:
            return


@watch_app.command(epilog="Example: smsbus watch show grizzly 38496653")
def show(watch: Id, config: Config = None) -> None:
    """Print a watch and its progress as JSON, and on stderr why something is not known.

    Of several of one order an open one is shown, else the newest.
    """
    from app.admin.watch_view import newest_first, view
    from app.cli.watch_notes import notes

    named = "/".join(watch)
    with readable_errors():
        kafka = kafka_of(settings_for(config))
        known, *others = newest_first(_named(asyncio.run(_table(kafka)), named, kafka))
        for other in others:
            kind = other.watch.order_kind if other.watch else "unreadable"
            say(f"{named} has two watches: the other is {other.watch_id} ({kind}, {other.ended or 'not ended'})")
        shown = view(known, now_ms=now_ms())
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        for note in notes(known, kafka.bootstrap_servers):
            say(note)


@watch_app.command("next", epilog="Example: smsbus watch next grizzly 38496653 --after 1")
def next_(
    watch: Id,
    after: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Request it once N SMS were received: the last one's sequence plus one."),
    ] = None,
    config: Config = None,
) -> None:
    """Request the next SMS on the same number, once the current one is published."""
    _ask(watch, "next", config, after=after)


@watch_app.command(epilog="Example: smsbus watch stop grizzly 38496653")
def stop(watch: Id, config: Config = None) -> None:
    """Stop watching; the order at the provider is not changed."""
    _ask(watch, "stop", config)


@watch_app.command(epilog="Example: smsbus watch finish grizzly 38496653")
def finish(watch: Id, config: Config = None) -> None:
    """Finish the order at the provider."""
    _ask(watch, "finish", config)


@watch_app.command(epilog="Example: smsbus watch cancel grizzly 38496653")
def cancel(watch: Id, config: Config = None) -> None:
    """Cancel the order at the provider, after one last poll."""
    _ask(watch, "cancel", config)


def _ask(watch: list[str], desired: str, config: Config, *, after: int | None = None) -> None:
    with readable_errors():
        asyncio.run(_request(kafka_of(settings_for(config)), "/".join(watch), desired, after))
        say(f"{desired} requested; a running `smsbus serve` does it: see `smsbus watch show {shlex.join(watch)}`")


async def _request(kafka: "KafkaSettings", named: str, desired: str, after: int | None) -> None:
    from pollers.watch_commands import with_request

    known = _live(_named(await _table(kafka), named, kafka), named)
    if known.watch is None or known.stuck:
        raise end(Code.FAILED, f"{known.watch_id} cannot be read by this version, so it is left unchanged")
    await _write(kafka, with_request(known.watch, desired, request_id=uuid.uuid4().hex, after=after))


async def _write(kafka: "KafkaSettings", watch: "Watch") -> None:
    from bus.sharding.commands import CommandWriter

    writer = CommandWriter(kafka)
    try:
        await writer.put(watch.key(), watch.to_json())
    finally:
        await writer.close()


async def _table(kafka: "KafkaSettings") -> "WatchTable":
    from pollers.watches.watch_table import WatchTable

    table = WatchTable(kafka)
    await table.fill()
    return table


def _named(table: "WatchTable", named: str, kafka: "KafkaSettings") -> "list[Known]":
    """Return the watch of this id, or those of ACCOUNT/ORDER: an activation and a rent may have the same number."""
    from schemas.identity import watch_id

    account, _, order = named.partition("/")
    ids = (named, *(watch_id(account, kind, order) for kind in ("activation", "rent")))
    found = [known for each in ids if (known := table.get(each)) is not None]
    if not found:
        where = f"on the Kafka at {kafka.bootstrap_servers}"
        raise end(Code.FAILED, f"there is no watch {named} {where}: see `smsbus watch list --all`")
    return found


def _live(found: "list[Known]", named: str) -> "Known":
    """Return the one that is open; money is at stake, so nothing is guessed."""
    live = [known for known in found if known.ended is None]
    if len(live) > 1:
        both = [f"  {known.watch_id} ({known.watch.order_kind if known.watch else 'unreadable'})" for known in live]
        raise end(Code.FAILED, f"{named} has two watches, give the id of one:", *both)
    if not live:
        raise end(Code.FAILED, *(f"{known.watch_id} has ended: {known.ended}" for known in found))
    return live[0]


def _line(known: "Known") -> str:
    from app.sms_line import masked_number

    if (watch := known.watch) is None:
        return f"{known.watch_id}\tcannot be read by this version"
    status = known.ended or ("watching" if known.progress else "not picked up by a poller yet")
    if known.unreadable:
        status = "cannot be read by this version"
    fields = (watch.watch_id, watch.account, watch.order_kind, watch.order_id, masked_number(watch.recipient or ""))
    return "\t".join((*fields, f"{known.sms_count} SMS", status, f"until {known.expires_at}"))


def _seconds(duration: str) -> int:
    if not (seconds := seconds_in(duration, units="mhd", digits=5)):
        raise end(Code.USAGE, "--until: how long to watch, like 20m, 4h or 30d")
    return seconds
