"""Small disks: what a journal meets when there is no room left."""

import os
import resource
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.e2e.program import Replica

SMALL_KIB = 2048
COMMAND_SECONDS = 10


class Tmpfs:
    """A file system of its own, mounted on the journal's directory: the real thing. Needs the right to mount."""

    wrapper = ()

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        _mount(directory, f"size={SMALL_KIB}k")

    @staticmethod
    def possible() -> bool:
        """Whether this process may mount one."""
        if os.geteuid():
            return False
        with tempfile.TemporaryDirectory() as directory:
            try:
                _mount(Path(directory), "size=16k")
            except (OSError, subprocess.SubprocessError):
                return False
            _unmount(Path(directory))
            return True

    def fill(self) -> None:
        """Leave no room, whatever is there by now."""
        with suppress(OSError), (self._directory / "somebody's").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def make_room(self, replica: Replica) -> None:
        _mount(self._directory, "remount,size=64m")

    def close(self) -> None:
        _unmount(self._directory)


class FileSizeLimit:
    """A limit of the process on the size of each file that it writes: needs no rights."""

    wrapper = ("bash", "-c", f'ulimit -S -f {SMALL_KIB // 2}; exec "$@"', "bash")

    def __init__(self, directory: Path) -> None:
        del directory

    def fill(self) -> None:
        """It is full as soon as a file has grown to the limit."""

    def make_room(self, replica: Replica) -> None:
        limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(replica.process.pid, resource.RLIMIT_FSIZE, limits)

    def close(self) -> None:
        """Nothing is left behind."""


def _mount(directory: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(directory)]
    subprocess.run(command, check=True, capture_output=True, timeout=COMMAND_SECONDS)


def _unmount(directory: Path) -> None:
    subprocess.run(["umount", "--lazy", str(directory)], check=True, capture_output=True, timeout=COMMAND_SECONDS)


DISKS = [FileSizeLimit, Tmpfs] if Tmpfs.possible() else [FileSizeLimit]
