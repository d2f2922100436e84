"""A small TCP balancer: asks each backend's /readyz, and takes new connections to those that are ready, in turn."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

PROBE_EVERY = 0.2  # seconds; two that fail take a backend out, as balancers do it
FAILURES = 2
PATIENCE = 1.0


@dataclass
class Backend:
    """A receiver, and the admin listener that tells whether it is ready."""

    port: int
    admin: str
    ready: bool = False
    failures: int = FAILURES

    def probed(self, *, ready: bool) -> None:
        """Take the answer to one probe."""
        self.failures = 0 if ready else self.failures + 1
        self.ready = self.failures < FAILURES


class Balancer:
    """Listens on `port`; `lost` counts connections for which no backend could be reached.

    Connections from before every backend was ready once wait until then.
    """

    def __init__(self, backends: Sequence[Backend]) -> None:
        self.port = 0
        self.lost = 0
        self._backends = backends
        self._turn = itertools.count()
        self._begun = asyncio.Event()

    async def probe(self) -> None:
        """Ask for ever."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            while True:
                await asyncio.gather(*(self._ask(session, backend) for backend in self._backends))
                if all(backend.ready for backend in self._backends):
                    self._begun.set()
                await asyncio.sleep(PROBE_EVERY)

    async def _ask(self, session: aiohttp.ClientSession, backend: Backend) -> None:
        try:
            async with session.get(f"{backend.admin}/readyz") as answer:
                backend.probed(ready=answer.status == 200)
        except (aiohttp.ClientError, TimeoutError):
            backend.probed(ready=False)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be one connection."""
        await self._begun.wait()
        ready = [backend for backend in self._backends if backend.ready]
        try:
            port = ready[next(self._turn) % len(ready)].port if ready else 0
            theirs, ours = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self.lost += 1
            writer.close()
            return
        await asyncio.gather(_pipe(reader, ours), _pipe(theirs, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@asynccontextmanager
async def balancing(*backends: Backend, ready: bool = True) -> AsyncIterator[Balancer]:
    """Yield one that runs, once all backends are ready, or at once."""
    balancer = Balancer(backends)
    probing: asyncio.Task[Any] = asyncio.create_task(balancer.probe())
    server = await asyncio.start_server(balancer.carry, "127.0.0.1", 0)
    balancer.port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(10):
            while ready and not all(backend.ready for backend in backends):
                await asyncio.sleep(PROBE_EVERY)
        yield balancer
    finally:
        probing.cancel()
        server.close()
