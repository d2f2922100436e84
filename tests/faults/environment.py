"""Under which circumstances figures were measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tests.faults.figures import ROOT


def circumstances(seed: int, scale: float) -> dict[str, Any]:
    """Return what a stranger must know to run it again, and what he must not compare."""
    versions = {name: version(name) for name in ("aiokafka", "aiohttp")}
    return {
        "commit": _commit(),
        "seed": seed,
        "scale": scale,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **versions, "kafka": _kafka_version()},
        "machine": {"cores": len(os.sched_getaffinity(0)), "kernel": platform.release()},
    }


def _commit() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty"], cwd=ROOT, capture_output=True)
    return asked.stdout.decode().strip() or "unknown"


def _kafka_version() -> str:
    lines = (ROOT / "app" / "kafka_jars.lock").read_text("utf-8").splitlines()
    return next(line.rsplit(":", 1)[1] for line in lines if "org.apache.kafka:kafka-clients:" in line)
