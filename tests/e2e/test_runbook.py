"""Every command of docs/runbook.md prints what the page says, typed where it says so.

What needs root, a cluster or other machines is marked on the page and left out.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.polling import wait_until
from tests.e2e.program import ROOT, free_port
from tests.e2e.runbook import OPERATIONS, PAGE, Block, blocks, problems_of, program
from tests.kafka_fixtures import TestKafka

AWAY = "Kafka is away"
TOKEN = "a-token-of-the-runbook-and-its-test"
ORDER = "38496653"
SETTINGS = """
[kafka]
bootstrap_servers = "{servers}"

[receiver]
host = "127.0.0.1"
port = {receiver}
public_url = "http://127.0.0.1:{receiver}"

[admin]
port = {admin}

[bus]
orphan_scan_interval = 1

[accounts.shop]
provider = "pingme"
callback_tokens = "{token}"

[accounts.grizzly]
provider = "grizzlysms"
api_key = "a-key-that-was-changed"
base_url = "{provider}/stubs/handler_api.php"
"""


class Machine:
    """A user's home with smsbus.toml in it, and the service that runs there."""

    def __init__(self, home: Path, servers: str, provider: str) -> None:
        self.home, self.servers = home, servers
        self.receiver, self.admin = free_port(), free_port()
        ports = {"receiver": self.receiver, "admin": self.admin}
        (home / "smsbus.toml").write_text(SETTINGS.format(servers=servers, provider=provider, token=TOKEN, **ports))
        (home / "smsbus.toml").chmod(0o600)
        (home / "republish.py").write_text(program(OPERATIONS, "republish"))
        (home / "forget.py").write_text(program(PAGE, "delete_records"))
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith(("SMSBUS", "XDG"))}
        self._environ = {
            **own,
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:{own['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": own.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),  # Kafka's jars
        }
        self._service: subprocess.Popen[bytes] | None = None

    @property
    def journals(self) -> Path:
        return self.home / ".local/share/smsbus/journal"

    def type(self, script: str, seconds: float = 120) -> str:
        """Type it into a shell; return what that shows."""
        script = script.replace("localhost:8081", f"127.0.0.1:{self.admin}").replace("localhost:9092", self.servers)
        shell = ["bash", "-c", f"exec 2>&1\n{script}"]
        done = subprocess.run(
            shell, cwd=self.home, env=self._environ, stdout=subprocess.PIPE, text=True, timeout=seconds
        )
        return done.stdout

    def serve(self) -> None:
        with (self.home / "service.log").open("wb") as log:
            command = [sys.executable, "-m", "app", "serve"]
            self._service = subprocess.Popen(command, cwd=self.home, env=self._environ, stdout=log, stderr=log)
        wait_until(lambda: '"serving"' in (self.home / "service.log").read_text(), 60)

    def post(self, text: str) -> int:
        """Post an SMS of this text; return the status."""
        sms = {"app": "jd", "from": "14160000000", "to": "16470000000", "userId": "x", "text": text}
        return self.post_bytes(json.dumps(sms).encode())

    def post_bytes(self, body: bytes) -> int:
        url = f"http://127.0.0.1:{self.receiver}/v1/pingme/{TOKEN}"
        with urllib.request.urlopen(url, body, timeout=30) as answer:
            return answer.status

    def reasons(self) -> str:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=5) as answer:
            return answer.read().decode()
        return ""

    def close(self) -> None:
        if self._service is not None:
            self._service.kill()
            self._service.wait()


@contextmanager
def provider_that_refuses_the_key() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"BAD_KEY")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture
def machine(own_kafka: TestKafka, tmp_path: Path) -> Iterator[Machine]:
    """A service that has had two SMS and a callback that is none; its other account's key is refused."""
    with provider_that_refuses_the_key() as provider:
        machine = Machine(tmp_path, own_kafka.bootstrap_servers, provider)
        try:
            machine.type("smsbus topics create")
            machine.serve()
            machine.type(f"smsbus watch add grizzly {ORDER}")
            assert [machine.post("your code is 5611"), machine.post_bytes(b"no JSON")] == [200, 200]
            yield machine
        finally:
            machine.close()


def typed(machine: Machine, wanted: list[Block]) -> list[str]:
    return [problem for block in wanted for problem in problems_of(block, machine.type(block.script))]


def leave_journals(machine: Machine) -> None:
    """Leave a copy of the service's journal as one whose process is gone, and one that was quarantined."""
    (own,) = (path.parent for path in machine.journals.glob("*/journal.sqlite"))
    shutil.copytree(own, machine.home / "left" / "leftbyanyone")
    shutil.copytree(own, machine.home / "quarantinedx.damaged")


def test_each_program_of_the_page_can_be_left_out_or_run() -> None:
    found = blocks()

    assert {block.stage for block in found} == {"", AWAY}
    assert sum(len(block.commands) for block in found) > 25


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_every_command_of_the_runbook_prints_what_the_page_says(machine: Machine, own_kafka: TestKafka) -> None:
    found = blocks()
    await own_kafka.kill()
    assert [await asyncio.to_thread(machine.post, f"your code is {n}") for n in (1111, 2222, 3333)] == [200] * 3
    await asyncio.to_thread(wait_until, lambda: "kafka_away" in machine.reasons(), 30)
    leave_journals(machine)
    problems = await asyncio.to_thread(typed, machine, [block for block in found if block.stage == AWAY])
    await own_kafka.start()
    await asyncio.to_thread(wait_until, lambda: "kafka_away" not in machine.reasons(), 60)
    (machine.home / "quarantinedx.damaged").rename(machine.journals / "quarantinedx.damaged")
    await asyncio.to_thread(wait_until, lambda: "journal_quarantined" in machine.reasons(), 30)
    await asyncio.to_thread(wait_until, lambda: "account_paused" in machine.reasons(), 60)
    problems += await asyncio.to_thread(typed, machine, [block for block in found if block.stage != AWAY])

    assert problems == [], "\n".join(problems)
