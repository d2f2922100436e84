"""The order of starting and of stopping, written once.

Start verifies, then serves: logs → (local Kafka) → topics → journal and lanes → admin → door → ready.
Stop drains, then ends: not ready → (lame duck) → door → lanes → admin → (local Kafka), under a watchdog.
With several workers the parent verifies, and each worker does the rest in this order.
"""

import asyncio
import gc
import os
import resource
import secrets
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Info, ProcessCollector

from app import logs, wiring
from app.admin.token import with_admin_token
from app.checks import topics
from app.errors import StartupError, started
from app.loop_lag import LoopLag
from app.reloading.reload import Reload, ReloadMetrics, Take
from app.settings.file_reading import Files
from app.settings.load import Settings
from app.stopping import DOOR_SECONDS, Deadline, Stop, stop_on_signals, watchdog
from app.version import version
from app.wiring import Polling, Role
from app.workers.supervisor import refuse_workers, supervise
from bus.contract import Ledger
from bus.kafka_bus import KafkaBus
from bus.metrics import BusMetrics
from receiver.auth import Tokens
from receiver.server import CallbackServer

if TYPE_CHECKING:
    from app.local_kafka import Cluster

LOOK_SECONDS: Final = 2.0  # between two looks at a local Kafka
PRIVATE: Final = 0o077  # the umask: SMS lie in a journal, and in a local Kafka
OTHER_FILES: Final = 200  # than connections of the door: Kafka, journals, pollers, the admin listener

T = TypeVar("T")
_log = structlog.get_logger("smsbus")


@dataclass(frozen=True)
class Running:
    """What the doors are bound to, for those who asked for port 0."""

    receiver_port: int
    admin_port: int


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on the quickest event loop there is; what it writes nobody else may read."""
    os.umask(PRIVATE)
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


def instance_id() -> str:
    """Return a name for this process that no other has, and that a person can trace to a machine."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


async def serve(
    settings: Settings,
    *,
    role: Role = "all",
    workers: int = 1,
    local_kafka: bool = False,
    stop: Stop | None = None,
    reload: Reload | None = None,
    on_ready: Callable[[Running], None] = lambda _: None,
) -> Ledger:
    """Serve until `stop` is asked for, without one until SIGTERM or SIGINT, then drain and return the ledger.

    `reload` is followed while we serve.

    Raises `StartupError` when it must not start as things are; then nothing was served.
    """
    stop = stop or stop_on_signals()  # before anything can be accepted
    logs.configure(settings.log, settings.secrets(), sys.stderr)
    _refuse_without_accounts(settings, role)
    if workers > 1:
        refuse_workers(settings, role)
        _refuse_without_accounts(settings, "receiver")
    _warn_of_few_files(settings, role)

    def ready(running: Running) -> None:
        _announce(settings, role, workers, running)
        on_ready(running)

    async with AsyncExitStack() as stack:
        dog = watchdog(lame_duck(settings, role))
        stack.callback(dog.cancel)
        if local_kafka:
            await stack.enter_async_context(_local_kafka(settings))
        await topics.verify(settings, role)
        settings = with_admin_token(settings)
        if workers == 1:
            return await serve_parts(settings, role, stop, ready, watchdog=dog, reload=reload)
        return await _serve_on_workers(settings, role, workers, stop, ready, watchdog=dog, reload=reload)


async def _serve_on_workers(
    settings: Settings,
    role: Role,
    workers: int,
    stop: Stop,
    on_ready: Callable[[Running], None],
    *,
    watchdog: threading.Timer,
    reload: Reload | None,
) -> Ledger:
    def take(settings: Settings, files: Files) -> None:
        Tokens(settings.pingme_accounts())  # one refusal here, and not one of each worker
        crew.reload(files)

    registry = _registry()
    degraded = _reloads(reload, registry)
    async with supervise(settings, role, workers, registry, stop, degraded=degraded) as crew:
        on_ready(Running(settings.receiver.port, crew.admin_port))
        async with _following(reload, take, role, is_parent=True):
            await stop.wait()
        _log.info("stopping")
        watchdog.start()
    _log.info("stopped", ledger=crew.ledger.line(), adopted=crew.ledger.adopted)
    crew.check_end()
    return crew.ledger


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
    """Serve in this process what the role asks for, until `stop`; see `serve`. The topics must be verified."""
    allow_many_connections()
    accounts = len(wiring.accounts_of(settings, role))
    bus = KafkaBus(settings.kafka, settings.bus, instance=instance_id(), accounts=accounts, topics=topics.NEEDED[role])
    registry = _registry()
    BusMetrics(bus, registry)
    lag, reloads = LoopLag(registry), _reloads(reload, registry)
    stopping = Deadline()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lag.measured())
        polling = wiring.polling(settings, bus, registry, stack) if role in wiring.POLLING else None
        door = wiring.door(settings, bus, registry, shared=shared) if role in wiring.RECEIVING else None
        admin = wiring.admin(settings, bus, registry, polling, door, degraded=lambda: (*reloads(), *lag.degraded()))
        stack.push_async_callback(admin.stop)
        await started(bus.start(), "SMSBUS_BUS__JOURNAL_DIR", settings.bus.journal_dir)
        stack.push_async_callback(lambda: bus.stop(stopping.left()))
        if polling is not None:
            polling.start()
            stack.push_async_callback(polling.stop)
        await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
        if door is not None:
            await started(door.start(), "SMSBUS_RECEIVER__PORT", settings.receiver.port)
            stack.push_async_callback(lambda: door.stop(min(DOOR_SECONDS, stopping.left())))
        tune_gc()
        admin.ready = True
        on_ready(Running(door.port if door else 0, admin.port))

        def take(changed: Settings, _: Files) -> None:
            wiring.take_over(changed, door, polling)
            bus.accounts = len(wiring.accounts_of(changed, role))

        async with _following(reload, take, role, is_child=shared):
            await stop.wait()
        _log.info("stopping")
        watchdog.start()
        admin.ready = False
        if door is not None and settings.receiver.lame_duck:
            await _be_a_lame_duck(door, polling, stop, settings.receiver.lame_duck)
        stopping.begin()
    _log.info("stopped", ledger=bus.ledger.line(), adopted=bus.ledger.adopted)
    return bus.ledger


