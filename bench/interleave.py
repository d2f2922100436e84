"""Servers that take turns under the same load, so that noise of the machine affects all of them."""

import gc
import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bench.callbacks import Callbacks
from bench.closed_loop import Answers, ClosedLoop
from bench.contenders import FULL, NOTHING, Contender, Place
from bench.figures import Round, Row
from bench.kafka import Log
from bench.machine import Cores
from bench.server import DoesNotServe, Server, server
from bench.verification import dishonest, distinct, half_done

WARM_UP: Final = 1.0
MOST_A_SECOND: Final = 100_000  # more than any of them can handle


@dataclass
class Runner:
    """A row, and the load of its contender; without a server it does not take part."""

    row: Row
    recipients: int
    server: Server | None


def start(contender: Contender, place: Place, cores: Cores, stack: ExitStack) -> list[Runner]:
    """Start a contender until the stack ends; if that fails, its rows say why."""
    home = place.directory / contender.name.replace(" ", "-")
    home.mkdir()
    running, missing = None, contender.missing
    pinned = cores.with_a_second if contender.two_cores else cores.server
    try:
        if not missing:
            command = contender.command(place._replace(directory=home))
            running = stack.enter_context(server(command, place.port, pinned, home / "log"))
    except DoesNotServe as error:
        missing = f"it does not serve: {error}"
    return [
        Runner(Row(contender.row_name(recipients), contender.work, not_run=missing), recipients, running)
        for recipients in contender.recipients
    ]


class Turns:
    """The load of a whole run, and the topic that all write to."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.callbacks = Callbacks()

    async def take(self, runners: Sequence[Runner], rounds: int, seconds: float, connections: Sequence[int]) -> None:
        """Run them in turns; the first round does not count: Java compiles, caches fill."""
        for number, count in itertools.product(range(-1, rounds), connections):
            for runner in runners:
                if runner.server and runner.row.good:
                    measured = await self._turn(runner.server, runner, count, WARM_UP if number < 0 else seconds)
                    if number >= 0:
                        runner.row.rounds.setdefault(str(count), []).append(measured)

    async def _turn(self, server: Server, runner: Runner, connections: int, seconds: float) -> Round:
        """Load one of them. A wrong response voids its row."""
        begins = self._log.ends()
        loop = ClosedLoop(self.callbacks.batch(int(MOST_A_SECOND * seconds), recipients=runner.recipients))
        gc.collect()
        cpu = server.cpu_ns()
        answers = await loop.run(server.port, connections, seconds)
        cpu = server.cpu_ns() - cpu
        found = self._proved(runner.row, answers, begins)
        return Round(cpu / 1000 / max(1, answers.accepted), answers.rate, answers.accepted, found)

    def _proved(self, row: Row, answers: Answers, begins: list[int]) -> int:
        if row.work == NOTHING:
            row.void = answers.bad
            return 0
        records = self._log.since(begins)
        found = distinct(records)
        row.void = answers.bad or dishonest(answers.accepted, found) or (half_done(records) if row.work == FULL else "")
        return found
