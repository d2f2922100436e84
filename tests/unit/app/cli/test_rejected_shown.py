"""What `smsbus rejected show` says of a dead letter."""

from collections.abc import AsyncIterator

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli import rejected as command
from app.rejected.letters import Letter, Letters
from app.rejected.parsing import outcomes
from tests.unit.app.rejected.rejected_letters import read, refused

pytestmark = pytest.mark.usefixtures("process_is_restored")


def test_what_somebody_else_wrote_moves_no_cursor() -> None:
    letter = read(refused(b"hello"), stage="parse\x1b[2J", facts={"refused_id": "\x1b]0;x\x07"})

    said = [*command._about(letter, [])]

    assert said[0].startswith(r"parse\x1b[2J: not_json")
    assert said[1:] == [r"refused_id: \x1b]0;x\x07"]


def test_what_a_target_refused_is_said_to_be_sent_again_and_not_parsed() -> None:
    letter = read(refused(b"{}"), stage="forward", reason="http_422", facts={"forward": "orders"})

    said = [*command._about(letter, outcomes(letter, {}))]

    assert said[0] == "forward: http_422. Target orders answered 422 five times."
    assert command._line(letter).split("\t")[4:] == ["http_422", "2 bytes", "orders"]
    assert said[-1] == f"`smsbus rejected replay {letter.id}` sends it to its target again"
    assert not any(line.startswith("now") for line in said)


def test_one_is_said_to_be_one() -> None:
    assert [command._count_of(count, "event") for count in (0, 1, 2)] == ["0 events", "1 event", "2 events"]


def test_a_list_without_any_says_so(monkeypatch, environment) -> None:
    async def nothing(_: Letters) -> AsyncIterator[Letter]:
        for letter in list[Letter]():
            yield letter

    environment({})
    monkeypatch.setattr(Letters, "read", nothing)

    bare, selected = (CliRunner().invoke(cli, ["rejected", "list", *more]) for more in ([], ["--reason", "x"]))

    assert (bare.stdout, bare.stderr, bare.exit_code) == ("", "no dead letter\n", 0)
    assert (selected.stdout, selected.stderr, selected.exit_code) == ("", "no such dead letter\n", 0)


def test_what_is_too_large_for_a_dead_letter_is_sent_again_while_its_topic_has_it() -> None:
    letter = read(refused(b"{}"), stage="forward", reason="http_422", body_complete=False)

    assert [*command._about(letter, [])][-1] == (
        f"`smsbus rejected replay {letter.id}` sends it to its target again, for as long as its topic has it (7 days)"
    )
