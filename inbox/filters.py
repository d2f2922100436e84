"""Which events somebody asked for. One filter for lists, streams, waits and cursors."""

import hashlib
from typing import Final, NamedTuple

from inbox.item import Item
from schemas.topics import RECEIVED

EQUAL: Final = (
    "recipient", "account", "provider", "service", "client_ref", "watch_id", "order_id", "freshness"
)  # fmt: skip
"""The fields that must be equal, whole."""


class Filter(NamedTuple):
    """What an event must have; None: anything."""

    recipient: str | None = None
    """Digits alone."""
    account: str | None = None
    provider: str | None = None
    service: str | None = None
    client_ref: str | None = None
    watch_id: str | None = None
    order_id: str | None = None
    freshness: str | None = None
    has_code: bool | None = None
    contains: str | None = None
    """Text, in any case."""
    topics: tuple[str, ...] = (RECEIVED,)
    among: tuple[str, ...] | None = None
    """The accounts that whoever asks may see, sorted; None: all."""

    def matches(self, item: Item) -> bool:
        """Tell whether it was asked for."""
        return (
            item.part.topic in self.topics
            and self.may_see(item.account)
            and all(
                wanted is None or wanted == value for wanted, value in zip(self[:_EQUAL], _equal(item), strict=True)
            )
            and self.has_code in {None, item.code is not None}
            and (self.contains is None or self.contains.casefold() in (item.text or "").casefold())
        )

    def may_see(self, account: str) -> bool:
        """Tell whether whoever asks may see this account."""
        return self.among is None or account in self.among

    def owns(self, digest: bytes) -> bool:
        """Tell whether a cursor of the filter with this digest is one of ours. One of all events belongs to all."""
        return digest in {self.digest(), Filter(topics=self.topics).digest()}

    def digest(self) -> bytes:
        """Return four bytes that name it; the same in every process."""
        return hashlib.blake2b(repr(tuple(self)).encode("utf-8", "surrogatepass"), digest_size=4).digest()


_EQUAL: Final = len(EQUAL)


def _equal(item: Item) -> tuple[str | None, ...]:
    return (
        item.recipient,
        item.account,
        item.provider,
        item.service,
        item.client_ref,
        item.watch_id,
        item.order_id,
        item.freshness,
    )
