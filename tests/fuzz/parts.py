"""The real listeners on loopback, in a thread of their own, so that a fuzzer may block; and all that they complain of.

Nothing is behind them: the bus is in memory, and so are the watches.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin import Admin
from app.sections import AdminSettings
from app.watch_api import WatchApi
from bus.client import KafkaAway
from bus.memory import MemoryBus
from bus.settings import KafkaSettings
from pollers.table import WatchTable
from receiver.metrics import ReceiverMetrics
from receiver.server import Door
from receiver.settings import PingMeAccount, ReceiverSettings
from tests.loop_thread import LoopThread

TOKEN: Final = "door-token-0123456789"
PATH: Final = f"/v1/pingme/{TOKEN}"
ADMIN_TOKEN: Final = "a-long-token-of-the-admin"
ACCOUNT: Final = "main"
NOW_MS: Final = 1_795_000_000_000


class Complaints(logging.Handler):
    """Every warning of any library, every exception that an event loop was left with, every line of our own."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._heard: list[object] = []
        self._lines: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(f"{record.name}: {self.format(record)}")

    @property
    def all(self) -> list[object]:
        return self._heard + self._lines

    @contextmanager
    def listening(self, home: LoopThread) -> Iterator[None]:
        async def listen() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: self._heard.append(context))

        home.run(listen())
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

    door: Door
    bus: FuzzedBus
    home: LoopThread
    complaints: Complaints = field(default_factory=Complaints)

    @property
    def port(self) -> int:
        return self.door.port

    def read(self) -> None:
        """Return when the door has read what was sent to it."""
        self.home.run(_turns(10))

    def settle(self) -> None:
        """Return when it has also said all that it will say to it."""
        self.home.run(self._settled())

    async def _settled(self) -> None:
        await _turns(10)
        while self.door._in_flight:
            await asyncio.sleep(0.002)
            await _turns(10)


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@contextmanager
def public(bus: FuzzedBus | None = None, patience: float = 10.0) -> Iterator[Public]:
    """An open door, which waits for a body for `patience` seconds. Its account's callbacks are those of user `u`."""
    home, bus = LoopThread(), bus or FuzzedBus()
    settings = ReceiverSettings(host="127.0.0.1", port=0, body_deadline=patience)
    account = PingMeAccount(name=ACCOUNT, tokens=(SecretStr(TOKEN),), user_id="u")
    door = Door(bus, [account], settings, clock_ms=lambda: NOW_MS, metrics=ReceiverMetrics(CollectorRegistry()))
    opened = Public(door, bus, home)
    with opened.complaints.listening(home):
        home.run(door.start())
        yield opened
        home.run(door.stop(1.0))
    home.close()


class Writer:
    """Takes commands as Kafka does, or as it does while it is away."""

    def __init__(self) -> None:
        self.away = False

    async def put(self, key: str, value: bytes | None) -> None:
        if self.away:
            raise KafkaAway


@dataclass(frozen=True)
class Condition:
    can_accept: bool = True
    degraded: tuple[str, ...] = ("kafka_away",)


@dataclass
class Internal:
    """The admin listener of a process that polls, with its watches."""

    admin: Admin
    table: WatchTable
    writer: Writer
    home: LoopThread
    complaints: Complaints = field(default_factory=Complaints)

    @property
    def port(self) -> int:
        return self.admin.port


@contextmanager
def internal(token: str | None) -> Iterator[Internal]:
    """An open admin listener; `token` None: nobody is asked for one."""
    home, writer, table = LoopThread(), Writer(), WatchTable(KafkaSettings())
    table.filled = True
    secret = SecretStr(token) if token else None
    writer_like: Any = writer
    api = WatchApi(table, writer_like, accounts=frozenset({ACCOUNT}), token=secret, now_ms=lambda: NOW_MS)
    admin = Admin(
        AdminSettings(port=0),
        alive=lambda: True,
        condition=Condition,
        registry=CollectorRegistry(),
        extend=api.add_to,
    )
    admin.ready = True
    opened = Internal(admin, table, writer, home)
    with opened.complaints.listening(home):
        home.run(admin.start())
        yield opened
        home.run(admin.stop())
    home.close()
