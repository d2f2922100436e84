"""`smsbus serve`: the service itself."""

from typing import Annotated, Literal

import typer

from app.cli.outcome import Code, Config, end, readable_errors


def serve(
    role: Annotated[
        Literal["all", "receiver", "pollers"], typer.Option(help="The callback door, the pollers, or both.")
    ] = "all",
    local_kafka: Annotated[
        bool,
        typer.Option("--local-kafka", help="Keep an Apache Kafka on this machine, its data under the data directory."),
    ] = False,
    config: Config = None,
) -> None:
    """Receive callbacks, ask providers, and publish to Kafka, until SIGTERM or Ctrl-C."""
    from app import lifecycle
    from app.local_kafka import LocalKafkaError
    from app.settings import load

    with readable_errors():
        try:
            lifecycle.run(lifecycle.serve(load(config), role=role, local_kafka=local_kafka))
        except LocalKafkaError as error:
            raise end(Code.FAILED, str(error)) from None
