"""Receiver CPU per accepted callback, against a bare aiohttp handler, on a real Apache Kafka.

`make bench` runs it; it prints one table and writes nothing. What is measured and how: README.md beside this file.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.local_kafka.cluster import local_kafka
from bus import topics
from bus.settings import KafkaSettings

CONNECTIONS: Final = (32, 128)
ROUNDS: Final = 7
SECONDS: Final = 2.0  # of load a contender and round
WARM_UP: Final = 1.0
MEMORY: Final = Path("/dev/shm")  # the broker's disk is not what is measured: its fsyncs would idle the receiver
TOKEN: Final = "bench-token-bench-token-bench"
READY_SECONDS: Final = 60

TEXTS: Final = (
    "Your WhatsApp code: {code}\nDon't share this code with others ({number})",
    "Use {code} to verify your account. Message {number}",
    "{code} is your Acme verification code. Ref {number}",
    "Ваш код: {code}. Никому его не говорите ({number})",
    "【京东】验证码{code}，5分钟内有效。#{number}",
    "Your parcel {number} arrives tomorrow between 12:45 and 14:00.",
    "[Acme] Dear customer, {code} is your OTP for login. Valid for 10 minutes. {number}",
    "{number} new offers near you, reply STOP to opt out",
)

FLOOR: Final = """
import asyncio, sys, uvloop
from aiohttp import web

async def answer(request):
    await request.read()
    return web.json_response({"status": "accepted"})

