"""The HTTP endpoints of the three polled providers."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from sandbox import wire
from sandbox.routing import ROUTES, Delivery, respond
from sandbox.world import World


def routes(world: World) -> Iterable[web.RouteDef]:
    """Return their routes."""
    endpoint = _endpoint(world)
    for path, route in ROUTES.items():
        yield web.get(path, endpoint)
        if route.posts:
            yield web.post(path, endpoint)


def _endpoint(world: World) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        try:
            query = dict(request.query) | {name: str(value) for name, value in (await request.post()).items()}
            said = respond(world, request.path, query)
            return web.Response(status=404) if said is None else await _deliver(world, request, said)
        except ConnectionError:
            return web.Response()  # the client has disconnected

    return endpoint


async def _deliver(world: World, request: web.Request, said: Delivery) -> web.StreamResponse:
    match said.fault and said.fault.kind:
        case "reset":
            return wire.reset(request)
        case "truncated":
            return await wire.truncate(request, said.response)
        case "slow" if said.fault is not None:
            await world.clock.sleep(said.fault.length)
    stream = await wire.write(request, said.response)
    world.book.written(said.response, world.clock.now())
    return stream
