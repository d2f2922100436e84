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
from sandbox.response import Reply
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

    def answer(self, path: str, query: dict[str, str]) -> "Answered":
        """Return what the provider says now."""
        if (broken := self.broken.get(_order(path, query))) is not None:
            return Answered("broken", Reply(broken))
        said = routing.answer(self.world, path, query)
        assert said is not None, path
        slow = said.delivery is not None and said.delivery.kind == "slow"
        return Answered(_word(said), said.reply, said.delivery.length if said.delivery and slow else 0.0)


class Answered(NamedTuple):
    """An answer before it is on its way."""

    word: str
    """`Request.outcome`."""
    reply: Reply
    slow: float = 0.0


def _word(said: routing.Answer) -> str:
    if said.delivery is not None:
        return said.delivery.kind
    if said.reply.status != 200:
        return "429" if said.reply.status == 429 else "5xx"
    if said.reply.body in {"", routing.MAINTENANCE}:
        return "html" if said.reply.body else "empty"
    return "wrong_key" if any(token in said.reply.body for token in WRONG_KEY) else "ok"


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
        answer: asyncio.Future[RawResponse] = self._replica.create_future()
        loop = self._providers.loop
        loop.call_later(self._providers.way(), self._arrived, request, url.path, query, answer)
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            request.answered, request.outcome = self._replica.time(), "timeout"
            raise FetchFailed("timeout") from None

    def _arrived(self, request: Request, path: str, query: dict[str, str], answer: asyncio.Future[RawResponse]) -> None:
        providers = self._providers
        request.arrived = providers.loop.time()
        answered = providers.answer(path, query)
        back = providers.way() + answered.slow
        if answered.word in {"ok", "slow"}:
            providers.loop.call_later(back, self._written, answered.reply)
        self._replica.call_at(providers.loop.time() + back, self._answered, request, answered, answer)

    def _written(self, reply: Reply) -> None:
        self._providers.world.book.written(reply, self._providers.world.clock.now())

    def _answered(self, request: Request, answered: Answered, answer: asyncio.Future[RawResponse]) -> None:
        now = self._replica.time()
        if answer.done():
            return
        request.answered, request.outcome = now, answered.word
        request.body = answered.reply.body if request.kind == "action" else ""
        if answered.word in {"reset", "truncated"}:
            answer.set_exception(FetchFailed(answered.word))
            return
        headers = {"content-type": answered.reply.content_type}
        if answered.reply.retry_after is not None:
            headers["retry-after"] = str(answered.reply.retry_after)
            if headers["retry-after"].isdecimal():
                until = now + min(max(int(headers["retry-after"]), 1), 600)
                self._providers.log.told.append(Told(request.account, request.replica, now, until))
        answer.set_result(
            RawResponse(answered.reply.status, headers, answered.reply.body.encode(), self._replica.wall())
        )


def _kind(url: URL, query: Mapping[str, str]) -> Kind:
    kind = KINDS.get(query.get("action") or url.name, "other")
    return "page" if kind == "poll" and query.get("page", "1") != "1" else kind


def _order(path: str, query: Mapping[str, str]) -> str:
    """Return whose request it is: `activation/860`, `rent/860`, or nothing. Both may have one id."""
    order = query.get("id") or query.get("request_id")
    kind = "rent" if "rent-api" in path or "Rent" in query.get("action", "") else "activation"
    return f"{kind}/{order}" if order else ""
