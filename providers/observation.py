"""What one answer of a provider says about an order, in the words of the state machines.

The provider's side is a level ("the last thing that happened"); `advance` makes the edges of it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SeenSms:
    """One SMS as an answer shows it. None: the provider does not say. Texts are as received, not cleaned."""

    code: str | None = None
    """The provider's code as given; some put a whole sentence here."""
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
    """The next SMS is waited for; the answer carries the code of the previous one, or None."""

    code: str | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """The newest SMS, and none of those before it."""

    sms: SeenSms


@dataclass(frozen=True, slots=True)
class NoCode:
    """An SMS may be there, but the answer has no content of it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The SMS that the order shows, oldest first."""

    sms: tuple[SeenSms, ...]
    complete: bool = True
    """These are all that can be had; False: the provider says that there are more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider says that the order is over."""

    reason: Literal["finished", "cancelled"]


@dataclass(frozen=True, slots=True)
class Gone:
    """The provider does not know the order: the end only when it says so again and again."""


@dataclass(frozen=True, slots=True)
class ProviderError:
    """Nothing was learned about the order. What the caller must do: see `kind`."""

    kind: Literal["auth", "throttled", "transient", "denied", "request_error", "unrecognised"]
    """`auth`: pause the account. `throttled`, `transient`: back the account off. `denied`: a business refusal, do not
    repeat. `request_error`: our request or a feature is wrong. `unrecognised`: count it, keep the state."""
    code: str
    """A machine word for metrics: the provider's own token in lower case where it is one, else ours. Never input."""
    retry_after: float | None = None
    """Seconds, as the provider said, clamped to 1-600."""
    answered: bool = False
    """The provider said it itself, in its own words, so it works and knows us: a token, an error envelope, an
    `error_code`. False: nothing came, or a page, prose or a bare HTTP status, which may be a gateway's."""


Observation = Waiting | WaitingNext | Last | NoCode | Listing | Ended | Gone | ProviderError


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Part of an answer: the rest costs another request, for which the client wants this back."""

    shows: Observation | None
    """What is known so far, usable as it is; None: nothing yet."""
    more: object
    """The client's own note of what to ask next."""
