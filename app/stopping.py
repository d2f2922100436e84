"""When to stop, and how long it may take: a lame-duck phase, then `STOP_SECONDS` to drain, all under a watchdog."""

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Final

from app import task_stacks

STOP_SECONDS: Final = 20.0  # for responding to and publishing what is in flight; the rest stays in the journal
RECEIVER_SECONDS: Final = 5.0  # of those, for callbacks in flight: they wait at most `bus.accept_deadline`
WATCHDOG_SECONDS: Final = 28.0  # Kubernetes kills after 30 s, without our message
SHOWN_SECONDS: Final = 0.5  # for what each task waits for to be written, before the process ends


class Stop:
    """The request to stop, shared by all parts of a service."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._hurried = asyncio.Event()
        self._terminated = False

    def ask(self) -> None:
        """Stop, after the lame-duck phase."""
        self._asked.set()

    def hurry(self) -> None:
        """Stop without the lame-duck phase, or end it: a person is waiting."""
        self._hurried.set()
        self._asked.set()

    def terminate(self) -> None:
        """Handle a SIGTERM: the first one asks, the second one hurries."""
        (self.hurry if self._terminated else self.ask)()
        self._terminated = True

    async def wait(self) -> None:
        """Return when stopping is requested."""
        await self._asked.wait()

    async def wait_for_hurry(self) -> None:
        """Return when the lame-duck phase must end."""
        await self._hurried.wait()

    async def lame_duck(self, seconds: float) -> None:
        """Wait this long, or until `hurry` is called."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()


def stop_on_signals() -> Stop:
    """Return a `Stop` for SIGTERM and SIGINT; from now on SIGUSR1 shows what each task waits for."""
    task_stacks.show_on_signal()
    stop, loop = Stop(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.terminate)
    loop.add_signal_handler(signal.SIGINT, stop.hurry)
    return stop


class Deadline:
    """The seconds left of `STOP_SECONDS`, counted from `begin`."""

    def __init__(self) -> None:
        self._at: float | None = None

    def begin(self) -> None:
        """Count from now."""
        self._at = time.monotonic() + STOP_SECONDS

    def left(self) -> float:
        """Return what is left, in seconds."""
        return max(0.0, self._at - time.monotonic()) if self._at is not None else 0.0


def watchdog(lame_duck: float = 0.0) -> threading.Timer:
    """Return a thread that ends the process after `seconds` once started, even if the event loop is blocked."""
    seconds = lame_duck + WATCHDOG_SECONDS
    timer = threading.Timer(seconds, _bite, [seconds])
    timer.daemon = True
    return timer


def set_off(timer: threading.Timer) -> None:
    """Start the watchdog, unless this machine has no thread left: then only the service manager's own one remains."""
    with suppress(RuntimeError):
        timer.start()


def _bite(seconds: float) -> None:
    words = threading.Thread(target=_last_words, args=[seconds], daemon=True)
    with suppress(RuntimeError):  # as above
        words.start()
        words.join(2 * SHOWN_SECONDS)  # whoever reads the log may not
    os._exit(1)


def _last_words(seconds: float) -> None:
    sys.stderr.write(f"smsbus did not stop within {seconds:.0f} s and ends now; the journal keeps what waits\n")
    if callable(signal.getsignal(signal.SIGUSR1)):  # it writes what each task waits for
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(SHOWN_SECONDS)
