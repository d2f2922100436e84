"""One process with a receiver: `smsbus serve --role receiver`, put together as `app.lifecycle` does."""

import asyncio
import random
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from app.admin import callbacks
from app.reloading.hangup import HangUp
from app.reloading.reload import Reload, Serving
from app.settings.file_reading import Files
from app.settings.load import Settings, load, reader
from app.stopping import RECEIVER_SECONDS, STOP_SECONDS
from bus.journal.claim import Claim
from bus.kafka_bus import KafkaBus
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from tests.simulation.process import Process
from tests.simulation.receiver.edges import Jobs
from tests.simulation.receiver.wire import Line, ReceiverLoop

if TYPE_CHECKING:
    from tests.simulation.receiver.town import ReceiverTown


class ReceiverProcess(Process["ReceiverTown"]):
    """`bus` and `server` are new after each start."""

    KIND = ReceiverLoop
    loop: ReceiverLoop

    def __init__(self, town: "ReceiverTown", name: str) -> None:
        super().__init__(town, name)
        self.bus: KafkaBus | None = None
        self.server: CallbackServer | None = None
        self.hangup = HangUp()
        self.reload: Reload | None = None
        self.journals: list[Jobs] = []
        self.claims: list[Claim] = []

    @property
    def life(self) -> str:
        """A name for it from this start on."""
        return f"{self.name} {self.starts}"

    @property
    def is_open(self) -> bool:
        """It takes connections."""
        return self.up and self.loop.connects is not None

    async def run(self) -> None:
        """Serve."""
        settings = load(self.town.config)
        bus = KafkaBus(
            settings.kafka,
            settings.bus,
            instance=self.name,
            accounts=len(settings.accounts),
            rng=random.Random(self.seed),
            now_ms=self.loop.wall_ms,
        )
        metrics = ReceiverMetrics(CollectorRegistry())
        accounts = settings.pingme_accounts()
        clock_ms, monotonic = self.loop.wall_ms, self.loop.time
        server = CallbackServer(
            bus, accounts, settings.receiver, clock_ms=clock_ms, metrics=metrics, monotonic=monotonic
        )
        self.hangup = HangUp()
        await bus.start()
        await server.start()
        self.bus, self.server = bus, server
        self.reload = Reload(settings, reader(self.town.config), self.hangup)

        def take(changed: Settings, _: Files) -> None:
            server.take_accounts(changed.pingme_accounts())
            bus.accounts = len(changed.accounts)
            self.town.note("reloaded", self.life)

        async with self.reload.follow(Serving(take, lambda _: None, polls=False)):
            await asyncio.Event().wait()

    async def end(self) -> None:
        """Stop in order."""
        bus, server = self.bus, self.server
        if server is not None:
            await server.stop(RECEIVER_SECONDS)
        if bus is not None:
            await bus.stop(STOP_SECONDS - RECEIVER_SECONDS)

    def gone(self) -> None:
        """Its connections are reset, its files closed, its locks free."""
        self.bus = self.server = self.reload = None
        for journal in self.journals:
            journal.die()
        for claimed in list(self.claims):
            claimed.release()
        self.journals.clear()
        for line in [each for each in self.town.lines if each.loop is self.loop]:
            line.broken()
            self.town.lines.discard(line)

    def connect(self) -> Line:
        """Open a connection to it."""
        line = Line(self.town, self.loop)
        self.town.lines.add(line)
        return line

    def words(self) -> tuple[str, ...]:
        """Return what /readyz calls degraded, as `app.wiring.admin` puts it together."""
        assert self.bus is not None
        assert self.server is not None
        assert self.reload is not None
        return (*self.bus.condition().degraded, *self.server.degraded(), *self.reload.degraded())

    def callbacks(self) -> callbacks.CallbacksView:
        """Return what GET /v1/callbacks answers."""
        assert self.server is not None
        return callbacks.view(self.server.token_uses(), self.server.uses_since_ms())
