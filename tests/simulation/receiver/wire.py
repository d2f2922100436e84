"""TCP without sockets: a receiver's loop that listens, and connections whose bytes take their time."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.loop import Loop

if TYPE_CHECKING:
    from tests.simulation.receiver.town import ReceiverTown

IDLE = 60.0  # seconds after which a client does not use a connection again: the receiver keeps it longer
TINY = 1e-6  # seconds between two segments of a connection, which keep their order


class ReceiverLoop(Loop):
    """A loop on which a receiver can listen. `connects` makes its end of a connection; None: nobody listens."""

    connects: Callable[[], Any] | None = None

    async def create_server(self, protocol_factory: Callable[[], Any], *_: object, **named: object) -> Any:
        """Listen, once that is asked for."""
        return _Listener(self, protocol_factory)


class _Listener:
    sockets = ()

    def __init__(self, loop: ReceiverLoop, protocol_factory: Callable[[], Any]) -> None:
        self._loop = loop
        self._factory = protocol_factory

    async def start_serving(self) -> None:
        self._loop.connects = self._factory

    def close(self) -> None:
        self._loop.connects = None


class Response:
    """What was answered, or `status` 0: nothing, the connection is gone."""

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.said = json.loads(body) if body else {}
        fields = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
        named = {name.lower(): value for name, _, value in fields}
        self.retry_after = float(named.get(b"retry-after", 0))
        self.closes = named.get(b"connection") == b"close"


GONE = Response(0, b"", b"")


class Line(asyncio.Transport):
    """One connection: the server's transport, and the client's end of it."""

    def __init__(self, town: "ReceiverTown", loop: ReceiverLoop) -> None:
        super().__init__()
        self.loop = loop
        self._town = town
        self._open = True
        self._arrives = {True: 0.0, False: 0.0}  # the last segment, to the server and from it
        self._under_way: dict[bool, deque[tuple[Callable[[Any], None], Any]]] = {True: deque(), False: deque()}
        self._closing = False
        self._answer: asyncio.Future[Response] | None = None
        self._received = b""
        self._protocol: Any = None
        loop.call_soon(self._accepted)

    # ---- the client's end ----------------------------------------------------------------------------------------

    @property
    def is_free(self) -> bool:
        """It can take a request, and will not be closed meanwhile."""
        is_young = self._town.clock.now - self._arrives[True] < IDLE
        return self._open and self._answer is None and (is_young or not self._arrives[True])

    async def ask(self, segments: tuple[bytes, ...], patience: float) -> Response:
        """Send a request and return its answer; who has waited for too long hangs up."""
        self._answer = self._town.loop.create_future()
        for segment in segments:
            self._carry(True, self._arrived, segment)
        try:
            async with asyncio.timeout(patience):
                return await self._answer
        except TimeoutError:
            self.hang_up()
            return GONE
        finally:
            self._answer = None

    def say(self, data: bytes) -> None:
        """Send bytes, and wait for nothing."""
        if data:
            self._carry(True, self._arrived, data)

    def hang_up(self) -> None:
        """Close it from the client's side."""
        if self._open:
            self._open = False
            self._carry(True, self._eof, 2)

    def broken(self) -> None:
        """The process at the other end has ended, or the connection with it."""
        self._open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(GONE)

    def _heard(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not end or len(body) < int(length):
            return
        self._received = body[int(length) :]
        response = Response(int(head.split(b" ", 2)[1]), head, body[: int(length)])
        if response.closes:
            self._open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)

    # ---- between them --------------------------------------------------------------------------------------------

    def _carry(self, to_server: bool, do: Callable[[Any], None], what: Any) -> None:
        at = max(self._town.clock.now + self._town.faults.way(), self._arrives[to_server] + TINY)
        self._arrives[to_server] = at
        self._under_way[to_server].append((do, what))
        (self.loop if to_server else self._town.loop).call_at(at, self._next, to_server)

    def _next(self, to_server: bool) -> None:
        """The oldest is there, whichever timer this is: a process that stood still finds several."""
        do, what = self._under_way[to_server].popleft()
        do(what)

    # ---- the server's end ----------------------------------------------------------------------------------------

    def _accepted(self) -> None:
        if self.loop.connects is None:
            self._carry(False, lambda _: self.broken(), None)
        else:
            self._protocol = self.loop.connects()
            self._protocol.connection_made(self)

    def _arrived(self, data: bytes) -> None:
        if self._protocol is not None and not self._closing:
            self._protocol.data_received(data)

    def _eof(self, turns: int) -> None:
        """It is read when what came before it has been read, and looked at."""
        self.loop.call_soon(*((self._eof, turns - 1) if turns else (self._lost,)))

    def _lost(self) -> None:
        protocol, self._protocol = self._protocol, None
        self._town.lines.discard(self)
        if protocol is not None:
            protocol.connection_lost(None)

    def write(self, data: Any) -> None:
        """See asyncio."""
        if self._protocol is not None and not self._closing:
            self._carry(False, self._heard, bytes(data))

    def close(self) -> None:
        """See asyncio."""
        if self._protocol is not None and not self._closing:
            self._closing = True
            self.loop.call_soon(self._lost)
            self._carry(False, lambda _: self.broken(), None)

    abort = close

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._closing or self._protocol is None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio: nothing is known of a socket."""
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio: what is written is on its way at once."""

    def get_write_buffer_size(self) -> int:
        """See asyncio."""
        return 0

    def pause_reading(self) -> None:
        """See asyncio: what comes is bounded here."""

    def resume_reading(self) -> None:
        """See asyncio."""
