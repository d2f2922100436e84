"""Commands that list say on stderr that there is nothing, so that silence is no answer."""

from collections.abc import AsyncIterator

import pytest
from typer.testing import CliRunner

from app.cli import cli, watch
from app.cli.exit import Code
from bus.kafka import reader

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object, **__: object) -> AsyncIterator[object]:
        for none in ():
            yield none

    async def table(_: object) -> None:
        return None

    monkeypatch.setattr(reader, "read", nothing)
    monkeypatch.setattr(watch, "_table", table)
    monkeypatch.setattr(watch, "_listed", nothing)
    monkeypatch.delenv("SMSBUS_URL", raising=False)


@pytest.mark.usefixtures("process_is_restored")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["tail", "-n", "3"], "no such SMS is there\n"),
        (["tail", "--since", "1h"], "no such SMS is there\n"),
        (["watch", "list"], "no such watch is open (--all has those that ended)\n"),
        (["watch", "list", "--all"], "no such watch is there\n"),
    ],
)
def test_nothing_is_said(command: list[str], said: str) -> None:
    result = run(cli, command)

    assert (result.exit_code, result.stdout, result.stderr) == (Code.OK, "", said)


def test_what_is_no_beginning_names_its_option() -> None:
    result = run(cli, ["tail", "--since", "5"])

    assert result.exit_code == Code.USAGE
    assert "--since" in result.stderr
