"""How a command ends: with one of these exit codes, and with sentences instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from app.settings.load import Settings

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file. Default: ./smsbus.toml, where it exists.")
]

RoleOption = Annotated[
    Literal["all", "receiver", "pollers"], typer.Option("--role", help="What a process of this role needs.")
]


class Code(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2  # or configuration
    TIMED_OUT = 3
    ENDED = 4  # without an SMS
    NOT_DURABLE = 5


def say(text: str) -> None:
    """Talk to the person; stdout stays for what was asked for."""
    typer.echo(text, err=True)


def or_stdin(argument: str) -> str:
    """Return what was said, or for `-` a line of stdin: what is secret is not to stand in the list of processes."""
    return typer.get_text_stream("stdin").readline().strip() if argument == "-" else argument


def end(code: Code, *lines: str) -> typer.Exit:
    """Say why, and return what is to be raised to end the command."""
    for line in lines:
        say(f"smsbus: {line}")
    return typer.Exit(code)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn our own exceptions into their sentences and exit codes; a bug still shows its traceback."""
    from app.errors import StartupError
    from app.settings.names import SettingsError

    try:
        yield
    except (SettingsError, StartupError) as error:
        raise end(Code.USAGE, *error.lines) from None
    except BrokenPipeError:
        raise  # the reader of our output has left: typer ends quietly
    except OSError as error:
        code = Code.USAGE if getattr(error, "is_setting", False) else Code.FAILED
        raise end(code, f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    except Exception as error:
        if not getattr(type(error), "safe_to_log", False):
            raise
        raise end(Code.FAILED, *str(error).splitlines()) from None


def settings_for(config: Path | None) -> "Settings":
    """Read the settings, and keep the libraries quiet: a command says itself what matters."""
    import logging
    import sys

    from app import logs
    from app.settings.load import load

    settings = load(config)
    logs.configure(settings.log.model_copy(update={"level": "warning"}), settings.secrets(), sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return settings
