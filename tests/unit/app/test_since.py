"""Where reading begins, as people write it."""

import pytest

from app.since import is_cursor, moment_in
from inbox.cursor import Cursor, parts_of
from inbox.tail import Place
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

NOW_MS = 1_795_000_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0s", NOW_MS),
        ("30s", NOW_MS - 30_000),
        ("10m", NOW_MS - 600_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 604_800_000),
        ("2026-03-25T03:17:06Z", 1_774_408_626_000),
        ("2026-03-25T03:17:06.050Z", 1_774_408_626_050),
        ("2026-03-25T03:17:06.999999Z", 1_774_408_626_999),
        ("2026-03-25T04:17:06+01:00", 1_774_408_626_000),
        ("2026-03-25T04:17:06 01:00", 1_774_408_626_000),  # a `+` that was not escaped
        ("2026-03-24T22:17:06-05:00", 1_774_408_626_000),
        ("2026-03-25 03:17:06Z", 1_774_408_626_000),
        ("2026-11-18T11:07:40Z", NOW_MS + 60_000),  # a clock that is a minute ahead
    ],
)
def test_a_duration_or_a_moment_is_a_moment(text: str, moment: int) -> None:
    assert moment_in(text, NOW_MS) == moment


@pytest.mark.parametrize("second", range(0, 60, 7))
def test_every_millisecond_is_the_one_that_was_written(second: int) -> None:
    for millisecond in range(0, 1000, 3):
        text = f"2026-03-25T03:17:{second:02d}.{millisecond:03d}Z"
        assert moment_in(text, NOW_MS) == 1_774_408_620_000 + second * 1000 + millisecond


def test_longer_ago_than_1970_is_1970() -> None:
    assert moment_in("999999d", NOW_MS) == 0


@pytest.mark.parametrize(
    "text",
    [
        "", "10", "m", "1.5h", "-1h", "10 m", "10M", "yesterday", "now", "1774408626", "1e3s", "10m\n", "٣m",
        "2026-11-18T11:07:41Z", "9999-12-31T23:59:59-23:59", "2026-03-25", "2026-03-25T03:17:06",
        "03:17:06Z", "2026-13-25T03:17:06Z", "2026-02-30T03:17:06Z",
        "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "T", "2026-03-25T03:17:06ZZ", "\x00", "\ud800T",
    ],
)  # fmt: skip
def test_anything_else_is_no_moment(text: str) -> None:
    assert moment_in(text, NOW_MS) is None


@pytest.mark.parametrize("topics", [(RECEIVED,), (RECEIVED, REJECTED, WATCH_ENDED)])
def test_a_cursor_is_taken_for_one_and_for_no_moment(topics: tuple[str, ...]) -> None:
    text = Cursor(1, b"abcd", NOW_MS, dict.fromkeys(parts_of(topics), Place(0))).text()

    assert is_cursor(text)
    assert moment_in(text, NOW_MS) is None


@pytest.mark.parametrize(
    "text", ["", "10m", "2026-03-25T03:17:06.050Z", "a" * 39, "a" * 513, "a" * 40 + "\n", "ä" * 50]
)
def test_what_cannot_be_a_cursor_is_not_taken_for_one(text: str) -> None:
    assert not is_cursor(text)