@asynccontextmanager
async def _following(
    reload: Reload | None,
    take: Take,
    role: Role,
    *,
    is_parent: bool = False,
    is_child: bool = False,
) -> AsyncIterator[None]:
    """Follow SIGHUP where somebody hears it. What is the parent's to refuse, and to name, is not said by a child."""
    if reload is None:
        yield
        return

    def refuse(settings: Settings) -> None:
        if not is_child:
            _refuse_without_accounts(settings, role)
        if is_parent:
            _refuse_without_accounts(settings, "receiver")

    async with reload.follow(take, refuse=refuse, polls=role in wiring.POLLING, names_restart=not is_child):
        yield


def _reloads(reload: Reload | None, registry: CollectorRegistry) -> Callable[[], tuple[str, ...]]:
    """Export what comes of reloads, and return what says that the newest one is refused."""
    if reload is None:
        return tuple
    ReloadMetrics(reload, registry)
    return reload.degraded


async def _be_a_lame_duck(door: CallbackServer, polling: Polling | None, stop: Stop, seconds: float) -> None:
    """Take callbacks until every balancer has seen that we are not ready; whoever polls after us begins now."""
    door.say_goodbye()
    async with asyncio.TaskGroup() as tasks:
        if polling is not None:
            tasks.create_task(polling.stop())
        await stop.lame_duck(seconds)


def lame_duck(settings: Settings, role: Role) -> float:
    """Return the seconds for which it is one; only doors are."""
    return settings.receiver.lame_duck if role in wiring.RECEIVING else 0.0


@asynccontextmanager
async def _local_kafka(settings: Settings) -> AsyncIterator[None]:
    """Keep a Kafka of our own, with our topics, at the configured loopback port."""
    from app.local_kafka.cluster import local_kafka  # noqa: PLC0415 - not needed without the flag
    from bus.kafka import topics  # noqa: PLC0415

    host, _, port = settings.kafka.bootstrap_servers.rpartition(":")
    if host not in {"localhost", "127.0.0.1"}:
        message = (
            "--local-kafka keeps a Kafka on this machine, but SMSBUS_KAFKA__BOOTSTRAP_SERVERS names another: drop one"
        )
        raise StartupError([message])
    _log.info("local_kafka_starting", directory=str(settings.data_dir / "kafka"), port=int(port))
    async with local_kafka(settings.data_dir / "kafka", 1, int(port)) as cluster:
        await topics.create(settings.kafka)
        keeper = asyncio.create_task(_keep_running(cluster))
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])


async def _keep_running(cluster: "Cluster") -> None:
    """Start a local Kafka again that died: there is nobody else to do it."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if all(node.runs for node in cluster.nodes):
            continue
        _log.warning("local_kafka_restarted")
        try:
            await cluster.start()
        except Exception as error:  # noqa: BLE001 - the journal carries us; try again
            _log.error("local_kafka_does_not_start", reason=str(error))


def _announce(settings: Settings, role: Role, workers: int, running: Running) -> None:
    door = {
        "callback": settings.callback_url("{token}", running.receiver_port),
        "receiver": f"http://{settings.receiver.host}:{running.receiver_port}",
    }
    _log.info(
        "serving",
        role=role,
        **({"workers": workers} if workers > 1 else {}),
        **(door if running.receiver_port else {}),
        admin=f"http://{settings.admin.host}:{running.admin_port}",
        kafka=settings.kafka.bootstrap_servers,
        journal=str(settings.bus.journal_dir),
        accounts=sorted(settings.accounts),
        version=version(),
    )


def allow_many_connections() -> None:
    """Open as many files as the system lets us: the usual 1024 are as many slow clients, and then nobody gets in."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _warn_of_few_files(settings: Settings, role: Role) -> None:
    """Say it once, and before workers are started: each of them has the same limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.receiver.max_connections + OTHER_FILES
    called = role in wiring.RECEIVING and settings.pingme_accounts()
    if called and most != resource.RLIM_INFINITY and most < wanted:
        hint = f"let it open {wanted} (`ulimit -n`, systemd's LimitNOFILE=), or lower receiver.max_connections"
        _log.warning("few_open_files", may_open=most, hint=hint)


def tune_gc() -> None:
    """Leave out of collection what the start made, and collect rarely: messages hold no cycles. 14 % of CPU without."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 100)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Info("smsbus_build", "What runs here", registry=registry).info({"version": version()})
    return registry


def _refuse_without_accounts(settings: Settings, role: Role) -> None:
    name = "SMSBUS_ACCOUNTS__<NAME>__"
    callback = f"{name}PROVIDER=pingme and {name}CALLBACK_TOKENS"
    polled = f"{name}PROVIDER=grizzlysms (smsverified, smsman) and {name}API_KEY"
    if role == "receiver" and not settings.pingme_accounts():
        raise StartupError([f"no account is configured that is called back: set {callback} (`smsbus check` helps)"])
    if role == "pollers" and not wiring.polled_accounts(settings):
        raise StartupError([f"no account is configured that is polled: set {polled} (`smsbus check` helps)"])
    if not settings.accounts:
        raise StartupError([f"no account is configured: set {callback}, or {polled} (`smsbus check` helps)"])
