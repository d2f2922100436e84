"""Rows of the journals that are traced: accepted, and not in Kafka yet."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.journals.free import FreeJournal, journals_in
from app.journals.held import HeldJournal, NotAnswered
from app.settings.load import Settings
from app.trace.target import Target
from bus.journal.rows import Which
from bus.journal.status import CannotLook
from schemas.topics import RECEIVED

MOST: Final = 10_000
"""Rows of a number's lane to look at in each journal."""


@dataclass
class Waiting:
    """What the journals of this machine have, and why some of them could not be read."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def waiting(settings: Settings, target: Target) -> Waiting:
    """Look into all journals of `bus.journal_dir`; those of a running process are asked of its admin listener."""
    found = Waiting()
    try:
        with journals_in(settings.bus.journal_dir, settings) as journals:
            for journal in journals:
                _look(journal, settings, target, found)
    except CannotLook as error:
        found.unseen += str(error).splitlines()
    return found


def _look(journal: FreeJournal | HeldJournal, settings: Settings, target: Target, found: Waiting) -> None:
    try:
        for which in _whiches(settings, target):
            _look_for(which, journal, target, found)
    except NotAnswered as error:
        found.unseen.append(str(error))


def _look_for(which: Which, journal: FreeJournal | HeldJournal, target: Target, found: Waiting) -> None:
    count = 0
    for row in journal.rows(which, reveal=bool(target.number)):
        count += 1
        if not isinstance(row, dict):
            found.unseen.append(f"{journal.directory}: {row}")
        elif not target.number or _key(row) in target.keys:
            found.rows.append(_brief(row))  # of what may be gigabytes nothing else is kept
    if count == MOST:
        found.unseen.append(f"{journal.directory}: only its oldest {MOST} rows of this number's lane were looked at")


def _whiches(settings: Settings, target: Target) -> list[Which]:
    if (partitions := target.partitions(RECEIVED)) is None:
        return [Which(limit=MOST, name=target.id)]
    return [Which(limit=MOST, lane=(settings.kafka.topic(RECEIVED), each)) for each in sorted(partitions)]


def _key(row: Mapping[str, Any]) -> bytes:
    return base64.b64decode(row.get("key_base64") or "")


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says where it waits; nothing of its content."""
    return {name: row.get(name) for name in ("journal", "seq", "id", "topic", "partition", "timestamp_ms")}
