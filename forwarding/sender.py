"""Sending one request to a target, within limits of time. Redirects are not followed, and nothing is repeated here."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from yarl import URL

from forwarding.address import Forbidden, guarded
from forwarding.connection import Connector
from forwarding.delivery import NoResponse, Response

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 30.0
KEEPALIVE_SECONDS: Final = 4.0  # shorter than servers keep an idle connection

FORBIDDEN: Final = "address_forbidden"

# The first match decides.
_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (Forbidden, FORBIDDEN),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (UnicodeError, "dns"),  # of a name with an empty or too long part
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientResponseError, "bad_http"),
)


class Sender:
    """The requests to one target. `close` it."""

    def __init__(
        self, url: URL, *, private: bool, seconds: float = TOTAL_SECONDS, now: Callable[[], float] = time.time
    ) -> None:
        """`private`: it may be on this machine or in a private network. `now` is in seconds since 1970."""
        self._url = url
        self._private = private
        self._seconds = seconds
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def send(self, headers: Mapping[str, str], body: bytes) -> Response | NoResponse:
        """Send a POST and return what came of it."""
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._opened().post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return Response(response.status, self._retry_after(response.headers.get("Retry-After", "")))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return NoResponse(_reason(error))

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(keepalive_timeout=KEEPALIVE_SECONDS, socket_factory=guarded(private=self._private)),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                headers={"User-Agent": "smsbus"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # else an unknown Content-Encoding makes it no response
            )
        return self._session

    def _retry_after(self, text: str) -> float | None:
        """Return the seconds that a Retry-After says, as a number or as a date."""
        if text.strip().isdecimal():
            return float(text)
        try:
            date = parsedate_to_datetime(text)
            at = date if date.tzinfo else date.replace(tzinfo=UTC)
            return max(at.timestamp() - self._now(), 0.0)
        except (ValueError, OverflowError):
            return None


def _reason(error: BaseException) -> str:
    """Return a machine word: no text of an error, which may contain the URL."""
    causes = [error, *(each for each in (error.__cause__, getattr(error, "os_error", None)) if each is not None)]
    return next((word for kind, word in _REASONS if any(isinstance(each, kind) for each in causes)), "reset")
