"""The parent: starts the workers, keeps them running, stops them together. It has no receiver and no Kafka."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields

from prometheus_client import CollectorRegistry

from app.errors import StartupError, started
from app.notify.notifying import notifying
from app.process import allow_many_connections
from app.settings.file_reading import Files
from app.settings.load import Settings
from app.stopping import Stop
from app.wiring import RECEIVING, Role, polled_accounts
from app.workers.admin import JointAdmin
from app.workers.worker_process import Worker
from bus.contract import Ledger

Runs = Mapping[Worker, asyncio.Task[None]]


class WorkersEndedBadly(Exception):
    """A worker did not stop cleanly."""

    safe_to_log = True


@dataclass(frozen=True)
class Crew:
    """All workers of this process, and the listener for them."""

    admin: JointAdmin
    workers: Sequence[Worker]

    @property
    def ledger(self) -> Ledger:
        """The sum of the ledgers of those that have stopped."""
        ledgers = [worker.ledger for worker in self.workers]
        return Ledger(**{each.name: sum(getattr(one, each.name) for one in ledgers) for each in fields(Ledger)})

    def reload(self, files: Files) -> None:
        """Make each worker apply the settings of these files, and those started from now on as well."""
        for worker in self.workers:
            worker.reload(files.as_line())

    def check_end(self) -> None:
        """Raise `WorkersEndedBadly` unless every worker stopped cleanly."""
        bad = [f"{worker.name} (exit code {worker.exit_code})" for worker in self.workers if worker.exit_code]
        if bad:
            message = f"did not stop cleanly: {', '.join(bad)}; what they had accepted stays in their journals"
            raise WorkersEndedBadly(message)


@asynccontextmanager
async def supervise(
    settings: Settings,
    files: Files,
    role: Role,
    count: int,
    registry: CollectorRegistry,
    stop: Stop,
    *,
    degraded: Callable[[], tuple[str, ...]],
    listening: socket.socket | None = None,
) -> AsyncIterator[Crew]:
    """Run `count` receivers, and pollers and inbox if the role has them; all have stopped when the context ends.

    They get the `files` that the settings were read from, and read none themselves.
    `stop`: hurrying it hurries them, too. `degraded` returns the reasons of this process. `listening`: the socket that
    all receivers accept from, instead of each its own on the same port.

    Raises `StartupError` when a port is in use, or a worker does not start.
    """
    receivers, pollers, inbox = workers_of(settings, files, role, count, listening)
    workers = [*receivers, *filter(None, (pollers, inbox))]
    admin = JointAdmin(settings.admin, receivers, pollers, inbox, registry, degraded=degraded)
    allow_many_connections()
    if listening is None:
        await started(_try_port(settings), "SMSBUS_RECEIVER__PORT", settings.receiver.port)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(admin.stop)
        await started(admin.start(), "SMSBUS_ADMIN__PORT", settings.admin.port)
        runs = {worker: asyncio.create_task(worker.run(), name=worker.name) for worker in workers}
        hurrying = asyncio.create_task(_hurry(receivers, stop), name="hurry")  # only they have a lame-duck phase
        stack.callback(hurrying.cancel)
        for group in ([inbox], [*receivers, pollers]):  # the inbox answers until the others have stopped
            stack.push_async_callback(_stop, {each: runs[each] for each in group if each is not None})
        await _all_ready(runs)
        admin.ready = True
        try:
            async with notifying(settings, admin, registry):
                yield Crew(admin, workers)
        finally:
            admin.ready = False
            admin.lasting.close()
            for worker in workers:
                worker.expect_end()


def refuse_workers(settings: Settings, role: Role, *, has_socket: bool = False) -> None:
    """Raise `StartupError` if the settings allow only one receiver."""
    if role not in RECEIVING:
        message = f"--workers is the number of receivers, and --role {role} has none: start it several times instead"
        raise StartupError([message])
    if settings.receiver.port == 0 and not has_socket:
        message = "SMSBUS_RECEIVER__PORT=0 lets the system choose, but --workers share one port: set it"
        raise StartupError([message])


def workers_of(
    settings: Settings, files: Files, role: Role, count: int, listening: socket.socket | None = None
) -> tuple[list[Worker], Worker | None, Worker | None]:
    """Return the receivers, the pollers and the inbox; None: this role has none, or nothing to poll."""
    line, is_all = files.as_line(), role == "all"
    receivers = [_worker(f"receiver-{number}", "receiver", line, listening) for number in range(1, count + 1)]
    pollers = _worker("pollers", "pollers", line) if is_all and polled_accounts(settings) else None
    return receivers, pollers, _worker("inbox", "inbox", line) if is_all else None


def _worker(name: str, role: Role, files: bytes, listening: socket.socket | None = None) -> Worker:
    """Return a worker that is started as this process was: same interpreter, same arguments and two or three more."""
    shared = () if listening is None else (listening.fileno(),)
    more = [*(f"--listening={each}" for each in shared), f"--role={role}", f"--worker={name}"]
    return Worker(name, [sys.executable, *sys.orig_argv[1:], *more], files, shared)


async def _try_port(settings: Settings) -> None:
    """Raise `OSError` if the port is in use: the workers share it, and would share it with any other program."""
    loop, receiver = asyncio.get_running_loop(), settings.receiver
    server = await loop.create_server(asyncio.Protocol, receiver.host, receiver.port, start_serving=False)
    server.close()


async def _all_ready(runs: Runs) -> None:
    ready = asyncio.create_task(_each_ready([*runs]))
    await asyncio.wait({ready, *runs.values()}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    for worker, run in runs.items():
        if run.done():
            why = worker.problem or "see its messages above"
            message = f"{worker.name} did not start (exit code {worker.exit_code}): {why}"
            raise StartupError([message])


async def _each_ready(workers: Sequence[Worker]) -> None:
    for worker in workers:
        await worker.ready.wait()


async def _stop(runs: Runs) -> None:
    for worker in runs:
        worker.stop()
    await asyncio.gather(*runs.values())


async def _hurry(workers: Sequence[Worker], stop: Stop) -> None:
    await stop.wait_for_hurry()
    for worker in workers:
        worker.hurry()
