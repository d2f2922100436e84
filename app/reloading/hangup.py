"""SIGHUP asks for the settings to be read again, and never ends the process."""

import asyncio
import signal
from contextlib import suppress
from typing import Self


class HangUp:
    """What SIGHUPs have asked for: however many come while it is being done, it is done once more.

    A context of the main thread, for the whole of a command. A handler of Python's own hears them, not a loop's: that
    one comes late and leaves early, and a SIGHUP before or after it would end the process.
    """

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        """Hear SIGHUP from now on."""
        signal.signal(signal.SIGHUP, lambda *_: self.ask())
        return self

    def __exit__(self, *_: object) -> None:
        """Ignore it to the end: Python takes its own handlers away before the process is gone."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def ask(self) -> None:
        """Ask for it; never raises. Before anybody waits it is remembered."""
        if self._loop is None:
            self._asked.set()
            return
        with suppress(RuntimeError):  # the loop has ended, and soon the process
            self._loop.call_soon_threadsafe(self._asked.set)

    async def wait(self) -> None:
        """Return when it is asked for, or has been since this returned last."""
        self._loop = asyncio.get_running_loop()
        await self._asked.wait()
        self._asked.clear()
