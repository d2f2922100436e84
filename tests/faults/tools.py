"""What a machine does to a process: its disk fails or stalls, its clock jumps. By strace and libfaketime, from Debian.

Neither changes anything but the processes that it is put on.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ATTACH_SECONDS = 10
DETACH_SECONDS = 10
CACHE_SECONDS = 1
SYNCS = "fsync,fdatasync"  # SQLite's WAL is synced by fdatasync, a new file's directory by fsync
FSYNC_FAILS = f"{SYNCS}:error=EIO"
READS_FAIL = "pread64:error=EIO"  # SQLite reads its pages so, and nobody else anything
INJECTED = "(INJECTED)"

YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
LIBRARIES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime")
LIBRARY = "libfaketimeMT.so.1"


def fsync_stalls(seconds: float) -> str:
    """Each fsync takes so much longer, and then does what it does."""
    return f"{SYNCS}:delay_enter={seconds * 1e6:.0f}"


def missing() -> str | None:
    """Say what keeps the tools from working and the command that helps; None when they work."""
    lacking = [name for name, there in (("strace", shutil.which("strace")), ("faketime", _library())) if not there]
    if lacking:
        return f"not installed: {', '.join(lacking)}; apt-get install {' '.join(lacking)}"
    if os.geteuid() and YAMA.exists() and YAMA.read_text().strip() != "0":
        return "strace may not attach to processes that run: sysctl kernel.yama.ptrace_scope=0"
    return None


@asynccontextmanager
async def injected(pid: int, fault: str, log: Path = Path("/dev/null")) -> AsyncIterator[None]:
    """Inside the block all threads of a running process meet `fault`; outside nothing is left of it.

    `fault` is strace's own: system calls, a colon, and what happens to them. A call that is being held up when the
    block ends is let go. In `log` each call that met it ends with `INJECTED`.
    """
    what = ("-e", f"trace={fault.partition(':')[0]}", "-e", f"inject={fault}")
    command = ("strace", "-f", "-qq", "-o", str(log), *what, "-p", str(pid))
    strace = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        await _until_attached(pid, strace)
        yield
    finally:
        await _end(strace)


async def _end(strace: asyncio.subprocess.Process) -> None:
    """Let it detach by itself; killed, it detaches too, and what it holds up at that moment fails or goes on."""
    try:
        if strace.returncode is None:
            strace.terminate()
        async with asyncio.timeout(DETACH_SECONDS):
            await strace.wait()
    except TimeoutError:
        strace.kill()
        await strace.wait()


async def _until_attached(pid: int, strace: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(ATTACH_SECONDS):
        while not all(_tracer(task) == strace.pid for task in Path(f"/proc/{pid}/task").iterdir()):
            if strace.returncode is not None:
                assert strace.stderr
                raise OSError((await strace.stderr.read()).decode().strip())
            await asyncio.sleep(0.01)


def _tracer(task: Path) -> int:
    status = (task / "status").read_text()
    return int(status.partition("TracerPid:")[2].split(maxsplit=1)[0])


class Clock:
    """The time of day of all processes started under `wrapper`; their monotonic clock goes on as it does."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clock"
        self.offset = 0.0
        """Seconds by which they are ahead of the machine."""
        self._write()

    @property
    def wrapper(self) -> tuple[str, ...]:
        """Put this before a command; it becomes the command, so that the pid is its own."""
        settings = {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": self._file,
            "FAKETIME_CACHE_DURATION": str(CACHE_SECONDS),  # without a cache it reads the file at each look at the time
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        return ("env", *(f"{name}={value}" for name, value in settings.items()))

    async def step(self, seconds: float) -> None:
        """Set them ahead, or back, by so much more; each feels it within two seconds, and all when this returns."""
        self.offset += seconds
        self._write()
        await asyncio.sleep(CACHE_SECONDS + 1.1)  # it counts whole seconds

    def _write(self) -> None:
        scratch = self._file.with_suffix(".new")
        scratch.write_text(f"{self.offset:+}\n")
        scratch.replace(self._file)


def _library() -> Path | None:
    found = (path for place in LIBRARIES for path in Path("/").glob(f"{place[1:]}/{LIBRARY}"))
    return next(found, None)
