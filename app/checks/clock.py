"""Is this machine's clock set? Some have no battery, and begin in 1970 until they have asked a time server."""

from datetime import UTC, datetime
from typing import Final

EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)  # before this program was made


def clock_problem(now: datetime) -> str | None:
    """Return what is wrong with this time; None: it can be right."""
    if now >= EARLIEST:
        return None
    return (
        f"this machine's clock says {now:%Y-%m-%dT%H:%M:%SZ}, which is long past: set it (chrony, ntpd), since events "
        "carry its time, and Kafka deletes what is older than the topic's retention"
    )
