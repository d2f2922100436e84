"""The three polled providers behind their own paths."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from aiohttp import web

from sandbox import grizzly_rents, grizzlysms, handler_api, smsman, smsman_rents, smsverified, wire
from sandbox.account import Account
from sandbox.reply import Moment, Query, Reply
from sandbox.settings import BadDay
from sandbox.sms import Provider
from sandbox.world import World

Ask = Callable[[Account, Query, Moment], Reply]
BASES: Final[dict[Provider, str]] = {
    "smsverified": "/smsverified/stubs/handler_api.php",
    "grizzlysms": "/grizzlysms/stubs/handler_api.php",
    "smsman": "/smsman",
}
KEYS: Final[dict[Provider, str]] = {"smsverified": "api_key", "grizzlysms": "api_key", "smsman": "token"}


def routes(world: World) -> Iterable[web.RouteDef]:
    """Return the routes of all three; SMS-Man's control API alone takes POST."""
    yield web.get(BASES["smsverified"], _endpoint(world, "smsverified", _smsverified))
    yield web.get(BASES["grizzlysms"], _endpoint(world, "grizzlysms", _grizzlysms))
    for name in smsman.ACTIONS:
        endpoint = _endpoint(world, "smsman", partial(smsman.ask, smsman.ACTIONS, name))
        yield web.get(f"{BASES['smsman']}/control/{name}", endpoint)
        yield web.post(f"{BASES['smsman']}/control/{name}", endpoint)
    for name in smsman_rents.ACTIONS:
        endpoint = _endpoint(world, "smsman", partial(smsman.ask, smsman_rents.ACTIONS, name))
        yield web.get(f"{BASES['smsman']}/rent-api/{name}", endpoint)


def _smsverified(account: Account, query: Query, moment: Moment) -> Reply:
    return handler_api.ask(smsverified.ACTIONS, account, query, moment)


def _grizzlysms(account: Account, query: Query, moment: Moment) -> Reply:
    if query.get("action") in grizzly_rents.ACTIONS:
        return grizzly_rents.ask(account, query, moment)
    return handler_api.ask(grizzlysms.ACTIONS, account, query, moment)


def _endpoint(world: World, provider: Provider, ask: Ask) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        troubles = world.troubles(provider)
        try:
            if troubles.refusal is not None:
                return await wire.refuse(request, troubles.refusal)
            query = dict(request.query) | {name: str(value) for name, value in (await request.post()).items()}
            if troubles.wrong_key:
                query[KEYS[provider]] = "was right yesterday"
            reply = ask(world.accounts[provider], query, world.moment(provider, troubles))
            return await _deliver(world, request, reply, troubles.delivery)
        except ConnectionError:
            return web.Response()  # nobody is there to read it

    return endpoint


async def _deliver(world: World, request: web.Request, reply: Reply, day: BadDay | None) -> web.StreamResponse:
    match day and day.kind:
        case "reset":
            return wire.reset(request)
        case "truncated":
            return await wire.truncate(request, reply)
        case "slow" if day is not None:
            await world.clock.sleep(day.length)
    response = await wire.write(request, reply)
    world.book.written(reply, world.clock.now())
    return response
