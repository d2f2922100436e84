"""What systemd and this process tell each other: ready, alive, stopping, and the socket that systemd keeps open for us.

The protocols are sd_notify(3) and sd_listen_fds(3): variables, datagrams, and descriptors from 3 on.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Final, Self

from app.errors import StartupError

FIRST_DESCRIPTOR: Final = 3
SEND_SECONDS: Final = 1.0  # systemd reads at once; a full queue of datagrams must not hold up the event loop
PINGS: Final = 3  # in the time after which systemd acts
MICRO: Final = 1_000_000
MARGIN: Final = 5.0  # seconds after our own watchdog, which says more than systemd's
ONE_SOCKET: Final = "systemd passes {}: one listening TCP socket is needed (ListenStream= in smsbus.socket)"


class ServiceManager:
    """systemd, or nobody: then nothing is sent and no socket is inherited."""

    def __init__(
        self, address: str = "", *, watchdog_seconds: float = 0.0, listening: socket.socket | None = None
    ) -> None:
        """`address`: of its socket for datagrams; `watchdog_seconds`: without a sign of life it acts; 0: never."""
        self.listening = listening
        """The socket for callbacks, which outlives us: what waits there when we stop is the next process's."""
        self._address = address
        self._watchdog_seconds = watchdog_seconds

    @classmethod
    def of_environment(cls, environ: MutableMapping[str, str], pid: int) -> Self:
        """Take what the variables say to the process `pid` and remove them: its children are not meant.

        Raises `StartupError` where more or other than one listening socket is passed.
        """
        said = {
            name: environ.pop(name, "")
            for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
        }
        watches = said["WATCHDOG_USEC"] and said["WATCHDOG_PID"] in {"", str(pid)}
        passed = int(said["LISTEN_FDS"] or 0) if said["LISTEN_PID"] == str(pid) else 0
        if passed > 1:
            raise StartupError([ONE_SOCKET.format(f"{passed} sockets")])
        return cls(
            said["NOTIFY_SOCKET"],
            watchdog_seconds=int(said["WATCHDOG_USEC"]) / MICRO if watches else 0.0,
            listening=listening_at(FIRST_DESCRIPTOR) if passed else None,
        )

    def ready(self) -> None:
        """Everything is served."""
        self._send("READY=1")

    def stopping(self, seconds: float) -> None:
        """We stop, within so many seconds by our own watchdog: systemd's waits until after it."""
        patience = [f"WATCHDOG_USEC={int((seconds + MARGIN) * MICRO)}"] if self._watchdog_seconds else []
        self._send("STOPPING=1", *patience)

    @asynccontextmanager
    async def watched(self, lives: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
        """Send signs of life for as long as the event loop runs and `lives` says so; then systemd restarts us."""
        if not self._watchdog_seconds:
            yield
            return
        task = asyncio.create_task(self._ping(lives), name="signs of life")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _ping(self, lives: Callable[[], Awaitable[bool]]) -> None:
        while True:
            if await lives():
                self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / PINGS)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(SEND_SECONDS)
            sender.sendto("\n".join(lines).encode(), address)


def listening_at(descriptor: int) -> socket.socket:
    """Return the TCP socket that listens at a descriptor of ours. Raises `StartupError` if it is another thing."""
    try:
        found = socket.socket(fileno=descriptor)
        listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise StartupError([ONE_SOCKET.format(f"descriptor {descriptor} ({error.strerror})")]) from error
    if not listens or found.family not in {socket.AF_INET, socket.AF_INET6} or found.type != socket.SOCK_STREAM:
        raise StartupError([ONE_SOCKET.format("another kind of socket")])
    found.set_inheritable(False)
    return found
