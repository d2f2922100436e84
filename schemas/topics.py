"""The topics of the contract: their names, their partition counts, and how long Kafka keeps what is on them.

The partition count is part of the contract: growing one moves keys. Names are without an installation's prefix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MESSAGE_PARTITIONS: Final = 6
"""Partitions of every message topic."""

WATCH_PARTITIONS: Final = 12
"""Partitions of watches and of their states: equal, and constant, since a shard is a partition of both."""

LEAST_MESSAGE_BYTES: Final = 512 * 1024
"""The smallest `max.message.bytes` that a topic of ours may have: a start is refused with less.

A refused callback of 256 KiB is 342 KiB in base64: with less than this its dead letter would be refused, too.
"""

DAY_MS: Final = 24 * 60 * 60 * 1000
MIB: Final = 1024 * 1024

RECEIVED: Final = "sms.received.v1"
REJECTED: Final = "sms.rejected.v1"
WATCH_ENDED: Final = "sms.watch-ended.v1"
WATCHES: Final = "sms.watches.v1"
STATES: Final = "sms.watch-states.v1"


@dataclass(frozen=True)
class Topic:
    """One topic of the contract. `configs` are Kafka's settings of it."""

    name: str
    partitions: int
    configs: Mapping[str, str]


def _kept(days: int) -> dict[str, str]:
    """Return the settings of a topic that keeps each record for so many days, and up to a day longer.

    Kafka deletes whole closed segments by their newest record: of a quiet partition it would close one after 7 days.
    """
    kept = {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS), "segment.ms": str(DAY_MS)}
    return kept | {"max.message.bytes": str(MIB)}


# Else a flood of junk fills the brokers' disks. Of a partition, and accounts lie in one each: a flood displaces the
# older dead letters of its own partition only. Kafka deletes whole closed segments: 1.1 GiB in all with the open ones.
_BOUNDED = {"retention.bytes": str(160 * MIB), "segment.bytes": str(32 * MIB)}
_COMPACTED = {"cleanup.policy": "compact", "max.message.bytes": str(MIB)}
# States are rewritten all the time and read from the beginning at every restart: small segments, cleaned early.
_STATES = _COMPACTED | {
    "segment.ms": "600000",
    "segment.bytes": str(32 * MIB),
    "min.cleanable.dirty.ratio": "0.1",
}

TOPICS: Final = (
    Topic(RECEIVED, MESSAGE_PARTITIONS, _kept(days=7)),
    Topic(REJECTED, MESSAGE_PARTITIONS, _kept(days=14) | _BOUNDED),
    Topic(WATCH_ENDED, MESSAGE_PARTITIONS, _kept(days=7)),
    Topic(WATCHES, WATCH_PARTITIONS, _COMPACTED),
    Topic(STATES, WATCH_PARTITIONS, _STATES),
)

ALL: Final = frozenset(topic.name for topic in TOPICS)
RECEIVER_TOPICS: Final = frozenset({RECEIVED, REJECTED})
"""What the receiver writes; it needs no others."""
