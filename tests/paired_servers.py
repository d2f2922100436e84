"""Two receivers on equal buses, the fast lane on and off, and what a sender of raw bytes gets to know of each."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from unittest.mock import patch

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.contract import Receipt
from bus.memory import MemoryBus
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from schemas.messages import Message

TOKEN, OTHER, ODD_TOKEN = "shop-token-0123456789", "Shop.token~with_all-0", ".."
PATH = f"/v1/pingme/{TOKEN}"
NOW_MS = 1_700_000_000_000
MAX_BODY = 2048
HURRIED, PATIENT = 0.02, 1.0  # seconds for which an unread body is drained: at the first look, and at the second
TURNS = 12  # of the loop without a change: the longest way to an answer is half of that
_DATE = re.compile(rb"(?<=\r\nDate: )[^\r]*")

Steps = Sequence[Sequence[bytes]]
"""Segments, and between two sequences of them everything that the receiver has to say."""


class LateBus(MemoryBus):
    """Tells of a message after some turns of the loop, as a broker does."""

    def __init__(self, *, turns: int = 0, full: bool = False) -> None:
        super().__init__()
        self.full = full
        self._turns = turns

    def submit(self, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        told = super().submit(message, key=key)
        return asyncio.ensure_future(self._later(told)) if self._turns else told

    async def _later(self, told: asyncio.Future[Receipt]) -> Receipt:
        for _ in range(self._turns):
            await asyncio.sleep(0)
        return await told


@dataclass(frozen=True)
class Conversation:
    """All that can be known of a conversation from outside, dates apart."""

    said: bytes
    closed: bool
    in_flight: int
    messages: tuple[Message, ...]
    counted: dict[tuple[str, ...], float]


class RecordingClient(asyncio.Protocol):
    def __init__(self) -> None:
        self.said = b""
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by type

    def data_received(self, data: bytes) -> None:
        self.said += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True


class Side:
    """One receiver, and conversations with it."""

    def __init__(self, *, fast_lane: bool, **changed: object) -> None:
        self.registry = CollectorRegistry()
        settings = ReceiverSettings.model_validate(
            {"host": "127.0.0.1", "port": 0, "max_body": MAX_BODY, "fast_lane": fast_lane, **changed}
        )
        accounts = [
            PingMeAccount(name="main", tokens=(SecretStr(TOKEN),), user_id="u"),
            PingMeAccount(name="other", tokens=(SecretStr(OTHER), SecretStr(ODD_TOKEN))),
        ]
        metrics = ReceiverMetrics(self.registry)
        self.receiver = CallbackServer(MemoryBus(), accounts, settings, clock_ms=lambda: NOW_MS, metrics=metrics)

    async def hear(self, steps: Steps, bus: MemoryBus, pause: float = 0.0) -> Conversation:
        """Send the steps on one connection; `pause` is a turn's length, in seconds."""
        self.receiver.intake.bus = bus
        before = self._counted()
        _, ear = await asyncio.get_running_loop().create_connection(RecordingClient, "127.0.0.1", self.receiver.port)
        for segments in steps:
            await self._send(ear, segments)
            await self._quiet(ear, pause)
        said, closed, in_flight = ear.said, ear.closed, self.receiver.intake.in_flight
        ear.transport.close()
        await self._forgotten()
        counted = {name: value - before.get(name, 0.0) for name, value in self._counted().items()}
        return Conversation(
            _DATE.sub(b"", said),
            closed,
            in_flight,
            tuple(bus.messages),
            {name: value for name, value in counted.items() if value},
        )

    async def _send(self, ear: RecordingClient, segments: Iterable[bytes]) -> None:
        for segment in segments:
            if not ear.transport.is_closing():
                ear.transport.write(segment)
            for _ in range(3):  # written, arrived, taken
                await asyncio.sleep(0)

    async def _quiet(self, ear: RecordingClient, pause: float) -> None:
        still, seen = 0, None
        while still < TURNS:
            await asyncio.sleep(pause)
            now = (len(ear.said), ear.closed, self.receiver.intake.in_flight)
            still, seen = (still + 1 if now == seen else 0), now

    async def _forgotten(self) -> None:
        async with asyncio.timeout(5):
            receiver = self.receiver
            while receiver._server is not None and (receiver._server.connections or receiver.intake.in_flight):
                await asyncio.sleep(0)

    def _counted(self) -> dict[tuple[str, ...], float]:
        return {
            (sample.name, *sample.labels.values()): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name.endswith(("callbacks_total", "rejected_total", "seconds_count"))
        }


class PairedServers:
    """The same conversation with both."""

    def __init__(self, **changed: object) -> None:
        self.fast = Side(fast_lane=True, **changed)
        self.slow = Side(fast_lane=False, **changed)

    async def both(self, steps: Steps, *, turns: int = 0, full: bool = False) -> tuple[Conversation, Conversation]:
        """What each says; if that differs, what each says when nobody is in a hurry.

        On a busy machine, the rest of a body comes to one receiver within the time for which it is drained, and to the
        other too late. At the second look that time is long for a sender, and every silence is longer still.
        """
        fast, slow = await self._both(steps, turns=turns, full=full, pause=0.0)
        if fast == slow:
            return fast, slow
        with patch("receiver.connection.LINGER", PATIENT):
            return await self._both(steps, turns=turns, full=full, pause=1.2 * PATIENT / TURNS)

    async def _both(self, steps: Steps, *, turns: int, full: bool, pause: float) -> tuple[Conversation, Conversation]:
        return (
            await self.fast.hear(steps, LateBus(turns=turns, full=full), pause),
            await self.slow.hear(steps, LateBus(turns=turns, full=full), pause),
        )


@asynccontextmanager
async def paired_servers(**changed: object) -> AsyncIterator[PairedServers]:
    """Open both."""
    pair = PairedServers(**changed)
    await pair.fast.receiver.start()
    await pair.slow.receiver.start()
    with patch("receiver.connection.LINGER", HURRIED):
        yield pair
    await pair.fast.receiver.stop(1.0)
    await pair.slow.receiver.stop(1.0)


def post(body: bytes, *lines: str, target: str = PATH, length: int | None = None) -> bytes:
    """A plain callback, with more lines in its head."""
    head = f"POST {target} HTTP/1.1\r\nHost: sms.example.org\r\nContent-Length: "
    more = "".join(f"\r\n{line}" for line in lines)
    return f"{head}{len(body) if length is None else length}{more}\r\n\r\n".encode("utf-8", "surrogateescape") + body
