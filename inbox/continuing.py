"""Whether reading can go on from a cursor, of who has the topics and no tail."""

import sys

from bus.kafka.topics_reader import Part
from inbox.asking import OtherFilter
from inbox.cursor import Cursor, Place, mark_of, named
from inbox.filters import Filter
from inbox.following import Reader
from inbox.item import Item
from inbox.tail import Gone


async def check(reader: Reader, cursor: Cursor, wanted: Filter) -> None:
    """Return if all that follows it is in the topics. Raises `OtherFilter`; `Gone` if it is too old, or of others."""
    if not wanted.owns(cursor.filter):
        raise OtherFilter
    if named(reader.cluster) != cursor.cluster:
        raise Gone
    oldest, ends = await reader.begins(0, sys.maxsize), await reader.ends()
    for part, place in cursor.places.items():
        if not oldest[part] <= place.offset <= ends[part]:
            raise Gone(part)
    before = {part: place.offset - 1 for part, place in cursor.places.items() if place.mark}
    marked = {part: offset for part, offset in before.items() if offset >= oldest[part]}
    reader.place(ends | marked)
    await _check_marks(reader, {part: cursor.places[part] for part in marked})


async def _check_marks(reader: Reader, left: dict[Part, Place]) -> None:
    """Read on until each of these places has the record before it. Raises `Gone` if that is another one."""
    while left:
        for part, record in await reader.fetch():
            if (place := left.pop(part, None)) is None:
                continue
            item = Item.of(part, record)
            if record.offset == place.offset - 1 and (item is None or mark_of(item.id) != place.mark):
                raise Gone(part)
