"""What `smsbus rejected show` says of a dead letter."""

from app.cli import rejected as command
from tests.unit.app.rejected.rejected_letters import read, refused


def test_what_somebody_else_wrote_moves_no_cursor() -> None:
    letter = read(refused(b"hello"), stage="parse\x1b[2J", facts={"refused_id": "\x1b]0;x\x07"})

    said = [*command._about(letter, [])]

    assert said[0].startswith(r"parse\x1b[2J: not_json")
    assert said[1:] == [r"refused_id: \x1b]0;x\x07"]
