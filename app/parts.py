"""What a process is made of, by its role: the door for callbacks, the pollers, or both on one bus."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final, Literal

from prometheus_client import CollectorRegistry

from app.admin import Admin
from app.sections import POLLED
from app.settings import Settings
from app.watch_api import WatchApi
from bus.commands import CommandWriter
from bus.kafka import Condition, KafkaBus
from pollers.account import Account
from pollers.fetch import HttpFetcher
from pollers.metrics import PollerMetrics
from pollers.poller import Poller
from pollers.providers import PROVIDERS
from pollers.watch_table import WatchTable
from receiver.metrics import ReceiverMetrics
from receiver.server import Door

Role = Literal["all", "receiver", "pollers"]
RECEIVING: Final = ("all", "receiver")
POLLING: Final = ("all", "pollers")


def polled_accounts(settings: Settings) -> frozenset[str]:
    """Return the names of the accounts that are asked."""
    return frozenset(name for name, account in settings.accounts.items() if account.provider in POLLED)


def door(
    settings: Settings,
    bus: KafkaBus,
    registry: CollectorRegistry,
    now_ms: Callable[[], int],
    *,
    shared: bool,
) -> Door:
    """Return the door for callbacks; it binds nothing yet."""
    metrics = ReceiverMetrics(registry)
    accounts = settings.pingme_accounts()
    return Door(bus, accounts, settings.receiver, clock_ms=now_ms, metrics=metrics, shared=shared)


class Polling:
    """The pollers, and what answers for all watches of the installation. `start`, then `stop`."""

    def __init__(self, settings: Settings, service: Poller) -> None:
        self.service = service
        self.table = WatchTable(settings.kafka)
        self.writer = CommandWriter(settings.kafka)
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Join the group; begin to follow the watches."""
        self.service.start()
        self._following = asyncio.get_running_loop().create_task(self.table.follow())

    async def stop(self) -> None:
        """Leave the group."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        await self.service.stop()
        await self.writer.close()


def polling(settings: Settings, bus: KafkaBus, registry: CollectorRegistry, stack: AsyncExitStack) -> Polling | None:
    """Return the pollers, None without an account to poll; `stack` closes their connections in the end."""
    accounts = {account.name: account for account in _accounts(settings, stack)}
    if not accounts:
        return None
    service = Poller(settings.kafka, bus, accounts, settings.pollers)
    PollerMetrics(service, registry)
    return Polling(settings, service)


def admin(settings: Settings, bus: KafkaBus, registry: CollectorRegistry, polling: Polling | None) -> Admin:
    """Return the internal listener; with pollers, the watches are on it."""
    if polling is None:
        return Admin(settings.admin, alive=bus.alive, condition=bus.condition, registry=registry)
    watches = WatchApi(
        polling.table,
        polling.writer,
        accounts=polled_accounts(settings),
        token=settings.admin.token or None,
        now_ms=polling.service.now_ms,
    )

    def alive() -> bool:
        return bus.alive() and polling.service.alive()

    def condition() -> Condition:
        of_bus = bus.condition()
        behind = ("watch_table_behind",) if polling.table.behind else ()
        return replace(of_bus, degraded=of_bus.degraded + polling.service.degraded() + behind)

    def starting() -> bool:  # while Kafka is away the door for callbacks must be open
        return not polling.table.filled and not polling.table.behind

    return Admin(
        settings.admin, alive=alive, condition=condition, registry=registry, extend=watches.add_to, starting=starting
    )


def _accounts(settings: Settings, stack: AsyncExitStack) -> Iterator[Account]:
    for name in sorted(polled_accounts(settings)):
        account = settings.accounts[name]
        fetcher = HttpFetcher(proxy_url=account.proxy_url)
        stack.push_async_callback(fetcher.close)
        if account.api_key is None:
            continue  # the settings' own rule: a polled account has a key
        client = PROVIDERS[account.provider](
            api_key=account.api_key,
            base_url=account.base_url,
            fetcher=fetcher,
            status_action=account.status_action,
        )
        yield Account(
            name,
            account.provider,
            client,
            requests_per_second=account.max_requests_per_second or settings.pollers.requests_per_second,
            zone=account.zone,
            rng=random.Random(),  # noqa: S311 - jitter,
        )
