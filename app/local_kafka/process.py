"""Our processes, found again by pid, and never confused with another process that got the same pid."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

EXEC_WRAPPER = Path(__file__).with_name("exec_wrapper.py")
STOP_WITHIN = 10.0  # seconds for an orderly stop, which takes 1 to 3
KILL_WITHIN = 10.0


@dataclass(frozen=True)
class Process:
    """A process that runs the node configured by `properties`, a path in its command line."""

    pid: int
    properties: Path

    def runs(self) -> bool:
        """Tell whether it runs (a paused one does); False for a zombie and for another process with its pid."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.properties) in words

    async def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        await self.end_by(number, within=0)

    async def stop(self) -> None:
        """Stop it, with SIGKILL after STOP_WITHIN; it has ended when this returns."""
        await self.send(signal.SIGCONT)  # a paused process would not receive the next one
        if not await self.end_by(signal.SIGTERM, within=STOP_WITHIN):
            await self.end_by(signal.SIGKILL, within=KILL_WITHIN)

    async def end_by(self, number: signal.Signals, *, within: float) -> bool:
        """Send a signal and return whether it ended, sockets and locks included, within that many seconds."""
        handle = await asyncio.to_thread(self._open)
        if handle is None:
            return True
        try:
            signal.pidfd_send_signal(handle, number)
            return await _ended(handle, within)
        finally:
            os.close(handle)

    def _open(self) -> int | None:
        """Return a pidfd: a process that is checked after it was opened cannot be replaced by another one."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        if self.runs():
            return handle
        os.close(handle)
        return None


async def _ended(handle: int, within: float) -> bool:
    """Wait for a pidfd to become readable, which it does when the process is gone but for its exit code."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), within)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(handle)
    return True


async def spawn_held(command: Sequence[str], output: Path) -> asyncio.subprocess.Process:
    """Start a child that cannot outlive the thread that called this: the kernel kills it (PR_SET_PDEATHSIG)."""
    return await _wrapped("held", output, command, asyncio.subprocess.DEVNULL)


async def spawn_free(command: Sequence[str], output: Path) -> int:
    """Start a process that outlives us, and return its pid."""
    wrapper = await _wrapped("free", output, command, asyncio.subprocess.PIPE)
    printed, _ = await wrapper.communicate()
    return int(printed)


async def _wrapped(mode: str, output: Path, command: Sequence[str], stdout: int) -> asyncio.subprocess.Process:
    # A session of its own: Ctrl-C on the terminal goes to us, and we stop the broker last.
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", str(EXEC_WRAPPER), mode, str(os.getpid()), str(output), *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        start_new_session=True,
    )
