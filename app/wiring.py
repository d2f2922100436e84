"""The parts of a process by role: the receiver and the pollers on one bus, and the inbox, which needs none."""

import asyncio
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.callbacks import CallbackApi
from app.admin.inbox import InboxApi, nobody_is_paused
from app.admin.journals import JournalApi
from app.admin.listener import Admin
from app.admin.rejected import RejectedApi
from app.admin.watches import NothingToWatch, WatchApi
from app.own_callback import OwnCallback
from app.process import instance_id, now_ms
from app.settings.load import LOOPBACK_OF, Settings, origin_of
from app.settings.sections import POLLED
from app.settings.sections import Account as AccountSettings
from bus.contract import Bus
from bus.health import Condition
from bus.kafka.group_progress import GroupProgress
from bus.kafka.topics_reader import open_reader
from bus.kafka_bus import KafkaBus
from bus.settings import KafkaSettings
from bus.sharding.commands import CommandWriter
from bus.sharding.group import ShardGroup
from bus.sharding.state_log import StateLog
from bus.unknown_shapes import UnknownShapes
from inbox.asking import Inbox
from inbox.following import Following
from inbox.metrics import InboxMetrics
from inbox.tail import Tail
from pollers.balances import Balances
from pollers.metrics import PollerMetrics
from pollers.poller import GROUP, Poller, Table
from pollers.scheduling.account import Account
from pollers.scheduling.learned import Learned
from pollers.settings import PollersSettings
from pollers.watches.watch_table import WatchTable
from providers import PROVIDERS
from providers.client import Client
from providers.http_client import Fetcher, HttpClient
from providers.noticing import NoticingFetcher
from providers.shapes import Sample
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.server_metrics import ServerMetrics
from schemas.topics import MESSAGE_PARTITIONS, RECEIVED, REJECTED, WATCH_ENDED

Role = Literal["all", "receiver", "pollers", "inbox", "forward"]
RECEIVING: Final = ("all", "receiver")
POLLING: Final = ("all", "pollers")
READING: Final = ("all", "inbox")
WITHOUT_BUS: Final = ("inbox", "forward")
"""Roles that accept nothing, and so need no journal and no proof of the topics."""
Api = JournalApi | CallbackApi | InboxApi | RejectedApi | WatchApi | NothingToWatch


def polled_accounts(settings: Settings) -> frozenset[str]:
    """Return the names of the polled accounts."""
    return frozenset(name for name, account in settings.accounts.items() if account.provider in POLLED)


def accounts_of(settings: Settings, role: Role) -> frozenset[str]:
    """Return the names of the accounts whose messages a process of this role accepts."""
    called = frozenset(account.name for account in settings.pingme_accounts()) if role in RECEIVING else frozenset()
    return called | (polled_accounts(settings) if role in POLLING else frozenset())


def callback_server(
    settings: Settings,
    bus: KafkaBus,
    registry: CollectorRegistry,
    shapes: UnknownShapes,
    *,
    shared: bool,
    listening: socket.socket | None = None,
) -> CallbackServer:
    """Return the receiver; it binds no port yet, and none at all where a socket is `listening` already."""
    metrics = ReceiverMetrics(registry)
    server = CallbackServer(
        bus,
        settings.pingme_accounts(),
        settings.receiver,
        clock_ms=now_ms,
        metrics=metrics,
        shared=shared,
        listening=listening,
        unknown_shapes=shapes,
    )
    ServerMetrics(server, registry)
    return server


class Watching:
    """All watches of the installation, followed, and the writer of commands about them. `start`, then `stop`."""

    def __init__(self, kafka: KafkaSettings, table: WatchTable) -> None:
        self.table = table
        self.writer = CommandWriter(kafka)
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow the watches."""
        self._following = asyncio.get_running_loop().create_task(self.table.follow())

    def alive(self) -> bool:
        """Whether the watches are followed; that does not end by itself."""
        return self._following is not None and not self._following.done()

    def is_starting(self) -> bool:
        """Whether the watches are being read for the first time, and nothing is known to be wrong."""
        return not self.table.filled and not self.table.behind

    async def stop(self) -> None:
        """Follow them no longer."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        await self.writer.close()


