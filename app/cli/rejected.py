"""`smsbus rejected list|show|replay`: dead letters, and a second try after the parser or the settings changed."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from app.cli.account import is_terminal
from app.cli.exit import Code, Config, end, or_stdin, readable_errors, say, settings_for
from app.cli.filters import OfAccount
from app.cli.forward import url_of
from app.cli.moment import moment_of

if TYPE_CHECKING:
    from app.rejected.again import Targets, ToSend
    from app.rejected.letters import Letter, Letters, Wanted
    from app.rejected.parsing import Outcome
    from app.rejected.replaying import Plan
    from app.settings.load import Settings

NONE: Final = "there is no dead letter {}: see `smsbus rejected list` (Kafka keeps them for 14 days)"
SEVERAL: Final = "--url is of one target, these are of {}: give the ids of its own (`smsbus rejected list --json`)"

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
    """Print a line for each dead letter: when, id, account, stage, reason, bytes, and which target refused it.

    Its bytes are not shown.
    """
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
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where a target of `smsbus forward` is that is not configured. With -, read from stdin."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    config: Config = None,
) -> None:
    """Try the present parser on dead letters, and publish the SMS that it accepts: `freshness: replayed`, the same ids.

    What is on the topic already is left out, so a second replay publishes nothing. What a target of forwarding refused
    is sent to it again, once; exit code 1: it refuses it still.
    """
    from app.rejected.again import Targets

    with readable_errors():
        settings = settings_for(config)
        targets = Targets(settings, url_of(or_stdin(url), "--url") if url else None)
        plan, again = asyncio.run(_planned(settings, targets, _wanted(reason, account, since, names)))
        if not as_json:
            typer.echo("\n".join(_lines(plan, again)))
        does_it = bool(plan.sms or again) and not dry_run
        if does_it:
            _agree(plan, again, yes=yes)
        statuses = asyncio.run(_do(settings, plan, again, quiet=as_json)) if does_it else {}
        if as_json:
            typer.echo(json.dumps(_result(plan, again, statuses, does_it=does_it)))
        if not all(map(_is_taken, statuses.values())):
            raise typer.Exit(Code.FAILED)


def _result(plan: "Plan", again: "list[ToSend]", statuses: dict[str, str], *, does_it: bool) -> dict[str, Any]:
    sent = {each.event.letter: statuses.get(each.event.letter) for each in again}
    return {**plan.as_json(), "published": bool(plan.sms) and does_it, "sent": sent}


def _wanted(reason: str | None, account: str | None, since: str | None, names: list[str] | None = None) -> "Wanted":
    from app.rejected.letters import Wanted

    return Wanted(frozenset(names or ()), reason, account, moment_of(since))


async def _list(settings: "Settings", wanted: "Wanted", *, as_json: bool) -> None:
    from app.rejected.letters import Letters, Wanted

    letters = Letters(settings.kafka, wanted)
    count = 0
    async with aclosing(letters.read()) as read:  # where nobody reads any more, as behind `| head -1`, echo fails
        async for letter in read:
            count += 1
            typer.echo(letter.model_dump_json() if as_json else _line(letter))
    if not count:
        say("no dead letter" if wanted == Wanted() else "no such dead letter")
    _say_unreadable(letters)


def _say_unreadable(letters: "Letters") -> None:
    if letters.unreadable:
        say(f"{letters.unreadable} records are no dead letters that this version can read")


def _line(letter: "Letter") -> str:
    from app.rejected.again import is_of_forwarding
    from app.sms_line import printable

    size = f"{letter.body_bytes} bytes" + ("" if letter.body_complete else ", only the start kept")
    words = [letter.observed_at, letter.id, letter.account, letter.stage, letter.reason, size]
    if is_of_forwarding(letter):
        words.append(letter.facts.get("forward", "?"))
    return "\t".join(map(printable, words))


async def _one(settings: "Settings", name: str) -> "Letter":
    from app.rejected.letters import Letters, Wanted

    found = [letter async for letter in Letters(settings.kafka, Wanted(frozenset({name}))).read()]
    if not found:
        raise end(Code.FAILED, NONE.format(name))
    return found[0]


def _about(letter: "Letter", tried: "list[Outcome]") -> Iterator[str]:
    from app.rejected.again import is_of_forwarding
    from app.rejected.parsing import REASONS
    from app.sms_line import printable

    yield printable(f"{letter.stage}: {letter.reason}. {REASONS.get(letter.reason, _by_whom(letter))}".rstrip())
    for name, value in letter.facts.items():
        yield printable(f"{name}: {value}")
    if is_of_forwarding(letter):
        sends = f"`smsbus rejected replay {letter.id}` sends it to its target again"
        yield sends if letter.body_complete else f"{sends}, for as long as its topic has it (7 days)"
        return
    for outcome in tried:
        if outcome.sms is not None:
            yield f"now it is an SMS, {outcome.sms.id}: `smsbus rejected replay {letter.id}` publishes it"
        elif outcome.reason != letter.reason:
            yield f"now: {outcome.reason}. {REASONS.get(outcome.reason, '')}".rstrip()


def _by_whom(letter: "Letter") -> str:
    """Return what a target answered, where one refused it."""
    from app.rejected.again import is_of_forwarding

    status = letter.reason.removeprefix("http_")
    return (
        f"Target {letter.facts.get('forward', '?')} answered {status} five times." if is_of_forwarding(letter) else ""
    )


async def _planned(settings: "Settings", targets: "Targets", wanted: "Wanted") -> "tuple[Plan, list[ToSend]]":
    from app.progress import Progress
    from app.rejected.again import is_of_forwarding, to_send
    from app.rejected.letters import Letters
    from app.rejected.parsing import Outcome, callers, outcomes
    from app.rejected.replaying import Plan, published

    plan, known, letters = Plan(), callers(settings.pingme_accounts()), Letters(settings.kafka, wanted)
    again: list[ToSend] = []
    async for letter in letters.read():
        if not is_of_forwarding(letter):
            plan.add(letter.id, outcomes(letter, known))
        elif isinstance(found := await to_send(letter, targets, settings.kafka), str):
            plan.add(letter.id, [Outcome(None, found)])
        else:
            plan.add(letter.id, [])
            again.append(found)
    _say_unreadable(letters)
    if missing := wanted.ids - plan.letters:
        raise end(Code.FAILED, *map(NONE.format, sorted(missing)))
    if len(names := targets.at_the_url(again)) > 1:
        raise end(Code.USAGE, SEVERAL.format(", ".join(names)))
    if plan.sms:
        say("reading which of them are on the topic already")
        plan.leave(await published(settings.kafka, plan, Progress(say).read))
    return plan, again


def _lines(plan: "Plan", again: "list[ToSend]") -> Iterator[str]:
    from app.rejected.parsing import REASONS
    from app.sms_line import SmsLine

    for each, sms in plan.sms.items():
        if line := SmsLine.of(sms.to_json()):
            yield f"{each}\t{line.masked().plain()}"
    letters = _count_of(len(plan.letters), "dead letter")
    yield f"{letters}: {len(plan.sms)} SMS to publish, {plan.already} on the topic already"
    for name, count in Counter(each.target.name for each in again).items():
        yield f"{_count_of(count, 'event')} to send to {name} again"
    for reason, count in plan.failing.most_common():
        yield f"still failing: {count} {reason}. {REASONS.get(reason, '')}".rstrip()


def _count_of(count: int, what: str) -> str:
    """Return `1 event`, `2 events`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _agree(plan: "Plan", again: "list[ToSend]", *, yes: bool) -> None:
    """Ask for confirmation; end the command without it."""
    if yes:
        return
    if not is_terminal():
        raise end(Code.USAGE, "there is no terminal to ask on: add --yes to publish, or --dry-run to look")
    events = _count_of(len(again), "event")
    say(f"{len(plan.sms)} SMS will be published as `replayed`, {events} sent again. Do it? [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise end(Code.FAILED, "nothing was published or sent")


async def _do(settings: "Settings", plan: "Plan", again: "list[ToSend]", *, quiet: bool) -> dict[str, str]:
    """Publish and send; return what each target said, a status or a reason, by the dead letter's id."""
    from app.rejected.again import sent
    from forwarding.delivery import Response

    if plan.sms:
        await _publish(settings, plan)
    statuses = {}
    async for each, outcome in sent(again):
        statuses[each.event.letter] = str(outcome.status) if isinstance(outcome, Response) else outcome.reason
        if not quiet:
            typer.echo(f"{statuses[each.event.letter]} {each.event.id} to {each.target.name}")
    if again:
        say(f"{sum(map(_is_taken, statuses.values()))} of {_count_of(len(again), 'event')} sent")
    return statuses


def _is_taken(status: str) -> bool:
    return status.startswith("2")


async def _publish(settings: "Settings", plan: "Plan") -> None:
    from app.process import instance_id, now_ms
    from app.rejected.replaying import publish

    count = 0
    try:
        async for _ in publish(settings.kafka, plan, instance=instance_id(), now_ms=now_ms):
            count += 1
    finally:
        say(f"{count} of {len(plan.sms)} SMS published")
