"""Erasing watches that ended long ago, command and state: nothing else removes them from compacted topics."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from bus.kafka.client import KafkaAway
from pollers.shard_requests import ShardRequests
from pollers.shard_states import ShardStates
from pollers.watch_commands import last_applied

AT_ONCE: Final = 100  # watches
RETRY: Final = 3600.0  # seconds until a command is erased that Kafka did not accept


class Writer(Protocol):
    """The part of `bus.sharding.commands.CommandWriter` that a shard needs."""

    async def put(self, key: str, value: bytes) -> None: ...  # noqa: D102 - see there
    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None: ...  # noqa: D102


class ShardErasure:
    """Erases the command of a watch, then its state. Owns the watches that are on the way."""

    def __init__(
        self,
        partition: int,
        states: ShardStates,
        requests: ShardRequests,
        writer: Writer,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        wake: Callable[[], object],
    ) -> None:
        self._partition = partition
        self._states = states
        self._requests = requests
        self._writer = writer
        self._spawn = spawn
        self._wake = wake
        self._waiting: list[str] = []
        self._commands_erased: set[str] = set()
        self._erasing = False  # commands
        self._loop = asyncio.get_running_loop()

    def add(self, watch_id: str) -> None:
        """Have this watch erased by the next calls of `go_on`, unless it is requested again until then."""
        self._waiting.append(watch_id)

    async def go_on(self) -> list[str]:
        """Start to erase the next commands, and erase the states whose commands are; return these watches' ids."""
        if self._waiting and not self._erasing:
            self._erasing = True
            self._spawn(self._erase_commands())
        gone = [each for each in self._commands_erased if self._may_go(each)]
        self._commands_erased.clear()
        if gone and not await self._states.erase(gone):
            self._waiting += gone
            return []
        return gone

    async def _erase_commands(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        try:
            await asyncio.gather(*map(self._erase_command, batch))
        finally:
            self._erasing = False
            self._wake()

    async def _erase_command(self, watch_id: str) -> None:
        """Erase it; while Kafka is unavailable, try again in an hour."""
        owned = self._states.watches.get(watch_id)
        if owned is None or not self._may_go(watch_id):
            return
        try:
            await self._writer.erase(watch_id, self._partition, forgets=last_applied(owned.state))
        except KafkaAway:
            self._loop.call_later(RETRY, self.add, watch_id)
        else:
            self._commands_erased.add(watch_id)

    def _may_go(self, watch_id: str) -> bool:
        owned = self._states.watches.get(watch_id)
        return bool(owned and owned.ended and watch_id not in self._states.dirty and watch_id not in self._requests)
