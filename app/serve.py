"""`smsbus serve`: verify, then serve in this process or on several workers, next to a Kafka of its own if asked."""

import asyncio
import resource
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from app import logs, wiring
from app.admin.token import with_admin_token
from app.checks import topics
from app.checks.clock import clock_problem
from app.checks.exposure import unencrypted
from app.errors import StartupError
from app.lifecycle import (
    Running,
    export_reloads,
    following,
    lame_duck,
    new_registry,
    refuse_without_accounts,
    serve_parts,
)
from app.process import now_ms
from app.reloading.reload import Reload
from app.service_manager import ServiceManager
from app.settings.file_reading import NO_FILES, Files
from app.settings.load import Settings, origin_of
from app.stopping import Stop, set_off, stop_on_signals, watchdog
from app.version import version
from app.wiring import Role
from app.workers.supervisor import refuse_workers, supervise
from bus.contract import Ledger
from inbox.lasting import MOST
from receiver.auth import Tokens

if TYPE_CHECKING:
    from app.local_kafka import Cluster

LOOK_SECONDS: Final = 2.0  # between two checks of a local Kafka
OTHER_FILES: Final = 200  # Kafka, journals, pollers, 64 connections to the admin listener that do not last

_log = structlog.get_logger("smsbus")


async def serve(
    settings: Settings,
    *,
    files: Files = NO_FILES,
    role: Role = "all",
    workers: int = 1,
    local_kafka: bool = False,
    stop: Stop | None = None,
    reload: Reload | None = None,
    on_ready: Callable[[Running], None] = lambda _: None,
    manager: ServiceManager | None = None,
) -> Ledger:
    """Serve until `stop` is requested (by default SIGTERM or SIGINT), then drain and return the ledger.

    `files`: what the settings were read from; workers are given it. `reload` runs while serving. `manager`: who is told
    that we serve, and may hold the socket for callbacks.

    Raises `StartupError` if it cannot start; then nothing was served.
    """
    stop, manager = stop or stop_on_signals(), manager or ServiceManager()  # before anything can be accepted
    logs.configure(settings.log, settings.secrets(), sys.stderr)
    if problem := clock_problem(datetime.fromtimestamp(now_ms() / 1000, UTC)):
        raise StartupError([problem])
    refuse_without_accounts(settings, role)
    if workers > 1:
        refuse_workers(settings, role, has_socket=manager.listening is not None)
        refuse_without_accounts(settings, "receiver")
    _look_at_read_accounts(settings, role)
    _warn_of_few_files(settings, role)
    if settings.forwards and role == "all":
        _log.warning("forwards_not_served", hint="`smsbus serve --role forward` forwards to the configured targets")
    for warning in unencrypted(settings):
        _log.warning("sent_unencrypted", warning=warning)

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
            return await serve_parts(settings, role, stop, ready, watchdog=dog, reload=reload, manager=manager)
        return await _serve_on_workers(
            settings, files, role, workers, stop, ready, watchdog=dog, reload=reload, manager=manager
        )


def _look_at_read_accounts(settings: Settings, role: Role) -> None:
    """Raise `StartupError` for one that is not configured; a process with a part of the accounts may not know it."""
    unknown = ", ".join(name for name in settings.admin.read_accounts if name not in settings.accounts)
    if unknown and role == "all":
        known = ", ".join(settings.accounts)
        raise StartupError([f"admin.read_accounts: there is no account {unknown}; configured: {known}"])
    if unknown and role == "inbox":
        hint = "right if another process has them; a name that no account has shows nothing"
        _log.warning("read_accounts_unknown", accounts=unknown, hint=hint)


async def _serve_on_workers(
    settings: Settings,
    files: Files,
    role: Role,
    workers: int,
    stop: Stop,
    on_ready: Callable[[Running], None],
    *,
    watchdog: threading.Timer,
    reload: Reload | None,
    manager: ServiceManager,
) -> Ledger:
    def take(settings: Settings, files: Files) -> None:
        Tokens(settings.pingme_accounts())  # one error here, instead of one from each worker
        crew.reload(files)

    registry = new_registry()
    degraded = export_reloads(reload, registry)
    supervising = supervise(
        settings, files, role, workers, registry, stop, degraded=degraded, listening=manager.listening
    )
    async with supervising as crew:
        on_ready(Running(settings.receiver.port, crew.admin.port))
        async with following(reload, take, role, is_parent=True), manager.watched(crew.admin.lives):
            manager.ready()
            await stop.wait()
        manager.stopping(watchdog.interval)
        _log.info("stopping")
        set_off(watchdog)
    _log.info("stopped", ledger=crew.ledger.line(), adopted=crew.ledger.adopted)
    crew.check_end()
    return crew.ledger


@asynccontextmanager
async def _local_kafka(settings: Settings) -> AsyncIterator[None]:
    """Run a local Kafka with our topics at the configured loopback port."""
    from app.local_kafka.cluster import local_kafka  # noqa: PLC0415 - not needed without the flag
    from bus.kafka import topics  # noqa: PLC0415

    host, _, port = settings.kafka.bootstrap_servers.rpartition(":")
    if host not in {"localhost", "127.0.0.1"}:
        message = (
            "--local-kafka runs a Kafka on this machine, but SMSBUS_KAFKA__BOOTSTRAP_SERVERS names another: remove one"
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
    """Restart a local Kafka that died: nothing else does."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if all(node.runs for node in cluster.nodes):
            continue
        try:
            await cluster.start()
        except Exception as error:  # noqa: BLE001 - the journal carries us; try again
            _log.error("local_kafka_does_not_start", reason=str(error))
        else:
            _log.warning("local_kafka_restarted")


def _announce(settings: Settings, role: Role, workers: int, running: Running) -> None:
    receiving = {"receiver": origin_of(settings.receiver.host, running.receiver_port)}
    if settings.pingme_accounts():
        receiving = {"callback": settings.callback_url("{token}", running.receiver_port), **receiving}
    _log.info(
        "serving",
        role=role,
        **({"workers": workers} if workers > 1 else {}),
        **(receiving if running.receiver_port else {}),
        admin=origin_of(settings.admin.host, running.admin_port),
        kafka=settings.kafka.bootstrap_servers,
        **({"journal": str(settings.bus.journal_dir)} if role not in wiring.WITHOUT_BUS else {}),
        accounts=sorted(settings.accounts),
        version=version(),
    )


def _warn_of_few_files(settings: Settings, role: Role) -> None:
    """Warn once, before workers are started: all have the same limit, and none needs more than all parts together."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    called = settings.receiver.max_connections if role in wiring.RECEIVING and settings.pingme_accounts() else 0
    asked = MOST if role in wiring.READING else 0
    wanted = called + asked + OTHER_FILES
    if called + asked and most != resource.RLIM_INFINITY and most < wanted:
        or_else = ", or lower receiver.max_connections" if called else ""
        hint = f"let it open {wanted} (`ulimit -n`, systemd's LimitNOFILE=){or_else}"
        _log.warning("few_open_files", may_open=most, hint=hint)
