"""Typed results of the methods that people call. Money and ids are the provider's own text; None: it does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["next", "finish", "cancel"]
"""On an order: request its next SMS, or end it."""
ActResult = Literal["done", "too_early"]
"""Of an action that was not refused; after `too_early` it can be tried again later."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The account's balance. `details`: holds and channels, where the provider has them."""

    amount: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A country or a service; `id` is its name in requests."""

    id: str
    name: str | None = None
    code: str | None = None
    """The provider's short name; for countries of SMSVerified the dialling prefix."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How many numbers are available."""

    count: int | None
    service: str | None = None
    country: str | None = None
    forwarding: bool | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a number. `period`: how long a rent lasts for that price; `max_hours`: the longest possible rent."""

    cost: str
    country: str | None = None
    service: str | None = None
    count: int | None = None
    period: str | None = None
    max_hours: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A number that was bought, extended or locked. `expires` is the provider's text, in the provider's time zone."""

    order_kind: Literal["activation", "rent"]
    order_id: str
    number: str
    expires: str | None = None
    cost: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActiveActivation:
    """One row of the list of running activations. A missing id does not prove that the order has ended."""

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
    """One period for which a number was rented or extended."""

    started: str | None
    price: str | None
    hours: str | None
