"""What a provider tells people, typed. Money and ids are the provider's own text; None: it does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["next", "finish", "cancel"]
"""On an order: request its next SMS, or end it."""
ActResult = Literal["done", "too_early"]
"""Of an action on an order that was not refused: what is `too_early` may be tried once more later."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account holds. `details`: holds and channels, where they are told."""

    amount: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A country or a service: `id` is what requests want."""

    id: str
    name: str | None = None
    code: str | None = None
    """The provider's short name; of SMSVerified's countries the dialling prefix."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How many numbers there are."""

    count: int | None
    service: str | None = None
    country: str | None = None
    forwarding: bool | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a number costs. `period`: how long a rent lasts for that; `max_hours`: how long it may last."""

    cost: str
    country: str | None = None
    service: str | None = None
    count: int | None = None
    period: str | None = None
    max_hours: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A number that was bought, prolonged or locked. `expires` is the provider's own text, in its own zone."""

    order_kind: Literal["activation", "rent"]
    order_id: str
    number: str
    expires: str | None = None
    cost: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActiveActivation:
    """One line of the list of running activations. An id that is missing there is no proof of its end."""

    order_id: str
    number: str | None = None
    service: str | None = None
    country: str | None = None
    status: str | None = None
    cost: str | None = None
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class RentPeriod:
    """One time a number was rented or prolonged."""

    started: str | None
    price: str | None
    hours: str | None
