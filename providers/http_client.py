"""Send one HTTP request and return the complete response, within limits of size and time.

Every URL contains a key, so no error that leaves this module contains a URL: a failure is a single code.
"""

import asyncio
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

import aiohttp
from pydantic import SecretStr
from yarl import URL

from providers.encoding import WINDOWS, TooLarge, inflate

MIB: Final = 1024 * 1024
MOST_REDIRECTS: Final = 3
# Shorter than Apache keeps an idle connection (5 s), so that a reset is never just a connection that we used too late.
KEEPALIVE_SECONDS: Final = 4.0

# The first match decides. For those in `UNSENT` the request never reached the provider.
_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientProxyConnectionError, "proxy"),
    (aiohttp.ClientHttpProxyError, "proxy"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ConnectionTimeoutError, "connect"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.ClientResponseError, "bad_http"),
    (aiohttp.ClientConnectionError, "reset"),
    (OSError, "reset"),
)
UNSENT: Final = frozenset({"dns", "proxy", "tls", "connect"})


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response, not decoded. `headers` has lower-case names; `body` is decompressed. The repr shows neither."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: float | None = None
    """Seconds since 1970; a Retry-After date is relative to it."""


class FetchFailed(Exception):
    """There is no response. Whether the provider acted on the request is unknown, unless `code` is in `UNSENT`."""

    safe_to_log = True

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Fetcher(Protocol):
    """Sends a request once. Never repeats one: some of them cost money."""

    async def get(self, url: URL) -> RawResponse:
        """Return the response, whatever its status; raises `FetchFailed`."""
        ...


class Requester(Fetcher, Protocol):
    """A fetcher for requests with a method, headers and a body of their own."""

    async def request(
        self, method: str, url: URL, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> RawResponse:
        """Return the response, whatever its status; raises `FetchFailed`."""
        ...


class HttpClient:
    """The real implementation. Use as an async context manager, or `close` it. One per account, because of its proxy.

    Follows redirects only for GET, only within one host, and never from https to http: the URL contains the key.
    """

    def __init__(
        self,
        *,
        proxy_url: SecretStr | None = None,
        connect_seconds: float = 5.0,
        total_seconds: float = 15.0,
        limit: int = MIB,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._proxy = URL(proxy_url.get_secret_value()) if proxy_url else None
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._limit = limit
        self._clock = clock
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; may be called twice."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def get(self, url: URL) -> RawResponse:
        """Return the response to GET `url`, which is sent as it is encoded; raises `FetchFailed`."""
        return await self.request("GET", url)

    async def request(
        self, method: str, url: URL, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> RawResponse:
        """Return the response, whatever its status; raises `FetchFailed`."""
        response = await self._response_or_code(method, url, headers, body)
        if isinstance(response, str):  # raised outside the except block: without a context, and so without a URL
            raise FetchFailed(response)
        return response

    async def _response_or_code(
        self, method: str, url: URL, headers: Mapping[str, str] | None, body: bytes | None
    ) -> RawResponse | str:
        try:
            async with asyncio.timeout(self._total_seconds):
                for _ in range(MOST_REDIRECTS):
                    response = await self._once(method, url, headers, body)
                    target = _redirected(method, url, response)
                    if target is None:
                        return response
                    url = target
                return response
        except _Unusable as unusable:
            return unusable.code
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return next((code for kind, code in _CODES if isinstance(error, kind)), "bad_http")

    async def _once(self, method: str, url: URL, headers: Mapping[str, str] | None, body: bytes | None) -> RawResponse:
        session = self._session()
        async with session.request(
            method, url, headers=headers, data=body, proxy=self._proxy, allow_redirects=False
        ) as response:
            raw = await self._read_body(response)
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            return RawResponse(response.status, response.headers, _inflate(raw, encoding, self._limit), self._clock())

    async def _read_body(self, response: aiohttp.ClientResponse) -> bytes:
        if (response.content_length or 0) > self._limit:
            raise _Unusable("too_large")
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._limit:
                raise _Unusable("too_large")
        return bytes(body)

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
                headers={"Accept-Encoding": "gzip, deflate", "User-Agent": "smsbus"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
            # aiohttp repeats any GET once when its connection breaks, and getNumber is a GET that costs money. There is
            # no public option to disable that; a test counts the requests that arrive.
            self._opened._retry_connection = False  # noqa: SLF001
        return self._opened


class _Unusable(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _redirected(method: str, url: URL, response: RawResponse) -> URL | None:
    """Return the URL to request next; None: this response is final."""
    if method != "GET" or response.status not in {301, 302, 303, 307, 308} or "location" not in response.headers:
        return None
    target = url.join(URL(response.headers["location"], encoded=True))
    upgraded = (url.scheme, url.port, target.scheme, target.port) == ("http", 80, "https", 443)
    return target if target.host == url.host and (upgraded or target.origin() == url.origin()) else None


def _inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Return at most `limit` bytes; raises `_Unusable`."""
    if not body or WINDOWS.get(encoding) == 0:
        return body
    if encoding not in WINDOWS:
        raise _Unusable("bad_http")
    try:
        inflated = inflate(body, WINDOWS[encoding], limit)
    except TooLarge:
        raise _Unusable("too_large") from None
    except zlib.error:
        raise _Unusable("bad_http") from None
    if not inflated.is_complete:
        raise _Unusable("truncated")
    return inflated.content
