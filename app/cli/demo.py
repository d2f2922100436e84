"""`smsbus demo`: the whole way of an SMS on this machine, and the sum at the end."""

from typing import Annotated

import typer

from app.cli.exit import Code, end, readable_errors, say


def demo(
    seconds: Annotated[float | None, typer.Option(min=1, help="How long; without it until Ctrl-C.")] = None,
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Somebody else's broker instead of a local one.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same SMS again.")] = None,
    bad_day: Annotated[str, typer.Option(metavar="NAME", help="A scenario: mild, storm, outage, or a file.")] = "mild",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the (made-up) numbers, codes and texts.")] = False,
) -> None:
    """Run the four simulated providers against the service on a real Kafka, then compare the topics with them."""
    from app import process
    from app.cli.tail import line_printer
    from app.demo import run
    from app.local_kafka import LocalKafkaError

    with readable_errors():
        try:
            ledger, verdict = process.run(
                run.demo(
                    seconds=seconds,
                    kafka=kafka,
                    seed=seed,
                    bad_day=bad_day,
                    show=line_printer(reveal=reveal),
                    say=say,
                )
            )
        except LocalKafkaError as error:
            raise end(Code.FAILED, str(error)) from None
    if not run.ending(ledger, verdict):
        raise typer.Exit(Code.FAILED)
