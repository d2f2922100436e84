"""Durations as people write them: 30s, 10m, 2h, 7d."""

import re
from typing import Final

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_in(duration: str, *, units: str = "smhd", digits: int = 6) -> int | None:
    """Return the seconds; None unless it is a whole number of one of these units, of at most so many digits."""
    match = re.fullmatch(rf"([0-9]{{1,{digits}}})([{units}])", duration)
    return int(match[1]) * SECONDS[match[2]] if match else None
