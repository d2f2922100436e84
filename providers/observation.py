"""What one response of a provider says about an order, as input for the state machines.

A response shows the provider's current state of the order; `pollers.tracking.advance` derives the events from it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SeenSms:
    """One SMS as a response shows it. None: the provider does not say. Texts are as received, not cleaned."""

    code: str | None = None
    """The code as the provider sends it; some put a whole sentence here."""
    text: str | None = None
    sender: str | None = None
    time_raw: str | None = None
    service: str | None = None
    recipient: str | None = None
    message_type: str = "sms"


@dataclass(frozen=True, slots=True)
class Waiting:
    """No SMS is visible."""


@dataclass(frozen=True, slots=True)
class WaitingNext:
    """The provider waits for the next SMS. `code`: of the previous SMS, where the response has it."""

    code: str | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """Only the newest SMS is shown."""

    sms: SeenSms


@dataclass(frozen=True, slots=True)
class NoCode:
    """There may be an SMS, but the response has no content of it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The SMS that the order shows, oldest first."""

    sms: tuple[SeenSms, ...]
    complete: bool = True
    """The list has every SMS that can be fetched; False: the provider says that there are more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider says that the order is over."""

    reason: Literal["finished", "cancelled"]


@dataclass(frozen=True, slots=True)
class Gone:
    """The provider does not know the order. It counts as its end only when repeated."""


@dataclass(frozen=True, slots=True)
class ProviderError:
    """The response says nothing about the order. `kind` tells the caller what to do."""

    kind: Literal["auth", "throttled", "transient", "denied", "request_error", "unrecognised"]
    """`auth`: pause the account. `throttled`, `transient`: back off, for the account. `denied`: refused for a business
    reason, do not repeat. `request_error`: the request is wrong or not offered. `unrecognised`: count it, keep the
    state."""
    code: str
    """For metrics and logs: the provider's token in lower case where it is a known one, else one of ours. Never free
    text from a response."""
    retry_after: float | None = None
    """Seconds, as the provider asks, limited to 1-600."""
    answered: bool = False
    """The provider's application itself returned the error (a token, an error envelope, an `error_code`), so it works
    and accepts the key. False: no response, or an HTML page, prose or only an HTTP status, possibly from a gateway."""


Observation = Waiting | WaitingNext | Last | NoCode | Listing | Ended | Gone | ProviderError


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Part of a result: the rest takes another request, to which this is passed."""

    shows: Observation | None
    """What is known so far, usable by itself; None: nothing yet."""
    more: object
    """The client's own note of what to request next."""
