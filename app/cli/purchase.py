"""What was bought, and the watch for it, filled in from the purchase."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.process import now_ms

if TYPE_CHECKING:
    from pollers.watch_commands import WatchRequest
    from providers.results import Order

GRACE_MS: Final = 10 * 60_000
"""How long an order is watched after its end: for late SMS, and because clocks differ."""
LONGEST_MS: Final = 400 * 24 * 3_600_000  # no order lasts longer; a later time is an error
SERVICES: Final = ("service", "application_id")  # its names in the methods that buy
KINDS: Final = {"1": "call", "2": "voice"}
"""SMSVerified's `activationType`; 0 is an SMS."""


@dataclass(frozen=True)
class Wanted:
    """A bought order, for a watch."""

    account: str
    order: "Order"
    service: str | None
    message_type: str
    expires_at: str | None

    def request(self) -> "WatchRequest":
        """Return the request for its watch. Raises `ValidationError` for values that cannot be an order."""
        from pollers.watch_commands import WatchRequest

        return WatchRequest(
            account=self.account,
            order_kind=self.order.order_kind,
            order_id=self.order.order_id,
            recipient=self.order.number,
            service=self.service,
            message_type=self.message_type,
            expires_at=self.expires_at,
        )

    def unwatched(self, config: Path | None) -> tuple[str, str]:
        """Return the message for an order that was bought and is not watched."""
        order = self.order
        bought = (
            f"the {order.order_kind} {order.order_id} with the number {order.number} was bought and is not watched."
        )
        return f"{bought} This watches it:", f"  {shlex.join(self._command(config))}"

    def _command(self, config: Path | None) -> list[str]:
        words = ["smsbus", "watch", "add", self.account, self.order.order_id, f"--number={self.order.number}"]
        words += ["--rent"] if self.order.order_kind == "rent" else []
        words += [f"--service={self.service}"] if self.service else []
        words += [f"--type={self.message_type}"] if self.message_type != "sms" else []
        words += [f"--until={self._minutes()}m"] if self.expires_at else []
        return words + ([f"--config={config}"] if config else [])

    def _minutes(self) -> int:
        from schemas import timestamps

        left_ms = timestamps.to_epoch_ms(self.expires_at) - now_ms() if self.expires_at else 0
        return max(left_ms // 60_000, 1)


def wanted_of(account: str, zone: str, order: "Order", parameters: Mapping[str, str]) -> Wanted:
    """Return the order that these parameters bought; `zone`: of times without a zone."""
    service = next((parameters[name] for name in SERVICES if parameters.get(name)), None)
    kind = KINDS.get(parameters.get("activationType", ""), "sms")
    return Wanted(account, order, service, kind, _end(order.expires, zone, now_ms()))


def _end(expires: str | None, zone: str, now_ms: int) -> str | None:
    """Return when an order ends, with a margin; None if that is not stated, or is in the past."""
    from schemas import timestamps
    from schemas.normalize import provider_time

    said = provider_time(expires, now_ms=now_ms + LONGEST_MS, zone=zone).time if expires else None
    ends_ms = timestamps.to_epoch_ms(said) if said else 0
    return timestamps.to_text(ends_ms + GRACE_MS) if ends_ms > now_ms else None
