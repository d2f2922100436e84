"""That Kafka does not keep a shard's states, or does not show them: since when, why, and each thing said once."""

from typing import Any

import structlog

from bus.health import hint

_log = structlog.get_logger("pollers")


class Uncommitted:
    """Begins with the first failure of a shard's log; `over` when a commit holds."""

    def __init__(self, partition: int) -> None:
        self.since: float | None = None
        """The loop's time; None: all is well."""
        self.error = ""
        """The newest one's name."""
        self.commits = 0
        """So many commits failed since one held."""
        self._partition = partition
        self._said: set[tuple[str, str]] = set()

    def add(self, event: str, error: str, now: float, **facts: Any) -> None:  # noqa: ANN401 - structlog's
        """It failed again; said where this event with this error is new."""
        self.since, self.error = now if self.since is None else self.since, error
        if (event, error) not in self._said:
            self._said.add((event, error))
            _log.warning(event, partition=self._partition, error=error, **facts, **hint(error))

    def over(self) -> None:
        """What was to be kept is kept."""
        self.since, self.commits = None, 0
        self._said.clear()
