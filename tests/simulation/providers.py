"""The sandbox's providers behind the fetcher: answers arrive after a while that the seed decides.

It puts time around `sandbox.routing` as `sandbox.polled.endpoints` puts HTTP around it.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Final, NamedTuple

from yarl import URL

from providers.http_client import FetchFailed, RawResponse
from sandbox import routing
from sandbox.response import Response
from sandbox.sms import Provider
from sandbox.world import World
from tests.simulation.loop import Loop
from tests.simulation.requests import KINDS, Kind, Request, RequestLog, Told

PATIENCE: Final = 15.0  # seconds, the real fetcher's
WRONG_KEY: Final = ("BAD_KEY", "NO_KEY", "wrong_token")
HOST: Final = "http://sandbox.invalid"


class Providers:
    """All three providers of a run. Orders in `broken` (`rent/860`) answer so in a 200, whatever they are asked."""

    def __init__(self, world: World, loop: Loop, rng: random.Random) -> None:
        self.world = world
        self.log = RequestLog()
        self.broken: dict[str, str] = {}
        self.loop = loop
        self._rng = rng

    def way(self) -> float:
        """Return the seconds of one way: 60 ms in the middle, at times half a second."""
        return min(0.02 + self._rng.expovariate(1 / 0.06), 2.0)

    def respond(self, path: str, query: dict[str, str]) -> "Answered":
        """Return what the provider says now."""
        if (broken := self.broken.get(_order(path, query))) is not None:
            return Answered("broken", Response(broken))
        said = routing.respond(self.world, path, query)
        assert said is not None, path
        slow = said.fault is not None and said.fault.kind == "slow"
        return Answered(_outcome(said), said.response, said.fault.length if said.fault and slow else 0.0)


class Answered(NamedTuple):
    """An answer before it is on its way."""

    outcome: str
    """`Request.outcome`."""
    response: Response
    slow: float = 0.0


def _outcome(said: routing.Delivery) -> str:
    if said.fault is not None:
        return said.fault.kind
    if said.response.status != 200:
        return "429" if said.response.status == 429 else "5xx"
    if said.response.body in {"", routing.MAINTENANCE}:
        return "html" if said.response.body else "empty"
    return "wrong_key" if any(token in said.response.body for token in WRONG_KEY) else "ok"


class SimFetcher:
    """Implements `providers.http_client.Fetcher` for one account of one replica."""

    def __init__(self, providers: Providers, provider: Provider, replica: Loop) -> None:
        self._providers = providers
        self._provider: Provider = provider
        self._replica = replica

    async def get(self, url: URL) -> RawResponse:
        """Return the answer; raises `FetchFailed`."""
        query = dict(url.query)
        kind, order = _kind(url, query), _order(url.path, query)
        request = Request(
            self._provider, self._replica.name, kind, order, query.get("status", ""), self._replica.time()
        )
        self._providers.log.note(request)
        response: asyncio.Future[RawResponse] = self._replica.create_future()
        loop = self._providers.loop
        loop.call_later(self._providers.way(), self._arrived, request, url.path, query, response)
        try:
            async with asyncio.timeout(PATIENCE):
                return await response
        except TimeoutError:
            request.answered, request.outcome = self._replica.time(), "timeout"
            raise FetchFailed("timeout") from None

    def _arrived(
        self, request: Request, path: str, query: dict[str, str], response: asyncio.Future[RawResponse]
    ) -> None:
        providers = self._providers
        request.arrived = providers.loop.time()
        answered = providers.respond(path, query)
        back = providers.way() + answered.slow
        if answered.outcome in {"ok", "slow"}:
            providers.loop.call_later(back, self._written, answered.response)
        self._replica.call_at(providers.loop.time() + back, self._answered, request, answered, response)

    def _written(self, response: Response) -> None:
        self._providers.world.book.written(response, self._providers.world.clock.now())

    def _answered(self, request: Request, answered: Answered, response: asyncio.Future[RawResponse]) -> None:
        now = self._replica.time()
        if response.done():
            return
        request.answered, request.outcome = now, answered.outcome
        request.body = answered.response.body if request.kind == "action" else ""
        if answered.outcome in {"reset", "truncated"}:
            response.set_exception(FetchFailed(answered.outcome))
            return
        request.shown = answered.response.shows
        headers = {"content-type": answered.response.content_type}
        if answered.response.retry_after is not None:
            headers["retry-after"] = str(answered.response.retry_after)
            if headers["retry-after"].isdecimal():
                until = now + min(max(int(headers["retry-after"]), 1), 600)
                self._providers.log.told.append(Told(request.account, request.replica, now, until))
        response.set_result(
            RawResponse(answered.response.status, headers, answered.response.body.encode(), self._replica.wall())
        )


def _kind(url: URL, query: Mapping[str, str]) -> Kind:
    kind = KINDS.get(query.get("action") or url.name, "other")
    return "page" if kind == "poll" and query.get("page", "1") != "1" else kind


def _order(path: str, query: Mapping[str, str]) -> str:
    """Return whose request it is: `activation/860`, `rent/860`, or nothing. Both may have one id."""
    order = query.get("id") or query.get("request_id")
    kind = "rent" if "rent-api" in path or "Rent" in query.get("action", "") else "activation"
    return f"{kind}/{order}" if order else ""
