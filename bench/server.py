"""A server process of a contender, with all its children: started, measured, stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from bench.machine import on

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Command(NamedTuple):
    """The command, and environment variables besides ours."""

    arguments: Sequence[str]
    environ: Mapping[str, str] = {}


class DoesNotServe(Exception):
    """It ended, or took too long; the text is its last output."""


class Server:
    """A process that listens on a port of loopback."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = process

    def cpu_ns(self) -> int:
        """Return the CPU time of all threads of all its processes (proc_pid_schedstat(5): the first figure)."""
        return sum(
            int((task / "schedstat").read_text().split()[0]) for pid in tree(self._process.pid) for task in _tasks(pid)
        )

    def memory_mib(self) -> float:
        """Return the memory of its processes."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in tree(self._process.pid))
        return sum(pages) * PAGE / 2**20


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children = (int(child) for task in _tasks(pid) for child in (task / "children").read_text().split())
    return [pid, *(each for child in children for each in tree(child))]


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def server(command: Command, port: int, cores: Collection[int], log: Path) -> Iterator[Server]:
    """Run it on these cores, with its output in `log`; it serves on `port` within the block. Raises DoesNotServe."""
    with log.open("wb") as said, on(cores):
        process = subprocess.Popen(command.arguments, env=os.environ | command.environ, stdout=said, stderr=said)
    try:
        _wait_for(process, port, log)
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    lines = log.read_text("utf-8", "replace").split("\n")
    raise DoesNotServe(" ".join([line.strip() for line in lines if line.strip()][-1:]) or "it does not serve")
