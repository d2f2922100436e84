"""`smsbus tail`: follow received SMS."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Config, kafka_of, readable_errors, say, settings_for
from app.cli.filters import (
    Contains,
    Freshness,
    HasCode,
    OfAccount,
    OfOrder,
    OfWatch,
    Provider,
    Ref,
    Service,
    To,
    filter_of,
)
from app.sms_line import SmsLine
from schemas.topics import MESSAGE_PARTITIONS, RECEIVED

if TYPE_CHECKING:
    from bus.kafka.reader import ReadRecord, Start
    from bus.settings import KafkaSettings
    from inbox.cursor import Cursor
    from inbox.filters import Filter

NOTHING = "no such SMS is there"
GONE = (
    "what follows this cursor is not in Kafka any more, or it is of another Kafka: give a time, like 10m, or take "
    "a cursor of now (`smsbus cursor`)"
)
OTHER_FILTER = "this cursor belongs to other filters: repeat those that it was returned for, or give a time, like 10m"
Show = Callable[["ReadRecord"], None]


def _since(text: str) -> "Start | Cursor":
    """Return where to begin."""
    from app.process import now_ms
    from app.since import HOW, moment_in
    from bus.kafka import reader
    from inbox.cursor import Cursor

    if (moment := moment_in(text, now_ms())) is not None:
        return reader.since(moment)
    try:
        return Cursor.of(text, (RECEIVED,))
    except ValueError:
        message = f"write it as {HOW}"
        raise typer.BadParameter(message, param_hint="--since") from None


async def _after(kafka: "KafkaSettings", cursor: "Cursor", wanted: "Filter") -> "Start":
    """Return where to begin after a cursor; refuse one from which nobody can go on without a gap."""
    from bus.kafka import reader
    from bus.kafka.topics import partitions
    from bus.kafka.topics_reader import open_reader
    from inbox.asking import OtherFilter
    from inbox.continuing import check
    from inbox.tail import Gone

    await partitions(kafka, RECEIVED)  # says what to do if there are none
    try:
        async with open_reader(kafka, {RECEIVED: MESSAGE_PARTITIONS}) as topics:
            await check(topics, cursor, wanted)
    except (Gone, OtherFilter) as error:
        message = GONE if isinstance(error, Gone) else OTHER_FILTER
        raise typer.BadParameter(message, param_hint="--since") from None
    return reader.at({part.partition: place.offset for part, place in cursor.places.items()})


def tail(
    to: To = None,
    account: OfAccount = None,
    provider: Provider = None,
    service: Service = None,
    ref: Ref = None,
    watch: OfWatch = None,
    order: OfOrder = None,
    freshness: Freshness = None,
    has_code: HasCode = None,
    contains: Contains = None,
    since: Annotated[str | None, typer.Option(metavar="10m|TIME|CURSOR", help="Print what came since then.")] = None,
    count: Annotated[int | None, typer.Option("-n", min=1, help="Print the last N.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="With -n or --since: then go on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print whole events, one a line, not masked.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show numbers, codes and texts.")] = False,
    config: Config = None,
) -> None:
    """Follow new SMS; with -n or --since print earlier ones and exit. Numbers and codes are masked."""
    wanted = filter_of(
        to,
        has_code,
        account=account,
        provider=provider,
        service=service,
        ref=ref,
        watch=watch,
        order=order,
        freshness=freshness,
        contains=contains,
    )
    begin = _since(since) if since is not None else None
    with readable_errors():
        kafka = kafka_of(settings_for(config))
        follow = follow or (since is None and count is None)
        if follow and sys.stderr.isatty():
            say("waiting for SMS; Ctrl-C ends")
        show = _json if as_json else line_printer(reveal=reveal)
        try:
            asyncio.run(_tail(kafka, begin, wanted, show, follow=follow, count=count))
        except KeyboardInterrupt:
            raise typer.Exit from None


async def _tail(
    kafka: "KafkaSettings",
    since: "Start | Cursor | None",
    wanted: "Filter",
    show: Show,
    *,
    follow: bool,
    count: int | None,
) -> None:
    from bus.kafka import reader
    from inbox.cursor import Cursor

    start = await _after(kafka, since, wanted) if isinstance(since, Cursor) else since
    if count is not None:
        start = await _last(kafka, start, wanted, show, count)
        if not follow:
            return
    if follow:
        records = reader.follow(kafka, RECEIVED, start=start or reader.END, say=lambda text: say(f"smsbus: {text}"))
    else:
        records = reader.read(kafka, RECEIVED, start=start or reader.END, follow=False)
    found = False
    async with aclosing(records):  # `show` fails where nobody reads any more: `| head -1`
        async for record in records:
            if _matches(record, wanted):
                found = True
                show(record)
    if not found:
        say(NOTHING)


async def _last(kafka: "KafkaSettings", start: "Start | None", wanted: "Filter", show: Show, count: int) -> "Start":
    """Show the last ones; return where to go on."""
    from bus.kafka import reader
    from inbox.filters import Filter

    # Without a filter each partition's last ones suffice; with one they may be anywhere.
    start = start or (reader.last(count) if wanted == Filter() else reader.BEGINNING)
    kept, positions = [], dict[int, int]()
    async for record in reader.read(kafka, RECEIVED, start=start, follow=False):
        positions[record.partition] = record.offset + 1
        if _matches(record, wanted):
            kept.append(record)
    for record in sorted(kept, key=lambda each: each.timestamp_ms)[-count:]:
        show(record)
    if not kept:
        say(NOTHING)
    return reader.at(positions)


def _matches(record: "ReadRecord", wanted: "Filter") -> bool:
    """Tell whether it was asked for; what is no event is shown only where nothing was."""
    from bus.kafka.topics_reader import Part
    from inbox.filters import Filter
    from inbox.item import Item

    item = Item.of(Part(RECEIVED, record.partition), record) if wanted != Filter() else None
    return wanted.matches(item) if item is not None else wanted == Filter()


def _json(record: "ReadRecord") -> None:
    typer.echo(record.value or b"null")


def line_printer(*, reveal: bool) -> Show:
    """Return a function that prints a record as a line for people: in color on a terminal, masked unless `reveal`."""
    show = _rich() if sys.stdout.isatty() else lambda line: typer.echo(line.plain())

    def print_line(record: "ReadRecord") -> None:
        line = SmsLine.of(record.value)
        if line is None:
            say(f"partition {record.partition} offset {record.offset} is not an event")
        else:
            show(line if reveal else line.masked())

    return print_line


def _rich() -> Callable[[SmsLine], None]:
    from rich.console import Console
    from rich.text import Text

    console = Console()

    def show(line: SmsLine) -> None:
        parts = [
            (line.observed_at, "dim"),
            (line.recipient, "cyan"),
            (line.sender, "magenta"),
            (line.code, "bold green"),
        ]
        console.print(Text("  ").join([*(Text(text, style) for text, style in parts if text), Text(line.text)]))

    return show
