"""How `smsbus wait` and `smsbus cursor` end where nobody can say what they ask."""

import pytest
from typer.testing import CliRunner

from app import waiting
from app.cli import cli
from app.cli.exit import Code
from app.service import Answer, Service
from app.waiting import Unavailable

run = CliRunner().invoke
BLIND = Answer(503, {"reason": "inbox_blind", "detail": "Kafka cannot be read now."})


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBUS_URL", "http://127.0.0.1:9")


def test_a_wait_whose_time_is_over_in_an_outage_has_an_exit_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait_for(*_: object) -> None:
        raise Unavailable(BLIND.detail)

    monkeypatch.setattr(waiting, "wait_for", wait_for)
    result = run(cli, ["wait", "--to", "1", "--timeout", "7"])

    assert (result.exit_code, result.stdout) == (Code.UNAVAILABLE, "")
    assert result.stderr == "smsbus: nobody could say within 7 s whether an SMS came: Kafka cannot be read now.\n"


def test_a_wait_in_which_nothing_came_ends_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait_for(*_: object) -> None:
        return None

    monkeypatch.setattr(waiting, "wait_for", wait_for)
    result = run(cli, ["wait", "--to", "1", "--timeout", "7"])

    assert (result.exit_code, result.stderr) == (Code.TIMED_OUT, "smsbus: nothing came within 7 s\n")


def test_there_is_no_cursor_in_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(*_: object) -> Answer:
        return BLIND

    monkeypatch.setattr(Service, "get", get)
    result = run(cli, ["cursor"])

    assert (result.exit_code, result.stdout) == (Code.UNAVAILABLE, "")
    assert result.stderr == "smsbus: there is no cursor now: Kafka cannot be read now.\n"
