"""`smsbus topics create|check|print`: the topics of the contract on the configured brokers."""

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.exit import Code, Config, RoleOption, end, readable_errors, say, settings_for
from app.cli.rows import AsJson

if TYPE_CHECKING:
    from bus.settings import KafkaSettings

SAID = {"ok": "", "warning": "warning: ", "failed": "smsbus: "}

topics_app = typer.Typer(no_args_is_help=True, help="The topics of the contract on the configured brokers.")


@topics_app.command(epilog="Example: smsbus topics create")
def create(config: Config = None) -> None:
    """Create missing topics and print their names. Existing topics are not changed; what is wrong with them is said."""
    from bus.kafka import topics
    from schemas.topics import TOPICS

    with readable_errors():
        settings = settings_for(config)
        created = asyncio.run(topics.create(settings.kafka))
        for name in created:
            typer.echo(name)
        say(f"{len(created)} created, {len(TOPICS) - len(created)} there already")
        for problem in asyncio.run(topics.check(settings.kafka)) if len(created) < len(TOPICS) else []:
            say(f"warning: {problem}")


@topics_app.command(epilog="Example: smsbus topics check --role receiver")
def check(role: RoleOption = "all", as_json: AsJson = False, config: Config = None) -> None:
    """Compare the topics with the contract. Exit code: 0 OK, 1 problems found."""
    from app.checks.preflight import look_at_topics

    with readable_errors():
        findings = asyncio.run(look_at_topics(settings_for(config), role))
        for each in findings:
            if as_json:
                typer.echo(json.dumps(asdict(each)))
            else:
                say(f"{SAID[each.mark]}{each.text}")
        if any(each.mark == "failed" for each in findings):
            raise typer.Exit(Code.FAILED)


@topics_app.command("print", epilog="Example: smsbus topics print --role receiver --user smsbus-receiver")
def print_(
    form: Annotated[Literal["acls"], typer.Option("--format", help="acls: the ACLs that a user needs.")] = "acls",
    role: RoleOption = "all",
    user: Annotated[
        str | None,
        typer.Option(help="Kafka principal: a login name or a certificate's subject. Default: the configured user."),
    ] = None,
    config: Config = None,
) -> None:
    """Print the commands that give a user exactly the rights that it needs, for an administrator to run.

    An inbox only reads; where the settings have polled accounts it may also write commands about watches.
    """
    from app.wiring import polled_accounts
    from bus.kafka.acls import command, rights
    from pollers.poller import GROUP

    del form  # so far there is only one
    with readable_errors():
        settings = settings_for(config)
        kafka, commands = settings.kafka, bool(polled_accounts(settings))
        user = user or _our_user(kafka)
        say("an administrator runs these; kafka-acls.sh is in the bin/ of a Kafka distribution")
        for right in rights(kafka, role, GROUP, commands=commands):
            typer.echo(command(kafka, user, right))


def _our_user(kafka: "KafkaSettings") -> str:
    """Return our Kafka principal. We cannot read it out of a certificate."""
    if kafka.security_protocol == "SSL":
        raise end(Code.USAGE, *_subject(kafka))
    if kafka.sasl_plain_username is None:
        named = f"SMSBUS_KAFKA__SECURITY_PROTOCOL={kafka.security_protocol}"
        raise end(Code.USAGE, f"give --user: the settings log in as nobody ({named}), and ACLs are for users")
    return kafka.sasl_plain_username


def _subject(kafka: "KafkaSettings") -> tuple[str, str]:
    """Return how to see the certificate's subject."""
    show = f"openssl x509 -noout -subject -nameopt RFC2253,-esc_msb -in {kafka.ssl_certfile or 'client.pem'}"
    return (
        f"give --user: with a certificate it is the certificate's subject, which this prints after `subject=`: {show}",
        "if the brokers have ssl.principal.mapping.rules, it is another name: the brokers log it when they deny access",
    )
