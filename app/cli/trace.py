"""`smsbus trace`: what became of an SMS, or of those of a number."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Code, Config, end, readable_errors, say, settings_for
from app.cli.moment import moment_of

if TYPE_CHECKING:
    from app.trace.searching import Round, Search
    from app.trace.target import Target
    from app.trace.waiting_rows import Waiting


def trace(
    what: Annotated[str, typer.Argument(metavar="ID|NUMBER", help="The id of an event, or a number of yours.")],
    since: Annotated[
        str | None, typer.Option(metavar="10m|TIME", help="Read what came since then. Default: the newest, up to -n.")
    ] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="Of a number: show the newest N SMS.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="Give up reading after so long, and show what was found.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    config: Config = None,
) -> None:
    """Say what became of an SMS: accepted when and by whom, where in Kafka it is or if it waits, its repeats and watch.

    Also which targets of `smsbus forward` have passed it. Of a number also dead letters with its digits in them. Read
    are the topics, newest first, and this machine's journals. Neither number nor code nor text is printed. Exit code 1:
    nothing was found.
    """
    from app.progress import Progress
    from app.trace.report import limits
    from app.trace.searching import Search
    from app.trace.waiting_rows import waiting
    from bus.kafka.client import KafkaAway

    target, since_ms = _target(what), moment_of(since)
    with readable_errors():
        settings = settings_for(config)
        rows = waiting(settings, target)
        search = Search(settings.kafka, target, Progress(say), seconds=seconds)
        try:
            found = asyncio.run(_search(search, since_ms, count))
        except KafkaAway:  # what waits for it is in the journals
            _print(search.best, rows, count, as_json=as_json)
            raise
        _print(found, rows, count, as_json=as_json)
        for line in limits(found, rows, None if as_json else count):
            say(line)
        if not found.events and not rows.rows:
            raise end(Code.FAILED, "nothing was found")


def _target(what: str) -> "Target":
    from app.trace.target import target_in

    if (target := target_in(what)) is None:
        message = "it is neither an id nor a number"
        raise typer.BadParameter(message, param_hint="ID|NUMBER")
    return target


def _print(found: "Round", rows: "Waiting", count: int, *, as_json: bool) -> None:
    from app.trace import report

    if as_json:
        typer.echo(json.dumps(report.as_json(found, rows)))
        return
    for line in report.lines(found, rows, count):
        typer.echo(line)


async def _search(search: "Search", since_ms: int | None, enough: int) -> "Round":
    from app.process import now_ms

    found = await (search.newest(now_ms(), enough) if since_ms is None else search.since(since_ms))
    await search.note_forwards(found)
    return found
