"""One child of the supervisor, on a control pipe: a socket that is its stdin and stdout.

On it the child sends the address of its admin listener once it serves, and its ledger once it has stopped. It reads the
files of settings that it is to take: two lines at its start (those that we started with, those that were taken last),
and one for each reload. The end of the pipe tells it to stop, whether we mean it or have died; unlike a signal it is
heard even before Python is up.
"""

import asyncio
import json
import operator
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

import structlog

from bus.contract import Ledger

LOOPBACK: Final = "127.0.0.1"
RESTART_FIRST: Final = 0.5  # seconds: the other workers take its connections meanwhile
RESTART_LONGEST: Final = 30.0  # a failing start may succeed once its disk has room again
STEADY: Final = 60.0  # seconds after which a start counts as successful

_log = structlog.get_logger("smsbus")


class Worker:
    """A child that is kept running until `stop`."""

    def __init__(self, name: str, command: Sequence[str], files: bytes = b"", descriptors: Sequence[int] = ()) -> None:
        """Take the command that starts it; it gets its end of the control pipe as stdin and stdout.

        `files` of settings, a line: those that we started with. `descriptors` of ours that it gets as they are.
        """
        self.name = name
        self.ready = asyncio.Event()
        """It has served at least once."""
        self.admin: str | None = None
        """The address of its admin listener; None while it does not serve."""
        self.restarts = 0
        self.exit_code = 0
        self.problem: str | None = None
        """Why the system did not let it start the last time; None: it did."""
        self.ledger = Ledger()
        """Its ledger, once it has stopped."""
        self._command = command
        self._descriptors = tuple(descriptors)
        self._control: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._silent_since: float | None = time.monotonic()
        self._stopping = asyncio.Event()
        self._start_files = files
        self._files = files  # of the last reload, as a line

    async def run(self) -> None:
        """Run it, and again whenever it ends by itself. Returns after `stop`, or when its very first start fails."""
        pause = 0.0
        while True:
            began = time.monotonic()
            await self._live_once()
            if self._stopping.is_set() or not self.ready.is_set():
                return
            pause = restart_backoff(pause, time.monotonic() - began)
            why = {"reason": self.problem} if self.problem else {}
            _log.warning("worker_ended", process=self.name, exit_code=self.exit_code, again_in_seconds=pause, **why)
            await self._wait(pause)
            if self._stopping.is_set():
                self.exit_code = 0  # it was already gone; its end was logged above
                return
            self.restarts += 1

    def expect_end(self) -> None:
        """Do not start it again if it ends by itself from now on: it may be told to stop by others than us."""
        self._stopping.set()

    def stop(self) -> None:
        """Make it finish what is in flight and drain, as SIGTERM does; `run` returns when it has ended."""
        self.expect_end()
        self._send_end()

    def hurry(self) -> None:
        """Make it stop without the lame-duck phase."""
        self.expect_end()
        if self.admin is not None:
            self._signal(signal.SIGINT)

    def reload(self, files: bytes) -> None:
        """Make it apply the settings of these files, a line; also whenever it is restarted: all have the same."""
        self._files = files
        self._send(files)

    def heard(self, *, answered: bool) -> None:
        """Note whether it just responded."""
        self._silent_since = None if answered else self._silent_since or time.monotonic()

    def silent_seconds(self) -> float:
        """Return for how many seconds it has not responded, as far as it was asked."""
        return time.monotonic() - self._silent_since if self._silent_since is not None else 0.0

    async def _live_once(self) -> None:
        """Run it from its start to its end, and note how it ended."""
        self.problem = None
        try:
            self.exit_code = await self._live()
        except OSError as error:  # no file descriptor, process or memory is left
            self.exit_code, self.problem = os.EX_OSERR, error.strerror or type(error).__name__

    async def _live(self) -> int:
        """Run it from its start to its end, and return its exit code; raises `OSError` when it cannot be started."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                said, self._control = await asyncio.open_connection(sock=ours)
                self._send(self._start_files + self._files)
                if self._stopping.is_set():
                    self._send_end()
                process = self._process = await self._spawn(theirs)
            await self._listen(said)
            return await process.wait()
        finally:
            if self._control is not None:
                self._control.close()
            self._control = self._process = self.admin = None
            self.heard(answered=False)

    async def _spawn(self, control: socket.socket) -> asyncio.subprocess.Process:
        # A session of its own: Ctrl-C on the terminal is for us, and we stop it.
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=control.fileno(),
            stdout=control.fileno(),
            start_new_session=True,
            pass_fds=self._descriptors,
        )

    async def _listen(self, said: asyncio.StreamReader) -> None:
        """Take what it says, up to its ledger or its end; lines that are neither ledger nor port are left out."""
        async for line in _lines(said):
            match _message(line):
                case Ledger() as ledger:
                    self.ledger = ledger
                    return
                case int(port):
                    self._serves(port)
                case None:
                    _log.warning("worker_not_understood", process=self.name)

    def _serves(self, port: int) -> None:
        self.admin = f"http://{LOOPBACK}:{port}"
        self.heard(answered=True)
        self.ready.set()
        _log.info("worker_serves", process=self.name)

    def _send(self, line: bytes) -> None:
        if self._control is not None:
            with suppress(RuntimeError):  # uvloop's, where it has just died; the next one is sent it, too
                self._control.write(line)

    def _send_end(self) -> None:
        if self._control is not None:
            with suppress(RuntimeError):  # as above
                self._control.write_eof()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _lines(said: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield each line to the end, of any length."""
    begun = b""
    with suppress(OSError):  # it died before it had read all that we sent
        while more := await said.read(65_536):
            *lines, begun = (begun + more).split(b"\n")
            for line in lines:
                yield line


def _message(line: bytes) -> int | Ledger | None:
    """Return what a line says, a port or a ledger; None: neither, as when a library prints."""
    try:
        said = json.loads(line)
        if type(said) is int:
            return said
        return Ledger(**{name: operator.index(count) for name, count in said.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def restart_backoff(last: float, lived: float) -> float:
    """Return the seconds to wait before the next start, after the `last` pause (0: none yet) and `lived` seconds."""
    if lived >= STEADY:
        return RESTART_FIRST
    return min(max(2 * last, RESTART_FIRST), RESTART_LONGEST)
