"""A world whose time passes when a test says so, and questions put to it without a network."""

from collections.abc import Callable
from datetime import datetime
from random import Random

import pytest

from sandbox import grizzly_rents, grizzlysms, handler_api, smsman, smsman_rents, smsverified
from sandbox.bad_days import Troubles
from sandbox.orders import Order
from sandbox.plan import PlannedSms
from sandbox.reply import Reply
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

    def ask(self, provider: str, action: str, *, troubles: Troubles | None = None, **query: str) -> Reply:
        """Ask a handler_api provider by its action, or SMS-Man by `control/name` or `rent-api/name`."""
        account = self.world.accounts[provider]
        moment = self.world.moment(provider, troubles or Troubles())
        if provider == "smsman":
            api, name = action.split("/")
            actions = smsman.ACTIONS if api == "control" else smsman_rents.ACTIONS
            return smsman.ask(actions, name, account, {"token": account.settings.key} | query, moment)
        query = {"api_key": account.settings.key, "action": action} | query
        if provider == "smsverified":
            return handler_api.ask(smsverified.ACTIONS, account, query, moment)
        if action in grizzly_rents.ACTIONS:
            return grizzly_rents.ask(account, query, moment)
        return handler_api.ask(grizzlysms.ACTIONS, account, query, moment)

    def says(self, provider: str, action: str, **query: str) -> str:
        reply = self.ask(provider, action, **query)
        self.world.book.written(reply, self.clock.now())
        return reply.body


@pytest.fixture
def asked() -> Callable[..., Asked]:
    """Return a world at a naive UTC time, with these tables of a scenario."""

    def make(time: str = "2026-05-07 13:58:16", **tables: object) -> Asked:
        tables = {"grizzlysms": {"odd": 0}} | tables
        return Asked(Scenario.model_validate(tables), datetime.fromisoformat(f"{time}+00:00").timestamp())

    return make
