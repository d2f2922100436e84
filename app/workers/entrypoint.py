"""The child's side of `--workers`: the service on a shared port, with its admin listener on loopback.

stdin and stdout are the control pipe that `app/workers/worker_process.py` holds. Settings come from there: a worker
reads no file of them, so that one that is started again serves what the others do.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Final

import structlog

from app import lifecycle, logs, stopping
from app.admin.token import with_admin_token
from app.lifecycle import Running
from app.reloading.hangup import HangUp
from app.reloading.reload import Reload, without_restart
from app.service_manager import ServiceManager, listening_at
from app.settings.file_reading import NO_FILES, Files
from app.settings.load import Read, Settings, settings_of
from app.stopping import Stop
from app.wiring import Role
from app.workers.worker_process import LOOPBACK

STDIN: Final = 0
STDOUT: Final = 1
AT_START: Final = 2  # lines


async def work(role: Role, name: str, hangup: HangUp, descriptor: int | None = None) -> None:
    """Serve until the control pipe ends or a signal comes, then drain. The supervisor has verified already.

    `descriptor`: of the socket for callbacks that it gave to all receivers.
    """
    stop = stopping.stop_on_signals()
    control = ControlPipe(stop, hangup)
    if (files := control.at_start()) is None:
        return
    settings = settings_at_start(*files, polls=role != "receiver")
    reload = Reload(settings, control.reread, hangup)
    logs.configure(settings.log, settings.secrets(), sys.stderr)
    structlog.contextvars.bind_contextvars(process=name)
    settings = with_admin_token(settings)
    own = settings.admin.model_copy(update={"host": LOOPBACK, "port": 0})
    settings = settings.model_copy(update={"admin": own})
    dog = stopping.watchdog(lifecycle.lame_duck(settings, role))
    manager = ServiceManager(listening=listening_at(descriptor) if descriptor is not None else None)
    ledger = await lifecycle.serve_parts(
        settings, role, stop, _tell_port, watchdog=dog, reload=reload, shared=True, manager=manager
    )
    _tell(json.dumps(asdict(ledger)))


def settings_at_start(started_with: Files, taken: Files, *, polls: bool) -> Settings:
    """Return what the others serve: the settings of the supervisor's start, with all that was taken over since."""
    return without_restart(settings_of(started_with), settings_of(taken), polls=polls)


class ControlPipe:
    """What the supervisor says on stdin: files of settings, a line each, and its end, which means stop.

    The first two lines are for the start: the files that it started with, and those that were taken last. Any further
    one: take these, as all of us do.
    """

    def __init__(self, stop: Stop, hangup: HangUp) -> None:
        self._taken = NO_FILES
        self._stop = stop
        self._hangup = hangup
        self._begun = b""

    def at_start(self) -> tuple[Files, Files] | None:
        """Wait for the first two lines, then listen; None: it ended before them, and nobody is waiting for us."""
        lines: list[bytes] = []
        while len(lines) < AT_START:
            more = _heard()
            if not more:
                return None
            lines += self._whole(more)
        self._taken = Files.of_line(lines[-1])
        asyncio.get_running_loop().add_reader(STDIN, self._hear)
        return Files.of_line(lines[0]), self._taken

    async def reread(self) -> Read:
        """Return the newest settings; a SIGHUP to this process instead of the supervisor changes nothing."""
        return settings_of(self._taken), self._taken

    def _hear(self) -> None:
        more = _heard()
        if not more:
            asyncio.get_running_loop().remove_reader(STDIN)
            self._stop.ask()
        elif lines := self._whole(more):
            self._taken = Files.of_line(lines[-1])
            self._hangup.ask()

    def _whole(self, more: bytes) -> list[bytes]:
        """Return the lines that are whole by now."""
        *lines, self._begun = (self._begun + more).split(b"\n")
        return lines


def _heard() -> bytes:
    with suppress(OSError):  # it died
        return os.read(STDIN, 65_536)
    return b""


def _tell_port(running: Running) -> None:
    _tell(str(running.admin_port))


def _tell(line: str) -> None:
    with suppress(OSError):  # the supervisor has died
        os.write(STDOUT, f"{line}\n".encode())
