"""A Kafka that outlives the command that started it: `smsbus kafka up`, `down`, `status`. Known by `running.json`."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.local_kafka.cluster import Cluster, open_cluster
from app.local_kafka.layout import load_layout, write_json
from app.local_kafka.process import Process

DEFAULT_PORT = 9092  # the default of `kafka.bootstrap_servers`


@dataclass(frozen=True)
class Detached:
    """What was started in `directory`, and may have ended since."""

    directory: Path
    bootstrap_servers: str
    processes: tuple[Process, ...]

    @property
    def runs(self) -> bool:
        """Whether every node's process exists."""
        return bool(self.processes) and all(process.runs() for process in self.processes)

    def to_dict(self) -> dict[str, object]:
        """Return what `status --json` prints; the state file holds the same but for what runs now."""
        nodes = zip(
            self.bootstrap_servers.split(","), self.processes, strict=False
        )  # nothing started: one empty address
        return {
            "running": self.runs,
            "bootstrap_servers": self.bootstrap_servers,
            "directory": str(self.directory),
            "nodes": [{"address": address, "pid": each.pid, "running": each.runs()} for address, each in nodes],
        }


def default_directory() -> Path:
    """Return the directory of this user's detached Kafka, with its data."""
    return Path(platformdirs.user_state_dir("smsbus")) / "kafka"


def find(directory: Path) -> Detached | None:
    """Return what was started in `directory`, None if nothing was."""
    try:
        kept = json.loads(_state(directory).read_bytes())
    except FileNotFoundError:
        return None
    homes = [directory / f"node-{number}" for number in range(1, len(kept["pids"]) + 1)]
    processes = [Process(pid, home / "server.properties") for pid, home in zip(kept["pids"], homes, strict=True)]
    return Detached(directory, kept["bootstrap_servers"], tuple(processes))


async def up(directory: Path, *, nodes: int | None, port: int | None) -> Detached:
    """Start the nodes in `directory` that are not running and leave them running; they serve when this returns.

    `nodes` and `port` default to those of the directory, else to one node at DEFAULT_PORT. Raises LocalKafkaError,
    and then nothing runs that did not run before.
    """
    layout = load_layout(directory)
    nodes = nodes or (len(layout.ports) if layout else 1)
    if nodes == 1 and not layout:
        port = port or DEFAULT_PORT
    cluster = await open_cluster(directory, nodes=nodes, port=port, fast=True, held=False)
    _adopt(cluster, find(directory))
    missing = [node for node in cluster.nodes if not node.runs]
    try:
        await cluster.spawn()
        _keep(directory, cluster)  # before they serve: if we die, `down` still finds them
        await cluster.until_ready()
    except BaseException:
        await asyncio.gather(*(node.kill() for node in missing))
        raise
    return Detached(directory, cluster.bootstrap_servers, tuple(filter(None, (node.process for node in cluster.nodes))))


async def down(detached: Detached) -> None:
    """Stop every node in order; the data stays."""
    await asyncio.gather(*(process.stop() for process in detached.processes))
    _state(detached.directory).unlink(missing_ok=True)


def _adopt(cluster: Cluster, detached: Detached | None) -> None:
    if detached:
        for node, process in zip(cluster.nodes, detached.processes, strict=True):
            node.process = process


def _keep(directory: Path, cluster: Cluster) -> None:
    pids = [node.pid for node in cluster.nodes]
    kept = {"bootstrap_servers": cluster.bootstrap_servers, "directory": str(directory), "pids": pids}
    write_json(_state(directory), kept)


def _state(directory: Path) -> Path:
    return directory / "running.json"
