"""Asking a simulated provider without the network: what HTTP is to say, and how it is to fail.

The server puts HTTP around it, a test its own fetcher; with either the same happens, bad days included.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from sandbox.account import Account
from sandbox.faults import Troubles
from sandbox.polled import grizzlysms, grizzlysms_rent, handler_api, smsman, smsman_rent, smsverified
from sandbox.response import Moment, Query, Reply
from sandbox.settings import BadDay
from sandbox.sms import OrderKind, Provider
from sandbox.world import World

BASES: Final[dict[Provider, str]] = {
    "smsverified": "/smsverified/stubs/handler_api.php",
    "grizzlysms": "/grizzlysms/stubs/handler_api.php",
    "smsman": "/smsman",
}
KEYS: Final[dict[Provider, str]] = {"smsverified": "api_key", "grizzlysms": "api_key", "smsman": "token"}
MAINTENANCE: Final = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
)
BAD_GATEWAY: Final = "<html><head><title>{status}</title></head><body><center>nginx</center></body></html>"


class Route(NamedTuple):
    """Who answers at a path, about which kind of order, and whether to POST as well."""

    provider: Provider
    ask: Callable[[Account, Query, Moment], Reply]
    kind: OrderKind = "activation"
    posts: bool = False


class Answer(NamedTuple):
    """An answer and what happens to it on its way."""

    reply: Reply
    """Once all of it was written, and only then, it is noted with `world.book.written`."""
    delivery: BadDay | None = None
    """A day of kind reset, truncated or slow; None: it arrives."""


def answer(world: World, path: str, query: Query) -> Answer | None:
    """Answer what is asked at this path now, as the bad days have it; None: there is nothing at this path."""
    if (route := ROUTES.get(path)) is None:
        return None
    troubles = world.troubles(route.provider)
    if troubles.refusal is not None:
        return Answer(_refusal(troubles.refusal))
    if troubles.wrong_key:
        query = {**query, KEYS[route.provider]: "was right yesterday"}
    account, moment = world.accounts[route.provider], world.moment(route.provider, troubles)
    return Answer(_reply(route, account, query, moment, troubles), troubles.delivery)


def _reply(route: Route, account: Account, query: Query, moment: Moment, troubles: Troubles) -> Reply:
    if troubles.foreign and (other := smsman.another(account, route.kind, query, moment)) is not None:
        return route.ask(account, other, moment).unnoted()
    return route.ask(account, query, moment)


def _refusal(day: BadDay) -> Reply:
    """Answer without having looked at the question."""
    match day.kind:
        case "429":
            return Reply("Too Many Requests", status=429, retry_after=day.retry_after)
        case "html":
            return Reply(MAINTENANCE)
        case "empty":
            return Reply("")
        case _:
            return Reply(BAD_GATEWAY.format(status=day.status), status=day.status, retry_after=day.retry_after)


def _smsverified(account: Account, query: Query, moment: Moment) -> Reply:
    return handler_api.ask(smsverified.ACTIONS, account, query, moment)


def _grizzlysms(account: Account, query: Query, moment: Moment) -> Reply:
    if query.get("action") in grizzlysms_rent.ACTIONS:
        return grizzlysms_rent.ask(account, query, moment)
    return handler_api.ask(grizzlysms.offered(account), account, query, moment)


def _routes() -> dict[str, Route]:
    """Return all paths; SMS-Man's control API alone takes POST."""
    control = {
        f"{BASES['smsman']}/control/{name}": Route("smsman", partial(smsman.ask, smsman.ACTIONS, name), posts=True)
        for name in smsman.ACTIONS
    }
    rents = {
        f"{BASES['smsman']}/rent-api/{name}": Route("smsman", partial(smsman.ask, smsman_rent.ACTIONS, name), "rent")
        for name in smsman_rent.ACTIONS
    }
    plain = {
        BASES["smsverified"]: Route("smsverified", _smsverified),
        BASES["grizzlysms"]: Route("grizzlysms", _grizzlysms),
    }
    return plain | control | rents


ROUTES: Final[Mapping[str, Route]] = _routes()
