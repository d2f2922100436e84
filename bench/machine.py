"""The machine: which cores run what, and the facts to record about a run."""

import json
import os
import platform
import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = ROOT / ".venv-bench" / "bin"
FASTIFY: Final = ROOT / "bench" / "peers" / "fastify"
OURS: Final = ("aiohttp", "aiokafka", "uvloop", "pydantic")
THEIRS: Final = ("fastapi", "uvicorn", "httptools", "confluent-kafka", "mq-bridge")


class Cores(NamedTuple):
    """Which cores run what; the same for all if nothing is pinned."""

    server: frozenset[int]
    load: frozenset[int]
    brokers: frozenset[int]

    @property
    def apart(self) -> bool:
        return self.server != self.load

    @property
    def load_alone(self) -> bool:
        """Whether the load may spin, having a core of its own."""
        return self.load.isdisjoint(self.server | self.brokers)

    @property
    def with_a_second(self) -> frozenset[int]:
        """For a server with two processes: its core and one of Kafka's."""
        return self.server | {max(self.brokers)}


def share(available: Sequence[int]) -> Cores:
    """Give the server a core of its own and the load another, Kafka the rest; of two, Kafka has that of the load."""
    every = frozenset(available)
    if len(every) < 2:
        return together(available)
    first, second, *rest = sorted(every)
    return Cores(frozenset({first}), frozenset({second}), frozenset(rest or {second}))


def together(available: Sequence[int]) -> Cores:
    """Pin nothing."""
    every = frozenset(available)
    return Cores(every, every, every)


def available() -> list[int]:
    return sorted(os.sched_getaffinity(0))


@contextmanager
def on(cores: Collection[int]) -> Iterator[None]:
    """Pin everything that is started in this context to these cores: threads and children inherit them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def circumstances(cores: Cores) -> dict[str, Any]:
    """Return the facts that are needed to repeat the run, and to compare it."""
    return {
        "commit": _said(["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty"]),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": len(available()),
            "processor": _processor(),
            "kernel": platform.release(),
            "pinned": cores.apart,
        },
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    asked = f"import json, importlib.metadata as m; print(json.dumps({{n: m.version(n) for n in {THEIRS}}}))"
    theirs = _said([str(PEERS / "python"), "-c", asked])
    node = json.loads((FASTIFY / "package.json").read_text("utf-8"))["dependencies"]
    found = {
        "python": platform.python_version(),
        **{name: version(name) for name in OURS},
        "kafka": _kafka_version(),
        **(json.loads(theirs) if theirs else {}),
        **(
            node | {"node": _said(["node", "--version"]).removeprefix("v")}
            if (FASTIFY / "node_modules").exists()
            else {}
        ),
        "bento": _said([str(PEERS / "bento"), "--version"]).partition("\n")[0].removeprefix("Version: v"),
    }
    return {name: words for name, words in found.items() if words}


def _said(command: Sequence[str]) -> str:
    """Return the output of a program; empty if it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _kafka_version() -> str:
    lines = (ROOT / "app" / "kafka_jars.lock").read_text("utf-8").splitlines()
    return next(line.rsplit(":", 1)[1] for line in lines if "org.apache.kafka:kafka-clients:" in line)
