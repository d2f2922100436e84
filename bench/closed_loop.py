"""Load that waits for each response: so many connections, each with one request in flight."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.raw_client import Wire, connect, is_success, status_line

ANSWER_SECONDS = 30.0  # for the last responses


@dataclass
class Answers:
    """The responses; `bad` is the first one that voids the round."""

    accepted: int = 0
    seconds: float = 0.0
    bad: str = ""

    @property
    def rate(self) -> float:
        return self.accepted / self.seconds


class ClosedLoop:
    """One round of it."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.answers = Answers()
        self._requests = requests
        self._stopping = False
        self._open = 0
        self._ended = asyncio.Event()

    async def run(self, port: int, connections: int, seconds: float) -> Answers:
        """Return when `seconds` are over and every request has a response."""
        began = time.perf_counter()
        wires = await connect(port, connections, self._answered, self._lost)
        self._open = connections
        for wire in wires:
            self._next(wire)
        await asyncio.sleep(seconds)
        self._stopping = True
        try:
            await asyncio.wait_for(self._ended.wait(), ANSWER_SECONDS)
        except TimeoutError:
            self.answers.bad = f"{self._open} requests had no answer in {ANSWER_SECONDS:.0f} s"
        self.answers.seconds = time.perf_counter() - began
        return self.answers

    def _answered(self, wire: Wire, answer: bytes) -> None:
        if is_success(answer):
            self.answers.accepted += 1
        else:
            self.answers.bad = status_line(answer)
        self._next(wire)

    def _next(self, wire: Wire) -> None:
        if self._stopping or self.answers.bad:
            wire.close()
            self._one_less()
        else:
            wire.send(next(self._requests))

    def _lost(self) -> None:
        self.answers.bad = self.answers.bad or "a connection was closed"
        self._one_less()

    def _one_less(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._ended.set()
