"""`smsbus forward`: every event as an HTTP request to a URL."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.exit import Code, Config, end, or_stdin, readable_errors, settings_for
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
from app.cli.moment import moment_of

SAID: Final = frozenset(
    {"forward_refused", "forward_stopped", "forward_waiting", "forward_waiting_no_more", "forward_lost"}
)

if TYPE_CHECKING:
    from logging import LogRecord

    from yarl import URL

    from app.forwards import Target
    from app.settings.load import Settings
    from app.stopping import Stop
    from bus.kafka.group_reader import Place
    from bus.kafka.topics_reader import Part
    from forwarding.delivery import Pause, Step
    from forwarding.forward import Forward
    from inbox.filters import Filter
    from inbox.item import Item


def forward(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where to send them: localhost:3000/hook. With -, read from stdin.")
    ],
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
    since: Annotated[str | None, typer.Option(metavar="2h|TIME", help="Where a new name begins. Default: now.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also send the ends of watches.")] = False,
    name: Annotated[
        str | None, typer.Option(help="Whose progress it is. Default: made of user, machine and URL.")
    ] = None,
    config: Config = None,
) -> None:
    """Send each new SMS to URL, signed, in order, until it answers 2xx; a later start goes on where this one ended."""
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
    with readable_errors():
        settings = settings_for(config)
        target = _target(settings.data_dir, or_stdin(url), wanted, name=name, since_ms=moment_of(since), ended=ended)
        try:
            asyncio.run(_forward(settings, target))
        except KeyboardInterrupt:
            raise typer.Exit from None


def _target(
    data_dir: Path, text: str, wanted: "Filter", *, name: str | None, since_ms: int | None, ended: bool
) -> "Target":
    from app.forwards import NAME, Target, default_name, secret_of
    from forwarding.settings import topics_of

    url = url_of(text, "URL")
    if name is not None and not NAME.fullmatch(name):
        message = "it must be letters, digits and . _ -, at most 100"
        raise typer.BadParameter(message, param_hint="--name")
    name = name or default_name(url)
    wanted = wanted._replace(topics=topics_of(ended=ended))
    return Target(name, url, secret_of(data_dir, name), wanted, private=True, since_ms=since_ms)


def url_of(text: str, hint: str) -> "URL":
    """Return a typed target's URL. `hint` names the argument in the error."""
    from forwarding.address import is_forbidden_host, target_url

    try:
        url = target_url(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None
    if is_forbidden_host(url.host or "", private=True):
        message = "no request may go to a link-local address"
        raise typer.BadParameter(message, param_hint=hint)
    return url


async def _forward(settings: "Settings", target: "Target") -> None:
    import logging

    from app.forwards import forwarding
    from app.stopping import stop_on_signals
    from bus.kafka import topics

    for topic in target.wanted.topics:
        await topics.partitions(settings.kafka, topic)  # raises if it is missing, or Kafka away
    logging.getLogger("forward").addFilter(_is_not_said)
    stop = stop_on_signals()
    printer = _Printer(target, stop)
    async with AsyncExitStack() as stack:
        forward = forwarding(settings, target, stack, on_placed=printer.placed, on_step=printer.step)
        running, stopping = asyncio.ensure_future(forward.run()), asyncio.ensure_future(stop.wait())
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in (running, stopping):
            task.cancel()
        await asyncio.wait([running, stopping])
        _end(forward, printer)


def _is_not_said(line: "LogRecord") -> bool:
    """Tell whether a line of the log is none that `_Printer` has said in words."""
    return not (isinstance(line.msg, dict) and line.msg.get("event") in SAID)


def _end(forward: "Forward", printer: "_Printer") -> None:
    if printer.failed:
        raise printer.failed
    if forward.stopped:
        raise end(Code.FAILED, "the target answered 410: it wants no more events, so this ends")


class _Printer:
    """Says what happens: results on stdout, trouble on stderr. No number, code or text.

    Output that cannot be written ends the command. It must not look like a failure of what was sent, which would be
    sent again, and again.
    """

    def __init__(self, target: "Target", stop: "Stop") -> None:
        self.failed: OSError | None = None
        self._target = target
        self._stop = stop
        self._is_ready = False
        self._waits: dict[Part, str] = {}  # for what

    def placed(self, places: "Mapping[Part, Place]") -> None:
        if not self._is_ready:
            self._is_ready = True
            self._print(f"Ready! Your webhook signing secret is {self._target.secret} (^C to quit)")
        if lost := sum(place.lost for place in places.values()):
            self._say(f"{lost} records were deleted by Kafka before they could be sent")
        if any(place.is_anew for place in places.values()):
            self._say(
                "the topic was made anew, and what waited on the former one is gone: it begins at the oldest record"
            )
        new = [place for place in places.values() if place.is_new]
        if places and len(new) == len(places):
            self._say(f"{self._target.name} has no progress in Kafka yet, or no longer: it begins {self._begins()}")

    def step(self, item: "Item", step: "Step") -> None:
        from forwarding.delivery import Pause, Refuse, Sent

        if isinstance(step, Pause):
            self._paused(item, step)
            return
        waited = self._waits.pop(item.part, None)
        if isinstance(step, Sent):
            self._print(f"{step.status} {item.id}")
            if waited and not self._waits:
                self._say("the target takes them again")
        elif isinstance(step, Refuse):
            self._say(f"{step.status} {item.id}: refused five times, it is dead letter {step.letter} now")
        else:
            self._stop.hurry()

    def _paused(self, item: "Item", step: "Pause") -> None:
        if self._waits.get(item.part) != step.reason:
            self._waits[item.part] = step.reason
            until = "it is tried five times" if step.is_refusal else "it is tried again until the target takes it"
            self._say(f"{step.reason} {item.id}: {until}")

    def _begins(self) -> str:
        return "now" if self._target.since_ms is None else "at --since"

    def _say(self, text: str) -> None:
        self._print(text, err=True)

    def _print(self, line: str, *, err: bool = False) -> None:
        import sys

        from app.sms_line import printable

        try:
            typer.echo(printable(line), err=err)
            (sys.stderr if err else sys.stdout).flush()
        except OSError as error:  # who read it has exited, or the disk is full
            self.failed = self.failed or error
            self._stop.hurry()
