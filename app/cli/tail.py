"""`smsbus tail`: follow received SMS."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Config, readable_errors, say, settings_for
from app.durations import seconds_in
from app.sms_line import SmsLine
from schemas.topics import RECEIVED

if TYPE_CHECKING:
    from bus.kafka.reader import ReadRecord, Start
    from bus.settings import KafkaSettings


def _seconds(duration: str) -> int:
    if (seconds := seconds_in(duration)) is None:
        message = "write it as 30s, 10m, 2h or 7d"
        raise typer.BadParameter(message)
    return seconds


def tail(
    to: Annotated[str | None, typer.Option(help="Only SMS received by this number.")] = None,
    since: Annotated[
        int | None, typer.Option(parser=_seconds, metavar="10m", help="Print from this long ago, then exit.")
    ] = None,
    count: Annotated[int | None, typer.Option("-n", min=1, help="Print the last N and exit.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print whole events, one a line, not masked.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show numbers, codes and texts.")] = False,
    config: Config = None,
) -> None:
    """Follow new SMS; with -n or --since print earlier ones. Numbers and codes are masked."""
    with readable_errors():
        kafka = settings_for(config).kafka
        follow = since is None and count is None
        show = _json if as_json else line_printer(reveal=reveal)
        if follow and sys.stderr.isatty():
            say("waiting for SMS; Ctrl-C ends")
        try:
            asyncio.run(_tail(kafka, _start(since, count, to), follow=follow, to=to, count=count, show=show))
        except KeyboardInterrupt:
            raise typer.Exit from None


def _start(since: int | None, count: int | None, to: str | None) -> "Start":
    from bus.kafka import reader

    if since is not None:
        return reader.since(int((time.time() - since) * 1000))
    if count is None:
        return reader.END
    return reader.BEGINNING if to else reader.last(count)  # the last ones of one number may be anywhere


async def _tail(
    kafka: "KafkaSettings",
    start: "Start",
    *,
    follow: bool,
    to: str | None,
    count: int | None,
    show: Callable[["ReadRecord"], None],
) -> None:
    from bus.kafka.reader import read

    records = _wanted(read(kafka, RECEIVED, start=start, follow=follow), to)
    if count is None:
        async for record in records:
            show(record)
        return
    kept = [record async for record in records]
    for record in sorted(kept, key=lambda each: each.timestamp_ms)[-count:]:
        show(record)


async def _wanted(records: AsyncIterator["ReadRecord"], to: str | None) -> AsyncIterator["ReadRecord"]:
    async for record in records:
        line = SmsLine.of(record.value) if to else None
        if not to or (line and line.is_for(to)):
            yield record


def _json(record: "ReadRecord") -> None:
    typer.echo(record.value or b"null")


def line_printer(*, reveal: bool) -> Callable[["ReadRecord"], None]:
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
