"""`smsbus serve`: the service itself."""

from typing import Annotated, Literal

import typer

from app.cli.outcome import Code, Config, end, readable_errors


def serve(
    role: Annotated[Literal["receiver"], typer.Option(help="What to run; this version has the receiver.")] = "receiver",
    local_kafka: Annotated[
        bool,
        typer.Option("--local-kafka", help="Keep an Apache Kafka on this machine, its data under the data directory."),
    ] = False,
    config: Config = None,
) -> None:
    """Receive callbacks and publish them to Kafka, until SIGTERM or Ctrl-C."""
    from app import lifecycle
    from app.local_kafka import LocalKafkaError
    from app.settings import load

    del role
    with readable_errors():
        try:
            lifecycle.run(lifecycle.serve(load(config), local_kafka=local_kafka))
        except LocalKafkaError as error:
            raise end(Code.FAILED, str(error)) from None
