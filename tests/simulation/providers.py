"""The sandbox's providers behind the fetcher: answers arrive after a while that the seed decides.

It does what `sandbox.endpoints` does with sockets: refuse, answer with a wrong key, answer, or let the answer suffer.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from yarl import URL

from pollers.fetch import FetchFailed, RawAnswer
from sandbox import endpoints, smsman, smsman_rents, wire
from sandbox.account import Account
from sandbox.reply import TEXT, Moment, Query, Reply
from sandbox.settings import BadDay
from sandbox.sms import Provider
from sandbox.world import World
from tests.simulation.loop import Loop
from tests.simulation.requests import KINDS, Kind, Request, RequestLog, Told

PATIENCE: Final = 15.0  # seconds, the real fetcher's
PAGE: Final = 10  # SMS on a page of getRentStatus, as siblings page
HOST: Final = "http://sandbox.invalid"


class Providers:
    """All three providers of a run. Orders in `broken` (`rent/860`) answer so in a 200, whatever they are asked."""

    def __init__(self, world: World, loop: Loop, rng: random.Random) -> None:
        self.world = world
        self.log = RequestLog()
        self.broken: dict[str, str] = {}
        self.paged = False
        """getRentStatus shows ten SMS on each page."""
        self.loop = loop
        self._rng = rng

    def way(self) -> float:
        """Return the seconds of one way: 60 ms in the middle, at times half a second."""
        return min(0.02 + self._rng.expovariate(1 / 0.06), 2.0)

    def answer(self, provider: Provider, path: str, query: dict[str, str]) -> "Answered":
        """Return what the provider says now."""
        troubles = self.world.troubles(provider)
        if troubles.refusal is not None:
            return _refused(troubles.refusal)
        if troubles.wrong_key:
            query[endpoints.KEYS[provider]] = "was right yesterday"
        if (broken := self.broken.get(_order(path, query))) is not None:
            return Answered("broken", Reply(broken))
        reply = _ask(path)(self.world.accounts[provider], query, self.world.moment(provider, troubles))
        if self.paged and query.get("action") == "getRentStatus":
            reply = _page(reply, int(query.get("page", "1")))
        delivery = troubles.delivery
        word = "wrong_key" if troubles.wrong_key else "ok" if delivery is None else delivery.kind
        return Answered(word, reply, slow=delivery.length if delivery and delivery.kind == "slow" else 0.0)


class Answered:
    """An answer before it is on its way."""

    def __init__(
        self, word: str, reply: Reply, *, status: int = 200, retry_after: str | None = None, slow: float = 0.0
    ) -> None:
        self.word = word
        self.reply = reply
        self.status = status
        self.retry_after = retry_after
        self.slow = slow


class SimFetcher:
    """Implements `pollers.fetch.Fetcher` for one account of one replica."""

    def __init__(self, providers: Providers, provider: Provider, replica: Loop) -> None:
        self._providers = providers
        self._provider: Provider = provider
        self._replica = replica

    async def get(self, url: URL) -> RawAnswer:
        """Return the answer; raises `FetchFailed`."""
        query = dict(url.query)
        kind, order = _kind(url, query), _order(url.path, query)
        request = Request(
            self._provider, self._replica.name, kind, order, query.get("status", ""), self._replica.time()
        )
        self._providers.log.note(request)
        answer: asyncio.Future[RawAnswer] = self._replica.create_future()
        loop = self._providers.loop
        loop.call_later(self._providers.way(), self._arrived, request, url.path, query, answer)
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            request.answered, request.outcome = self._replica.time(), "timeout"
            raise FetchFailed("timeout") from None

    def _arrived(self, request: Request, path: str, query: dict[str, str], answer: asyncio.Future[RawAnswer]) -> None:
        providers = self._providers
        request.arrived = providers.loop.time()
        answered = providers.answer(self._provider, path, query)
        back = providers.way() + answered.slow
        if answered.word in {"ok", "slow"}:
            providers.loop.call_later(back, self._written, answered.reply)
        self._replica.call_at(providers.loop.time() + back, self._answered, request, answered, answer)

    def _written(self, reply: Reply) -> None:
        self._providers.world.book.written(reply, self._providers.world.clock.now())

    def _answered(self, request: Request, answered: Answered, answer: asyncio.Future[RawAnswer]) -> None:
        now = self._replica.time()
        if answer.done():
            return
        request.answered, request.outcome = now, answered.word
        request.body = answered.reply.body if request.kind == "action" else ""
        if answered.word in {"reset", "truncated"}:
            answer.set_exception(FetchFailed(answered.word))
            return
        headers = {"content-type": answered.reply.content_type}
        if answered.retry_after is not None:
            headers["retry-after"] = answered.retry_after
            if answered.retry_after.isdecimal():
                until = now + min(max(int(answered.retry_after), 1), 600)
                self._providers.log.told.append(Told(request.account, request.replica, now, until))
        answer.set_result(RawAnswer(answered.status, headers, answered.reply.body.encode(), self._replica.wall()))


def _refused(day: BadDay) -> Answered:
    status, body = {
        "429": (429, "Too Many Requests"),
        "html": (200, wire.MAINTENANCE),
        "empty": (200, ""),
        "5xx": (day.status, wire.BAD_GATEWAY.format(status=day.status)),
    }[day.kind]
    retry_after = None if day.retry_after is None else str(day.retry_after)
    return Answered(day.kind, Reply(body, TEXT), status=status, retry_after=retry_after)


def _ask(path: str) -> Callable[[Account, Query, Moment], Reply]:
    if path == endpoints.BASES["smsverified"]:
        return endpoints._smsverified
    if path == endpoints.BASES["grizzlysms"]:
        return endpoints._grizzlysms
    api, name = path.removeprefix(f"{endpoints.BASES['smsman']}/").split("/")
    actions = smsman.ACTIONS if api == "control" else smsman_rents.ACTIONS
    return lambda account, query, moment: smsman.ask(actions, name, account, query, moment)


def _page(reply: Reply, number: int) -> Reply:
    """Show a page of a rent's SMS; `quantity` counts all of them."""
    shown = cast("Mapping[str, Any]", json.loads(reply.body))
    rows = list(shown.get("values", {}).values())[(number - 1) * PAGE : number * PAGE]
    if "quantity" not in shown:
        return reply
    body = json.dumps({**shown, "values": {str(place): row for place, row in enumerate(rows)}}, ensure_ascii=False)
    return replace(reply, body=body, shows=reply.shows[(number - 1) * PAGE : number * PAGE])


def _kind(url: URL, query: Mapping[str, str]) -> Kind:
    kind = KINDS.get(query.get("action") or url.name, "other")
    return "page" if kind == "poll" and query.get("page", "1") != "1" else kind


def _order(path: str, query: Mapping[str, str]) -> str:
    """Return whose request it is: `activation/860`, `rent/860`, or nothing. Both may have one id."""
    order = query.get("id") or query.get("request_id")
    kind = "rent" if "rent-api" in path or "Rent" in query.get("action", "") else "activation"
    return f"{kind}/{order}" if order else ""
