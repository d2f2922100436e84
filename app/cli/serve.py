"""`smsbus serve`: the service itself."""

import os
from typing import Annotated, Literal

import typer

from app.cli.exit import Code, Config, end, readable_errors
from app.reloading.hangup import HangUp


def serve(
    role: Annotated[
        Literal["all", "receiver", "pollers", "inbox", "forward"],
        typer.Option(help="The callback receiver, the pollers, the inbox, or these three; forward: the targets."),
    ] = "all",
    local_kafka: Annotated[
        bool,
        typer.Option("--local-kafka", help="Also run an Apache Kafka on this machine, with its data in data_dir."),
    ] = False,
    workers: Annotated[
        int,
        typer.Option("--workers", min=1, help="Number of receivers; pollers and inbox have one process each."),
    ] = 1,
    worker: Annotated[str, typer.Option("--worker", hidden=True)] = "",  # a child of --workers, by its name
    listening: Annotated[int | None, typer.Option("--listening", hidden=True)] = None,  # the socket of all of them
    config: Config = None,
) -> None:
    """Receive callbacks, poll providers, and publish to Kafka, until SIGTERM or Ctrl-C."""
    with HangUp() as hangup, readable_errors():  # first of all: an unhandled SIGHUP ends the process
        from app import process
        from app import serve as service
        from app.local_kafka import LocalKafkaError
        from app.reloading.reload import Reload
        from app.service_manager import ServiceManager
        from app.settings.load import files, process_environment, reader, settings_of
        from app.workers.entrypoint import work

        if worker:
            process.serve(work(role, worker, hangup, listening))
            return
        manager = ServiceManager.of_environment(process_environment(), os.getpid())
        found = files(config)
        settings = settings_of(found)
        reload = Reload(settings, reader(config), hangup)
        serving = service.serve(
            settings, files=found, role=role, workers=workers, local_kafka=local_kafka, reload=reload, manager=manager
        )
        try:
            process.serve(serving)
        except LocalKafkaError as error:
            raise end(Code.FAILED, str(error)) from None
