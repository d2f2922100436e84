"""The order of starting and stopping, in one place.

Start verifies, then serves: logs → (local Kafka) → topics → journal and lanes → pollers → admin → receiver → ready.
Stop drains, then ends: not ready → (lame duck) → receiver → pollers → lanes → admin → (local Kafka).
A watchdog ends a stop that takes too long. With several workers the parent verifies, and each worker does the rest in
this order.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Info, ProcessCollector

from app import wiring
from app.admin.listener import Admin
from app.checks import topics
from app.errors import StartupError, started
from app.forwards import Forwarding
from app.log_metrics import LogMetrics
from app.loop_lag import LoopLag
from app.notify.notifying import notifying
from app.process import allow_many_connections, instance_id, now_ms, tune_gc
from app.quiet_accounts import QuietAccounts
from app.reloading.reload import Reload, ReloadMetrics, Serving, Take
from app.service_manager import ServiceManager
from app.settings.file_reading import Files
from app.settings.load import Settings
from app.stopping import RECEIVER_SECONDS, Deadline, Stop, set_off
from app.version import version
from app.wiring import Polling, Role, Watching
from bus.contract import Ledger
from bus.kafka_bus import KafkaBus
from bus.metrics import BusMetrics
from bus.unknown_shapes import UnknownShapes
from pollers.watches.watch_table import WatchTable
from receiver.server import CallbackServer

_log = structlog.get_logger("smsbus")


@dataclass(frozen=True)
class Running:
    """The ports that are bound, for callers that asked for port 0."""

    receiver_port: int
    admin_port: int


@dataclass(frozen=True)
class Process:
    """What each role is served with."""

    settings: Settings
    role: Role
    stop: Stop
    on_ready: Callable[[Running], None]
    watchdog: threading.Timer
    reload: Reload | None
    is_child: bool
    """It is one of several workers."""
    registry: CollectorRegistry
    lag: LoopLag
    manager: ServiceManager

    def degraded(self) -> tuple[str, ...]:
        """Return the reasons of the process itself."""
        return (*(self.reload.degraded() if self.reload else ()), *self.lag.degraded())

    def present(self) -> Settings:
        """Return the settings as they were taken last."""
        return self.reload.running if self.reload else self.settings

    async def be_ready(self, admin: Admin, take: Take = lambda *_: None, *, receiver_port: int = 0) -> None:
        """Be ready until stopping begins: from then on the watchdog runs. Everything listens already."""
        tune_gc()
        admin.ready = True
        self.on_ready(Running(receiver_port, admin.port))
        telling = nullcontext() if self.is_child else notifying(self.settings, admin, self.registry)
        watched = self.manager.watched(admin.lives)
        async with telling, following(self.reload, take, self.role, is_child=self.is_child), watched:
            self.manager.ready()
            await self.stop.wait()
        self.manager.stopping(self.watchdog.interval)
        _log.info("stopping")
        set_off(self.watchdog)
        admin.ready = False


async def serve_parts(
    settings: Settings,
    role: Role,
    stop: Stop,
    on_ready: Callable[[Running], None],
    *,
    watchdog: threading.Timer,
    reload: Reload | None = None,
    shared: bool = False,
    manager: ServiceManager | None = None,
) -> Ledger:
    """Serve this role in this process until `stop`; see `serve`. The topics must be verified already.

    What accepts nothing, an inbox or a forwarder alone, has an empty ledger.
    """
    allow_many_connections()
    registry = new_registry()
    export_reloads(reload, registry)
    lag, manager = LoopLag(registry), manager or ServiceManager()
    process = Process(settings, role, stop, on_ready, watchdog, reload, shared, registry, lag, manager)
    serve = {"inbox": _serve_inbox, "forward": _serve_forward}.get(role, _serve_bus)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(process.lag.measured())
        ledger = await serve(process, stack)
    _log.info("stopped", ledger=ledger.line(), adopted=ledger.adopted)
    return ledger


async def _serve_bus(process: Process, stack: AsyncExitStack) -> Ledger:
    """Serve the receiver, the pollers, or all."""
    settings, role, registry = process.settings, process.role, process.registry
    accounts, stopping = len(wiring.accounts_of(settings, role)), Deadline()
    bus = KafkaBus(settings.kafka, settings.bus, instance=instance_id(), accounts=accounts, topics=topics.NEEDED[role])
    BusMetrics(bus, registry)
    QuietAccounts(process.present, role, registry)
    shapes = UnknownShapes(bus, registry, now_ms=now_ms)
    polling = wiring.polling(settings, bus, registry, shapes, stack) if role in wiring.POLLING else None
    is_receiver = role in wiring.RECEIVING
    server = (
        wiring.callback_server(
            settings, bus, registry, shapes, shared=process.is_child, listening=process.manager.listening
        )
        if is_receiver
        else None
    )
    inbox = wiring.inbox(settings, registry) if role in wiring.READING else None
    admin = wiring.admin(
        settings, bus, registry, polling, server, inbox, degraded=process.degraded, present=process.present
    )
    stack.push_async_callback(admin.stop)
    is_below = settings.bus.journal_dir == settings.data_dir / "journal"
    place = (
        ("SMSBUS_DATA_DIR", settings.data_dir) if is_below else ("SMSBUS_BUS__JOURNAL_DIR", settings.bus.journal_dir)
    )
    await started(bus.start(), *place)
    stack.push_async_callback(lambda: bus.stop(stopping.left()))
    if polling is not None:
        polling.start()
        stack.push_async_callback(polling.stop)
    if inbox is not None:
        inbox.following.start()
        stack.push_async_callback(inbox.stop)
    await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
    if server is not None:
        await started(server.start(), "SMSBUS_RECEIVER__PORT", settings.receiver.port)
        stack.push_async_callback(lambda: server.stop(min(RECEIVER_SECONDS, stopping.left())))

    def take(changed: Settings, _: Files) -> None:
        wiring.take_over(changed, server, polling)
        bus.accounts = len(wiring.accounts_of(changed, role))

    await process.be_ready(admin, take, receiver_port=server.port if server else 0)
    if inbox is not None:
        inbox.lasting.close()
    if server is not None and settings.receiver.lame_duck:
        await _be_a_lame_duck(server, polling, process.stop, settings.receiver.lame_duck)
    stopping.begin()
    return bus.ledger


async def _serve_inbox(process: Process, stack: AsyncExitStack) -> Ledger:
    """Serve an inbox alone: it reads Kafka and has no bus."""
    settings, registry = process.settings, process.registry
    inbox = wiring.inbox(settings, registry)
    watching = Watching(settings.kafka, WatchTable(settings.kafka))
    admin = wiring.inbox_admin(settings, registry, inbox, watching, degraded=process.degraded, present=process.present)
    stack.push_async_callback(admin.stop)
    for part in (watching, inbox.following):
        part.start()
        stack.push_async_callback(part.stop)
    await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
    await process.be_ready(admin)
    inbox.lasting.close()
    return Ledger()


async def _serve_forward(process: Process, stack: AsyncExitStack) -> Ledger:
    """Forward to the configured targets."""
    settings, registry = process.settings, process.registry
    forwarding = Forwarding(settings, registry, stack)
    admin = forwarding.admin(settings, registry, degraded=process.degraded)
    stack.push_async_callback(admin.stop)
    forwarding.start()
    stack.push_async_callback(forwarding.stop)
    await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
    await process.be_ready(admin)
    return Ledger()


@asynccontextmanager
async def following(
    reload: Reload | None,
    take: Take,
    role: Role,
    *,
    is_parent: bool = False,
    is_child: bool = False,
) -> AsyncIterator[None]:
    """Reload on SIGHUP if `reload` is given. What the parent refuses or reports, a child does not report again."""
    if reload is None:
        yield
        return

    def refuse(settings: Settings) -> None:
        if not is_child:
            refuse_without_accounts(settings, role)
        if is_parent:
            refuse_without_accounts(settings, "receiver")

    polls, forwards = role != "receiver", role == "forward"
    async with reload.follow(Serving(take, refuse, polls, forwards, names_restart=not is_child)):
        yield


def export_reloads(reload: Reload | None, registry: CollectorRegistry) -> Callable[[], tuple[str, ...]]:
    """Export the results of reloads; return a function that says whether the newest one was refused."""
    if reload is None:
        return tuple
    ReloadMetrics(reload, registry)
    return reload.degraded


async def _be_a_lame_duck(server: CallbackServer, polling: Polling | None, stop: Stop, seconds: float) -> None:
    """Take callbacks until every load balancer has seen that we are not ready; others take over the polling now."""
    server.say_goodbye()
    async with asyncio.TaskGroup() as tasks:
        if polling is not None:
            tasks.create_task(polling.stop())
        await stop.lame_duck(seconds)


def lame_duck(settings: Settings, role: Role) -> float:
    """Return how long the lame-duck phase lasts, in seconds; only receivers have one."""
    return settings.receiver.lame_duck if role in wiring.RECEIVING else 0.0


def new_registry() -> CollectorRegistry:
    """Return a registry with the metrics of the process itself and its version."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(LogMetrics())
    Info("smsbus_build", "The running version", registry=registry).info({"version": version()})
    return registry


def refuse_without_accounts(settings: Settings, role: Role) -> None:
    """Raise `StartupError` if no account is configured that this role could serve."""
    if missing := missing_accounts(settings, role):
        raise StartupError([f"{missing} (`smsbus check` helps)"])


def missing_accounts(settings: Settings, role: Role) -> str | None:
    """Return what to set where nothing is configured that this role could serve; an inbox needs nothing."""
    if role == "inbox":
        return None
    if role == "forward":
        forward = "SMSBUS_FORWARDS__<NAME>__"
        return None if settings.forwards else f"no target is configured: set {forward}URL and {forward}SECRET"
    name = "SMSBUS_ACCOUNTS__<NAME>__"
    callback = f"{name}PROVIDER=pingme and {name}CALLBACK_TOKENS"
    polled = f"{name}PROVIDER=grizzlysms (smsverified, smsman) and {name}API_KEY"
    if role == "receiver" and not settings.pingme_accounts():
        return f"no PingMe account is configured: set {callback}"
    if role == "pollers" and not wiring.polled_accounts(settings):
        return f"no polled account is configured: set {polled}"
    return None if settings.accounts else f"no account is configured: set {callback}, or {polled}"
