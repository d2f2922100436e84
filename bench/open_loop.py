"""Load that does not wait: each request has a scheduled time, and its latency counts from that time.

A server that stalls for a second is charged for all that arrived in that second, not for one request.
"""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Iterator, Sequence

from bench.raw_client import Wire, connect, is_success, status_line

ANSWER_SECONDS = 30.0  # for the last responses
AHEAD = 0.1  # seconds between connecting and the first arrival
GRAIN = 0.001  # resolution of uvloop's timers, seconds


class OpenLoop:
    """One run. If all connections are busy, a request waits for one, and that counts, too.

    With a core of its own it spins; otherwise it checks the clock every millisecond, and sends up to that much late.
    """

    def __init__(self, requests: Iterator[bytes], arrivals: Sequence[float], *, spins: bool) -> None:
        self.latencies: list[float] = []
        """Seconds, in the order of the responses."""
        self.bad = ""
        self._requests = requests
        self._arrivals = arrivals
        self._pause = 0.0 if spins else GRAIN
        self._idle: list[Wire] = []
        self._waiting: deque[float] = deque()

    async def run(self, port: int, connections: int) -> None:
        """Return when every request has a response, or something went wrong."""
        self._idle = await connect(port, connections, self._answered, self._lost)
        wires = list(self._idle)
        gc.collect()
        gc.disable()  # its pauses would count as the server's
        try:
            await self._send_all(time.perf_counter() + AHEAD)
            await self._last_answers()
        finally:
            gc.enable()
            for wire in wires:
                wire.close()

    async def _send_all(self, began: float) -> None:
        position = 0
        while position < len(self._arrivals) and not self.bad:
            now = time.perf_counter() - began
            while position < len(self._arrivals) and self._arrivals[position] <= now:
                self._send(began + self._arrivals[position])
                position += 1
            await asyncio.sleep(self._pause)

    async def _last_answers(self) -> None:
        deadline = time.perf_counter() + ANSWER_SECONDS
        while len(self.latencies) < len(self._arrivals) and not self.bad:
            if time.perf_counter() > deadline:
                self.bad = f"some had no answer in {ANSWER_SECONDS:.0f} s"
            await asyncio.sleep(self._pause)

    def _send(self, due: float) -> None:
        if self._idle:
            self._send_on(self._idle.pop(), due)
        else:
            self._waiting.append(due)

    def _send_on(self, wire: Wire, due: float) -> None:
        wire.due = due
        wire.send(next(self._requests))

    def _answered(self, wire: Wire, answer: bytes) -> None:
        self.latencies.append(time.perf_counter() - wire.due)
        if not is_success(answer):
            self.bad = status_line(answer)
        if self._waiting:
            self._send_on(wire, self._waiting.popleft())
        else:
            self._idle.append(wire)

    def _lost(self) -> None:
        self.bad = self.bad or "a connection was closed"
