"""The configuration of a node: `server.properties` and the Java command line. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
LOG4J2 = Path(__file__).with_name("log4j2.properties")

# 200 MB resident and ready in 1 to 2 s (see quick_start.py); a benchmark leaves these out (default compiler, G1).
SMALL_AND_QUICK = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

ALWAYS: Mapping[str, object] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    "metadata.max.idle.interval.ms": 10_000,  # by default an idle controller writes a record twice a second
    "offsets.topic.num.partitions": 8,  # 50 by default: a first start would take seconds longer
    "transaction.state.log.num.partitions": 8,
    "share.coordinator.state.topic.num.partitions": 8,
    "log.cleaner.dedupe.buffer.size": 16 << 20,  # 128 MiB by default, half of the heap
}

# Acknowledged means fsynced, because no second node has a copy: it survives power loss too. Measured cost:
# 0.6 -> 1.1 ms a record, and 25 000 records/s instead of 100 000 in batches of 100.
# A killed node is refused until its old session has ended; 9 s by default.
ONE_NODE: Mapping[str, object] = {
    "log.flush.interval.messages": 1,
    "broker.heartbeat.interval.ms": 400,
    "broker.session.timeout.ms": 2000,
}

# A dead node is noticed within 3 s instead of 9 s. Nothing is fsynced: two nodes have a record when it is acknowledged.
THREE_NODES: Mapping[str, object] = {"broker.heartbeat.interval.ms": 500, "broker.session.timeout.ms": 3000}


class Ports(NamedTuple):
    """The two loopback ports of a node."""

    broker: int
    controller: int


class ClientPorts(NamedTuple):
    """For a node that clients reach through a proxy: a third port, and the proxy's."""

    listens: int
    advertised: int


def server_properties(
    node: int,
    cluster: Sequence[Ports],
    log_directory: Path,
    client: ClientPorts | None = None,
    more: Mapping[str, object] | None = None,
) -> str:
    """Return the configuration of node number `node` (1, 2, …) of a cluster with these ports.

    With `client` for every node, a client of `listens` learns the `advertised` ports of all; a client of a broker's own
    port learns those, and so do the nodes. `more` settings win over ours.
    """
    ports = cluster[node - 1]
    voters = ",".join(f"{number}@{HOST}:{each.controller}" for number, each in enumerate(cluster, 1))
    own: dict[str, object] = {
        "node.id": node,
        "listeners": f"PLAINTEXT://{HOST}:{ports.broker},CONTROLLER://{HOST}:{ports.controller}",
        "controller.quorum.voters": voters,
        "log.dirs": log_directory,
    }
    if client:
        own |= _third_listener(ports, client, own["listeners"])
    settings = own | dict(ALWAYS) | _replication(len(cluster)) | dict(ONE_NODE if len(cluster) == 1 else THREE_NODES)
    settings |= more or {}
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _third_listener(ports: Ports, client: ClientPorts, listeners: object) -> dict[str, object]:
    return {
        "listeners": f"{listeners},CLIENT://{HOST}:{client.listens}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.broker},CLIENT://{HOST}:{client.advertised}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }


def _replication(nodes: int) -> dict[str, object]:
    """Every topic on all nodes, one of which may be down: min.insync.replicas as in decision 3."""
    enough = max(1, nodes - 1)
    settings: dict[str, object] = {"default.replication.factor": nodes, "min.insync.replicas": enough}
    for topic in ("transaction.state.log", "share.coordinator.state.topic"):
        settings |= {f"{topic}.replication.factor": nodes, f"{topic}.min.isr": enough}
    return settings | {"offsets.topic.replication.factor": nodes}


def java_command(java: Path, classpath: str, home: Path, main: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return the command that runs `main` (a class and its arguments) for the node whose directory is `home`."""
    return [
        str(java),
        *options,
        f"-Dsmsbus.home={home}",
        f"-Dlog4j2.configurationFile={LOG4J2}",
        f"-Djava.io.tmpdir={home}",  # native codecs are unpacked there; the usual place may be mounted noexec
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",  # a dead node is noticed and restarted, one short of memory is not
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        classpath,
        *main,
    ]


def addresses(cluster: Sequence[Ports]) -> str:
    """Return the bootstrap servers of a cluster."""
    return ",".join(f"{HOST}:{ports.broker}" for ports in cluster)
