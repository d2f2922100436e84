"""`smsbus dev` and `smsbus demo`: everything on this machine, with simulated providers that send SMS."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exit import Code, end, readable_errors, say

if TYPE_CHECKING:
    from app.demo.run import Wanted

Seconds = Annotated[float | None, typer.Option(min=1, help="How long to run. Default: until Ctrl-C.")]
Address = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Use this Kafka instead of starting one.")]
Seed = Annotated[int | None, typer.Option(help="Random seed; the same seed gives the same SMS.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show the (made-up) numbers, codes and texts.")]
BadDay = Annotated[str, typer.Option(metavar="NAME", help="Scenario file, or mild, storm, outage.")]
PORTS = (8080, 8081)
NOT_USED = (
    "not used: {}. This has settings and a data directory of its own, and takes from the environment only "
    "SMSBUS_ADMIN__TOKEN, SMSBUS_ADMIN__READ_TOKEN and SMSBUS_ADMIN__READ_ACCOUNTS"
)


def dev(
    seconds: Seconds = None,
    kafka: Address = None,
    seed: Seed = None,
    bad_day: BadDay = "mild",
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    no_sms: Annotated[bool, typer.Option("--no-sms", help="Nothing comes by itself: you send it.")] = False,
    any_port: Annotated[bool, typer.Option("--any-port", help="Use free ports, not 8080 and 8081.")] = False,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write there, as JSON, where everything is, once it is ready.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="In the end compare the topics with what was sent.")] = False,
    reveal: Reveal = False,
) -> None:
    """Run Kafka, the service, four simulated providers and the page on this machine: SMS begin to arrive.

    Nothing is left behind. It reads no settings but SMSBUS_ADMIN__TOKEN, SMSBUS_ADMIN__READ_TOKEN and
    SMSBUS_ADMIN__READ_ACCOUNTS, and prints the variables with which other commands find it.
    """
    from app.demo.run import CALM, SILENT, Wanted
    from app.settings.load import tokens_of_environment, unused_variables

    if unused := unused_variables():
        say(NOT_USED.format(", ".join(unused)))
    ports = (0, 0) if any_port else PORTS
    with readable_errors():
        admin = tokens_of_environment()
    wanted = Wanted(seconds, kafka, seed, bad_day, SILENT if no_sms else CALM, verify, ports, admin)
    _play(wanted, reveal=reveal, exports=True, open_browser=open_browser, ready_file=ready_file)


def demo(
    seconds: Seconds = None, kafka: Address = None, seed: Seed = None, bad_day: BadDay = "mild", reveal: Reveal = False
) -> None:
    """Run four busy simulated providers against the service on a real Kafka, then compare the topics with them."""
    from app.demo.run import BUSY, Wanted

    _play(Wanted(seconds, kafka, seed, bad_day, BUSY, verify=True), reveal=reveal)


def _play(
    wanted: "Wanted",
    *,
    reveal: bool,
    exports: bool = False,
    open_browser: bool = False,
    ready_file: Path | None = None,
) -> None:
    from app import process
    from app.cli.tail import line_printer
    from app.demo import run
    from app.local_kafka import LocalKafkaError

    def on_ready(ready: run.Ready) -> None:
        say(f"the inbox is at {ready.page}")
        if exports:
            say(f"for other commands, in another terminal: {ready.exports()}")
        if open_browser:
            typer.launch(ready.page)
        if ready_file is not None:
            draft = ready_file.with_name(f"{ready_file.name}.draft")
            draft.write_text(json.dumps(ready._asdict()))
            draft.rename(ready_file)

    with readable_errors():
        try:
            ledger, verdict = process.run(run.play(wanted, line_printer(reveal=reveal), say, on_ready))
        except LocalKafkaError as error:
            raise end(Code.FAILED, str(error)) from None
    if verdict is not None and not run.ending(ledger, verdict):
        raise typer.Exit(Code.FAILED)
