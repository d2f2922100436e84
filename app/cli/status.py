"""`smsbus status`: the service on one screen."""

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Code, Config, readable_errors, say

if TYPE_CHECKING:
    from app.settings.names import SettingsError
    from app.status import Status


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False, config: Config = None
) -> None:
    """Show how a running service is: what is wrong, since when, what users notice, and what to do.

    The service is SMSBUS_URL with SMSBUS_TOKEN, or the one on this machine. Exit codes: 0 well, 1 degraded (or it does
    not respond), 2 it accepts nothing or is starting (or the settings are wrong, and no service responds that has older
    ones).
    """
    with readable_errors():
        found = asyncio.run(_status(config))
        typer.echo(json.dumps(found.as_json(), indent=2) if as_json else "\n".join(_lines(found)))
        if code := {"well": Code.OK, "degraded": Code.FAILED}.get(found.state, Code.USAGE):
            raise typer.Exit(code)


async def _status(config: Config) -> "Status":
    from app.service import service
    from app.settings.names import SettingsError
    from app.status import status_of

    try:
        there = service(config)
    except SettingsError as wrong:
        return await _despite(wrong, config)
    async with there:
        return await status_of(there)


async def _despite(wrong: "SettingsError", config: Config) -> "Status":
    """Ask the service that runs with older settings; raise what is wrong with those on disk if there is none."""
    from app.service import ServiceError, service_despite
    from app.status import status_of

    try:
        async with service_despite(wrong, config) as there:
            found = await status_of(there)
    except ServiceError:
        raise wrong from None
    for line in wrong.lines:
        say(f"smsbus: the settings on disk are wrong: {line}")
    say("smsbus: this service runs with older ones, and does not start with these:")
    return found


def _lines(found: "Status") -> Iterator[str]:
    count = len(found.degraded)
    things = {0: "Everything works.", 1: "1 thing needs attention."}.get(count, f"{count} things need attention.")
    first = {"not accepting": "Nothing is accepted. ", "starting": "It is starting. "}.get(found.state, "")
    yield f"{first}{things if count or not first else ''}".strip()
    for each in found.degraded:
        yield ""
        yield f"{each.reason}  {f'since {each.since}' if each.since else ''}".rstrip()
        if each.users_notice:
            yield f"  users notice  {each.users_notice}"
            yield f"  what to do    {each.what_to_do}"
    yield ""
    yield f"smsbus {found.version or '?'}, up since {found.up_since or '?'}"
    yield from _facts(found)
    for account in found.accounts:
        by = " with its present tokens" if account.state == "callbacks" else ""
        heard = f"last heard {account.last_heard}" if account.last_heard else f"not heard{by} since it started"
        waiting = f", {account.queued} polls wait" if account.queued else ""
        yield f"account {account.account}: {account.state}, {heard}{waiting}"
    for target in found.targets:
        sent = f"last sent {target.last_sent}" if target.last_sent else "nothing sent since it started"
        yield f"target {target.target}: {target.lag} waiting, {sent}"


def _facts(found: "Status") -> Iterator[str]:
    if found.kafka_connected is not None:
        yield f"Kafka: {'connected' if found.kafka_connected else 'not connected'}"
    if found.journal_rows is not None:
        yield f"journal: {found.journal_rows} waiting{_fill(found)}; in lanes: {found.pending}"
    if found.shards is not None:
        yield f"polling: {found.watches} watches in {found.shards} shards"
    yield f"inbox: {_inbox(found.inbox_events, found.inbox_behind_seconds)}"


def _fill(found: "Status") -> str:
    """Return how old the oldest in the journal is, and how much of its limit they take."""
    if not found.journal_rows:
        return ""
    limit = found.journal_max_bytes
    share = f", {(found.journal_bytes or 0) / limit:.0%} of the limit" if limit else ""
    return f", the oldest for {found.journal_oldest_seconds:.0f} s{share}"


def _inbox(events: int | None, behind: float | None) -> str:
    """Return how the inbox is; a token that is limited to accounts is not told how many events it holds."""
    if behind is None:
        return "not visible from here"
    here = [f"{events} events"] if events is not None else []
    return ", ".join([*here, f"{behind:.0f} s behind"] if behind else here or ["up to date"])
