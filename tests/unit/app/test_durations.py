"""Durations as people write them."""

import pytest

from app.durations import seconds_in


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604_800), ("0m", 0), ("604800s", 604_800)],
)
def test_a_number_and_its_unit_are_seconds(duration: str, seconds: int) -> None:
    assert seconds_in(duration) == seconds


@pytest.mark.parametrize("duration", ["", "10", "m", "1.5h", "-1h", "10 m", "10M", "1h30m", "1000000s", "10m\n"])
def test_anything_else_is_no_duration(duration: str) -> None:
    assert seconds_in(duration) is None


def test_a_command_says_which_units_and_how_many_digits_it_takes() -> None:
    assert seconds_in("30s", units="mhd") is None
    assert seconds_in("100000d", digits=5) is None
