"""A connection to a target: aiohttp's, but only the head of a response counts, and nothing that nobody asked for.

aiohttp refuses a whole segment for one wrong byte in it. A response whose body is not what its head says would be none,
and its event would be sent again without end. It also waits for the response behind any number of interim ones, and
takes what came on a connection that nobody used for the response to the next request.
"""

import asyncio
import functools
import re
import socket
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError

MOST_PARTS: Final = 16  # of a response, up to its head: an interim response, or an empty line, is one
SWITCHING: Final = 101
_END: Final = re.compile(rb"\n\r?\n")  # of a head, as aiohttp's parser reads it


class Connection(ResponseHandler):
    """aiohttp's protocol of one connection. What is behind a head cannot change what the head said."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._body_of_head: aiohttp.StreamReader | None = None
        self._parts = 0
        self._edge = b""  # the last bytes of an unfinished head: its end may be in two segments

    def set_response_params(self, **options: Any) -> None:  # noqa: ANN401 - whatever aiohttp says
        """Called by aiohttp when a request begins."""
        self._body_of_head, self._parts, self._edge = None, 0, b""
        super().set_response_params(**options)

    def feed_data(self, data: tuple[RawResponseMessage, aiohttp.StreamReader], size: int = 0) -> None:
        """Called by aiohttp with a head. Interim ones are dropped: they say nothing of an event."""
        message, body = data
        if not 100 <= message.code < 200 or message.code == SWITCHING:
            self._body_of_head = body
            super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with what came."""
        rest = self._without_heads(data) if self._body_of_head is None else data
        if self._body_of_head is None:
            return
        if rest and self._body_of_head.is_eof():
            self._close_for_good()
        elif rest or not data:
            super().data_received(rest)

    def _without_heads(self, data: bytes) -> bytes:
        """Have each part parsed alone, up to the response's head; return what is behind that."""
        while data and self._body_of_head is None and self.exception() is None:
            end = _END.search(self._edge + data)
            at = end.end() - len(self._edge) if end else len(data)
            self._edge = b"" if end else (self._edge + data)[-2:]
            self._parts += bool(end)
            super().data_received(data[:at])
            data = data[at:]
            if self._parts >= MOST_PARTS and self._body_of_head is None:
                self.set_exception(HttpProcessingError(message="too many interim responses"))
                self._close_for_good()
        return data

    def _close_for_good(self) -> None:
        self.force_close()
        if self.transport is not None:
            self.transport.close()


class Connector(aiohttp.TCPConnector):
    """aiohttp's, with our connections, as many as there are requests."""

    def __init__(self, *, keepalive_timeout: float, socket_factory: Callable[[tuple[Any, ...]], socket.socket]) -> None:
        super().__init__(limit=0, keepalive_timeout=keepalive_timeout, socket_factory=socket_factory)
        self._factory = functools.partial(Connection, loop=self._loop)  # type: ignore[assignment] # is a subclass
