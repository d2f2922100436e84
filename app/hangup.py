"""SIGHUP asks for the settings to be read again, and never ends the process."""

import asyncio
import signal
from contextlib import suppress


class HangUp:
    """What SIGHUPs have asked for: however many come while it is being done, it is done once more."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def listen(self) -> None:
        """Hear SIGHUP from now on, for as long as the process lives. For the main thread.

        A handler of Python's own, not a loop's: that one comes late and leaves early, and a SIGHUP before or after it
        would end the process.
        """
        signal.signal(signal.SIGHUP, lambda *_: self.ask())

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
