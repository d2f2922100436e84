"""The sandbox's own endpoints: open an order, deliver an SMS, add faults, read the book."""

import hmac
from collections.abc import Iterable
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel

from sandbox.orders import Order
from sandbox.plan import PlannedSms
from sandbox.scenario import ScenarioError, checked
from sandbox.settings import Fault, OrderRequest
from sandbox.sms import OrderKind, Provider
from sandbox.world import World

Asked = TypeVar("Asked", bound=BaseModel)


class SmsRequest(PlannedSms):
    """One more SMS for an open order; `at` is relative to now."""

    provider: Provider
    kind: OrderKind = "activation"
    order: str


class _Endpoints:
    """The endpoints of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def open(self, request: web.Request) -> web.Response:
        """`POST /control/orders`."""
        body = await _asked(request, OrderRequest)
        return web.json_response(_as_json(body.provider, body.kind, self._world.open(body)), status=201)

    async def receive(self, request: web.Request) -> web.Response:
        """`POST /control/sms`."""
        body = await _asked(request, SmsRequest)
        planned = PlannedSms(**body.model_dump(include=set(PlannedSms.model_fields)))
        order = self._world.receive(body.provider, body.kind, body.order, planned)
        if order is None:
            raise _problem(web.HTTPNotFound, f"{body.provider} has no such {body.kind}")
        return web.json_response(_as_json(body.provider, body.kind, order), status=201)

    async def add_fault(self, request: web.Request) -> web.Response:
        """`POST /control/bad`: its window is relative to now."""
        self._world.add_fault(await _asked(request, Fault))
        return web.json_response({}, status=201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """`DELETE /control/bad`."""
        self._world.clear_faults()
        return web.json_response({})

    async def book(self, _request: web.Request) -> web.Response:
        """`GET /book`."""
        return web.json_response(self._world.book.as_json(self._world.clock.now()))


def routes(world: World) -> Iterable[web.RouteDef]:
    """Return the routes of these endpoints."""
    endpoints = _Endpoints(world)
    yield web.post("/control/orders", endpoints.open)
    yield web.post("/control/sms", endpoints.receive)
    yield web.post("/control/bad", endpoints.add_fault)
    yield web.delete("/control/bad", endpoints.clear_faults)
    yield web.get("/book", endpoints.book)


def guard(token: str) -> Middleware:
    """Return a middleware that answers 401 on `/control/*` without the token: web pages can post to loopback, too."""
    ours = f"Bearer {token}".encode()

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if request.path.startswith("/control/") and not hmac.compare_digest(shown, ours):
            raise _problem(web.HTTPUnauthorized, "the sandbox's token is required: Authorization: Bearer …")
        return await handler(request)

    return guarded


async def _asked(request: web.Request, model: type[Asked]) -> Asked:
    try:
        return checked(model, await request.json())
    except ScenarioError as error:
        raise _problem(web.HTTPUnprocessableEntity, str(error)) from None
    except ValueError:
        raise _problem(web.HTTPBadRequest, "the body is not JSON") from None


def _problem(kind: type[web.HTTPClientError], sentence: str) -> web.HTTPClientError:
    return kind(text=f"{sentence}\n")


def _as_json(provider: Provider, kind: OrderKind, order: Order) -> dict[str, Any]:
    return {"provider": provider, "kind": kind, "order": order.id, "number": order.number, "ends": order.ends}
