"""Every request that arrived at a provider, or was sent to it: the record that budgets and gaps are judged by."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from sandbox.sms import Sms

Kind = Literal["poll", "page", "text", "action", "list", "probe", "other"]

KINDS: Final[Mapping[str, Kind]] = {
    "getStatus": "poll",
    "getStatusV2": "poll",
    "getRentStatus": "poll",
    "get-sms": "poll",
    "get-all-sms": "poll",
    "getFullSms": "text",
    "setStatus": "action",
    "setRentStatus": "action",
    "set-status": "action",
    "getActiveActivations": "list",
    "getBalance": "probe",
    "get-balance": "probe",
}


class Request:
    """One request. Times are seconds of the run's clock; `answered`: when its end was known; None: it is not."""

    __slots__ = (
        "account",
        "action",
        "answered",
        "arrived",
        "body",
        "kind",
        "order",
        "outcome",
        "replica",
        "sent",
        "shown",
    )

    def __init__(self, account: str, replica: str, kind: Kind, order: str, action: str, sent: float) -> None:
        self.account = account
        self.replica = replica
        self.kind = kind
        self.order = order
        self.action = action
        """Of an action: the status that it sets."""
        self.sent = sent
        self.arrived: float | None = None
        self.answered: float | None = None
        self.outcome = "lost"
        """`ok`, a kind of bad day, `broken` (an order that answers an error for ever), `timeout` or `lost`."""
        self.body = ""
        """What an action was answered."""
        self.shown: tuple[Sms, ...] = ()
        """What an answer that was received shows, in full."""


class Told(NamedTuple):
    """A Retry-After that reached a replica."""

    account: str
    replica: str
    since: float
    until: float


class RequestLog:
    """All requests of a run, in the order in which they were sent."""

    def __init__(self) -> None:
        self.all: list[Request] = []
        self.of_order: defaultdict[tuple[str, str], list[Request]] = defaultdict(list)
        self.told: list[Told] = []

    def note(self, request: Request) -> None:
        """One was sent."""
        self.all.append(request)
        if request.order:
            self.of_order[request.account, request.order].append(request)
