"""The program as processes: pollers, the sandbox and the commands. Imports nothing of ours."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaConsumer

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
SHARDS = 12


class Process:
    """A running command and what it has said so far, in files: nobody has to read for it to go on."""

    def __init__(self, directory: Path, name: str, environ: dict[str, str], *arguments: str) -> None:
        self.said = directory / f"{name}.err"
        self.printed = directory / f"{name}.out"
        command = [sys.executable, "-m", "app", *arguments]
        with self.said.open("wb") as said, self.printed.open("wb") as printed:
            self._process = subprocess.Popen(command, cwd=directory, env=environ, stdout=printed, stderr=said)

    def signal(self, signum: int) -> None:
        self._process.send_signal(signum)
        if signum == signal.SIGKILL:
            self._process.wait()

    def end(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None


class Poller(Process):
    """`smsbus serve`, with pollers, or with the receiver."""

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.read_text().splitlines() if line.startswith("{")]

    def events(self, name: str, *, after: int = 0) -> list[dict[str, Any]]:
        return [line for line in self.log[after:] if line["event"] == name]

    @property
    def admin(self) -> str:
        return str(self.serving["admin"])

    @property
    def serving(self) -> dict[str, Any]:
        """What it said once it served."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.runs:
            if serving := self.events("serving"):
                return serving[0]
            time.sleep(0.1)
        raise AssertionError(self.said.read_text())

    def shards(self) -> int:
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=5) as answer:
            found = re.search(r"^smsbus_shards ([0-9.]+)$", answer.read().decode(), re.MULTILINE)
        return int(float(found[1])) if found else 0


