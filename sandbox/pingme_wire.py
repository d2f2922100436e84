"""Posting one callback over HTTP, and reading the response."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp

TIMEOUT: Final = 15.0  # seconds, from the connect to the last byte of the response


@dataclass(frozen=True)
class CallbackResponse:
    """The response to one POST. HTTP status 0: there was none (a reset, a refused connection, a timeout)."""

    http: int
    status: str | None = None  # `accepted`, `duplicate`, `rejected`
    id: str | None = None
    reason: str | None = None
    retry_after: float | None = None  # seconds
    at: float = 0.0  # when, in seconds since 1970

    @property
    def seen(self) -> bool:
        """Return whether the callback was acknowledged."""
        return 200 <= self.http < 300


async def post_callback(url: str, fields: Mapping[str, str]) -> CallbackResponse:
    """Post one callback with these fields, once; never raises for what the network or the receiver does."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
        return await post(session, url, json.dumps(dict(fields), ensure_ascii=False).encode(), time.time)


async def post(session: aiohttp.ClientSession, url: str, body: bytes, now: Callable[[], float]) -> CallbackResponse:
    """Post a body as PingMe does, once; never raises for what the network or the receiver does."""
    headers = {"Content-Type": "application/json"}
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return read_response(response.status, await response.read(), response.headers, now())
    except (aiohttp.ClientError, OSError, TimeoutError):
        return CallbackResponse(0, at=now())


def read_response(http: int, body: bytes, headers: Mapping[str, str], at: float) -> CallbackResponse:
    """Return the fields of a response; with an unreadable body, only the HTTP status."""
    said: object = None
    with suppress(ValueError, RecursionError):
        said = json.loads(body)
    words = {name: value for name, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}
    seconds = headers.get("Retry-After", "")
    retry_after = float(seconds) if seconds.isascii() and seconds.isdecimal() else None
    return CallbackResponse(http, words.get("status"), words.get("id"), words.get("reason"), retry_after, at)
