"""A place in the topics that a client keeps: the same for every replica, and after their restarts.

It names the cluster, belongs to one filter, and has for each partition the offset to go on from, with a mark of the
record before it: where another record stands there now, the topic was made anew.
"""

import base64
import binascii
import hashlib
import struct
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from bus.kafka.topics_reader import Part
from schemas.topics import MESSAGE_PARTITIONS

VERSION: Final = 1
HEAD: Final = struct.Struct(">BI4sQ")
MARK_BITS: Final = 16
LONGEST: Final = 512  # characters


class Place(NamedTuple):
    """Where to go on in a partition."""

    offset: int
    mark: int = 0
    """Of the record before it; 0: not known."""


class Cursor(NamedTuple):
    """Where to go on."""

    cluster: int
    """`named` of Kafka's name of itself."""
    filter: bytes
    """`Filter.digest`."""
    since_ms: int
    """When the reading began that it belongs to: what was observed long before is not news to a waiter."""
    places: Mapping[Part, Place]

    def text(self) -> str:
        """Return it as a client keeps it: letters, digits, `-` and `_`."""
        places = [self.places[part] for part in sorted(self.places)]
        numbers = [place.offset << MARK_BITS | place.mark for place in places]
        data = HEAD.pack(VERSION, self.cluster, self.filter, self.since_ms) + struct.pack(f">{len(numbers)}Q", *numbers)
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    @classmethod
    def of(cls, text: str, topics: tuple[str, ...]) -> Self:
        """Read what `text` returned for a filter of these topics. Raises ValueError for any other text."""
        if len(text) > LONGEST:
            raise ValueError(text)
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            version, cluster, filtered, since_ms = HEAD.unpack_from(data)
            parts = parts_of(topics)
            numbers = struct.unpack(f">{len(parts)}Q", data[HEAD.size :])
        except (binascii.Error, struct.error):
            raise ValueError(text) from None
        if version != VERSION:
            raise ValueError(text)
        places = {part: Place(*divmod(number, 1 << MARK_BITS)) for part, number in zip(parts, numbers, strict=True)}
        return cls(cluster, filtered, since_ms, places)

    def moved(self, part: Part, place: Place) -> Self:
        """Return it with one partition moved."""
        return self._replace(places={**self.places, part: place})


def parts_of(topics: tuple[str, ...]) -> list[Part]:
    """Return all partitions of these topics, in order."""
    return [Part(topic, number) for topic in sorted(topics) for number in range(MESSAGE_PARTITIONS)]


def named(cluster: str) -> int:
    """Return the number by which a cursor names a cluster."""
    return zlib.crc32(cluster.encode())


def mark_of(event_id: str) -> int:
    """Return the mark of the record with this event: 1 to 65,535."""
    name = event_id.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=2).digest(), "big") or 1
