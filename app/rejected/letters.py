"""The dead letters of `sms.rejected.v1`, as operators select them."""

import base64
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from pydantic import ConfigDict, ValidationError

from bus.kafka import reader
from bus.record import partition_of
from bus.settings import KafkaSettings
from schemas.messages import SmsRejected
from schemas.topics import REJECTED


class Letter(SmsRejected):
    """A dead letter as it is read from the topic, where a later program may have given it more keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    @property
    def body(self) -> bytes:
        """The bytes that were kept; none if they are not base64."""
        try:
            return base64.b64decode(self.body_base64 or "", validate=True)
        except ValueError:
            return b""

    @property
    def elements(self) -> tuple[int, ...] | None:
        """Of an array the indexes of the refused elements; None: all of it was refused, or it is no array."""
        said = self.facts.get("elements", "")
        return tuple(map(int, said.split())) if re.fullmatch(r"[0-9]{1,9}( [0-9]{1,9})*", said) else None


class Wanted(NamedTuple):
    """Selects dead letters; None and an empty set select all."""

    ids: frozenset[str] = frozenset()
    reason: str | None = None
    account: str | None = None
    since_ms: int | None = None
    """Not older than this by the record's timestamp, milliseconds since 1970."""

    def takes(self, letter: Letter) -> bool:
        """Tell whether a dead letter is selected, regardless of its age."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.reason in {None, letter.reason}
            and self.account in {None, letter.account}
        )


class Letters:
    """The dead letters that are on the topic now."""

    def __init__(self, kafka: KafkaSettings, wanted: Wanted) -> None:
        self.unreadable = 0
        """Records so far that this version cannot read."""
        self._kafka = kafka
        self._wanted = wanted

    async def read(self) -> AsyncGenerator[Letter, None]:
        """Yield each once, those of one account in their order. Raises `TopicsError` and `KafkaAway`."""
        wanted, seen = self._wanted, set[str]()
        start = reader.BEGINNING if wanted.since_ms is None else reader.since(wanted.since_ms)
        only = None if wanted.account is None else {partition_of(wanted.account.encode())}
        async with aclosing(reader.read(self._kafka, REJECTED, start=start, follow=False, only=only)) as records:
            async for record in records:
                letter = self._letter(record.value)
                if letter is not None and letter.id not in seen and wanted.takes(letter):
                    seen.add(letter.id)
                    yield letter

    def _letter(self, value: bytes | None) -> Letter | None:
        try:
            return Letter.model_validate_json(value or b"")
        except ValidationError:
            self.unreadable += 1
            return None
