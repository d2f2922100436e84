"""`smsbus kafka run`, as systemd runs it: ready with our topics, stopped in order, ended where its node ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.local_kafka.layout import is_free
from bus.kafka.topics import check
from bus.settings import KafkaSettings

CLI = (sys.executable, "-m", "app", "kafka", "run")
ROOT = Path(__file__).parents[2]
PATIENCE = 60

pytestmark = [pytest.mark.installation, pytest.mark.timeout(180)]


@contextmanager
def running(directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run it; it has said that it is ready inside the block."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(directory / "notify"))
        notified.settimeout(PATIENCE)
        environ = os.environ | {"NOTIFY_SOCKET": str(directory / "notify"), "PYTHONPATH": str(ROOT)}
        command = [*CLI, "--dir", str(directory / "kafka"), "--port", str(port)]
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, cwd=directory) as process:
            try:
                assert notified.recv(100) == b"READY=1"
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


def node(process: subprocess.Popen[bytes]) -> int:
    """Return the process of its Java."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return next(int(pid) for pid in children if b"kafka.Kafka" in Path(f"/proc/{pid}/cmdline").read_bytes())


async def test_it_is_ready_with_our_topics_and_stops_in_order_and_ends_with_its_node(kafka_jars, tmp_path):
    port = next(port for port in range(18_000, 19_000) if is_free(port))
    with running(tmp_path, port) as process:
        problems = await check(KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}"))
        process.send_signal(signal.SIGTERM)
        stopped = process.wait(PATIENCE)
    (tmp_path / "notify").unlink()
    with running(tmp_path, port) as process:
        os.kill(node(process), signal.SIGKILL)
        ended, said = process.wait(PATIENCE), process.stderr.read().decode()

    assert problems == []
    assert stopped == 0
    assert json.loads((tmp_path / "kafka" / "cluster.json").read_text())["ports"][0][0] == port
    last = said.splitlines()[-1]
    assert ended == 1
    assert last.startswith("smsbus: Kafka node 1 has ended by itself: ")
    assert last.endswith(f"(its log: {tmp_path / 'kafka' / 'node-1' / 'kafka.log'})")
