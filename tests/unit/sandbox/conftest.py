"""A world whose time passes when a test says so, and questions put to it without a network."""

from collections.abc import Callable
from datetime import datetime
from random import Random

import pytest

from sandbox.faults import ActiveFaults
from sandbox.orders import Order
from sandbox.plan import PlannedSms
from sandbox.response import Response
from sandbox.routing import BASES, ROUTES
from sandbox.settings import OrderRequest, Scenario
from sandbox.world import World


class StoppedClock:
    """Time stands still."""

    def __init__(self, time: float) -> None:
        self.time = time

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Asked:
    """A world, the clock that it is on, and its providers' answers."""

    def __init__(self, scenario: Scenario, time: float) -> None:
        self.clock = StoppedClock(time)
        self.world = World(scenario, rng=Random(1), clock=self.clock)

    def later(self, seconds: float) -> None:
        self.clock.time += seconds

    def open(self, provider: str, kind: str = "activation", *, sms: list[dict] | None = None, **names: object) -> Order:
        plan = None if sms is None else tuple(PlannedSms(**one) for one in sms)
        return self.world.open(OrderRequest(provider=provider, kind=kind, sms=plan, **names))

    def respond(self, provider: str, action: str, *, faults: ActiveFaults | None = None, **query: str) -> Response:
        """Ask a handler_api provider by its action, or SMS-Man by `control/name` or `rent-api/name`."""
        path, query = self.question(provider, action, **query)
        moment = self.world.moment(provider, faults or ActiveFaults())
        return ROUTES[path].respond(self.world.accounts[provider], query, moment)

    def question(self, provider: str, action: str, **query: str) -> tuple[str, dict[str, str]]:
        """Return the path and the query of that, with the right key unless another is given."""
        key = self.world.accounts[provider].settings.key
        if provider == "smsman":
            return f"{BASES[provider]}/{action}", {"token": key} | query
        return BASES[provider], {"api_key": key, "action": action} | query

    def says(self, provider: str, action: str, **query: str) -> str:
        response = self.respond(provider, action, **query)
        self.world.book.written(response, self.clock.now())
        return response.body


@pytest.fixture
def asked() -> Callable[..., Asked]:
    """Return a world at a naive UTC time, with these tables of a scenario."""

    def make(time: str = "2026-05-07 13:58:16", **tables: object) -> Asked:
        tables = {"grizzlysms": {"odd": 0}} | tables
        return Asked(Scenario.model_validate(tables), datetime.fromisoformat(f"{time}+00:00").timestamp())

    return make
