"""Everything that is simulated of the three polled providers, without the network."""

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
    """Accounts, their orders, the bad days and the book, which may be read at any time.

    With equal scenarios and `rng` in equal states, equal orders receive equal SMS. `clock` says when things happen.
    """

    def __init__(
        self, scenario: Scenario | None = None, *, rng: Random | None = None, clock: Clock | None = None
    ) -> None:
        self.scenario = scenario or Scenario()
        self.clock = clock or SystemClock()
        self.book = Book()
        self._rng = rng or Random(self.scenario.seed)  # noqa: S311 - made-up SMS
        self._faults = Faults(list(self.scenario.bad), self._random(), self.book.faults)
        seed = self._rng.getrandbits(64)
        self.accounts: dict[Provider, Account] = {
            "smsverified": Account("smsverified", self.scenario.smsverified, seed, self.book),
            "grizzlysms": Account("grizzlysms", self.scenario.grizzlysms, seed, self.book),
            "smsman": Account("smsman", self.scenario.smsman, seed, self.book),
        }
        self._started = self.clock.now()

    def begin(self) -> None:
        """Let time begin: windows of bad days count from now, and the scenario's orders are opened."""
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
        """Let an order receive one more SMS, `at` seconds from now; None where there is no such order."""
        account = self.accounts[provider]
        order = account.find(kind, order_id)
        if order is not None:
            later = self.clock.now() - order.opened
            account.receive(kind, order, [sms.model_copy(update={"at": sms.at + later})], rng=self._rng)
        return order

    def add_fault(self, fault: Fault) -> None:
        """Begin a bad day; its window counts from now."""
        elapsed = self.clock.now() - self._started
        until = None if fault.until is None else fault.until + elapsed
        self._faults.faults.append(fault.model_copy(update={"start": fault.start + elapsed, "until": until}))

    def clear_faults(self) -> None:
        """End every bad day, those of the scenario too."""
        self._faults.faults.clear()

    def faults(self, provider: Provider) -> ActiveFaults:
        """Return what goes wrong with the provider's next answer."""
        return self._faults.draw(provider, self.clock.now() - self._started)

    def moment(self, provider: Provider, faults: ActiveFaults) -> Moment:
        """Return the circumstances of that answer."""
        grizzly = self.scenario.grizzlysms
        odd = provider == "grizzlysms" and self._rng.random() < grizzly.odd
        resend = provider == "grizzlysms" and self._rng.random() < grizzly.resend
        return Moment(self.clock.now(), faults.lag, faults.clock, odd, resend)

    def _random(self) -> Random:
        return Random(self._rng.getrandbits(64))  # noqa: S311 - made-up bad days
