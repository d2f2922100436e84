"""smsbus alone, under load of both kinds; its responses are verified as in every other run."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.arrivals import poisson
from bench.callbacks import Callbacks
from bench.closed_loop import ClosedLoop
from bench.contenders import OURS, Place, contenders
from bench.interleave import MOST_A_SECOND, Runner, start
from bench.kafka import Brokers, Log
from bench.machine import Cores, on
from bench.open_loop import OpenLoop
from bench.server import Server, free_port
from bench.verification import dishonest, distinct

POOL: Final = 1000  # connections of the open loop, so that no arrival waits for one
IN_FLIGHT: Final = 512  # of the closed loop that measures the server's capacity
WARM: Final = 200_000  # callbacks after which all caches are full


class Void(Exception):
    """The measurement is invalid."""


class Subject:
    """smsbus, its topic, and the load of both kinds."""

    def __init__(self, runner: Runner, log: Log, *, spins: bool) -> None:
        if runner.server is None:
            raise Void(runner.row.not_run)
        self.server: Server = runner.server
        self._callbacks = Callbacks()
        self.accepted = 0
        self._log = log
        self._spins = spins

    async def warm(self) -> None:
        """Load it until its caches are full."""
        while self.accepted < WARM:
            await self.closed(POOL, 1.0)

    async def closed(self, connections: int, seconds: float) -> float:
        """Return how many requests per second it handles."""
        batch = self._callbacks.batch(int(MOST_A_SECOND * seconds))
        answers = await ClosedLoop(batch).run(self.server.port, connections, seconds)
        self._check(answers.bad)
        self.accepted += answers.accepted
        return answers.rate

    async def open(self, rate: float, seconds: float) -> tuple[list[float], int]:
        """Return the latencies at so many arrivals per second, and how many SMS went to the journal."""
        arrivals, begins = poisson(rate, seconds, random.Random(1)), self._log.ends()
        loop = OpenLoop(self._callbacks.batch(len(arrivals)), arrivals, spins=self._spins)
        await loop.run(self.server.port, POOL)
        self._check(loop.bad)
        records = self._log.since(begins, least=len(arrivals))
        self._check(dishonest(len(loop.latencies), distinct(records)))
        self.accepted += len(loop.latencies)
        return loop.latencies, sum(("smsbus_via", b"journal") in (record.headers() or ()) for record in records)

    def _check(self, bad: str) -> None:
        if bad:
            raise Void(bad)


@contextmanager
def subject(brokers: Brokers, directory: Path, cores: Cores) -> Iterator[Subject]:
    """Run it on this Kafka within the block."""
    ours = next(each for each in contenders() if each.name == OURS)
    with ExitStack() as stack, on(cores.load):
        runner, *_ = start(ours, Place(free_port(), brokers.address, directory), cores, stack)
        yield Subject(runner, Log(brokers.direct), spins=cores.load_alone)
