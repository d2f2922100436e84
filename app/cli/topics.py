"""`smsbus topics create|check|print`: the topics of the contract on the configured brokers."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.exit import Code, Config, RoleOption, end, readable_errors, say, settings_for

if TYPE_CHECKING:
    from bus.settings import KafkaSettings

topics_app = typer.Typer(no_args_is_help=True, help="The topics of the contract on the configured brokers.")


@topics_app.command()
def create(config: Config = None) -> None:
    """Create the topics that are missing and print their names. Those that exist stay as they are."""
    from bus.kafka import topics
    from schemas.topics import TOPICS

    with readable_errors():
        settings = settings_for(config)
        created = asyncio.run(topics.create(settings.kafka))
        for name in created:
            typer.echo(name)
        say(f"{len(created)} created, {len(TOPICS) - len(created)} there already")


@topics_app.command()
def check(role: RoleOption = "all", config: Config = None) -> None:
    """Compare the topics with the contract. Exit code 0: as they must be, 1: not."""
    from app.checks.topics import NEEDED
    from bus.kafka import topics

    with readable_errors():
        findings = asyncio.run(topics.inspect(settings_for(config).kafka, NEEDED[role]))
        for line in findings.warnings:
            say(f"warning: {line}")
        if findings.problems:
            raise end(Code.FAILED, *findings.problems)
        say("the topics are as they must be")


@topics_app.command("print")
def print_(
    form: Annotated[Literal["acls"], typer.Option("--format", help="acls: the rights that a user needs.")] = "acls",
    role: RoleOption = "all",
    user: Annotated[
        str | None,
        typer.Option(help="Who gets them, as Kafka knows it: a login's name, a certificate's subject. Default: ours."),
    ] = None,
    config: Config = None,
) -> None:
    """Print the commands with which an administrator gives a user exactly the rights that it needs."""
    from bus.kafka.acls import command, rights
    from pollers.poller import GROUP

    del form  # there is one
    with readable_errors():
        kafka = settings_for(config).kafka
        user = user or _our_user(kafka)
        for right in rights(kafka, "receiver" if role == "receiver" else "pollers", GROUP):
            typer.echo(command(kafka, user, right))


def _our_user(kafka: "KafkaSettings") -> str:
    """Return who we are for Kafka. Nothing of ours can read that out of a certificate."""
    if kafka.security_protocol != "SSL":
        return kafka.sasl_plain_username or "smsbus"
    show = f"openssl x509 -noout -subject -nameopt RFC2253,-esc_msb -in {kafka.ssl_certfile or 'client.pem'}"
    raise end(
        Code.USAGE,
        f"say --user: with a certificate it is the certificate's subject, which this shows after `subject=`: {show}",
        "where brokers have ssl.principal.mapping.rules it is another: their log names whom they deny something",
    )
