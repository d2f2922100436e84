"""What `smsbus rejected show` says of a dead letter."""

from app.cli import rejected as command
from app.rejected.parsing import outcomes
from tests.unit.app.rejected.rejected_letters import read, refused


def test_what_somebody_else_wrote_moves_no_cursor() -> None:
    letter = read(refused(b"hello"), stage="parse\x1b[2J", facts={"refused_id": "\x1b]0;x\x07"})

    said = [*command._about(letter, [])]

    assert said[0].startswith(r"parse\x1b[2J: not_json")
    assert said[1:] == [r"refused_id: \x1b]0;x\x07"]


def test_what_a_target_refused_is_said_to_be_sent_again_and_not_parsed() -> None:
    letter = read(refused(b"{}"), stage="forward", reason="http_422")

    said = [*command._about(letter, outcomes(letter, {}))]

    assert said[-1] == f"`smsbus rejected replay {letter.id}` sends it to its target again"
    assert not any(line.startswith("now") for line in said)


def test_what_is_too_large_for_a_dead_letter_is_sent_again_while_its_topic_has_it() -> None:
    letter = read(refused(b"{}"), stage="forward", reason="http_422", body_complete=False)

    assert [*command._about(letter, [])][-1] == (
        f"`smsbus rejected replay {letter.id}` sends it to its target again, for as long as its topic has it (7 days)"
    )
