"""The sandbox as an HTTP server: one loopback port for everything."""

import asyncio
import secrets
from random import Random

from aiohttp import web

from sandbox import control, pingme_control, routing
from sandbox.clock import Clock
from sandbox.pingme import PingMe
from sandbox.polled import endpoints
from sandbox.settings import Scenario
from sandbox.sms import Provider
from sandbox.world import World


class Sandbox(World):
    """A world that is served over HTTP between `start` and `stop`."""

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        rng: Random | None = None,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(scenario, rng=rng, clock=clock)
        self.host = host
        self.port = port
        """The port, once started. 0 until then: a free one is chosen."""
        self.token = secrets.token_urlsafe(24)
        """The token that `/control/*` requires."""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. The first call starts the clock of the scenario; after `stop` it continues on the same port.

        Raises OSError if the port is in use.
        """
        first = self._runner is None
        application = web.Application(middlewares=[control.guard(self.token)])
        application.add_routes(list(endpoints.routes(self)))
        application.add_routes(list(control.routes(self)))
        application.add_routes(list(pingme_control.routes(self.scenario.pingme)))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)  # URLs contain keys
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        if first:
            self.begin()

    async def stop(self) -> None:
        """Stop listening; the book is kept."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def post_callbacks(self, url: str, stop: asyncio.Event) -> None:
        """Run the simulated PingMe against a callback URL until the event is set; its posts are in the book."""
        request = self.scenario.pingme
        pingme = PingMe(
            url,
            numbers=request.numbers,
            rate=request.rate,
            rng=self._random(),
            duplicates=request.duplicates,
            malformed=request.malformed,
            user_id=request.user_id,
            clock=self.clock,
        )
        self.book.callbacks = pingme.book
        await pingme.run(stop)

    @property
    def url(self) -> str:
        """Return the URL on which it listens."""
        return f"http://{self.host}:{self.port}"

    def base_url(self, provider: Provider) -> str:
        """Return the `base_url` for an account at this provider."""
        return f"{self.url}{routing.BASES[provider]}"
