"""The real public listener on loopback, in a thread of its own, so that a fuzzer may block; and all its complaints.

Nothing is behind it: the bus is in memory.
"""

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.memory import MemoryBus
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from tests.loop_thread import LoopThread

TOKEN: Final = "shop-token-0123456789"
PATH: Final = f"/v1/pingme/{TOKEN}"
ACCOUNT: Final = "main"
NOW_MS: Final = 1_795_000_000_000


EXPECTED: Final = frozenset({"unknown_callback_token", "wrong_admin_token", "watch_command", "journal_command"})
"""Lines about who asked: the sender is told, and so is the log."""


class Complaints(logging.Handler):
    """Every warning of any library, every exception that an event loop was left with, every unexpected line of ours."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._heard: list[object] = []
        self._lines: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(f"{record.name}: {self.format(record)}")

    @property
    def all(self) -> list[object]:
        return self._heard + [line for line in self._lines if line["event"] not in EXPECTED]

    @contextmanager
    def listening(self, home: LoopThread) -> Iterator[None]:
        async def listen() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: self._heard.append(context))

        home.run(listen())
        gc.collect()  # what earlier tests of this process have left is not ours
        logging.getLogger().addHandler(self)
        with structlog.testing.capture_logs() as self._lines:
            yield
        logging.getLogger().removeHandler(self)


class FuzzedBus(MemoryBus):
    """The memory bus, which can be made as new."""

    def forget(self) -> None:
        MemoryBus.__init__(self)


@dataclass
class Public:
    """The public listener."""

    receiver: CallbackServer
    bus: FuzzedBus
    home: LoopThread
    complaints: Complaints = field(default_factory=Complaints)

    @property
    def port(self) -> int:
        return self.receiver.port

    def read(self) -> None:
        """Return when the receiver has read what was sent to it."""
        self.home.run(_turns(10))

    def settle(self) -> None:
        """Return when it has also said all that it will say to it."""
        self.home.run(self._settled())

    async def _settled(self) -> None:
        await _turns(10)
        while self.receiver.intake.in_flight:
            await asyncio.sleep(0.002)
            await _turns(10)


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@contextmanager
def public(bus: FuzzedBus | None = None, patience: float = 10.0) -> Iterator[Public]:
    """A running receiver, which waits for a body for `patience` seconds. Its account's user is that of the corpus."""
    home, bus = LoopThread(), bus or FuzzedBus()
    # Without limits for the account: this one sends nothing but what costs, and shall be answered by what it is.
    settings = ReceiverSettings(host="127.0.0.1", port=0, body_deadline=patience, allowance=2**40)
    account = PingMeAccount(name=ACCOUNT, tokens=(SecretStr(TOKEN),), user_id="xxx")
    with patch("receiver.allowance.BUSY_SECONDS", 1e9):
        receiver = CallbackServer(
            bus, [account], settings, clock_ms=lambda: NOW_MS, metrics=ReceiverMetrics(CollectorRegistry())
        )
    opened = Public(receiver, bus, home)
    with opened.complaints.listening(home):
        home.run(receiver.start())
        yield opened
        home.run(receiver.stop(1.0))
    home.close()
