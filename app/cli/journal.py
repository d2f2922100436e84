"""`smsbus journal status|drain|show|export|skip`: the messages that wait on disk."""

import asyncio
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import journal_rows
from app.cli.exit import Code, Config, end, readable_errors, say, settings_for
from app.cli.rows import AsJson, print_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.settings.load import Settings
    from bus.contract import Ledger
    from bus.journal.status import JournalStatus
    from bus.settings import BusSettings, KafkaSettings

journal_app = typer.Typer(no_args_is_help=True, help="Messages that wait on disk for Kafka.")
journal_app.command(epilog="Example: smsbus journal show -n 5 --json")(journal_rows.show)
journal_app.command(epilog="Example: smsbus journal export --to rows.jsonl")(journal_rows.export)
journal_app.command(epilog="Example: smsbus journal skip 17")(journal_rows.skip)


@journal_app.command(epilog="Example: smsbus journal status")
def status(
    directory: Annotated[
        Path | None,
        typer.Argument(
            readable=False, help="A journal directory, or that of one process in it. Default: bus.journal_dir."
        ),
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print one line for each journal: rows, bytes, when the oldest was received, and whether a process holds it.

    A question mark: damaged, so that it cannot be counted; the line says how many rows can be read.

    Exit code 1: one of them is quarantined or has damaged rows, or this user cannot open it.
    """
    from bus.journal import status as journal_status

    with readable_errors():
        where = directory or settings_for(config).bus.journal_dir
        found = journal_status.look(where)
        journals = journal_status.status(found.journals)
        for journal in journals:
            print_row(_as_line(journal), _as_row(journal), as_json=as_json)
        if not journals and not found.closed:
            say(f"no messages in {where}")
        if found.closed or any(journal.problem or journal.damaged for journal in journals):
            raise end(Code.FAILED, *found.closed)


@journal_app.command(epilog="Example: smsbus journal drain /var/lib/smsbus/journal --timeout 120")
def drain(
    directory: Annotated[
        Path, typer.Argument(readable=False, help="A journal directory, or that of one process in it.")
    ],
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for Kafka to take everything.")] = 60.0,
    config: Config = None,
) -> None:
    """Publish what waits in journals that no process holds. Exit code 3: not all of it in time; the rest waits on.

    Of one process's directory only that: those beside it are held meanwhile, so that nobody touches them.
    """
    from bus.journal import status as journal_status

    with readable_errors():
        settings = settings_for(config)
        directory = directory.absolute()  # its parent is wanted
        wanted = journal_status.journals(directory)
        journals = journal_status.status(wanted)
        free = {journal.directory: journal.rows or 0 for journal in journals if not (journal.held or journal.problem)}
        if not any(free.values()):
            _insist_on_nothing(journals)
            say(f"no messages in {directory}")
            return
        if any(journal.held for journal in journals):
            say("a journal held by a running process is left to that process")
        _publish(settings, directory.parent if wanted == [directory] else directory, free, timeout)
        _insist_on_nothing([journal for journal in journals if journal.problem])


def _publish(settings: "Settings", where: Path, free: "Mapping[Path, int]", timeout: float) -> None:
    """Publish these journals of a directory, of which the rows are given, and end the command if that takes too long.

    The others in the directory are held meanwhile.
    """
    from app.process import PRIVATE
    from bus.journal import status as journal_status
    from bus.kafka import topics

    _insist_on_topics(asyncio.run(topics.check(settings.kafka)))
    bus = settings.bus.model_copy(update={"journal_dir": where, "orphan_scan_interval": 0.5})
    os.umask(PRIVATE)
    rows = sum(free.values())
    with ExitStack() as beside:
        _hold(beside, {*journal_status.look(where).journals} - {*free})
        try:
            ledger = asyncio.run(_drain(settings.kafka, bus, rows, timeout))
        except KeyboardInterrupt:
            say("interrupted: what is not published stays in the journal, and the next drain goes on with it")
            raise typer.Exit(130) from None
    typer.echo(ledger.line())
    if not _is_drained(ledger, rows):
        raise end(Code.TIMED_OUT, f"not done within {timeout:.0f} s; the rest stays in the journal")


def _hold(stack: ExitStack, journals: "Iterable[Path]") -> None:
    """Hold what nobody else holds until the end."""
    from bus.journal.claim import try_claim

    for journal in journals:
        if claim := try_claim(journal):
            stack.callback(claim.release)


def _as_line(journal: "JournalStatus") -> str:
    row, held = _as_row(journal), journal.problem or ("held" if journal.held else "free")
    held += f"; {journal.damage}" if journal.damage else ""
    if journal.rows is None:
        return f"{journal.directory} rows=? bytes=? oldest=? {held}"
    return f"{journal.directory} rows={journal.rows} bytes={journal.bytes} oldest={row['oldest'] or '-'} {held}"


def _as_row(journal: "JournalStatus") -> dict[str, object]:
    from schemas.timestamps import to_text

    oldest = to_text(journal.oldest_ms) if journal.oldest_ms is not None else None
    counted = {"rows": journal.rows, "bytes": journal.bytes, "oldest": oldest}
    owned = {"held": journal.held, "problem": journal.problem, "damaged": journal.damaged}
    return {"directory": str(journal.directory), **counted, **owned}


def _insist_on_nothing(journals: "list[JournalStatus]") -> None:
    """End the command if there is something that it cannot publish."""
    held = sum(journal.rows or 0 for journal in journals if journal.held)
    waiting = [f"{journal.directory}: {journal.problem}" for journal in journals if journal.problem]
    if held:
        waiting.append(f"{held} rows are in journals that a running process holds; that process publishes them")
    if waiting:
        raise end(Code.FAILED, *waiting)


async def _drain(kafka: "KafkaSettings", settings: "BusSettings", rows: int, seconds: float) -> "Ledger":
    from app.process import instance_id
    from bus.kafka_bus import KafkaBus

    bus = KafkaBus(kafka, settings, instance=instance_id())
    await bus.start()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not _is_drained(bus.ledger, rows):  # noqa: ASYNC110 - adopting sets no event
                    await asyncio.sleep(0.1)
    finally:
        await bus.stop(deadline=5.0)
    return bus.ledger


def _insist_on_topics(problems: list[str]) -> None:
    if problems:
        raise end(Code.FAILED, *problems)


def _is_drained(ledger: "Ledger", rows: int) -> bool:
    return ledger.adopted >= rows and not ledger.pending
