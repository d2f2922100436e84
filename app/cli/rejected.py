"""`smsbus rejected list|show|replay`: dead letters, and a second try after the parser or the settings changed."""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from app.cli.account import is_terminal
from app.cli.exit import Code, Config, end, readable_errors, say, settings_for
from app.cli.filters import OfAccount
from app.cli.moment import moment_of

if TYPE_CHECKING:
    from app.rejected.letters import Letter, Letters, Wanted
    from app.rejected.parsing import Outcome
    from app.rejected.replaying import Plan
    from app.settings.load import Settings

NONE: Final = "there is no dead letter {}: see `smsbus rejected list` (Kafka keeps them for 14 days)"

rejected_app = typer.Typer(no_args_is_help=True, help="Dead letters: what could not be read as an SMS, or published.")

Reason = Annotated[str | None, typer.Option("--reason", help="Only those refused for this reason.")]
Since = Annotated[str | None, typer.Option("--since", metavar="10m|TIME", help="Only those not older than this.")]


@rejected_app.command("list", epilog="Example: smsbus rejected list --since 1d --reason not_json")
def list_(
    reason: Reason = None,
    account: OfAccount = None,
    since: Since = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print whole dead letters, one a line.")] = False,
    config: Config = None,
) -> None:
    """Print a line for each dead letter: when, id, account, stage, reason, bytes. Its bytes are not shown."""
    with readable_errors():
        asyncio.run(_list(settings_for(config), _wanted(reason, account, since), as_json=as_json))


@rejected_app.command(epilog="Example: smsbus rejected show 0f8fad5b-d9cb-869f-a165-70867728950e --as hex")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A dead letter, as `smsbus rejected list` has it.")],
    form: Annotated[
        Literal["text", "hex"] | None, typer.Option("--as", help="How to print the bytes. Default: text if they are.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole dead letter.")] = False,
    config: Config = None,
) -> None:
    """Print the exact bytes of a dead letter, with numbers and codes; on stderr what is wrong, also today."""
    from app.rejected.bytes_shown import shown
    from app.rejected.parsing import callers, outcomes

    with readable_errors():
        settings = settings_for(config)
        letter = asyncio.run(_one(settings, name))
        typer.echo(letter.model_dump_json() if as_json else shown(letter.body, form))
        for line in _about(letter, outcomes(letter, callers(settings.pingme_accounts()))):
            say(line)


@rejected_app.command(epilog="Example: smsbus rejected replay --reason user_mismatch --dry-run")
def replay(
    names: Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Only these dead letters.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be published, and publish nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    reason: Reason = None,
    account: OfAccount = None,
    since: Since = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    config: Config = None,
) -> None:
    """Try the present parser on dead letters, and publish the SMS that it accepts: `freshness: replayed`, the same ids.

    What is on the topic already is left out, so a second replay publishes nothing.
    """
    with readable_errors():
        settings = settings_for(config)
        plan = asyncio.run(_planned(settings, _wanted(reason, account, since, names)))
        if not as_json:
            typer.echo("\n".join(_lines(plan)))
        if plan.sms and not dry_run:
            _agree(plan, yes=yes)
            asyncio.run(_publish(settings, plan))
        if as_json:
            typer.echo(json.dumps({**plan.as_json(), "published": bool(plan.sms) and not dry_run}))


def _wanted(reason: str | None, account: str | None, since: str | None, names: list[str] | None = None) -> "Wanted":
    from app.rejected.letters import Wanted

    return Wanted(frozenset(names or ()), reason, account, moment_of(since))


async def _list(settings: "Settings", wanted: "Wanted", *, as_json: bool) -> None:
    from app.rejected.letters import Letters

    letters = Letters(settings.kafka, wanted)
    async for letter in letters.read():
        typer.echo(letter.model_dump_json() if as_json else _line(letter))
    _say_unreadable(letters)


def _say_unreadable(letters: "Letters") -> None:
    if letters.unreadable:
        say(f"{letters.unreadable} records are no dead letters that this version can read")


def _line(letter: "Letter") -> str:
    from app.sms_line import printable

    size = f"{letter.body_bytes} bytes" + ("" if letter.body_complete else ", only the start kept")
    words = (letter.observed_at, letter.id, letter.account, letter.stage, letter.reason, size)
    return "\t".join(map(printable, words))


async def _one(settings: "Settings", name: str) -> "Letter":
    from app.rejected.letters import Letters, Wanted

    found = [letter async for letter in Letters(settings.kafka, Wanted(frozenset({name}))).read()]
    if not found:
        raise end(Code.FAILED, NONE.format(name))
    return found[0]


def _about(letter: "Letter", tried: "list[Outcome]") -> Iterator[str]:
    from app.rejected.parsing import REASONS

    yield f"{letter.stage}: {letter.reason}. {REASONS.get(letter.reason, '')}".rstrip()
    for name, value in letter.facts.items():
        yield f"{name}: {value}"
    for outcome in tried:
        if outcome.sms is not None:
            yield f"now it is an SMS, {outcome.sms.id}: `smsbus rejected replay {letter.id}` publishes it"
        elif outcome.reason != letter.reason:
            yield f"now: {outcome.reason}. {REASONS.get(outcome.reason, '')}".rstrip()


async def _planned(settings: "Settings", wanted: "Wanted") -> "Plan":
    from app.progress import Progress
    from app.rejected.letters import Letters
    from app.rejected.parsing import callers, outcomes
    from app.rejected.replaying import Plan, published

    plan, known, letters = Plan(), callers(settings.pingme_accounts()), Letters(settings.kafka, wanted)
    async for letter in letters.read():
        plan.add(letter.id, outcomes(letter, known))
    _say_unreadable(letters)
    if missing := wanted.ids - plan.letters:
        raise end(Code.FAILED, *map(NONE.format, sorted(missing)))
    if plan.sms:
        say("reading which of them are on the topic already")
        plan.leave(await published(settings.kafka, plan, Progress(say).read))
    return plan


def _lines(plan: "Plan") -> Iterator[str]:
    from app.rejected.parsing import REASONS
    from app.sms_line import SmsLine

    for each, sms in plan.sms.items():
        if line := SmsLine.of(sms.to_json()):
            yield f"{each}\t{line.masked().plain()}"
    yield f"{len(plan.letters)} dead letters: {len(plan.sms)} SMS to publish, {plan.already} on the topic already"
    for reason, count in plan.failing.most_common():
        yield f"still failing: {count} {reason}. {REASONS.get(reason, '')}".rstrip()


def _agree(plan: "Plan", *, yes: bool) -> None:
    """Ask for confirmation; end the command without it."""
    if yes:
        return
    if not is_terminal():
        raise end(Code.USAGE, "there is no terminal to ask on: add --yes to publish, or --dry-run to look")
    say(f"{len(plan.sms)} SMS will be published as `replayed`. Publish them? [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise end(Code.FAILED, "nothing was published")


async def _publish(settings: "Settings", plan: "Plan") -> None:
    from app.process import instance_id, now_ms
    from app.rejected.replaying import publish

    count = 0
    try:
        async for _ in publish(settings.kafka, plan, instance=instance_id(), now_ms=now_ms):
            count += 1
    finally:
        say(f"{count} of {len(plan.sms)} SMS published")
