"""SIGHUP requests a reload of the settings, and never ends the process."""

import asyncio
import signal
from contextlib import suppress
from typing import Self


class HangUp:
    """Pending reload requests: any number of SIGHUPs during a reload cause one more reload.

    A context manager for the main thread and a whole command. It uses Python's own handler, not the loop's, which is
    installed later and removed earlier: a SIGHUP before or after that would end the process.
    """

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        """Handle SIGHUP from now on."""
        signal.signal(signal.SIGHUP, lambda *_: self.ask())
        return self

    def __exit__(self, *_: object) -> None:
        """Ignore SIGHUP until the end: Python removes its own handlers before the process has exited."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def ask(self) -> None:
        """Request a reload; never raises. The request is kept until `wait` is called."""
        if self._loop is None:
            self._asked.set()
            return
        with suppress(RuntimeError):  # the loop has ended, and soon the process
            self._loop.call_soon_threadsafe(self._asked.set)

    async def wait(self) -> None:
        """Return when a reload is requested, or has been since this last returned."""
        self._loop = asyncio.get_running_loop()
        await self._asked.wait()
        self._asked.clear()
