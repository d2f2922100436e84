"""From the path of a request to a provider's response, and the fault that delivery has; without the network.

The server adds HTTP, a test its own fetcher; the responses and faults are the same.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from sandbox.account import Account
from sandbox.faults import ActiveFaults
from sandbox.polled import grizzlysms, grizzlysms_rent, handler_api, smsman, smsman_rent, smsverified
from sandbox.response import Moment, Query, Response
from sandbox.settings import Fault
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
    """The provider and function behind a path, the kind of its orders, and whether POST is allowed as well."""

    provider: Provider
    respond: Callable[[Account, Query, Moment], Response]
    kind: OrderKind = "activation"
    posts: bool = False


class Delivery(NamedTuple):
    """A response, and what happens to it on its way."""

    response: Response
    """Recorded with `world.book.written` once all of it was written, and only then."""
    fault: Fault | None = None
    """Of kind reset, truncated or slow; None: it arrives."""


def respond(world: World, path: str, query: Query) -> Delivery | None:
    """Return the response at this path now, with the active faults; None: there is nothing at this path."""
    if (route := ROUTES.get(path)) is None:
        return None
    faults = world.faults(route.provider)
    if faults.replacement is not None:
        return Delivery(_replacement(faults.replacement))
    if faults.wrong_key:
        query = {**query, KEYS[route.provider]: "was right yesterday"}
    account, moment = world.accounts[route.provider], world.moment(route.provider, faults)
    return Delivery(_response(route, account, query, moment, faults), faults.delivery)


def _response(route: Route, account: Account, query: Query, moment: Moment, faults: ActiveFaults) -> Response:
    if faults.foreign and (other := smsman.another(account, route.kind, query, moment)) is not None:
        return route.respond(account, other, moment).unnoted()
    return route.respond(account, query, moment)


def _replacement(fault: Fault) -> Response:
    """Return the response of a fault, without processing the request."""
    match fault.kind:
        case "429":
            return Response("Too Many Requests", status=429, retry_after=fault.retry_after)
        case "html":
            return Response(MAINTENANCE)
        case "empty":
            return Response("")
        case _:
            return Response(BAD_GATEWAY.format(status=fault.status), status=fault.status, retry_after=fault.retry_after)


def _smsverified(account: Account, query: Query, moment: Moment) -> Response:
    return handler_api.respond(smsverified.ACTIONS, account, query, moment)


def _grizzlysms(account: Account, query: Query, moment: Moment) -> Response:
    if query.get("action") in grizzlysms_rent.ACTIONS:
        return grizzlysms_rent.respond(account, query, moment)
    return handler_api.respond(grizzlysms.offered(account), account, query, moment)


def _routes() -> dict[str, Route]:
    """Return all paths; only SMS-Man's control API accepts POST."""
    control = {
        f"{BASES['smsman']}/control/{name}": Route("smsman", partial(smsman.respond, smsman.ACTIONS, name), posts=True)
        for name in smsman.ACTIONS
    }
    rents = {
        f"{BASES['smsman']}/rent-api/{name}": Route(
            "smsman", partial(smsman.respond, smsman_rent.ACTIONS, name), "rent"
        )
        for name in smsman_rent.ACTIONS
    }
    plain = {
        BASES["smsverified"]: Route("smsverified", _smsverified),
        BASES["grizzlysms"]: Route("grizzlysms", _grizzlysms),
    }
    return plain | control | rents


ROUTES: Final[Mapping[str, Route]] = _routes()
