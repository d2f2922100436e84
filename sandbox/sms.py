"""One simulated SMS, from its plan to the moment a poller could have seen it."""

from dataclasses import dataclass
from typing import Literal

Provider = Literal["smsverified", "grizzlysms", "smsman"]
OrderKind = Literal["activation", "rent"]


@dataclass(eq=False)
class Sms:
    """One SMS of one order; the book is made of these. Times are seconds since 1970, by the sandbox's clock."""

    provider: Provider
    kind: OrderKind
    order: str
    number: str
    index: int
    """0, 1, 2 … within the order, by arrival: what tells planned equal codes apart."""
    nonce: str
    """What identifies it: `ref XXXXXXXX` in the text of a rent's SMS; the code where a code is all that is shown."""
    code: str
    text: str
    sender: str
    at: float
    """When it arrived. An activation still hides it while the SMS before it is shown."""
    shown: float | None = None
    """When the first answer that carried it was fully written."""
    shows: int = 0
    """How many such answers there were."""
    passed: float | None = None
    """When the first answer that waits for the one after it was fully written; handler_api repeats its code there."""
