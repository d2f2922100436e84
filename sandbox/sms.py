"""One simulated SMS, and when it was shown."""

from dataclasses import dataclass
from typing import Literal

Provider = Literal["smsverified", "grizzlysms", "smsman"]
OrderKind = Literal["activation", "rent"]


@dataclass(eq=False)
class Sms:
    """One SMS of one order, as in the book. Times are seconds since 1970, by the sandbox's clock."""

    provider: Provider
    kind: OrderKind
    order: str
    number: str
    index: int
    """0, 1, 2 … within the order, by arrival; distinguishes planned equal codes."""
    nonce: str
    """Identifies it: `ref XXXXXXXX` in the text of a rent's SMS, the code where only a code is shown."""
    code: str
    text: str
    sender: str
    at: float
    """When it arrived. An activation does not show it while it shows the SMS before."""
    shown: float | None = None
    """When the first response with it was fully written."""
    shows: int = 0
    """How many responses had it."""
    passed: float | None = None
    """When the first response that shows the wait for the next SMS was fully written."""
