"""The bytes of a dead letter for a terminal: nothing in them moves its cursor."""

import pytest

from app.rejected.bytes_shown import shown


@pytest.mark.parametrize(
    ("body", "form", "expected"),
    [
        (b'{"a": 1}\n', None, '{"a": 1}\n'),
        ("код".encode(), None, "код"),
        (b"\x1b[31mred", "text", "\\x1b[31mred"),
        (b"a\xff", "text", "a\\xff"),
        (b"ab\x1b", None, "00000000  61 62 1b" + " " * 41 + "ab."),
        (b"\xff", None, "00000000  ff" + " " * 47 + "."),
        (b"a" * 17, "hex", f"00000000  {'61 ' * 16} {'a' * 16}\n00000010  61{' ' * 46} a"),
        (b"", None, ""),
    ],
    ids=["lines", "Cyrillic", "escape", "no UTF-8", "control characters", "octets", "two lines", "empty"],
)
def test_bytes_are_shown_as_text_or_as_octets(body, form, expected) -> None:
    assert shown(body, form) == expected
