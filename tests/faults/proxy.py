"""A TCP proxy on loopback that behaves, and misbehaves, as told: a network fault without a network."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Literal, NamedTuple

from tests.loop_thread import LoopThread

Direction = Literal["up", "down"]
"""`up` is from a client to the target."""

HOST = "127.0.0.1"
CHUNK = 64 * 1024
WAITING_CHUNKS = 1024  # of one direction of one connection; a target that does not read is felt by its client
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Pending(NamedTuple):
    """Bytes on their way, none at the end of the stream, and when they have arrived: seconds of the loop's clock."""

    due: float
    chunk: bytes


class Link:
    """One client's connection and the one to the target."""

    def __init__(self, task: asyncio.Task[None], client: asyncio.StreamWriter) -> None:
        self.task = task
        self.writers = [client]
        self.lossy = False  # bytes are missing: it can never go on

    def reset(self) -> None:
        for writer in self.writers:
            with suppress(OSError):  # closed by now
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()


class Proxy:
    """Listens on `port` from the beginning until `close`, and forwards to `target`, which need not listen yet.

    Lives on the loop of `home`; its methods are called from any other thread, and hold when they return. Where the
    target refuses a connection or resets it, the client's is reset.
    """

    def __init__(self, target: int, home: LoopThread) -> None:
        self.target = target
        self.connections = 0
        self.bytes: dict[Direction, int] = {"up": 0, "down": 0}
        self._home = home
        self._links: set[Link] = set()
        self._delay = 0.0
        self._dropped: set[Direction] = set()
        self._refuses = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server = home.run(asyncio.start_server(self._serve, HOST, 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._links)

    # ---- what it can be told ---------------------------------------------------------------------------------------

    def delay(self, seconds: float) -> None:
        """Let bytes arrive so much later, each way; in their order and at their rate."""
        self._delay = seconds

    def drop(self, direction: Direction) -> None:
        """Swallow everything of one direction, the end of the stream too."""
        self._dropped.add(direction)

    def refuse(self) -> None:
        """Reset new connections; those that are there go on."""
        self._refuses = True

    def freeze(self) -> None:
        """Stand still, half open: connections come about and stay, nothing is forwarded and nothing closed."""
        self._home.run(self._set_flow(flows=False))

    def reset(self) -> None:
        """Reset all connections, on both sides."""
        self._home.run(self._reset())

    def heal(self) -> None:
        """Be a good network again: frozen connections go on, those that lost bytes are reset."""
        self._delay, self._refuses = 0.0, False
        self._dropped.clear()
        self._home.run(self._reset(only_lossy=True))
        self._home.run(self._set_flow(flows=True))

    def close(self) -> None:
        """Reset all connections and listen no longer."""
        self._home.run(self._close())

    # ---- on the loop of `home` -------------------------------------------------------------------------------------

    async def _set_flow(self, *, flows: bool) -> None:
        (self._flows.set if flows else self._flows.clear)()

    async def _reset(self, *, only_lossy: bool = False) -> None:
        tasks = [link.task for link in self._links if link.lossy or not only_lossy]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)

    async def _close(self) -> None:
        self._server.close()
        await self._reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        link = Link(task, writer)
        self._links.add(link)
        try:
            await self._forward(link, reader)
            for each in link.writers:
                each.close()
        except* (OSError, asyncio.CancelledError):
            link.reset()
        finally:
            self._links.discard(link)

    async def _forward(self, link: Link, reader: asyncio.StreamReader) -> None:
        """Return when both directions have come to their end; raise OSError when the client is to be reset."""
        if self._refuses:
            raise ConnectionResetError
        await self._flows.wait()
        back, onward = await asyncio.open_connection(HOST, self.target)
        link.writers.append(onward)
        try:
            async with asyncio.TaskGroup() as pumps:
                self._pump(pumps, link, "up", reader, onward)
                self._pump(pumps, link, "down", back, link.writers[0])
        except* OSError:
            await self._flows.wait()  # one side is gone: not even that gets through
            raise

    def _pump(
        self,
        pumps: asyncio.TaskGroup,
        link: Link,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        waiting: asyncio.Queue[Pending] = asyncio.Queue(WAITING_CHUNKS)
        pumps.create_task(self._take(reader, waiting))
        pumps.create_task(self._give(link, direction, waiting, writer))

    async def _take(self, reader: asyncio.StreamReader, waiting: asyncio.Queue[Pending]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._flows.wait()
            chunk = await reader.read(CHUNK)
            await waiting.put(Pending(loop.time() + self._delay, chunk))
            if not chunk:
                return

    async def _give(
        self, link: Link, direction: Direction, waiting: asyncio.Queue[Pending], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        chunk = b"not the end"
        while chunk:
            due, chunk = await waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._flows.wait()
            if direction in self._dropped:
                link.lossy = True
            elif chunk:
                writer.write(chunk)
                await writer.drain()
                self.bytes[direction] += len(chunk)
            else:
                writer.write_eof()
