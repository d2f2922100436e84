"""All watches and how far they have come, as the topics have them: any replica can answer for any shard."""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from bus.client import KafkaAway
from bus.commands import WATCHES
from bus.reader import BEGINNING, ReadRecord, Start, read, since
from bus.settings import KafkaSettings
from bus.state_log import STATES
from bus.topics import TopicsError
from schemas import fields
from schemas.messages import Watch

OVERLAP_MS: Final = 60_000  # what came while we read is read twice rather than not at all
RETRY: Final = 1.0
AT_ONCE: Final = 500  # records; then the loop's other work has its turn

_log = structlog.get_logger("pollers")


class Progress(NamedTuple):
    """What others may know of a watch's state: one each for many watches, as there are a hundred thousand of them."""

    sms_count: int
    ended: str | None


class Known(NamedTuple):
    """A watch as it was asked for, and how far it has come; None before its shard's first commit."""

    watch: Watch
    progress: Progress | None

    @property
    def sms_count(self) -> int:
        """SMS that were published so far."""
        return self.progress.sms_count if self.progress else 0

    @property
    def ended(self) -> str | None:
        """Why it is over; None while it is not."""
        return self.progress.ended if self.progress else None


class WatchTable:
    """A view of both compacted topics. `fill` once, or `follow` in a task."""

    def __init__(
        self, kafka: KafkaSettings, *, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self.filled = False
        self._kafka = kafka
        self._now_ms = now_ms
        self._watches: dict[str, bytes] = {}  # unread: few are ever asked for
        self._progress: dict[str, Progress] = {}

    def get(self, watch_id: str) -> Known | None:
        """Return what is known of a watch; None for one that nobody opened, or not in words that we understand."""
        watch = _watch(self._watches.get(watch_id))
        if watch is None or watch.watch_id != watch_id:  # its shard makes a dead letter of it
            return None
        return Known(watch, self._progress.get(watch_id))

    def all(self) -> list[Known]:
        """Return everything, newest first; may be called from another thread, since it takes its time."""
        known = [each for each in map(self.get, list(self._watches)) if each is not None]
        return sorted(known, key=lambda each: each.watch.opened_at, reverse=True)

    def put(self, watch: Watch) -> None:
        """Take what we have just written ourselves, so that the next question knows it already."""
        self._watches[watch.watch_id] = watch.to_json()

    async def fill(self) -> None:
        """Read both topics to their ends. Raises `KafkaAway` or `TopicsError`."""
        await asyncio.gather(self._read(WATCHES, BEGINNING, follow=False), self._read(STATES, BEGINNING, follow=False))
        self.filled = True

    async def follow(self) -> None:
        """Stay as the topics are, until cancelled."""
        behind: type[Exception] | None = None
        while True:
            begun_ms = self._now_ms() - OVERLAP_MS
            try:
                await self.fill()
                behind = None
                start = since(begun_ms)
                await asyncio.gather(*(self._read(topic, start, follow=True) for topic in (WATCHES, STATES)))
            except (KafkaAway, TopicsError) as error:
                if type(error) is not behind:  # once, until it has caught up
                    _log.warning("watch_table_behind", error=type(error).__name__)
                behind = type(error)
                await asyncio.sleep(RETRY)

    async def _read(self, topic: str, start: Start, *, follow: bool) -> None:
        take, number = self._take_watch if topic == WATCHES else self._take_state, 0
        async for record in read(self._kafka, topic, start=start, follow=follow, committed=topic == STATES):
            take((record.key or b"").decode("utf-8", "replace"), record)
            number += 1
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _take_watch(self, watch_id: str, record: ReadRecord) -> None:
        if record.value is None:
            self._watches.pop(watch_id, None)
        else:
            self._watches[watch_id] = record.value

    def _take_state(self, watch_id: str, record: ReadRecord) -> None:
        progress = _progress(record.value)
        if progress is None:
            self._progress.pop(watch_id, None)
        else:
            self._progress[watch_id] = progress


class _Glimpse(BaseModel):
    """The part of a `pollers.state.WatchState` that concerns others."""

    model_config = ConfigDict(strict=True, extra="ignore")

    sms_count: int = 0
    ended: fields.EndReason | None = None


def _watch(value: bytes | None) -> Watch | None:
    try:
        return Watch.model_validate_json(value) if value is not None else None
    except ValidationError:  # of another version, or of somebody who does not know ours
        return None


def _progress(value: bytes | None) -> Progress | None:
    try:
        glimpse = _Glimpse.model_validate_json(value) if value is not None else None
    except ValidationError:
        return None
    return _shared(glimpse.sms_count, glimpse.ended) if glimpse else None


@lru_cache(maxsize=1024)
def _shared(sms_count: int, ended: str | None) -> Progress:
    return Progress(sms_count, ended)
