"""How a command ends: with one of these exit codes, and with a message instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from app.cli.completion import account_names

if TYPE_CHECKING:
    from app.settings.load import Settings
    from app.settings.sections import Account
    from bus.settings import KafkaSettings

Config = Annotated[
    Path | None,
    typer.Option("--config", readable=False, help="Settings file. Default: SMSBUS_CONFIG, else ./smsbus.toml."),
]

AccountName = Annotated[
    str,
    typer.Argument(metavar="ACCOUNT", help="The account's name in the settings.", autocompletion=account_names),
]

RoleOption = Annotated[
    Literal["all", "receiver", "pollers", "inbox", "forward"],
    typer.Option("--role", help="Only what a process with this role needs."),
]


OF_KAFKA: Final = (
    "smsbus: this reads Kafka itself, at {}, and not the service of SMSBUS_URL: set SMSBUS_KAFKA__BOOTSTRAP_SERVERS to "
    "that service's, or ask the service over HTTP (smsbus wait; GET /v1/sms, /v1/stream)"
)


class Code(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2  # or configuration
    TIMED_OUT = 3
    ENDED = 4  # without an SMS
    NOT_DURABLE = 5
    UNAVAILABLE = 6  # for now: nobody could say whether an SMS came


def say(text: str) -> None:
    """Print a message to stderr; stdout is for results."""
    typer.echo(text, err=True)


def or_stdin(argument: str) -> str:
    """Return the argument, or for `-` a line of stdin, so that a secret does not show in the process list."""
    return typer.get_text_stream("stdin").readline().strip() if argument == "-" else argument


def end(code: Code, *lines: str) -> typer.Exit:
    """Print why, and return the exception to raise."""
    for line in lines:
        say(f"smsbus: {line}")
    return typer.Exit(code)


def account_named(settings: "Settings", name: str) -> "Account":
    """Return the account of this name; ends the command where there is none."""
    if account := settings.accounts.get(name):
        return account
    raise end(Code.USAGE, f"there is no account {name}; configured: {', '.join(settings.accounts) or 'none'}")


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn our own exceptions into messages and exit codes; a bug still shows its traceback."""
    from app.errors import StartupError
    from app.settings.names import SettingsError

    try:
        yield
    except (SettingsError, StartupError) as error:
        raise end(Code.USAGE, *error.lines) from None
    except BrokenPipeError:
        raise  # the reader of our output has exited: Typer ends quietly
    except OSError as error:
        code = Code.USAGE if getattr(error, "is_setting", False) else Code.FAILED
        raise end(code, f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    except Exception as error:
        if not getattr(type(error), "safe_to_log", False):
            raise
        raise end(Code.FAILED, *str(error).splitlines()) from None


def settings_for(config: Path | None) -> "Settings":
    """Read the settings, and silence the libraries' logs: a command prints its own messages."""
    import logging
    import sys

    from app import logs
    from app.settings.load import load

    settings = load(config)
    logs.configure(settings.log.model_copy(update={"level": "warning"}), settings.secrets(), sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return settings


def kafka_of(settings: "Settings") -> "KafkaSettings":
    """Return the Kafka that a command reads, and say which where the environment names a service instead."""
    from app.settings.load import client_variables

    url, _ = client_variables()
    if url and "bootstrap_servers" not in settings.kafka.model_fields_set:
        say(OF_KAFKA.format(settings.kafka.bootstrap_servers))
    return settings.kafka
