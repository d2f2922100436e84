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
    async def came_before(*_: object) -> None:
        return None

    monkeypatch.setenv("SMSBUS_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(waiting, "came_before", came_before)


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


@pytest.mark.parametrize("named", [["grizzly", "38496653"], ["grizzly/38496653"]])
def test_an_order_is_named_as_in_smsbus_watch(monkeypatch: pytest.MonkeyPatch, named: list[str]) -> None:
    asked: list[dict[str, str]] = []

    async def wait_for(service: object, wanted: waiting.Wanted, *_: object) -> None:
        asked.append(dict(wanted.parameters))

    monkeypatch.setattr(waiting, "wait_for", wait_for)
    run(cli, ["wait", *named, "--timeout", "1"])

    assert asked == [{"account": "grizzly", "order_id": "38496653"}]


def test_there_is_no_cursor_in_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(*_: object) -> Answer:
        return BLIND

    monkeypatch.setattr(Service, "get", get)
    result = run(cli, ["cursor"])

    assert (result.exit_code, result.stdout) == (Code.UNAVAILABLE, "")
    assert result.stderr == "smsbus: there is no cursor now: Kafka cannot be read now.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["16470000000"], "or --watch ID (did you mean --to 16470000000?)\n"),
        (["+1 647 000-0000"], "(did you mean --to +1 647 000-0000?)\n"),
        (["grizzly"], "or ACCOUNT ORDER, or --watch ID\n"),
        (["--to", "1", "--timeout", "soon"], "smsbus: --timeout must be seconds, 1 or more, or a duration like 2m\n"),
        (["--to", "1", "--since", "5"], "a past time like 2026-03-25T03:17:06Z, or a cursor\n"),
        (["--to", "1", "--timeout", "0"], "smsbus: --timeout must be seconds, 1 or more, or a duration like 2m\n"),
        (["--to", "1", "--json", "--text"], "smsbus: --json and --text: give one of them\n"),
    ],
)
def test_what_cannot_be_waited_for_says_what_was_probably_meant(arguments: list[str], said: str) -> None:
    result = run(cli, ["wait", *arguments])

    assert result.exit_code == Code.USAGE
    assert result.stderr.endswith(said)


@pytest.mark.parametrize("command", ["wait", "tail"])
@pytest.mark.parametrize(
    "option", ["--to", "--watch", "--account", "--order", "--provider", "--service", "--ref", "--contains"]
)
def test_a_filter_of_a_shells_variable_that_is_not_set_is_refused(command: str, option: str) -> None:
    result = run(cli, [command, option, " "])

    assert result.exit_code == Code.USAGE
    assert option in result.stderr


def test_a_pattern_of_a_variable_that_is_not_set_is_refused() -> None:
    assert run(cli, ["wait", "--to", "1", "--match", ""]).exit_code == Code.USAGE


def test_what_the_service_says_is_wrong_is_a_wrong_command(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(*_: object) -> Answer:
        return Answer(400, {"reason": "invalid_query", "detail": "recipient must be a number."})

    monkeypatch.setattr(Service, "get", get)
    result = run(cli, ["wait", "--to", "abc"])

    assert (result.exit_code, result.stderr) == (Code.USAGE, "smsbus: recipient must be a number.\n")


@pytest.mark.parametrize("named", [["", ""], ["grizzly", ""], ["", "5"]])
def test_an_order_of_variables_that_are_not_set_is_refused(named: list[str]) -> None:
    result = run(cli, ["wait", *named])

    assert result.exit_code == Code.USAGE
    assert "it is empty" in result.stderr


@pytest.mark.parametrize(("timeout", "seconds"), [("7", 7), ("7s", 7), ("2m", 120)])
def test_a_timeout_is_seconds_or_a_duration(monkeypatch: pytest.MonkeyPatch, timeout: str, seconds: int) -> None:
    async def wait_for(_: object, __: object, given: float, ___: object) -> dict[str, str]:
        return {"code": str(given)}

    monkeypatch.setattr(waiting, "wait_for", wait_for)

    assert run(cli, ["wait", "--to", "1", "--timeout", timeout]).stdout == f"{seconds}\n"


@pytest.mark.parametrize(
    ("number", "since", "said"),
    [
        ("16470000000", None, "nothing came within 7 s"),
        (
            "16470000000",
            "--since 2026-11-30T08:20:52.506Z",
            "nothing came within 7 s; one came shortly before this began: --since 2026-11-30T08:20:52.506Z finds it",
        ),
        (
            "(647) 000-0000",
            None,
            "nothing came within 7 s; a number is matched whole, with its country's code and no 00: like 16470000000",
        ),
    ],
)
def test_nothing_in_time_says_what_may_be_the_cause(
    monkeypatch: pytest.MonkeyPatch, number: str, since: str | None, said: str
) -> None:
    async def wait_for(*_: object) -> None:
        return None

    async def came_before(*_: object) -> str | None:
        return since

    monkeypatch.setattr(waiting, "wait_for", wait_for)
    monkeypatch.setattr(waiting, "came_before", came_before)
    result = run(cli, ["wait", "--to", number, "--timeout", "7"])

    assert (result.exit_code, result.stderr) == (Code.TIMED_OUT, f"smsbus: {said}\n")
