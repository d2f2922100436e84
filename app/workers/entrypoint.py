"""The child's side of `--workers`: today's service, but on a shared port, with its internal listener on loopback.

stdin and stdout are the control pipe that `app/workers/worker_process.py` holds.
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
from app.reloading.reload import Reload
from app.settings.file_reading import Files
from app.settings.load import Read, Settings, settings_of
from app.stopping import Stop
from app.wiring import Role
from app.workers.worker_process import LOOPBACK

STDIN: Final = 0
STDOUT: Final = 1


async def work(settings: Settings, role: Role, name: str, hangup: HangUp) -> None:
    """Serve until the control pipe ends or a signal comes, then drain. The supervisor has verified already."""
    stop = stopping.stop_on_signals()
    control = ControlPipe(settings, stop, hangup)
    reload = Reload(settings, control.reread, hangup)
    logs.configure(settings.log, settings.secrets(), sys.stderr)
    structlog.contextvars.bind_contextvars(process=name)
    settings = with_admin_token(settings)
    own = settings.admin.model_copy(update={"host": LOOPBACK, "port": 0})
    settings = settings.model_copy(update={"admin": own})
    dog = stopping.watchdog(lifecycle.lame_duck(settings, role))
    ledger = await lifecycle.serve_parts(settings, role, stop, _tell_port, watchdog=dog, reload=reload, shared=True)
    _tell(json.dumps(asdict(ledger)))


class ControlPipe:
    """What the supervisor says on stdin. A line: take the settings of these files, as all of us do. Its end: stop."""

    def __init__(self, settings: Settings, stop: Stop, hangup: HangUp) -> None:
        """`settings`: those of the start, until it says otherwise."""
        self._last = Files(None, {})
        self._settings = settings
        self._stop = stop
        self._hangup = hangup
        self._begun = b""
        asyncio.get_running_loop().add_reader(STDIN, self._hear)

    async def reread(self) -> Read:
        """Return what it said last; who sends a SIGHUP to us and not to it changes nothing."""
        return settings_of(self._last) if self._last.each else self._settings, self._last

    def _hear(self) -> None:
        said = b""
        with suppress(OSError):  # it died
            said = os.read(STDIN, 65_536)
        if not said:
            asyncio.get_running_loop().remove_reader(STDIN)
            self._stop.ask()
            return
        *lines, self._begun = (self._begun + said).split(b"\n")
        if lines:
            self._last = Files.of_line(lines[-1])
            self._hangup.ask()


def _tell_port(running: Running) -> None:
    _tell(str(running.admin_port))


def _tell(line: str) -> None:
    with suppress(OSError):  # a supervisor that died does not listen
        os.write(STDOUT, f"{line}\n".encode())
