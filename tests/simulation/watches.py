"""The watches of a run as whoever asked for them knows them. Their records are written by hand."""

import json
from dataclasses import dataclass, field
from typing import Final

from sandbox.orders import Order
from sandbox.sms import OrderKind, Provider
from schemas import identity
from schemas.timestamps import to_text
from tests.simulation.clock import EPOCH, START

LIFETIME: Final = {"activation": 25 * 60.0, "rent": 31 * 24 * 3600.0}


@dataclass(frozen=True)
class Asked:
    """One request about a watch that was written to Kafka. Times are seconds of the run's clock."""

    at: float
    desired: str
    request_id: str
    after: int | None = None
    ends: float = 0.0
    """When the watch is to end, since this was asked."""


@dataclass(eq=False)
class Case:
    """One watch of one order."""

    account: Provider
    kind: OrderKind
    order: Order
    opened: float
    ends: float
    """When it is to end at the latest, by a right clock."""
    states_end: bool = True
    """`ends` was said when it was opened."""
    after_sms: str = "keep"
    asked: list[Asked] = field(default_factory=list)
    readable: bool = True
    """Its records can be read by the program of today."""

    @property
    def watch_id(self) -> str:
        """The handle."""
        return identity.watch_id(self.account, self.kind, self.order.id)

    @property
    def order_key(self) -> str:
        """How the log of requests names the order."""
        return f"{self.kind}/{self.order.id}"

    def record(self, desired: str, request_id: str, *, after: int | None = None, states_end: bool = False) -> bytes:
        """Return a record of the watches topic."""
        value = {
            "request_id": request_id,
            "watch_id": self.watch_id,
            "account": self.account,
            "order_kind": self.kind,
            "order_id": self.order.id,
            "recipient": self.order.number,
            "service": self.order.service,
            "message_type": "sms",
            "desired": desired,
            "next_after": after,
            "opened_at": text(self.opened),
            "expires_at": text(self.ends) if states_end else None,
            "history": "emit",
            "after_sms": self.after_sms,
            "client_ref": None,
        }
        return json.dumps(value).encode()


def text(at: float) -> str:
    """Return a moment of the run's clock as records have it."""
    return to_text(int((EPOCH + at - START) * 1000))
