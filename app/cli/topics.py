"""`smsbus topics create|check`: the topics of the contract on the configured brokers."""

import asyncio

import typer

from app.cli.outcome import Code, Config, end, readable_errors, say, settings_for

topics_app = typer.Typer(no_args_is_help=True, help="The topics of the contract on the configured brokers.")


@topics_app.command()
def create(config: Config = None) -> None:
    """Create the topics that are missing and print their names. Those that exist stay as they are."""
    from bus import topics

    with readable_errors():
        settings = settings_for(config)
        created = asyncio.run(topics.create(settings.kafka))
        for name in created:
            typer.echo(name)
        say(f"{len(created)} created, {len(topics.TOPICS) - len(created)} there already")


@topics_app.command()
def check(config: Config = None) -> None:
    """Compare the topics with the contract. Exit code 0: as they must be, 1: not."""
    from bus import topics

    with readable_errors():
        findings = asyncio.run(topics.inspect(settings_for(config).kafka))
        for line in findings.warnings:
            say(f"warning: {line}")
        if findings.problems:
            raise end(Code.FAILED, *findings.problems)
        say("the topics are as they must be")
