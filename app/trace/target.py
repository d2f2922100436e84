"""What is traced: an id, or a number."""

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from app.rejected.letters import Letter
from bus.kafka.reader import ReadRecord
from bus.record import partition_of
from inbox.item import Item
from schemas.normalize import digits
from schemas.topics import RECEIVED

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().-]*")
TELLING: Final = 7  # digits; fewer are in many a body by chance


class Target(NamedTuple):
    """One of the two is empty."""

    id: str = ""
    number: str = ""
    """Digits alone: the key of its SMS, if its provider spells it so."""

    @property
    def keys(self) -> frozenset[bytes]:
        """The keys of a number's SMS: its digits as a `+` goes before them, and as `00` does."""
        plain = self._plain
        return frozenset({plain.encode(), b"00" + plain.encode()}) if plain else frozenset()

    @property
    def _plain(self) -> str:
        return self.number.removeprefix("00") or self.number

    def partitions(self, topic: str) -> Collection[int] | None:
        """Return where it can be; None: anywhere."""
        return set(map(partition_of, self.keys)) if self.number and topic == RECEIVED else None

    def is_sms(self, record: ReadRecord) -> bool:
        """Tell whether a record of SMS is wanted."""
        if self.number:
            return record.key in self.keys
        return record.headers.get("ce_id") == self.id.encode()

    def is_letter(self, record: ReadRecord) -> bool:
        """Tell whether a dead letter is wanted: one that names the id, or has the number in its bytes."""
        value = record.value or b""
        if self.id:
            return self.id.encode() in value
        return len(self._plain) >= TELLING and self._plain.encode() in _body(value)

    def is_end(self, item: Item, watches: Collection[str]) -> bool:
        """Tell whether the end of a watch is wanted: of one of these, or of the number's."""
        return item.watch_id in watches or (item.recipient or "").encode() in self.keys or item.id == self.id


def target_in(text: str) -> Target | None:
    """Read what a person typed; None: it is neither."""
    if _ID.fullmatch(text.lower()):
        return Target(id=text.lower())
    return Target(number=digits(text)) if _NUMBER.fullmatch(text) else None


def _body(value: bytes) -> bytes:
    try:
        return Letter.model_validate_json(value).body
    except ValueError:
        return b""
