"""What stays the same for the life of a data directory: the cluster's id and its ports, kept in `cluster.json`."""

import json
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom

from app.local_kafka.config import HOST, Ports, addresses
from app.local_kafka.errors import LocalKafkaError

# Below Linux's ephemeral range (32768 up): while a broker is down, no outgoing connection may take its port.
FREE_PORTS = range(20_000, 32_000)
RUNNING = (
    "the Kafka in {} is running already, at {} (or another program uses its second port, {}): use that one, without "
    "--local-kafka, or stop it, or choose another directory"
)


@dataclass(frozen=True)
class Layout:
    """A cluster of `len(ports)` nodes below `directory`."""

    directory: Path
    cluster_id: str
    ports: tuple[Ports, ...]

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of all nodes, comma separated."""
        return addresses(self.ports)

    def home(self, number: int) -> Path:
        """The directory of node `number`."""
        return self.directory / f"node-{number}"

    @property
    def file(self) -> Path:
        """Where this is kept."""
        return self.directory / "cluster.json"


def open_layout(directory: Path, *, nodes: int, port: int | None) -> Layout:
    """Return the layout of `directory`, made and kept at the first call; `port` moves a single node's broker.

    Raises LocalKafkaError if the directory holds a cluster of another size or cannot be written.
    """
    if nodes != 1 and port is not None:
        raise LocalKafkaError("a port can be chosen for a single node only; three nodes use free ports")
    directory = directory.absolute()
    kept = load_layout(directory)
    if kept is not None and nodes == 1 and not is_free(kept.ports[0].controller):
        raise LocalKafkaError(RUNNING.format(directory, kept.bootstrap_servers, kept.ports[0].controller))
    layout = kept or _new_layout(directory, nodes)
    if len(layout.ports) != nodes:
        raise LocalKafkaError(
            f"{directory} holds a Kafka of {len(layout.ports)} node(s), not {nodes}: choose another directory"
        )
    if port is not None:
        layout = replace(layout, ports=(Ports(port, layout.ports[0].controller),))
    _save(layout)
    return layout


def load_layout(directory: Path) -> Layout | None:
    """Return the layout kept in `directory`, None if there is none."""
    try:
        kept = json.loads((directory / "cluster.json").read_bytes())
    except FileNotFoundError:
        return None
    return Layout(directory, kept["cluster_id"], tuple(Ports(*each) for each in kept["ports"]))


def _new_layout(directory: Path, nodes: int) -> Layout:
    free = _free_ports()
    ports = tuple(Ports(next(free), next(free)) for _ in range(nodes))
    return Layout(directory, "k" + secrets.token_urlsafe(16)[1:], ports)  # an id must not begin with a dash


def _save(layout: Layout) -> None:
    try:
        layout.directory.mkdir(parents=True, exist_ok=True)
        write_json(layout.file, {"cluster_id": layout.cluster_id, "ports": layout.ports})
    except OSError as error:
        raise LocalKafkaError(f"cannot store a Kafka in {layout.directory}: {error.strerror or error}") from error


def write_json(file: Path, content: object) -> None:
    """Replace `file` at once, or not at all."""
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps(content, indent=2) + "\n")
    scratch.replace(file)


def is_free(port: int) -> bool:
    """Tell whether a loopback port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_ports() -> Iterator[int]:
    return filter(is_free, SystemRandom().sample(FREE_PORTS, len(FREE_PORTS)))
