"""How long commits of states take."""

from collections.abc import Mapping
from time import perf_counter

from bus.durations import Durations
from pollers.shard_states import StateLog


class TimedStateLog:
    """A state log whose commits are timed; one that failed is not."""

    def __init__(self, log: StateLog, commits: Durations) -> None:
        self._log = log
        self._commits = commits

    async def open(self) -> dict[str, bytes]:
        """See `bus.sharding.state_log.StateLog.open`."""
        return await self._log.open()

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        """See `bus.sharding.state_log.StateLog.commit`."""
        began = perf_counter()
        await self._log.commit(states)
        self._commits.observe(perf_counter() - began)

    async def close(self) -> None:
        """See `bus.sharding.state_log.StateLog.close`."""
        await self._log.close()
