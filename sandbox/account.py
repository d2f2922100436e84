"""One account at a polled provider: its key, its balance, its orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeVar

from sandbox.book import Book
from sandbox.orders import Activation, Order, Rent
from sandbox.pingme_callbacks import number
from sandbox.plan import PlannedSms, Written, drawn, written
from sandbox.settings import AccountSettings, OrderRequest
from sandbox.sms import OrderKind, Provider, Sms

# Each provider has numbers of its own, all from the range that is reserved for fiction.
FIRST_NUMBER: Final[dict[Provider, int]] = {"smsverified": 10_000, "grizzlysms": 30_000, "smsman": 50_000}
NUMBERS: Final = 10_000  # then they are reused, as real numbers are
# As in the documents' samples. Activations and rents are numbered separately: both may have the same id.
FIRST_ID: Final[dict[Provider, int]] = {"smsverified": 860_000, "grizzlysms": 38_496_653, "smsman": 44_274}
RENT_LIFETIME: Final = 4 * 3600.0  # seconds
Kept = TypeVar("Kept", bound=Order)


@dataclass
class Account:
    """The orders of one account. What an order receives depends only on the seed and its index, not on requests."""

    provider: Provider
    settings: AccountSettings
    seed: int
    book: Book
    activations: dict[str, Activation] = field(default_factory=dict)
    rents: dict[str, Rent] = field(default_factory=dict)
    balance: float = 0.0
    _running: list[Activation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.balance = self.settings.balance

    def activate(self, request: OrderRequest, now: float) -> Activation:
        """Open an activation."""
        gap = self.settings.gap if request.gap is None else request.gap
        order_id, recipient = self._names(request, len(self.activations), now)
        ends = now + (request.lifetime or self.settings.lifetime)
        order = Activation(self.provider, order_id, recipient, request.service, request.country, now, ends, gap=gap)
        self._running.append(order)
        return self._keep(self.activations, order, request.sms)

    def rent(self, request: OrderRequest, now: float) -> Rent:
        """Open a rent."""
        order_id, recipient = self._names(request, len(self.rents), now)
        ends = now + (request.lifetime or RENT_LIFETIME)
        order = Rent(self.provider, order_id, recipient, request.service, request.country, now, ends)
        return self._keep(self.rents, order, request.sms)

    def receive(self, order: Order, plan: Sequence[PlannedSms], *, rng: Random) -> None:
        """Plan SMS for an order; `at` is relative to its opening."""
        taken = {sms.code for sms in order.sms}
        order.add(
            Sms(
                order.provider,
                order.kind,
                order.id,
                order.number,
                index,
                nonce=_nonce(order.kind, one),
                code=one.code,
                text=one.text,
                sender=one.sender,
                at=order.opened + one.at,
            )
            for index, one in enumerate(written(plan, service=order.service, taken=taken, rng=rng), len(order.sms))
        )

    def running(self, now: float) -> Sequence[Activation]:
        """Return the activations that have not ended, oldest first. An ended one is not checked again."""
        self._running = [order for order in self._running if not order.over(now)]
        return self._running

    def find(self, kind: OrderKind, order_id: str) -> Order | None:
        """Return an order of either kind."""
        return self.activations.get(order_id) if kind == "activation" else self.rents.get(order_id)

    def _names(self, request: OrderRequest, count: int, now: float) -> tuple[str, str]:
        own = number(FIRST_NUMBER[self.provider] + (len(self.activations) + len(self.rents)) % NUMBERS)
        first = FIRST_ID[self.provider] + count
        # SMSVerified's have 16 digits, with the Unix time inside: 860 1705018416 664
        order_id = f"{first // 1000}{int(now):010d}{first % 1000:03d}" if self.provider == "smsverified" else str(first)
        return order_id, request.number or own

    def _keep(self, orders: dict[str, Kept], order: Kept, plan: Sequence[PlannedSms] | None) -> Kept:
        rng = Random(f"{self.seed} {self.provider} {order.kind} {len(orders)}")  # noqa: S311 - fictional SMS
        self.receive(order, self._drawn(rng) if plan is None else plan, rng=rng)
        orders[order.id] = order
        self.book.orders.append(order)
        return order

    def _drawn(self, rng: Random) -> list[PlannedSms]:
        settings = self.settings
        count = 0 if rng.random() < settings.silent else rng.randint(*settings.sms)
        return drawn(count, curve=settings.curve, pace=settings.pace, rng=rng)


def _nonce(kind: OrderKind, sms: Written) -> str:
    if kind == "activation":
        return sms.code
    return sms.nonce or sms.text
