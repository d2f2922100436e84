"""All watches and their states as the topics have them, for whoever asks: any replica can answer for any shard."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from bus.client import KafkaAway
from bus.commands import WATCHES
from bus.reader import BEGINNING, Start, read, since
from bus.settings import KafkaSettings
from bus.state_log import STATES
from bus.topics import TopicsError
from pollers.state import WatchState
from schemas.messages import Watch

OVERLAP_MS: Final = 60_000  # what came while we read is read twice rather than not at all
RETRY: Final = 1.0

M = TypeVar("M", bound=BaseModel)

_log = structlog.get_logger("pollers")


@dataclass(frozen=True, slots=True)
class Known:
    """A watch as it was asked for, and what its shard remembers of it; None before its first commit."""

    watch: Watch
    state: WatchState | None


class WatchTable:
    """A view of both compacted topics. `fill` once, or `follow` in a task."""

    def __init__(
        self, kafka: KafkaSettings, *, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self.filled = False
        self._kafka = kafka
        self._now_ms = now_ms
        self._values: dict[str, dict[str, bytes]] = {WATCHES: {}, STATES: {}}  # unread: few are ever asked for

    def get(self, watch_id: str) -> Known | None:
        """Return what is known of a watch; None for one that nobody opened, or not in words that we understand."""
        watch = _read_as(Watch, self._values[WATCHES].get(watch_id))
        if watch is None or watch.watch_id != watch_id:  # its shard makes a dead letter of it
            return None
        return Known(watch, _read_as(WatchState, self._values[STATES].get(watch_id)))

    def all(self) -> list[Known]:
        """Return everything, newest first; may be called from another thread, since it takes its time."""
        known = [each for each in map(self.get, list(self._values[WATCHES])) if each is not None]
        return sorted(known, key=lambda each: each.watch.opened_at, reverse=True)

    def put(self, watch: Watch) -> None:
        """Take what we have just written ourselves, so that the next question knows it already."""
        self._values[WATCHES][watch.watch_id] = watch.to_json()

    async def fill(self) -> None:
        """Read both topics to their ends. Raises `KafkaAway` or `TopicsError`."""
        await asyncio.gather(self._read(WATCHES, BEGINNING, follow=False), self._read(STATES, BEGINNING, follow=False))
        self.filled = True

    async def follow(self) -> None:
        """Stay as the topics are, until cancelled."""
        while True:
            begun_ms = self._now_ms() - OVERLAP_MS
            try:
                await self.fill()
                await asyncio.gather(*(self._read(topic, since(begun_ms), follow=True) for topic in (WATCHES, STATES)))
            except (KafkaAway, TopicsError) as error:
                _log.warning("watch_table_behind", error=type(error).__name__)
                await asyncio.sleep(RETRY)

    async def _read(self, topic: str, start: Start, *, follow: bool) -> None:
        values = self._values[topic]
        async for record in read(self._kafka, topic, start=start, follow=follow, committed=topic == STATES):
            key = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                values.pop(key, None)
            else:
                values[key] = record.value


def _read_as(model: type[M], value: bytes | None) -> M | None:
    try:
        return model.model_validate_json(value) if value is not None else None
    except ValidationError:  # of another version, or of somebody who does not know ours
        return None
