"""Everything that is simulated of the three polled providers, without the network."""

from random import Random

from sandbox.account import Account
from sandbox.book import Book
from sandbox.clock import Clock, SystemClock
from sandbox.faults import BadDays, Troubles
from sandbox.orders import Order
from sandbox.plan import PlannedSms
from sandbox.response import Moment
from sandbox.settings import BadDay, OrderRequest, Scenario
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
        self._bad_days = BadDays(list(self.scenario.bad), self._random(), self.book.bad_days)
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
        for wanted in self.scenario.orders:
            for _ in range(wanted.count):
                self.open(wanted)

    def open(self, wanted: OrderRequest) -> Order:
        """Open an order without buying it."""
        account = self.accounts[wanted.provider]
        opened = account.activate if wanted.kind == "activation" else account.rent
        return opened(wanted, self.clock.now())

    def receive(self, provider: Provider, kind: OrderKind, order_id: str, sms: PlannedSms) -> Order | None:
        """Let an order receive one more SMS, `at` seconds from now; None where there is no such order."""
        account = self.accounts[provider]
        order = account.find(kind, order_id)
        if order is not None:
            later = self.clock.now() - order.opened
            account.receive(kind, order, [sms.model_copy(update={"at": sms.at + later})], rng=self._rng)
        return order

    def bad(self, day: BadDay) -> None:
        """Begin a bad day; its window counts from now."""
        elapsed = self.clock.now() - self._started
        until = None if day.until is None else day.until + elapsed
        self._bad_days.days.append(day.model_copy(update={"start": day.start + elapsed, "until": until}))

    def good(self) -> None:
        """End every bad day, those of the scenario too."""
        self._bad_days.days.clear()

    def troubles(self, provider: Provider) -> Troubles:
        """Return what goes wrong with the provider's next answer."""
        return self._bad_days.draw(provider, self.clock.now() - self._started)

    def moment(self, provider: Provider, troubles: Troubles) -> Moment:
        """Return the circumstances of that answer."""
        grizzly = self.scenario.grizzlysms
        odd = provider == "grizzlysms" and self._rng.random() < grizzly.odd
        resend = provider == "grizzlysms" and self._rng.random() < grizzly.resend
        return Moment(self.clock.now(), troubles.lag, troubles.clock, odd, resend)

    def _random(self) -> Random:
        return Random(self._rng.getrandbits(64))  # noqa: S311 - made-up bad days
