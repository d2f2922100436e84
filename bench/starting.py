"""Freshly started programs, and the sandbox that they poll: processes of `python -m app` on loopback."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from bench.machine import ROOT, available
from bench.server import Command, free_port, server

LOOK_SECONDS: Final = 0.01  # between two requests of /readyz: its first 200 counts
STOP_SECONDS: Final = 30.0
APP: Final = (sys.executable, "-m", "app")
BUSY: Final = (sys.executable, "-c", "while True: pass")


class Order(NamedTuple):
    """An order of the sandbox that is not watched yet."""

    provider: str
    number: str
    order: str

    @property
    def name(self) -> tuple[str, str]:
        return self.provider, self.order


class Sandbox:
    """The providers. `settings` point a poller at them."""

    def __init__(self, port: int, settings: Mapping[str, str], session: aiohttp.ClientSession, token: str) -> None:
        self.settings = settings
        self._url = f"http://127.0.0.1:{port}"
        self._session = session
        self._shown = {"Authorization": f"Bearer {token}"}

    async def order(self, provider: str) -> Order:
        """Open an order whose SMS has arrived when this returns."""
        wanted = {"provider": provider, "sms": [{"at": 0}]}
        async with self._session.post(f"{self._url}/control/orders", json=wanted, headers=self._shown) as answer:
            answer.raise_for_status()
            opened = await answer.json()
        return Order(provider, opened["number"], opened["order"])

    async def shown(self) -> dict[tuple[str, str], float]:
        """Return when each order's SMS was first in a poll's response, in seconds since 1970."""
        async with self._session.get(f"{self._url}/book") as answer:
            answer.raise_for_status()
            book = await answer.json()
        return {(sms["provider"], sms["order"]): sms["shown"] for sms in book["sms"] if sms["shown"] is not None}


@contextmanager
def sandbox(directory: Path, session: aiohttp.ClientSession) -> Iterator[Sandbox]:
    """Run the providers within the block."""
    port, log, token = free_port(), directory / "sandbox.log", directory / "sandbox-token"
    command = [*APP, "sandbox", "--port", str(port), "--token-file", str(token)]
    with server(Command(command, {"PYTHONPATH": str(ROOT)}), port, available(), log):
        while "the record of simulated SMS is at" not in (said := log.read_text("utf-8")):  # its last line
            time.sleep(LOOK_SECONDS)
        settings = dict(line.split("=", 1) for line in said.splitlines() if line.startswith("SMSBUS_"))
        yield Sandbox(port, settings, session, token.read_text().strip())


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many busy loops running."""
    loops = [subprocess.Popen(BUSY) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _environ(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the program, without our own settings."""
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
    return own | {"PYTHONPATH": str(ROOT)} | dict(settings)


class Service:
    """A `smsbus serve --role pollers`, from its start on."""

    def __init__(self, directory: Path, settings: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        port = free_port()
        ours = {"SMSBUS_DATA_DIR": str(directory / "own"), "SMSBUS_ADMIN__PORT": str(port), **settings}
        ours["SMSBUS_ADMIN__TOKEN"] = self._token = secrets.token_urlsafe()
        self.admin = f"http://127.0.0.1:{port}"
        self._log = directory / "serve.log"
        self._session = session
        with self._log.open("wb") as said:
            self._process = subprocess.Popen(
                [*APP, "serve", "--role", "pollers"],
                cwd=ROOT,
                env=_environ(ours),
                stdout=said,
                stderr=said,
            )

    async def until_ready(self) -> None:
        """Return at the first 200 of /readyz. Raises RuntimeError when it ends instead."""
        while self._process.poll() is None:
            try:
                async with self._session.get(f"{self.admin}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(LOOK_SECONDS)
        message = f"it ended: {self.last_words()}"
        raise RuntimeError(message)

    async def watch(self, order: Order) -> tuple[int, str]:
        """Request a watch of this order, once; return the status and the text of the response."""
        wanted: dict[str, Any] = {"account": order.provider, "order_id": order.order, "recipient": order.number}
        shown = {"Authorization": f"Bearer {self._token}"}
        async with self._session.post(f"{self.admin}/v1/watches", json=wanted, headers=shown) as answer:
            return answer.status, await answer.text()

    async def show_tasks(self) -> None:
        """Make it log what its tasks wait for."""
        self._process.send_signal(signal.SIGUSR1)
        await asyncio.sleep(1)

    async def metrics(self) -> str:
        async with self._session.get(f"{self.admin}/metrics") as answer:
            return await answer.text()

    def last_words(self) -> str:
        return self._log.read_text("utf-8", "replace")

    async def stop(self) -> None:
        """Stop it as an orchestrator does."""
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
