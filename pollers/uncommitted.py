"""A shard whose states cannot be committed or read: since when, why, and each log line once."""

from typing import Any

import structlog

from bus.health import hint

_log = structlog.get_logger("pollers")


class Uncommitted:
    """Begins with the first failure of a shard's state log; `over` once a commit succeeds."""

    def __init__(self, partition: int) -> None:
        self.since: float | None = None
        """By the loop's clock; None: everything is committed."""
        self.error = ""
        """The name of the newest error."""
        self.commits = 0
        """How many commits have failed since the last successful one."""
        self._partition = partition
        self._logged: set[tuple[str, str]] = set()

    def add(self, event: str, error: str, now: float, **facts: Any) -> None:  # noqa: ANN401 - structlog's
        """Note a failure; logged only if this event with this error is new."""
        self.since, self.error = now if self.since is None else self.since, error
        if (event, error) not in self._logged:
            self._logged.add((event, error))
            _log.warning(event, partition=self._partition, error=error, **facts, **hint(error))

    def over(self) -> None:
        """Note that everything is committed."""
        self.since, self.commits = None, 0
        self._logged.clear()
