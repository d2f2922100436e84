"""The book of a run: what arrived, what was shown, and what PingMe posted. It is what a run is verified against."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sandbox.orders import Order
from sandbox.pingme import Entry
from sandbox.response import Response
from sandbox.sms import Sms


class Book:
    """A record of everything the sandbox sent; may be read at any time."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.callbacks: Sequence[Entry] = ()
        self.faults: Counter[tuple[str, str]] = Counter()
        """(provider, kind) → how many responses had this fault."""

    def written(self, response: Response, at: float) -> None:
        """Record what a response showed, now that all of it was written."""
        for sms in response.shows:
            sms.shows += 1
            sms.shown = at if sms.shown is None else sms.shown
        if response.passes is not None and response.passes.passed is None:
            response.passes.passed = at

    def arrived(self, now: float) -> list[Sms]:
        """Return the SMS that have arrived so far, including those that were never shown."""
        return [sms for order in self.orders for sms in order.arrived(now)]

    def as_json(self, now: float) -> dict[str, Any]:
        """Return the book as `GET /book` serves it."""
        return {
            "now": now,
            "sms": [asdict(sms) for sms in self.arrived(now)],
            "closed": [
                {"provider": order.provider, "kind": order.kind, "order": order.id, "at": order.closed}
                for order in self.orders
                if order.closed is not None
            ],
            "callbacks": [asdict(entry) | {"promised": entry.promised} for entry in self.callbacks],
            "bad_days": [
                {"provider": provider, "kind": kind, "answers": answers}
                for (provider, kind), answers in sorted(self.faults.items())
            ],
        }
