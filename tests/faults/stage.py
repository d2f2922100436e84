"""Real parts under load for one case: a cluster that is shared, and a sandbox, receivers and pollers of its own."""

import asyncio
import time
from collections import ChainMap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from itertools import cycle
from pathlib import Path
from random import Random
from typing import NamedTuple, Self

from tests.e2e.program import Installation, eventually
from tests.faults import topics
from tests.faults.history import Fault, Record
from tests.faults.load import Callbacks
from tests.faults.orders import Orders
from tests.faults.process import Part
from tests.faults.samples import Samples
from tests.faults.sandbox import Sandbox
from tests.kafka_fixtures import TestKafka

SHARDS = 12
SETTLE_SECONDS = 60  # for the pollers to share the shards
WARM_SECONDS = 4.0  # of load before a fault
POLLING = {"POLLERS__MAX_INTERVAL": "5"}


class Case(NamedTuple):
    """A fault, and the parts and the load that it meets. Figures are those of the full size."""

    run: Callable[["Stage"], Awaitable[None]]
    accepted: int
    """So many SMS at least, or the case counts as not run."""
    receivers: int = 2
    pollers: int = 3
    rate: float = 250.0
    """Callbacks a second, of all senders together."""
    numbers: int = 40
    orders: float = 4.0
    """Orders opened a second."""
    proxied: bool = False
    """The parts reach Kafka through `stage.kafka.proxies`."""
    secure: bool = False
    """Kafka is one that clients reach over SASL_SSL only, each with a certificate of its own."""
    prepare: Callable[["Stage"], Awaitable[None]] | None = None
    """Runs before the parts are started: may change `stage.settings`, `stage.sandbox.settings` and parts."""


class Stage:
    """From `async with` the parts serve under load; at its end every process of it is gone."""

    def __init__(
        self,
        case: Case,
        kafka: TestKafka,
        directory: Path,
        *,
        prefix: str,
        scale: float,
        seed: int,
        settings: Mapping[str, str],
    ) -> None:
        self.case = case
        self.kafka = kafka
        self.scale = scale
        self.rng = Random(seed)
        self.directory = directory
        self.bootstrap_servers = kafka.client_servers if case.proxied else kafka.bootstrap_servers
        self.prefix = prefix
        self.settings = dict(settings)
        """Of all parts, from their next start on; without `SMSBUS_`."""
        self.sandbox = Sandbox(directory, seed)
        self.receivers: list[Part] = []
        self.pollers: list[Part] = []
        self.samples = Samples(lambda: self.parts)
        self.callbacks = Callbacks(self.receivers, rate=case.rate, rng=Random(seed + 1))
        self.orders = Orders(self.sandbox, self.pollers, rate=case.orders, rng=Random(seed + 2))
        self.stack = AsyncExitStack()
        """For what a case opens: it is closed after the parts."""
        self.gone: tuple[Record, ...] = ()
        """What lay in the topic of received SMS when a case took it away."""
        self.apart: set[str] = set()
        """Accounts of which the case itself judges what arrived."""
        self.faults: list[Fault] = []
        self.unmet: list[str] = []
        self.wrongs: list[str] = []

    @property
    def parts(self) -> list[Part]:
        return [*self.receivers, *self.pollers]

    @cached_property
    def reader(self) -> Installation:
        """Whom the topics are read as: never through a proxy."""
        return Installation(self.directory, self.kafka.bootstrap_servers, self.prefix)

    # ---- what a case does ------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds at full size."""
        await asyncio.sleep(seconds * self.scale)

    def turns(self, parts: Sequence[Part], seconds: float) -> Iterator[Part]:
        """Yield one part after the other for so many seconds at full size, one at least."""
        until = time.monotonic() + seconds * self.scale
        for number, part in enumerate(cycle(list(parts))):
            if number and time.monotonic() >= until:
                return
            yield part

    @asynccontextmanager
    async def fault(self, name: str, *helpless: Part) -> AsyncIterator[None]:
        """Something is wrong inside the block. A case without a block is one from its beginning to its end.

        The `helpless` cannot answer everybody meanwhile.
        """
        began = time.time()
        try:
            yield
        finally:
            self.faults.append(Fault(name, began, time.time(), tuple(part.name for part in helpless)))

    def met(self, words: str, condition: object) -> None:
        """Say what the fault had to meet, and whether it did; else the case counts as not run."""
        if not condition:
            self.unmet.append(words)

    def wrong(self, words: str) -> None:
        """Report a violation that only this case can know of."""
        self.wrongs.append(words)

    async def add(self, role: str) -> Part:
        """Start one more part; senders do not go to a new receiver."""
        part, group = self._part(role), self._group(role)
        self.stack.push_async_callback(part.close)
        await part.start()
        group.append(part)  # not before: nobody can be asked to do anything
        return part

    async def shards(self, *parts: Part) -> int:
        """How many shards these own, all pollers if none are named; who does not answer owns none."""
        latest = await self.samples.look()
        wanted = parts or self.pollers
        return int(sum(latest.metrics.get(part.label, {}).get("shards", 0.0) for part in wanted))

    async def all_shards_owned(self, *parts: Part, seconds: float = SETTLE_SECONDS) -> None:
        """Return when these own every shard, all pollers if none are named."""

        async def owned() -> bool:
            return await self.shards(*parts) == SHARDS

        await eventually(owned, seconds, "every shard has an owner")

    # ---- life ------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await self.stack.enter_async_context(self.sandbox)
            await topics.create(self.reader)
            self._build()
            if self.case.prepare:
                await self.case.prepare(self)
            await asyncio.gather(*(part.start() for part in self.parts))
            await self.stack.enter_async_context(self.samples)
            if self.pollers:
                await self.all_shards_owned()
            await self._load()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.callbacks.close()
        await self.orders.close()
        await asyncio.gather(*(part.close() for part in self.parts))
        await self.stack.aclose()

    def _build(self) -> None:
        for role, count in (("receiver", self.case.receivers), ("pollers", self.case.pollers)):
            for _ in range(count):
                self._group(role).append(self._part(role))

    def _group(self, role: str) -> list[Part]:
        return self.receivers if role == "receiver" else self.pollers

    def _part(self, role: str) -> Part:
        part = Part(role, len(self._group(role)) + 1, self.directory, self.bootstrap_servers, self.prefix)
        part.settings = ChainMap({}, self.settings, self.sandbox.settings, POLLING)
        return part

    async def _load(self) -> None:
        if self.receivers:
            self.callbacks.start(self.case.numbers)
        if self.pollers:
            self.orders.start()
        await asyncio.sleep(WARM_SECONDS)
