"""How far a command has read, for people who wait for it."""

import time
from collections.abc import Callable
from typing import Final

from bus.kafka.reader import ReadRecord
from schemas.timestamps import nearest_text

EVERY: Final = 2.0  # seconds between two lines; what is quicker says nothing


class Progress:
    """Counts what is read, and says so every two seconds."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._next = clock() + EVERY
        self._count = 0

    def read(self, record: ReadRecord) -> None:
        """Count a record."""
        self._count += 1
        if self._clock() >= self._next:
            self._next = self._clock() + EVERY
            self._say(f"read {self._count:,} records, up to {nearest_text(record.timestamp_ms)}")
