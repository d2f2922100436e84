"""Which test files run in one process with each other, where `--dist loadfile` gives each process whole files.

Files that need a cluster of their own share it: idle brokers cost a process as much as the tests that wait for them.
Files that wait for most of their time take turns with those that compute, so that no core is idle.
"""

import re
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT: Final = Path(__file__).parents[1]
CLUSTERS: Final = {
    "three brokers": re.compile(r"\b(?:kafka3|smsbus3)\b"),
    "brokers over TLS": re.compile(r"\bsecure: SecureKafka\b"),
}


WAITS: Final = "tests/integration"
COMPUTES: Final = "tests/unit"


class LoadClusterScheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """All files that use one of the shared clusters go to one process, every other file to any."""

    def _split_scope(self, nodeid: str) -> str:
        return together_with(nodeid.split("::", 1)[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files of unit tests follow each file that waits; all others stay where they are."""
    last = {item.path: number for number, item in enumerate(items)}
    waits, computes = ([path for path in last if path.is_relative_to(ROOT / part)] for part in (WAITS, COMPUTES))
    if waits:
        follows = {path: last[waits[number * len(waits) // len(computes)]] for number, path in enumerate(computes)}
        turns = [(follows.get(item.path, number), item.path in follows) for number, item in enumerate(items)]
        items[:] = [item for _, item in sorted(zip(turns, items, strict=True), key=itemgetter(0))]


@cache
def together_with(path: str) -> str:
    """Return the name of the cluster that the tests of a file use, or else the file's own."""
    source = (ROOT / path).read_text("utf-8")
    return next((name for name, uses in CLUSTERS.items() if uses.search(source)), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadClusterScheduling | None:
    """Replace the scheduler of `--dist loadfile`."""
    return LoadClusterScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
