"""How long to wait before a worker that ended is started again. Pure."""

from typing import Final

FIRST: Final = 0.5  # seconds: a crash is one line in the log, and the others take what it would have taken
LONGEST: Final = 30.0  # what does not start now may start when its disk has room again
STEADY: Final = 60.0  # who lived so long had no trouble with its start


def next_pause(last: float, lived: float) -> float:
    """Return the seconds to wait, after the `last` pause (0: none yet) and a life of `lived` seconds."""
    if lived >= STEADY:
        return FIRST
    return min(max(2 * last, FIRST), LONGEST)