class Polling(Watching):
    """The pollers, and the watches. `start`, then `stop`."""

    def __init__(
        self,
        settings: Settings,
        poller: Poller,
        table: WatchTable,
        fetchers: Mapping[str, Fetcher],
        *,
        balances: Balances | None = None,
    ) -> None:
        """`fetchers`: what sends the requests of each account. `balances`: None: nobody asks for them."""
        super().__init__(settings.kafka, table)
        self._balances = balances
        self._asking: asyncio.Task[None] | None = None
        self._settings = settings
        self._fetchers = fetchers
        self.poller = poller
        self._stopping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Join the group; begin to follow the watches."""
        self.poller.start()
        if self._balances is not None:
            self._asking = asyncio.create_task(self._balances.run())
        super().start()

    def alive(self) -> bool:
        """Whether the pollers run and the watches are followed; neither ends by itself."""
        return super().alive() and self.poller.alive()

    def prepared(self, settings: Settings) -> Callable[[], None]:
        """Return a function that applies each account's key and budget from these settings; it cannot fail."""
        keys = {name: self._settings.accounts[name].api_key for name in self.poller.accounts}
        clients = {
            name: client_of(settings.accounts[name], self._fetchers[name])
            for name, key in keys.items()
            if settings.accounts[name].api_key != key
        }

        def take() -> None:
            self._settings = settings
            for name, account in self.poller.accounts.items():
                account.take(clients.get(name), requests_per_second=budget_of(settings, name))
            self.poller.scheduler.budgets_changed()

        return take

    async def stop(self) -> None:
        """Leave the group; a second call waits for the first."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        await self._stopping

    async def _stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await self.poller.stop()
        await super().stop()


def polling(
    settings: Settings, bus: KafkaBus, registry: CollectorRegistry, shapes: UnknownShapes, stack: AsyncExitStack
) -> Polling | None:
    """Return the pollers, None without an account to poll; `stack` closes their connections in the end."""
    names = polled_accounts(settings)
    if not names:
        return None
    fetchers = {name: _fetcher(settings, name, shapes, stack) for name in names}
    accounts = {name: _account(settings, name, fetchers[name]) for name in sorted(names)}
    table = WatchTable(settings.kafka)
    poller = poller_on(settings.kafka, bus, accounts, settings.pollers, table, learned=_learned(settings))
    PollerMetrics(poller, registry)
    return Polling(settings, poller, table, fetchers, balances=_balances(settings, poller, registry))


def _balances(settings: Settings, poller: Poller, registry: CollectorRegistry) -> Balances | None:
    if not (every := settings.pollers.balance_interval):
        return None
    return Balances(poller.accounts, registry, every=every, is_ours=lambda: poller.runs(0))


def _fetcher(settings: Settings, name: str, shapes: UnknownShapes, stack: AsyncExitStack) -> Fetcher:
    """Return what sends an account's requests; `stack` closes it."""
    client = HttpClient(proxy_url=settings.accounts[name].proxy_url)
    stack.push_async_callback(client.close)
    provider = settings.accounts[name].provider

    def notice(sample: Sample) -> None:
        shapes.saw(provider, name, "poll", sample, sample._asdict)

    return NoticingFetcher(client, provider, notice)


def receiver_origin(settings: Settings, port: int) -> str:
    """Return the URL of the receiver for requests of this machine."""
    host = LOOPBACK_OF.get(settings.receiver.host, settings.receiver.host)
    return origin_of(host, port)


def inbox(settings: Settings, registry: CollectorRegistry) -> Inbox:
    """Return the inbox; it reads nothing yet."""
    topics = dict.fromkeys((RECEIVED, REJECTED, WATCH_ENDED), MESSAGE_PARTITIONS)
    following = Following(
        Tail(settings.inbox), settings.inbox, lambda: open_reader(settings.kafka, topics), now_ms=now_ms
    )
    asked = Inbox(following, now_ms=now_ms)
    InboxMetrics(asked, registry)
    return asked


def take_over(settings: Settings, server: CallbackServer | None, polling: Polling | None) -> None:
    """Apply the accounts of these settings to the parts that already have them, and all of them to the receiver.

    Raises `ValueError` when two accounts share a token; then nothing has changed.
    """
    take_keys = polling.prepared(settings) if polling is not None else None
    if server is not None:
        server.take_accounts(settings.pingme_accounts())  # the last that may raise
    if take_keys is not None:
        take_keys()


def poller_on(
    kafka: KafkaSettings,
    bus: Bus,
    accounts: Mapping[str, Account],
    pollers: PollersSettings,
    table: Table,
    *,
    learned: Learned | None = None,
) -> Poller:
    """Return the poller of this process, on a real Kafka."""
    group = kafka.topic(GROUP)
    return Poller(
        bus,
        accounts,
        pollers,
        group=ShardGroup(kafka, group=group),
        writer=CommandWriter(kafka),
        state_log=lambda partition: StateLog(kafka, partition, group=group),
        table=table,
        now_ms=now_ms,
        rng=random.Random(),  # noqa: S311 - jitter
        learned=learned,
    )


def _learned(settings: Settings) -> Learned:
    learned = Learned(settings.data_dir / "learned.json")
    learned.load()
    return learned


