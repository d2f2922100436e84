"""How much money is left at each provider: asked rarely, within the account's budget, and by one process alone."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from math import isfinite
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pollers.scheduling.account import Account
from providers.results import Balance

FIRST: Final = 60.0  # seconds after the start: restored orders are polled before anybody counts money


class Balances(Collector):
    """The balances of the polled accounts, in the provider's own currency. `run` it.

    One that is not known has no sample: it was not asked for yet, or the newest answer was of no use.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        registry: CollectorRegistry,
        *,
        every: float,
        is_ours: Callable[[], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`every`: seconds between two requests to an account. `is_ours`: whether no other process asks for them."""
        self._accounts = accounts
        self._every = every
        self._is_ours = is_ours
        self._sleep = sleep
        self._amounts: dict[str, float] = {}
        registry.register(self)

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        await self._sleep(min(FIRST, self._every))
        while True:
            self._amounts = await self._asked() if self._is_ours() else {}
            await self._sleep(self._every)

    def collect(self) -> Iterator[Metric]:
        """Yield the newest balances."""
        family = GaugeMetricFamily("smsbus_account_balance", "Money that is left at the provider", labels=["account"])
        for name, amount in self._amounts.items():
            family.add_metric([name], amount)
        yield family

    async def _asked(self) -> dict[str, float]:
        answers = [(name, await account.balance()) for name, account in self._accounts.items()]
        amounts = {name: _amount(answer) for name, answer in answers if isinstance(answer, Balance)}
        return {name: amount for name, amount in amounts.items() if amount is not None}


def _amount(balance: Balance) -> float | None:
    with suppress(ValueError):
        amount = float(balance.amount)
        return amount if isfinite(amount) else None
    return None
