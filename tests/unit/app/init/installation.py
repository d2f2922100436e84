"""What tests of `smsbus init` share: answers, and the command."""

from pathlib import Path

from typer.testing import CliRunner

from app.cli import cli
from app.init.answers import Answers

DOMAIN = "sms.example.org"


def answers(form: str = "systemd", **more: object) -> Answers:
    return Answers(**{"form": form, "domain": DOMAIN, "accounts": {"shop": "pingme"}, **more})


def init(directory: Path, *arguments: str):
    return CliRunner().invoke(cli, ["init", "--dir", str(directory), *arguments])


def text_of(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()
    }
