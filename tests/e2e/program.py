"""The installed program as processes: its commands, and the services that it runs, with what they say."""

import asyncio
import json
import os
import random
import re
import signal
import socket
import sys
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("smsbus")
PROGRAM = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "app"]  # the same in a tree without an install
ADMIN_TOKEN = "e2e-admin-token-e2e-admin-token"
ADMIN_HEADER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
TOKEN = "e2e-token-e2e-token-e2e-token"
COMMAND_SECONDS, START_SECONDS, STOP_SECONDS = 60, 60, 30
OF_LOAD = {"messages_in_journal", "event_loop_late"}  # degraded by other programs on this machine
PORTS = range(6_000, 12_000)  # below those of the Kafkas of tests, and those that a client's end is given
TEST_PROCESSES = 16
_returned: deque[int] = deque(maxlen=200)  # of 375 that a process has: a run of hours uses the oldest again


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


class Installation:
    """One prefix of topics, one data directory, two ports, and every process that was started with them."""

    def __init__(self, directory: Path, bootstrap_servers: str, topic_prefix: str) -> None:
        self.directory = directory
        self.bootstrap_servers = bootstrap_servers
        self.topic_prefix = topic_prefix
        self.journal_dir = directory / "journal"
        self.tree = ROOT
        """Whose program is run from now on."""
        self.replicas: list[Replica] = []
        self._settings = {
            "KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "KAFKA__TOPIC_PREFIX": topic_prefix,
            "DATA_DIR": str(directory / "own"),
            "BUS__JOURNAL_DIR": str(self.journal_dir),
            "RECEIVER__HOST": "127.0.0.1",
            "RECEIVER__PORT": str(free_port()),
            "ADMIN__PORT": str(free_port()),
            "ADMIN__TOKEN": ADMIN_TOKEN,
            "ACCOUNTS__SHOP__PROVIDER": "pingme",
            "ACCOUNTS__SHOP__CALLBACK_TOKENS": TOKEN,
        }

    async def run(self, *arguments: str, **settings: str) -> Ended:
        """Run a command to its end."""
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            cwd=self.directory,
            env=self._environ(settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def serve(
        self,
        *arguments: str,
        wrapper: tuple[str, ...] = (),
        accounts_in_file: bool = False,
        pass_fds: tuple[int, ...] = (),
        **settings: str,
    ) -> "Replica":
        """Start a service; it has said that it serves when this returns. `wrapper` is a command that runs it.

        `accounts_in_file`: variables name none, smsbus.toml in its directory does.
        """
        if accounts_in_file:
            self._settings = {name: value for name, value in self._settings.items() if "ACCOUNTS__" not in name}
        path = self.directory / f"replica-{len(self.replicas)}.log"
        command, environ = [*wrapper, *PROGRAM, "serve", *arguments], self._environ(settings)
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=self.directory, env=environ, stdout=log, stderr=log, pass_fds=pass_fds
            )
        replica = Replica(process, path, self._settings | settings)
        self.replicas.append(replica)
        await replica.says("serving", START_SECONDS)
        return replica

    async def journals(self) -> dict[Path, int]:
        """What `smsbus journal status` says: each process's directory and the rows in it."""
        status = await self.run("journal", "status")
        assert status.code == 0, status
        lines = [re.match(r"(\S+) rows=(\d+) ", line) for line in status.out.splitlines()]
        return {Path(line[1]): int(line[2]) for line in lines if line}

    def _environ(self, settings: dict[str, str]) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
        ours = {f"SMSBUS_{name}": value for name, value in {**self._settings, **settings}.items()}
        return {**own, "PYTHONPATH": str(self.tree), **ours}


class Replica:
    """A running `smsbus serve`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, settings: dict[str, str]) -> None:
        self.process = process
        self.log = log
        self.url = (
            f"http://127.0.0.1:{settings['RECEIVER__PORT']}/v1/pingme/"
            f"{settings.get('ACCOUNTS__SHOP__CALLBACK_TOKENS', TOKEN)}"
        )
        self.admin = f"http://127.0.0.1:{settings['ADMIN__PORT']}"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has said so far; whatever is no JSON stands under `talk`."""
        return [_parsed(line) for line in self.log.read_text("utf-8").splitlines()]

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event."""
        return [line for line in self.lines if line.get("event") == event]

    async def says(self, event: str, seconds: float) -> dict[str, Any]:
        """Wait until it says so."""

        async def heard() -> bool:
            assert self.process.returncode is None or self.said(event), self.log.read_text("utf-8")
            return bool(self.said(event))

        await eventually(heard, seconds, f"the service says {event!r}")
        return self.said(event)[-1]

    async def get(self, path: str) -> tuple[int, str]:
        """Ask the admin listener."""
        async with aiohttp.ClientSession(headers=ADMIN_HEADER) as session, session.get(self.admin + path) as answer:
            return answer.status, await answer.text()

    async def is_well(self) -> bool:
        """Ready, and not degraded, not even by other programs on this machine."""
        return await self.get("/readyz") == (200, '{"status": "ready", "degraded": []}')

    async def metrics(self) -> dict[str, float]:
        """The bus's metrics by name, without `smsbus_` and `_total`; of those with labels the sum."""
        _, text = await self.get("/metrics")
        found: defaultdict[str, float] = defaultdict(float)
        for name, value in re.findall(r"^smsbus_(\w+?)(?:_total)?(?:\{.*\})? (\S+)$", text, re.MULTILINE):
            found[name] += float(value)
        return dict(found)

    async def drained(self, seconds: float = 60) -> dict[str, float]:
        """Return the metrics once nothing waits in it any longer."""

        metrics: dict[str, float] = {}

        async def empty() -> bool:
            metrics.update(await self.metrics())
            return not metrics["pending"] and not metrics["journal_rows"]

        await eventually(empty, seconds, "the journal is empty")
        return metrics  # and not those of later: a load may go on

    async def kill(self) -> None:
        """As `kill -9` does."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """Ask it to stop; return its exit code. What it says meanwhile is shown with a test that fails."""
        said = self.log.stat().st_size
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            code = await self.process.wait()
        print(self.log.read_bytes()[said:].decode())
        return code


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


def free_port() -> int:
    """A port on loopback that nobody listens on, that no client's end is given, and that was not returned lately.

    Each process of a test run has ports of its own: what one returns is not listened on at once.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = random.choice(PORTS[process % TEST_PROCESSES :: TEST_PROCESSES])
        with socket.socket() as probe:
            if port not in _returned and probe.connect_ex(("127.0.0.1", port)):
                _returned.append(port)
                return port


def _parsed(line: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        return {"talk": line}
