"""The order of starting and stopping, in one place.

Start verifies, then serves: logs → (local Kafka) → topics → journal and lanes → pollers → admin → receiver → ready.
Stop drains, then ends: not ready → (lame duck) → receiver → pollers → lanes → admin → (local Kafka).
A watchdog ends a stop that takes too long. With several workers the parent verifies, and each worker does the rest in
this order.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Info, ProcessCollector

from app import wiring
from app.admin.listener import Admin
from app.checks import topics
from app.errors import StartupError, started
from app.forwards import Forwarding
from app.loop_lag import LoopLag
from app.notify.notifying import notifying
from app.process import allow_many_connections, instance_id, now_ms, tune_gc
from app.reloading.reload import Reload, ReloadMetrics, Take
from app.settings.file_reading import Files
from app.settings.load import Settings
from app.stopping import RECEIVER_SECONDS, Deadline, Stop
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


async def serve_parts(
    settings: Settings,
    role: Role,
    stop: Stop,
    on_ready: Callable[[Running], None],
    *,
    watchdog: threading.Timer,
    reload: Reload | None = None,
    shared: bool = False,
) -> Ledger:
    """Serve this role in this process until `stop`; see `serve`. The topics must be verified already."""
    if role == "inbox":
        return await serve_inbox(settings, stop, on_ready, watchdog=watchdog, reload=reload, shared=shared)
    if role == "forward":
        return await serve_forward(settings, stop, on_ready, watchdog=watchdog, reload=reload)
    allow_many_connections()
    accounts = len(wiring.accounts_of(settings, role))
    bus = KafkaBus(settings.kafka, settings.bus, instance=instance_id(), accounts=accounts, topics=topics.NEEDED[role])
    registry = new_registry()
    BusMetrics(bus, registry)
    shapes = UnknownShapes(bus, registry, now_ms=now_ms)
    lag, reloads = LoopLag(registry), export_reloads(reload, registry)
    stopping, present = Deadline(), settings
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lag.measured())
        polling = wiring.polling(settings, bus, registry, shapes, stack) if role in wiring.POLLING else None
        server = (
            wiring.callback_server(settings, bus, registry, shapes, shared=shared) if role in wiring.RECEIVING else None
        )
        inbox = wiring.inbox(settings, registry) if role in wiring.READING else None
        admin = wiring.admin(
            settings,
            bus,
            registry,
            polling,
            server,
            inbox,
            degraded=lambda: (*reloads(), *lag.degraded()),
            present=lambda: present,
        )
        stack.push_async_callback(admin.stop)
        await started(bus.start(), "SMSBUS_BUS__JOURNAL_DIR", settings.bus.journal_dir)
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
        tune_gc()
        admin.ready = True
        on_ready(Running(server.port if server else 0, admin.port))

        def take(changed: Settings, _: Files) -> None:
            nonlocal present
            wiring.take_over(changed, server, polling)
            present = changed
            bus.accounts = len(wiring.accounts_of(changed, role))

        async with telling(settings, admin, registry, is_child=shared), following(reload, take, role, is_child=shared):
            await stop.wait()
        _log.info("stopping")
        watchdog.start()
        admin.ready = False
        if inbox is not None:
            inbox.lasting.close()
        if server is not None and settings.receiver.lame_duck:
            await _be_a_lame_duck(server, polling, stop, settings.receiver.lame_duck)
        stopping.begin()
    _log.info("stopped", ledger=bus.ledger.line(), adopted=bus.ledger.adopted)
    return bus.ledger


async def serve_inbox(
    settings: Settings,
    stop: Stop,
    on_ready: Callable[[Running], None],
    *,
    watchdog: threading.Timer,
    reload: Reload | None = None,
    shared: bool = False,
) -> Ledger:
    """Serve an inbox alone until `stop`: it reads Kafka, has no bus, and so an empty ledger."""
    allow_many_connections()
    registry = new_registry()
    lag, reloads = LoopLag(registry), export_reloads(reload, registry)
    present = settings

    def take(changed: Settings, _: Files) -> None:
        nonlocal present
        present = changed

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lag.measured())
        inbox = wiring.inbox(settings, registry)
        watching = Watching(settings.kafka, WatchTable(settings.kafka))
        admin = wiring.inbox_admin(
            settings,
            registry,
            inbox,
            watching,
            degraded=lambda: (*reloads(), *lag.degraded()),
            present=lambda: present,
        )
        stack.push_async_callback(admin.stop)
        for part in (watching, inbox.following):
            part.start()
            stack.push_async_callback(part.stop)
        await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
        tune_gc()
        admin.ready = True
        on_ready(Running(0, admin.port))
        reloading = following(reload, take, "inbox", is_child=shared)
        async with telling(settings, admin, registry, is_child=shared), reloading:
            await stop.wait()
        _log.info("stopping")
        watchdog.start()
        admin.ready = False
        inbox.lasting.close()
    _log.info("stopped")
    return Ledger()


async def serve_forward(
    settings: Settings,
    stop: Stop,
    on_ready: Callable[[Running], None],
    *,
    watchdog: threading.Timer,
    reload: Reload | None = None,
) -> Ledger:
    """Forward to the configured targets until `stop`: it accepts nothing, so its ledger is empty."""
    registry = new_registry()
    lag, reloads = LoopLag(registry), export_reloads(reload, registry)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lag.measured())
        forwarding = Forwarding(settings, registry, stack)
        admin = forwarding.admin(settings, registry, degraded=lambda: (*reloads(), *lag.degraded()))
        stack.push_async_callback(admin.stop)
        forwarding.start()
        stack.push_async_callback(forwarding.stop)
        await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
        admin.ready = True
        on_ready(Running(0, admin.port))
        take_nothing = following(reload, lambda *_: None, "forward")
        async with telling(settings, admin, registry, is_child=False), take_nothing:
            await stop.wait()
        _log.info("stopping")
        watchdog.start()
        admin.ready = False
    _log.info("stopped")
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

    async with reload.follow(take, refuse=refuse, polls=role != "receiver", names_restart=not is_child):
        yield


def telling(
    settings: Settings, admin: Admin, registry: CollectorRegistry, *, is_child: bool
) -> AbstractAsyncContextManager[None]:
    """Tell people outside of problems that last; a child leaves that to its parent."""
    return nullcontext() if is_child else notifying(settings, admin, registry)


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
