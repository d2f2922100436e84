"""Dead letters that their topic refuses: each stays first in its lane and is retried; it is logged once."""

from typing import Final

from bus.health import Refusals
from bus.record import Record

HINT: Final = "raise max.message.bytes of its topic, or remove it: smsbus journal skip {}"


class Stuck:
    """The stuck dead letters of one bus. `now` is the loop's time, seconds."""

    def __init__(self) -> None:
        self._refusals: dict[str, Refusals] = {}  # by id

    def refused(self, record: Record, reason: str, now: float) -> None:
        """Note that it was refused, for the first time or again."""
        if record.id not in self._refusals:
            self._refusals[record.id] = Refusals("dead_letter_refused", id=record.id)
        hint = HINT.format(record.id)
        self._refusals[record.id].add(now=now, reason=reason, bytes=len(record.value), hint=hint)

    def update(self, now: float, *, is_away: bool) -> None:
        """End alarms that are over. While Kafka is unavailable none is refused, nor published."""
        for record_id, each in [*self._refusals.items()]:
            if is_away:
                each.postpone(now)
            each.update(now)
            if not each.alarm.holds:
                del self._refusals[record_id]

    def skipped(self, record_id: str) -> None:
        """Note that an operator removed it, whether it was refused or not."""
        if gone := self._refusals.pop(record_id, None):
            gone.end()

    @property
    def words(self) -> list[str]:
        """The degraded reasons."""
        return sorted({each.alarm.word for each in self._refusals.values()})