async def main():
    app = web.Application()
    app.router.add_post("/v1/pingme/{token}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=1024).start()
    await asyncio.Event().wait()

uvloop.run(main())
"""


@dataclass
class Contender:
    """A server process and, by number of connections, its CPU µs a request in each round."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    rounds: dict[int, list[float]] = field(default_factory=lambda: {each: [] for each in CONNECTIONS})
    rates: dict[int, list[float]] = field(default_factory=lambda: {each: [] for each in CONNECTIONS})
    void: str | None = None

    def cpu_ns(self) -> int:
        """What all of its threads have run so far (proc_pid_schedstat(5): the first figure)."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def median(self, connections: int) -> float:
        return statistics.median(self.rounds[connections])


# ---- the load: raw sockets, prebuilt bytes, a closed loop on each connection -----------------------------------


class Requests:
    """Callbacks as PingMe posts them, with a text and a time that no other has; built before the clock runs."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def batch(self, count: int) -> Iterator[bytes]:
        return iter([self._one(number) for number in itertools.islice(self._numbers, count)])

    def _one(self, number: int) -> bytes:
        code = f"{number % 1000:03}-{number // 1000 % 1000:03}"
        minutes, milliseconds = divmod(number, 60_000)
        body = json.dumps(
            {
                "userId": "20212312",
                "app": "WhatsApp",
                "from": "+12025550143",
                "to": f"1647{number % 5000:07}",
                "text": TEXTS[number % len(TEXTS)].format(code=code, number=number),
                "time": f"2026-11-22T{minutes // 60 % 24:02}:{minutes % 60:02}:{milliseconds / 1000:06.3f}Z",
            }
        ).encode()
        head = (
            f"POST /v1/pingme/{TOKEN} HTTP/1.1\r\nHost: sms.example.org\r\nUser-Agent: bench\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Load:
    """All connections of one measurement."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.accepted = 0
        self.bad: str | None = None
        self.stopping = False


class Connection(asyncio.Protocol):
    """One request at a time: the next when the answer is there."""

    def __init__(self, load: Load) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load = load
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self._buffer = b""
        if not head.startswith(b"HTTP/1.1 200") or b'"accepted"' not in body:
            self._load.bad = (head.partition(b"\r\n")[0] + b" " + body[:60]).decode(errors="replace")
        self._load.accepted += 1
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.ended.done():
            self._load.bad = "a connection was closed"
            self.ended.set_result(None)

    def _next(self) -> None:
        request = None if self._load.stopping or self._load.bad else next(self._load.requests, None)
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def measure(contender: Contender, connections: int, requests: Iterator[bytes], seconds: float) -> None:
    """One round of one contender: CPU µs a request, from the first request to the last answer."""
    load = Load(requests)
    loop = asyncio.get_running_loop()
    cpu, started = contender.cpu_ns(), time.perf_counter()
    opened = await asyncio.gather(
        *(loop.create_connection(lambda: Connection(load), "127.0.0.1", contender.port) for _ in range(connections))
    )
    await asyncio.sleep(seconds)
    load.stopping = True
    await asyncio.wait_for(asyncio.gather(*(protocol.ended for _, protocol in opened)), 30)
    elapsed, cpu = time.perf_counter() - started, contender.cpu_ns() - cpu
    contender.void = contender.void or load.bad
    contender.rounds[connections].append(cpu / 1000 / load.accepted)
    contender.rates[connections].append(load.accepted / elapsed)


# ---- the contenders ---------------------------------------------------------------------------------------------


def cores() -> tuple[set[int], set[int], set[int]]:
    """The server's core, the generator's, the broker's: apart as far as the machine has them."""
    all_of_them = sorted(os.sched_getaffinity(0))
    if len(all_of_them) < 3:
        sys.exit("this needs three cores: one for the server, one for the load, one or more for Kafka")
    return {all_of_them[0]}, {all_of_them[1]}, set(all_of_them[2:])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def server(name: str, command: list[str], port: int, core: set[int], **environ: str) -> Iterator[Contender]:
    """A server process pinned to one core, ready to answer."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.sched_setaffinity(process.pid, core)  # inherited by its threads
    try:
        _wait_for(process, port)
        yield Contender(name, process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"{process.args!r} does not serve")


@contextmanager
def contenders(bootstrap_servers: str, directory: Path, core: set[int]) -> Iterator[list[Contender]]:
    """The floor twice (an A/A check) and the installed program, its fast lane on and off."""
    with ExitStack() as stack:

        def floor(name: str) -> Contender:
            port = free_port()
            return stack.enter_context(server(name, [sys.executable, "-c", FLOOR, str(port)], port, core))

        def smsbus(name: str, **environ: str) -> Contender:
            return stack.enter_context(_smsbus(name, bootstrap_servers, directory / name, core, **environ))

        yield [
            floor("bare aiohttp"),
            smsbus("smsbus serve"),
            smsbus("the same, fast lane off", SMSBUS_RECEIVER__FAST_LANE="false"),
            floor("bare aiohttp again"),
        ]


@contextmanager
def _smsbus(name: str, bootstrap_servers: str, directory: Path, core: set[int], **environ: str) -> Iterator[Contender]:
    port, admin = free_port(), free_port()
    program = server(
        name,
        [str(Path(sys.executable).with_name("smsbus")), "serve"],
        port,
        core,
        SMSBUS_DATA_DIR=str(directory),
        SMSBUS_KAFKA__BOOTSTRAP_SERVERS=bootstrap_servers,
        SMSBUS_RECEIVER__HOST="127.0.0.1",
        SMSBUS_RECEIVER__PORT=str(port),
        SMSBUS_ADMIN__PORT=str(admin),
        SMSBUS_ACCOUNTS__BENCH__PROVIDER="pingme",
        SMSBUS_ACCOUNTS__BENCH__CALLBACK_TOKENS=TOKEN,
        SMSBUS_LOG__LEVEL="warning",
        **environ,
    )
    with program as contender:
        yield contender
        _reconcile(contender, admin)


def _reconcile(bus: Contender, admin: int) -> None:
    """What was answered is in Kafka, all of it without the disk; otherwise it was not this that was measured."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counts = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}
    if counts["smsbus_accepted_total"] != counts["smsbus_published_total"] or counts["smsbus_pending"]:
        bus.void = "the ledger does not add up"


# ---- the run ----------------------------------------------------------------------------------------------------


async def run() -> list[Contender]:
    server_core, load_core, broker_cores = cores()
    os.sched_setaffinity(0, broker_cores)  # inherited by the broker
    with tempfile.TemporaryDirectory(prefix="smsbus-bench-", dir=MEMORY if MEMORY.is_dir() else None) as name:
        async with local_kafka(Path(name) / "kafka", fast=False) as kafka:
            os.sched_setaffinity(0, load_core)
            await topics.create(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers))
            with contenders(kafka.bootstrap_servers, Path(name), server_core) as all_of_them:
                await _rounds(all_of_them)
                return all_of_them


async def _rounds(all_of_them: list[Contender]) -> None:
    requests = Requests()
    for turn in range(ROUNDS + 1):  # the first one warms up: Java compiles, caches fill
        for connections in CONNECTIONS:
            for contender in all_of_them:
                await measure(contender, connections, requests.batch(60_000), WARM_UP if turn == 0 else SECONDS)
                if turn == 0:
                    contender.rounds[connections].clear()
                    contender.rates[connections].clear()


def table(all_of_them: list[Contender]) -> str:
    floor = all_of_them[0]
    lines = [
        "| server | connections | CPU µs a request: median (min–max) | requests/s | ÷ floor |",
        "|---|---:|---:|---:|---:|",
    ]
    for connections in CONNECTIONS:
        for contender in all_of_them:
            values = contender.rounds[connections]
            ratio = f"{contender.median(connections) / floor.median(connections):.2f}"
            lines.append(
                f"| {contender.name} | {connections} | {contender.median(connections):.1f} "
                f"({min(values):.1f}–{max(values):.1f}) | {statistics.median(contender.rates[connections]):,.0f} "
                f"| {'void: ' + contender.void if contender.void else ratio} |"
            )
    return "\n".join(lines)


def main() -> int:
    all_of_them = asyncio.run(run())
    print(table(all_of_them))
    return 1 if any(contender.void for contender in all_of_them) else 0


if __name__ == "__main__":
    sys.exit(main())