def admin(
    settings: Settings,
    bus: KafkaBus,
    registry: CollectorRegistry,
    polling: Polling | None,
    server: CallbackServer | None,
    inbox: Inbox | None,
    *,
    degraded: Callable[[], tuple[str, ...]],
    present: Callable[[], Settings],
) -> Admin:
    """Return the internal listener: the journals are on it, with a receiver its tokens, with pollers the watches.

    `degraded` returns the reasons that belong to the process and not to these parts, `present` the settings as they are
    after the last reload; None: there is none.
    """
    apis: list[Api] = [JournalApi(bus)]
    if server is not None:
        own = OwnCallback(lambda: receiver_origin(settings, server.port), lambda: present().pingme_accounts())
        apis.append(CallbackApi(server.token_uses, server.uses_since_ms, send=own.send))
    if inbox is not None:
        paused = polling.poller.paused if polling else nobody_is_paused
        passed = GroupProgress(settings.kafka).passed
        apis.append(InboxApi(inbox, polling.table if polling else None, now_ms=now_ms, paused=paused, passed=passed))
        apis.append(_rejected_api(inbox, present))
    if polling is not None:
        apis.append(_watch_api(settings, polling))
    elif inbox is not None:
        apis.append(NothingToWatch())

    def condition() -> Condition:
        of_bus = bus.condition()
        of_receiver = server.degraded() if server is not None else ()
        of_pollers = polling.poller.degraded() if polling is not None else ()
        of_inbox = inbox.following.degraded() if inbox is not None else ()
        return replace(of_bus, degraded=of_bus.degraded + of_receiver + of_pollers + of_inbox + degraded())

    readers = [part for part in (polling, inbox.following if inbox is not None else None) if part is not None]

    def alive() -> bool:
        return bus.alive() and all(part.alive() for part in readers)

    def starting() -> bool:  # while Kafka is unavailable callbacks must still be accepted; an inbox may fill later
        return polling is not None and polling.is_starting()

    return Admin(
        settings.admin,
        alive=alive,
        condition=condition,
        registry=registry,
        extend=_routes_of(apis),
        starting=starting,
        lasting=inbox.lasting.most if inbox is not None else 0,
    )


def inbox_admin(
    settings: Settings,
    registry: CollectorRegistry,
    inbox: Inbox,
    watching: Watching,
    *,
    degraded: Callable[[], tuple[str, ...]],
    present: Callable[[], Settings],
) -> Admin:
    """Return the internal listener of a process that is an inbox alone: what came, and the watches.

    Commands about watches are taken where the settings have polled accounts. `present`: as in `admin`.
    """
    accounts, parts = _providers_of(settings), (inbox.following, watching)
    passed = GroupProgress(settings.kafka).passed
    watches = WatchApi(watching.table, watching.writer, accounts=accounts, now_ms=now_ms, takes_commands=bool(accounts))
    return Admin(
        settings.admin,
        alive=lambda: all(part.alive() for part in parts),
        condition=lambda: Reading((*inbox.following.degraded(), *degraded())),
        registry=registry,
        extend=_routes_of(
            [
                InboxApi(inbox, watching.table, now_ms=now_ms, passed=passed),
                _rejected_api(inbox, present),
                watches,
                *([] if accounts else [NothingToWatch()]),
            ]
        ),
        starting=lambda: any(part.is_starting() for part in parts),
        lasting=inbox.lasting.most,
    )


class Reading(NamedTuple):
    """The readiness of a process that accepts nothing: an `app.admin.listener.Readiness`."""

    degraded: tuple[str, ...]
    can_accept: bool = True


def _watch_api(settings: Settings, polling: Polling) -> WatchApi:
    return WatchApi(
        polling.table,
        polling.writer,
        accounts=_providers_of(settings),
        now_ms=polling.poller.now_ms,
        live=polling.poller.scheduler.live,
        expected_delay=polling.poller.expected_delay,
    )


def _rejected_api(inbox: Inbox, present: Callable[[], Settings]) -> RejectedApi:
    return RejectedApi(
        inbox, present().kafka, lambda: present().pingme_accounts(), instance=instance_id(), now_ms=now_ms
    )


def _providers_of(settings: Settings) -> dict[str, str]:
    """Return the provider of each polled account."""
    return {name: settings.accounts[name].provider for name in polled_accounts(settings)}


def _routes_of(apis: Sequence[Api]) -> Callable[[web.UrlDispatcher], None]:
    def extend(router: web.UrlDispatcher) -> None:
        for api in apis:
            api.add_to(router)

    return extend


def client_of(account: AccountSettings, fetcher: Fetcher) -> Client:
    """Return the provider's client with the account's key."""
    return PROVIDERS[account.provider](
        api_key=account.api_key or SecretStr(""),  # never empty: the settings require a key for a polled account
        base_url=account.base_url,
        fetcher=fetcher,
        status_action=account.status_action,
    )


def budget_of(settings: Settings, name: str) -> float:
    """Return how many requests a second all replicas together may send for an account."""
    return settings.accounts[name].max_requests_per_second or settings.pollers.requests_per_second


def _account(settings: Settings, name: str, fetcher: Fetcher) -> Account:
    account = settings.accounts[name]
    return Account(
        name,
        account.provider,
        client_of(account, fetcher),
        requests_per_second=budget_of(settings, name),
        zone=account.zone,
        rng=random.Random(),  # noqa: S311 - jitter,
    )
