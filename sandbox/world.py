"""The three simulated polled providers, without the network."""

from random import Random

from sandbox.account import Account
from sandbox.book import Book
from sandbox.clock import Clock, SystemClock
from sandbox.faults import ActiveFaults, Faults
from sandbox.orders import Order
from sandbox.plan import PlannedSms
from sandbox.response import Moment
from sandbox.settings import Fault, OrderRequest, Scenario
from sandbox.sms import OrderKind, Provider


class World:
    """Accounts, their orders, the faults and the book, which may be read at any time.

    With equal scenarios and an `rng` in the same state, equal orders receive equal SMS. `clock` is the source of time.
    """

    def __init__(
        self, scenario: Scenario | None = None, *, rng: Random | None = None, clock: Clock | None = None
    ) -> None:
        self.scenario = scenario or Scenario()
        self.clock = clock or SystemClock()
        self.book = Book()
        self._rng = rng or Random(self.scenario.seed)  # noqa: S311 - fictional SMS
        self._faults = Faults(list(self.scenario.bad), self._random(), self.book.faults)
        seed = self._rng.getrandbits(64)
        self.accounts: dict[Provider, Account] = {
            "smsverified": Account("smsverified", self.scenario.smsverified, seed, self.book),
            "grizzlysms": Account("grizzlysms", self.scenario.grizzlysms, seed, self.book),
            "smsman": Account("smsman", self.scenario.smsman, seed, self.book),
        }
        self._started = self.clock.now()

    def begin(self) -> None:
        """Start the scenario: the windows of its faults are relative to now, and its orders are opened."""
        self._started = self.clock.now()
        for request in self.scenario.orders:
            for _ in range(request.count):
                self.open(request)

    def open(self, request: OrderRequest) -> Order:
        """Open an order without buying it."""
        account = self.accounts[request.provider]
        opened = account.activate if request.kind == "activation" else account.rent
        return opened(request, self.clock.now())

    def receive(self, provider: Provider, kind: OrderKind, order_id: str, sms: PlannedSms) -> Order | None:
        """Deliver one more SMS to an order, `at` seconds from now; None if there is no such order."""
        account = self.accounts[provider]
        order = account.find(kind, order_id)
        if order is not None:
            later = self.clock.now() - order.opened
            account.receive(order, [sms.model_copy(update={"at": sms.at + later})], rng=self._rng)
        return order

    def add_fault(self, fault: Fault) -> None:
        """Add a fault; its window is relative to now."""
        elapsed = self.clock.now() - self._started
        until = None if fault.until is None else fault.until + elapsed
        self._faults.faults.append(fault.model_copy(update={"start": fault.start + elapsed, "until": until}))

    def clear_faults(self) -> None:
        """Remove all faults, including those of the scenario."""
        self._faults.faults.clear()

    def faults(self, provider: Provider) -> ActiveFaults:
        """Return the faults of the provider's next response."""
        return self._faults.draw(provider, self.clock.now() - self._started)

    def moment(self, provider: Provider, faults: ActiveFaults) -> Moment:
        """Return the circumstances of that response."""
        grizzly = self.scenario.grizzlysms
        odd = provider == "grizzlysms" and self._rng.random() < grizzly.odd
        resend = provider == "grizzlysms" and self._rng.random() < grizzly.resend
        return Moment(self.clock.now(), faults.lag, faults.clock, odd, resend)

    def _random(self) -> Random:
        return Random(self._rng.getrandbits(64))  # noqa: S311 - simulated faults
