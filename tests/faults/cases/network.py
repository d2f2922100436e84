"""The network between us and Kafka, and between us and the providers: slow, half open, deaf, resetting."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.proxy import Direction, Proxy
from tests.faults.stage import Stage
from tests.loop_thread import LoopThread

LONG_SECONDS = 20.0  # longer than a request is waited for, than a session of the group, than a poll
PAUSE_SECONDS = 5.0
SLOW_SECONDS, RESETS_SECONDS = 12.0, 40.0
RESETS_EVERY = (0.2, 2.0)
DELAYS = (0.01, 0.05, 0.2)  # one way; the last is near what a lane waits before it spills
CONNECTED = "the broker had clients"
WAITED = "messages waited in journals"


async def broker_slow(stage: Stage) -> None:
    """Bytes to and from all brokers arrive 10, 50, then 200 ms later than they do."""
    for seconds in DELAYS:
        moved = _moved(stage)
        for proxy in stage.kafka.proxies:
            proxy.delay(seconds)
        await stage.sleep(SLOW_SECONDS)
        stage.met(f"bytes moved with {seconds} s on each way", _moved(stage) > moved)


async def broker_half_open(stage: Stage) -> None:
    """One broker after the other stands still for its clients: nothing arrives, nothing is closed."""
    for proxy in stage.kafka.proxies:
        stage.met(CONNECTED, proxy.open)
        proxy.freeze()
        await stage.sleep(LONG_SECONDS)
        proxy.heal()
        await stage.sleep(PAUSE_SECONDS)
    stage.met(WAITED, _waited(stage))


async def broker_deaf(stage: Stage) -> None:
    """What clients say to one broker is lost, then what another says to them."""
    directions: tuple[Direction, ...] = ("up", "down")
    for proxy, direction in zip(stage.kafka.proxies, directions, strict=False):
        stage.met(CONNECTED, proxy.open)
        proxy.drop(direction)
        await stage.sleep(LONG_SECONDS)
        proxy.heal()
        await stage.sleep(PAUSE_SECONDS)
    stage.met(WAITED, _waited(stage))


async def broker_resets(stage: Stage) -> None:
    """All connections to one broker or another are reset every second or so."""
    before = _connections(stage)
    until = time.monotonic() + RESETS_SECONDS * stage.scale
    while time.monotonic() < until:
        await asyncio.sleep(stage.rng.uniform(*RESETS_EVERY))
        stage.rng.choice(stage.kafka.proxies).reset()
    stage.met("connections came about again", _connections(stage) > before)


class ProvidersAway:
    """All providers stand still, half open; then reset every connection; then take none."""

    async def prepare(self, stage: Stage) -> None:
        """Let the pollers reach the sandbox through a proxy; the tests' own questions go straight to it."""
        home, direct = LoopThread(), stage.sandbox.url.rsplit(":", 1)[1]
        stage.stack.callback(home.close)
        self._proxy = Proxy(int(direct), home)
        stage.stack.callback(self._proxy.close)
        for name, value in stage.sandbox.settings.items():
            if name.endswith("BASE_URL"):
                stage.sandbox.settings[name] = value.replace(f":{direct}/", f":{self._proxy.port}/")

    async def run(self, stage: Stage) -> None:
        stage.met("polls were under way", self._proxy.open)
        began = time.time()
        with self._disturbed():
            self._proxy.freeze()
            await stage.sleep(LONG_SECONDS)
        await stage.sleep(PAUSE_SECONDS)
        until = time.monotonic() + LONG_SECONDS * stage.scale
        while time.monotonic() < until:
            await asyncio.sleep(stage.rng.uniform(*RESETS_EVERY))
            self._proxy.reset()
        with self._disturbed():
            self._proxy.refuse()
            self._proxy.reset()
            await stage.sleep(LONG_SECONDS)
        stage.met("SMS came meanwhile", any(began < order.arrives < time.time() for order in stage.orders.opened))

    @contextmanager
    def _disturbed(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._proxy.heal()


def _moved(stage: Stage) -> int:
    return sum(sum(proxy.bytes.values()) for proxy in stage.kafka.proxies)


def _connections(stage: Stage) -> int:
    return sum(proxy.connections for proxy in stage.kafka.proxies)


def _waited(stage: Stage) -> bool:
    return any(each.rows for each in stage.samples.rounds)
