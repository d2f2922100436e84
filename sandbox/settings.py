"""Settings of simulated accounts and faults; the tables of a scenario file."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator

from sandbox.plan import Curve, PlannedSms
from sandbox.sms import OrderKind, Provider

FaultKind = Literal[
    "429", "html", "empty", "5xx", "wrong_key", "reset", "truncated", "slow", "stale", "flapping", "clock", "foreign"
]
Share = Annotated[float, Field(ge=0, le=1)]

SECONDS: Final = {"slow": 20.0, "stale": 5.0, "flapping": 20.0, "clock": 10800.0}  # clock: Moscow's three hours


class Table(BaseModel):
    """A table of a scenario: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AccountSettings(Table):
    """An account at one provider, and what its orders receive unless it is planned."""

    key: Annotated[str, Field(min_length=1)]
    balance: NonNegativeFloat = 799.70
    curve: Curve = "mixture"
    pace: PositiveFloat = 1.0
    """Multiplies the delays of the curve."""
    sms: tuple[NonNegativeInt, NonNegativeInt] = (1, 1)
    """How many SMS an order receives, from and to."""
    silent: Share = 0.0
    """Share of the orders that receive none."""
    lifetime: PositiveFloat = 1200.0
    """Seconds of an activation."""
    gap: NonNegativeFloat = 1.0
    """Minimum seconds between the request for the next SMS and that SMS."""

    @model_validator(mode="after")
    def _from_and_to(self) -> "AccountSettings":
        if self.sms[0] > self.sms[1]:
            message = "sms: the first number is the minimum, the second the maximum"
            raise ValueError(message)
        return self


class SmsVerifiedSettings(AccountSettings):
    """An account at SMSVerified."""

    key: Annotated[str, Field(min_length=1)] = "sandbox-smsverified"


class GrizzlySmsSettings(AccountSettings):
    """An account at GrizzlySMS."""

    key: Annotated[str, Field(min_length=1)] = "sandbox-grizzlysms"
    no_cancel: NonNegativeFloat = 120.0
    """Seconds after its opening in which cancelling an activation is refused as too early."""
    odd: Share = 0.5
    """Share of getRentStatus responses with the typos of the document's sample: `"0 "`, `"phoneFrom "`, `"test"`."""
    resend: Share = 0.0
    """Share of waiting responses that are STATUS_WAIT_RESEND."""
    page: NonNegativeInt = 0
    """SMS of a rent per page, as siblings have it; 0: no pages."""
    status_v2: bool = True
    """getStatusV2 is offered; otherwise its response is BAD_ACTION."""
    active_list: bool = True
    """getActiveActivations is offered; otherwise its response is BAD_ACTION."""


class SmsManSettings(AccountSettings):
    """An account at SMS-Man."""

    key: Annotated[str, Field(min_length=1)] = "sandbox-smsman"


class Fault(Table):
    """A fault of a share of the responses, always or in a time window."""

    model_config = ConfigDict(populate_by_name=True)

    kind: FaultKind
    provider: Provider | None = None
    """None: all three."""
    share: Share = 1.0
    start: Annotated[NonNegativeFloat, Field(alias="from")] = 0.0
    """Seconds after the start of the sandbox."""
    until: PositiveFloat | None = None
    retry_after: int | str | None = None
    """The Retry-After header of a 429 or 5xx, verbatim; None: no header."""
    status: Annotated[int, Field(ge=500, le=599)] = 502
    """The HTTP status of kind 5xx."""
    seconds: NonNegativeFloat | None = None
    """slow: the delay; stale, flapping: the age up to which a change is not visible; clock: how far it is ahead."""

    @property
    def length(self) -> float:
        """`seconds`, or the default of the kind."""
        return SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def covers(self, provider: Provider, elapsed: float) -> bool:
        """Return whether it is active for this provider, so many seconds after the start."""
        in_window = self.start <= elapsed and (self.until is None or elapsed < self.until)
        theirs = self.provider in (None, provider) and (self.kind != "foreign" or provider == "smsman")
        return in_window and theirs


class OrderRequest(Table):
    """An order that is opened without being bought. `sms` None: drawn from the account's curve."""

    provider: Provider
    kind: OrderKind = "activation"
    number: Annotated[str, Field(pattern=r"^\+?\d{5,20}$")] | None = None
    service: str = "tg"
    country: str = "12"
    sms: tuple[PlannedSms, ...] | None = None
    lifetime: PositiveFloat | None = None
    gap: NonNegativeFloat | None = None


class PingMeSettings(Table):
    """The simulated PingMe; it posts only if a callback URL is given."""

    rate: PositiveFloat = 1.0
    numbers: Annotated[int, Field(ge=1, le=10000)] = 12
    duplicates: Share = 0.05
    malformed: Share = 0.02
    user_id: str = "xxx"
    app_key: str = "sandbox-pingme"


class Orders(OrderRequest):
    """Orders that are open from the start."""

    count: Annotated[int, Field(ge=1, le=100_000)] = 1


class Scenario(Table):
    """A scenario file; every table is optional."""

    seed: int | None = None
    smsverified: SmsVerifiedSettings = SmsVerifiedSettings()
    grizzlysms: GrizzlySmsSettings = GrizzlySmsSettings()
    smsman: SmsManSettings = SmsManSettings()
    pingme: PingMeSettings = PingMeSettings()
    orders: tuple[Orders, ...] = ()
    bad: tuple[Fault, ...] = ()
