"""The child's side of `--workers`: today's service, but on a shared port, with its internal listener on loopback.

stdin and stdout are the leash that `app/workers/worker.py` holds.
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
from app.admin_token import with_admin_token
from app.lifecycle import Running
from app.parts import Role
from app.reload import Reload
from app.settings import Settings
from app.stopping import Stop
from app.workers.worker import LOOPBACK

STDIN: Final = 0
STDOUT: Final = 1


async def work(settings: Settings, role: Role, name: str, reload: Reload) -> None:
    """Serve until the leash ends or a signal comes, then drain. What the supervisor verified is not verified again."""
    stop = stopping.stop_on_signals()
    _stop_at_the_end_of_the_leash(stop)
    logs.configure(settings.log, settings.secrets(), sys.stderr)
    structlog.contextvars.bind_contextvars(process=name)
    settings = with_admin_token(settings)
    own = settings.admin.model_copy(update={"host": LOOPBACK, "port": 0})
    settings = settings.model_copy(update={"admin": own})
    dog = stopping.watchdog(lifecycle.lame_duck(settings, role))
    ledger = await lifecycle.serve_parts(settings, role, stop, _tell_port, watchdog=dog, reload=reload, shared=True)
    _tell(json.dumps(asdict(ledger)))


def _stop_at_the_end_of_the_leash(stop: Stop) -> None:
    loop = asyncio.get_running_loop()

    def ended() -> None:  # nobody writes: what can be read is the end
        loop.remove_reader(STDIN)
        stop.ask()

    loop.add_reader(STDIN, ended)


def _tell_port(running: Running) -> None:
    _tell(str(running.admin_port))


def _tell(line: str) -> None:
    with suppress(OSError):  # a supervisor that died does not listen
        os.write(STDOUT, f"{line}\n".encode())
