"""One TCP connection, for what aiohttp does with bytes that are no HTTP.

aiohttp answers them with its parser's message, which quotes the sender, and logs a stack trace with it. Here they are
reported, answered with a problem document of ours, and the connection ends.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp.http import RawRequestMessage
from aiohttp.web import BaseRequest, RequestHandler, RequestPayloadError, Server, StreamResponse

OnError = Callable[[BaseException | None], StreamResponse]
MOST_FIELD_BYTES: Final = 4096  # of one header field; a proxy adds some, and cookies have no business here
MOST_FIELDS: Final = 64
LINGER: Final = 2.0  # seconds for which an unread body is drained, so that the sender sees our answer and not a reset


class Connection(RequestHandler):
    """aiohttp's protocol, with `on_error` in place of its error pages and its log."""

    __slots__ = ("_on_error", "late")

    def __init__(self, server: Server, *, on_error: OnError, keepalive_timeout: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # documented for "none", and tested for by aiohttp
            auto_decompress=False,  # `body` does it, within our limit
            keepalive_timeout=keepalive_timeout,
            lingering_time=LINGER,
            max_field_size=MOST_FIELD_BYTES,
            max_headers=MOST_FIELDS,
        )
        self._on_error = on_error
        self.late = False
        """The request that it reads has used up its deadline already."""

    def data_received(self, data: bytes) -> None:
        """Take bytes. Where they break a body that is being read, its reader learns it at once.

        aiohttp 3.14 only queues the error behind the request, whose reader would wait for its deadline.
        """
        super().data_received(data)
        request = self._current_request
        if request is None or not self._messages or isinstance(self._messages[-1][0], RawRequestMessage):
            return
        if not request.content.is_eof():
            request.content.set_exception(RequestPayloadError())

    def handle_error(
        self,
        request: BaseRequest,  # noqa: ARG002 - aiohttp's signature
        status: int = 500,  # noqa: ARG002
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the sender
    ) -> StreamResponse:
        """Answer bytes that aiohttp's parser refused."""
        return self._on_error(exc)

    def log_exception(
        self,
        *args: object,  # noqa: ARG002 - aiohttp's signature
        exc_info: BaseException | None = None,
        **kw: object,  # noqa: ARG002
    ) -> None:
        """Report what broke in aiohttp itself; a broken rest of a body whose request is answered is nothing new."""
        if not isinstance(exc_info, RequestPayloadError):
            self._on_error(exc_info)
