"""A real schema registry for tests: Apicurio, from Maven Central, on the Java of the local Kafka, in memory."""

import os
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.local_kafka.cluster import java
from tests.kafka_fixtures import free_client_ports
from tests.maven import Artifact, fetched

APICURIO = Artifact(
    "io.apicurio",
    "apicurio-registry-app",
    "3.3.3",
    "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63",
    classifier="all",
    packaging="tar.gz",
)
QUICK = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
READY_WITHIN = 120.0  # seconds; it takes 6, and a machine may be busy


@contextmanager
def apicurio(directory: Path) -> Iterator[str]:
    """Run a registry in a directory, and give its address."""
    with tarfile.open(fetched(APICURIO)) as archive:
        archive.extractall(directory, filter="data")
    port, management = free_client_ports(2)
    environment = {
        "PATH": os.environ["PATH"],
        "QUARKUS_HTTP_HOST": "127.0.0.1",
        "QUARKUS_HTTP_PORT": str(port),
        "QUARKUS_MANAGEMENT_HOST": "127.0.0.1",
        "QUARKUS_MANAGEMENT_PORT": str(management),
    }
    with (directory / "log").open("wb") as log:
        command = [str(java()), *QUICK, f"-Djava.io.tmpdir={directory}", "-jar", "quarkus-run.jar"]
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
    try:
        _wait(process, f"http://127.0.0.1:{port}/apis/registry/v3/system/info", directory / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not _responds(url):
        assert process.poll() is None, log.read_text()[-4000:]
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.1)


def _responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