class Town:
    """One installation: its sandbox, its pollers, its topics."""

    def __init__(self, directory: Path, bootstrap_servers: str, prefix: str, *, rate: float = 450) -> None:
        self.directory = directory
        self.bootstrap_servers = bootstrap_servers
        self.prefix = prefix
        self.processes: list[Process] = []
        self.pollers: list[Poller] = []
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers,
            "KAFKA__TOPIC_PREFIX": prefix,
            "DATA_DIR": str(directory / "own"),
            "ADMIN__PORT": "0",
            "RECEIVER__PORT": "0",
            "POLLERS__MAX_INTERVAL": "5",
            "ACCOUNTS__SMSVERIFIED__MAX_REQUESTS_PER_SECOND": str(rate),
        }
        self.environ = {**own, "PYTHONPATH": str(ROOT), **{f"SMSBUS_{name}": value for name, value in settings.items()}}
        self._token_file = directory / "sandbox-token"
        self.sandbox = self._start_sandbox()

    def _start_sandbox(self) -> str:
        bare = {name: value for name, value in self.environ.items() if not name.startswith("SMSBUS")}
        process = Process(
            self.directory, "sandbox", bare, "sandbox", "--port", "0", "--token-file", str(self._token_file)
        )
        self.processes.append(process)
        wait_until(lambda: process.printed.read_text().count("\n") >= 9 or not process.runs, START_SECONDS)
        lines = dict(line.split("=", 1) for line in process.printed.read_text().splitlines())
        self.environ |= {name: value for name, value in lines.items() if "SMSVERIFIED" in name}
        return lines["SMSBUS_ACCOUNTS__SMSVERIFIED__BASE_URL"].split("/smsverified")[0]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(
            command, cwd=self.directory, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )

    def poll(self) -> Poller:
        """Start one more poller."""
        poller = Poller(self.directory, f"poller-{len(self.processes)}", self.environ, "serve", "--role", "pollers")
        self.processes.append(poller)
        self.pollers.append(poller)
        return poller

    def receive(self) -> Poller:
        """Start a receiver."""
        name = f"receiver-{len(self.processes)}"
        receiver = Poller(self.directory, name, self.environ, "serve", "--role", "receiver")
        self.processes.append(receiver)
        return receiver

    def serve(self, **settings: str) -> Poller:
        """Start a service with all roles; commands that are clients of a service ask it."""
        environ = self.environ | {f"SMSBUS_{name}": value for name, value in settings.items()}
        service = Poller(self.directory, f"service-{len(self.processes)}", environ, "serve")
        self.processes.append(service)
        self.pollers.append(service)
        self.environ["SMSBUS_URL"] = service.admin
        self.environ["SMSBUS_TOKEN"] = (self.directory / "own" / "admin-token").read_text().strip()
        return service

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that takes long."""
        command = [sys.executable, "-m", "app", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.directory, env=self.environ, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    def start(self, role: str) -> Poller:
        """Start a process of this role."""
        process = Poller(self.directory, f"{role}-{len(self.processes)}", self.environ, "serve", "--role", role)
        self.processes.append(process)
        return process

    def get(self, process: Poller, path: str) -> dict[str, Any]:
        """Ask its admin listener, again while it is 503."""
        return answered(urllib.request.Request(process.admin + path, headers=self._shown()))

    def readiness(self, process: Poller) -> tuple[int, bool]:
        """The status of its /readyz, and whether it calls its inbox blind."""
        try:
            with urllib.request.urlopen(f"{process.admin}/readyz", timeout=30) as answer:
                return answer.status, "inbox_blind" in json.load(answer)["degraded"]
        except urllib.error.HTTPError as error:
            return error.code, "inbox_blind" in json.load(error)["degraded"]

    def close(self) -> None:
        for process in self.processes:
            process.end()

    # ---- orders ----------------------------------------------------------------------------------------------------

    def order(self, *at: float) -> dict[str, Any]:
        """Open an order whose SMS come so many seconds from now."""
        plan = [{"at": seconds} for seconds in at]
        shown = {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}
        return ask(f"{self.sandbox}/control/orders", {"provider": "smsverified", "sms": plan, "gap": 0.5}, shown)

    def watch(self, order: dict[str, Any], admin: str, **wanted: str) -> str:
        asked = {"account": "smsverified", "order_id": order["order"], "recipient": order["number"], **wanted}
        return str(ask(f"{admin}/v1/watches", asked, self._shown())["watch_id"])

    def _shown(self) -> dict[str, str]:
        token = (self.directory / "own" / "admin-token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    def book(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.sandbox}/book", timeout=30) as answer:
            sms: list[dict[str, Any]] = json.load(answer)["sms"]
        return sms

    def owned(self, pollers: Sequence[Poller]) -> int:
        return sum(poller.shards() for poller in pollers)

    # ---- topics ----------------------------------------------------------------------------------------------------

    def read(self, topic: str, *, committed: bool = False) -> list[dict[str, Any]]:
        return asyncio.run(self._read(self.prefix + topic, "read_committed" if committed else "read_uncommitted"))

    async def _read(self, topic: str, isolation: str) -> list[dict[str, Any]]:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self.bootstrap_servers,
            group_id=None,
            auto_offset_reset="earliest",
            isolation_level=isolation,
        )
        await consumer.start()
        try:
            parts = list(consumer.assignment())
            ends = await consumer.end_offsets(parts)
            values: list[dict[str, Any]] = []
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    values += [json.loads(record.value) for record in records if record.value is not None]
            return values
        finally:
            await consumer.stop()

    def states(self) -> dict[str, list[dict[str, Any]]]:
        """The committed states of each order, as they followed each other."""
        states: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for state in self.read("sms.watch-states.v1", committed=True):
            states[state["watch"]["order_id"]].append(state)
        return states

    def uncommitted(self) -> int:
        """How many orders have shown more SMS than their newest committed state knows, although there was time."""
        shown = Counter(sms["order"] for sms in self.book() if sms["shown"] is not None)
        time.sleep(1)
        known = {order: states[-1].get("sms_count", 0) for order, states in self.states().items()}
        return sum(count > known.get(order, 0) for order, count in shown.items())

    def compared(self) -> tuple[list[str], int, int]:
        """Compare the sandbox's book with the topic: what does not agree, how many SMS there are, and repeats."""
        shown = {(sms["order"], sms["nonce"]) for sms in self.book() if sms["shown"] is not None}
        events = self.read("sms.received.v1")
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for event in events:
            found[event["order_id"], event["code"]].add(event["id"])
        wrong = [f"{key} was shown and is lost" for key in shown - set(found)]
        wrong += [f"{key} was never shown" for key in set(found) - shown]
        wrong += [f"{key} has {len(ids)} ids" for key, ids in found.items() if len(ids) > 1]
        return wrong, len(found), len(events) - len({event["id"] for event in events})


def ask(url: str, body: dict[str, Any], headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return answered(request)


def answered(request: urllib.request.Request) -> dict[str, Any]:
    """Return the answer, asked for again while it is 503."""
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                value: dict[str, Any] = json.load(answer)
                return value
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.5)


def wait_until(holds: Callable[[], object], seconds: float) -> float:
    """Return after how many seconds it held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"it did not hold within {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - began
