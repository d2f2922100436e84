"""What the auditor has to say."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One breach of one rule."""

    rule: str
    at: float
    """Seconds since the run began."""
    whom: str
    """A replica, an account, or the watch concerned."""
    words: str
    story: tuple[str, ...] = ()
    """What happened to that watch, line by line."""

    def __str__(self) -> str:
        lines = (f"[{self.rule}] {hms(self.at)} {self.whom}: {self.words}", *(f"    {line}" for line in self.story))
        return "\n".join(lines)


def hms(seconds: float) -> str:
    """Return hours, minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{rest:06.3f}"
