"""`smsbus demo`: the whole service against simulated providers on this machine, and a comparison at the end."""

from typing import Annotated

import typer

from app.cli.exit import Code, end, readable_errors, say


def demo(
    seconds: Annotated[float | None, typer.Option(min=1, help="How long to run. Default: until Ctrl-C.")] = None,
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Use this Kafka instead of starting one.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed; the same seed gives the same SMS.")] = None,
    bad_day: Annotated[str, typer.Option(metavar="NAME", help="Scenario file, or mild, storm, outage.")] = "mild",
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
