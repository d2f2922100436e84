"""What can be set about a simulated account and its bad days; a scenario file is made of these."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator

from sandbox.plan import Curve, PlannedSms
from sandbox.sms import OrderKind, Provider

FaultKind = Literal[
    "429", "html", "empty", "5xx", "wrong_key", "reset", "truncated", "slow", "stale", "flapping", "clock", "foreign"
]
Share = Annotated[float, Field(ge=0, le=1)]

SECONDS: Final = {"slow": 20.0, "stale": 5.0, "flapping": 20.0, "clock": 10800.0}  # the last: Moscow's three hours


class Table(BaseModel):
    """A table of a scenario: fixed once read, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AccountSettings(Table):
    """One provider's account, and what its orders receive when nobody plans it."""

    key: Annotated[str, Field(min_length=1)]
    balance: NonNegativeFloat = 799.70
    curve: Curve = "mixture"
    pace: PositiveFloat = 1.0
    """Multiplies the seconds of the curve."""
    sms: tuple[NonNegativeInt, NonNegativeInt] = (1, 1)
    """How many SMS an order receives, from and to."""
    silent: Share = 0.0
    """Share of the orders that receive none."""
    lifetime: PositiveFloat = 1200.0
    """Seconds of an activation."""
    gap: NonNegativeFloat = 1.0
    """Seconds of waiting, at least, between the request for the next SMS and that SMS."""

    @model_validator(mode="after")
    def _from_and_to(self) -> "AccountSettings":
        if self.sms[0] > self.sms[1]:
            message = "sms: the first number is how many at least, the second how many at most"
            raise ValueError(message)
        return self


class SmsVerifiedSettings(AccountSettings):
    """SMSVerified's."""

    key: Annotated[str, Field(min_length=1)] = "sandbox-smsverified"


class GrizzlySmsSettings(AccountSettings):
    """GrizzlySMS's."""

    key: Annotated[str, Field(min_length=1)] = "sandbox-grizzlysms"
    no_cancel: NonNegativeFloat = 120.0
    """Seconds after the opening in which the cancel of an activation is refused as too early."""
    odd: Share = 0.5
    """Share of getRentStatus answers with the slips of the document's own sample: `"0 "`, `"phoneFrom "`, `"test"`."""
    resend: Share = 0.0
    """Share of waiting answers that say STATUS_WAIT_RESEND."""
    page: NonNegativeInt = 0
    """So many SMS of a rent at a time, as siblings page; 0: everything at once."""
    status_v2: bool = True
    """getStatusV2 is offered; else it is BAD_ACTION."""
    active_list: bool = True
    """getActiveActivations is offered; else it is BAD_ACTION."""


class SmsManSettings(AccountSettings):
    """SMS-Man's."""

    key: Annotated[str, Field(min_length=1)] = "sandbox-smsman"


class Fault(Table):
    """What goes wrong with a share of the answers, always or in a window."""

    model_config = ConfigDict(populate_by_name=True)

    kind: FaultKind
    provider: Provider | None = None
    """None: all three."""
    share: Share = 1.0
    start: Annotated[NonNegativeFloat, Field(alias="from")] = 0.0
    """Seconds after the start of the sandbox."""
    until: PositiveFloat | None = None
    retry_after: int | str | None = None
    """The header of a 429 or 5xx, as it stands; None: no header."""
    status: Annotated[int, Field(ge=500, le=599)] = 502
    """Of 5xx."""
    seconds: NonNegativeFloat | None = None
    """slow: until the answer; stale, flapping: how old a change may be; clock: how far ahead."""

    @property
    def length(self) -> float:
        """`seconds`, or the kind's own."""
        return SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def covers(self, provider: Provider, elapsed: float) -> bool:
        """It is on for this provider, so many seconds after the start."""
        in_window = self.start <= elapsed and (self.until is None or elapsed < self.until)
        theirs = self.provider in (None, provider) and (self.kind != "foreign" or provider == "smsman")
        return in_window and theirs


class OrderRequest(Table):
    """An order that is opened without being bought. `sms` None: as the account's curve has it."""

    provider: Provider
    kind: OrderKind = "activation"
    number: Annotated[str, Field(pattern=r"^\+?\d{5,20}$")] | None = None
    service: str = "tg"
    country: str = "12"
    sms: tuple[PlannedSms, ...] | None = None
    lifetime: PositiveFloat | None = None
    gap: NonNegativeFloat | None = None


class PingMeSettings(Table):
    """The simulated PingMe; it posts only where a callback URL is given."""

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
    """A whole scenario file; every table of it may be missing."""

    seed: int | None = None
    smsverified: SmsVerifiedSettings = SmsVerifiedSettings()
    grizzlysms: GrizzlySmsSettings = GrizzlySmsSettings()
    smsman: SmsManSettings = SmsManSettings()
    pingme: PingMeSettings = PingMeSettings()
    orders: tuple[Orders, ...] = ()
    bad: tuple[Fault, ...] = ()
