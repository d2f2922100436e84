"""The sandbox as a process: the polled providers, their orders, their bad days, their book."""

import asyncio
import os
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.e2e.polling import ROOT, Process
from tests.e2e.program import START_SECONDS, eventually

PROVIDERS = ("smsverified", "grizzlysms", "smsman")
RATE = "200"  # requests a second of an account, of all pollers together: never what a case waits for


class Sandbox:
    """Runs from `async with` to its end; the book stays readable in between whatever happens to the parts."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.url = ""
        self.settings: dict[str, str] = {}
        """What points a poller at it, without `SMSBUS_`."""
        scenario = directory / "sandbox.toml"
        scenario.write_text(f"seed = {seed}\n")
        environ = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
        environ["PYTHONPATH"] = str(ROOT)
        self._arguments = (directory, "sandbox", environ, "sandbox", "--port", "0", "--scenario", str(scenario))
        self._token_file = directory / "sandbox-token"
        self._arguments += ("--token-file", str(self._token_file))

    async def __aenter__(self) -> Self:
        self._process = Process(*self._arguments)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        try:
            await eventually(self._talks, START_SECONDS, "the sandbox says where it is")
        except BaseException:
            await self.__aexit__()
            raise
        self.settings = self._said()
        self.url = self.settings["ACCOUNTS__SMSMAN__BASE_URL"].split("/smsman")[0]
        for provider in PROVIDERS:
            self.settings[f"ACCOUNTS__{provider.upper()}__MAX_REQUESTS_PER_SECOND"] = RATE
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await asyncio.to_thread(self._process.end)

    def signal(self, signum: int) -> None:
        self._process.signal(signum)

    async def open_order(self, provider: str, kind: str, at: list[float], **wanted: float) -> dict[str, Any]:
        """Open an order whose SMS come so many seconds from now; its keys: provider, kind, order, number, ends."""
        plan = [{"at": seconds} for seconds in at]
        return await self._ask("POST", "/control/orders", {"provider": provider, "kind": kind, "sms": plan, **wanted})

    async def bad_day(self, **day: Any) -> None:
        """Let a bad day begin: a row of `[[bad]]` (docs/sandbox.md); its window counts from now."""
        await self._ask("POST", "/control/bad", day)

    async def good_day(self) -> None:
        await self._ask("DELETE", "/control/bad")

    async def book(self) -> dict[str, Any]:
        return await self._ask("GET", "/book")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        async with self._session.request(method, self.url + path, json=body, headers=self._shown()) as answer:
            answer.raise_for_status()
            return await answer.json()

    def _shown(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}

    async def _talks(self) -> bool:
        assert self._process.runs, self._process.said.read_text()
        return len(self._said()) >= 3 * len(PROVIDERS)

    def _said(self) -> dict[str, str]:
        lines = self._process.printed.read_text().splitlines()
        return dict(line.removeprefix("SMSBUS_").split("=", 1) for line in lines if "=" in line)
