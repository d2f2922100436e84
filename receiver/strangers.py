"""Wrong tokens: counted, and logged with the client's address at a limited rate."""

import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiohttp.web import BaseRequest
from pydantic import IPvAnyNetwork

SAY_EVERY: Final = 10.0  # seconds; a guesser makes 26,000 tries a second on one connection


class Strangers:
    """Counts refused tokens and logs `event`: the first at once, then at most one line in `SAY_EVERY`."""

    def __init__(
        self,
        event: str,
        trusted_proxies: Sequence[IPvAnyNetwork] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._event = event
        self._trusted = trusted_proxies
        self._clock = clock
        self._say_from = 0.0
        self._refused = 0
        self._log = structlog.get_logger("receiver")

    def refused(self, request: BaseRequest) -> None:
        """Count one; a line has the last client's address and the number since the previous line."""
        self._refused += 1
        if self._clock() < self._say_from:
            return
        self._log.warning(self._event, client=client_of(request, self._trusted), refused=self._refused)
        self._say_from, self._refused = self._clock() + SAY_EVERY, 0


def client_of(request: BaseRequest, trusted: Sequence[IPvAnyNetwork] = ()) -> str:
    """Return the client's address: the connection's, or the last in `X-Forwarded-For` that is not a trusted proxy.

    `X-Forwarded-For` is read from right to left, as long as trusted proxies wrote it.
    """
    forwarded = [part.strip() for line in request.headers.getall("X-Forwarded-For", ()) for part in line.split(",")]
    client = request.remote or "unknown"
    while forwarded and _is_one_of(client, trusted):
        client = forwarded.pop()
    return client if _is_address(client) else "unknown"


def _is_one_of(address: str, networks: Sequence[IPvAnyNetwork]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
