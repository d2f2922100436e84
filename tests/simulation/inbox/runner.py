"""Runs one scenario of the inbox with one seed, and tells what came of it."""

import argparse
import hashlib
import json
import time
from typing import Final

from tests.simulation.findings import Finding
from tests.simulation.inbox.clients import Missed
from tests.simulation.inbox.run import run as run_plan
from tests.simulation.inbox.scenarios import SCENARIOS

__all__: Final = ("SCENARIOS", "run")
READ: Final = ("waited for", "in order", "streamed", "paged")


def run(chosen: argparse.Namespace) -> list[Finding]:
    """Return the first breach of a run; print a row of the table if there is none."""
    began = time.perf_counter()
    try:
        counts = run_plan(chosen.seed, chosen.hours, SCENARIOS[chosen.scenario])
    except Missed as missed:
        return [Finding("missed", missed.at, "inbox", str(missed))]
    print(row(chosen, counts, time.perf_counter() - began), flush=True)
    return []


def row(chosen: argparse.Namespace, counts: dict[str, int], wall: float) -> str:
    """Return one row of the table: what clients have read, and how often they were refused."""
    read, refused = (sum(each) for each in (map(counts.get, READ, [0] * 4), _refused(counts)))
    rate, digest = read / chosen.hours / 3600, hashlib.sha256(json.dumps([*counts.items()]).encode()).hexdigest()[:12]
    said = f"{refused} refused"
    return (
        f"{chosen.scenario:17} {chosen.seed:4} {read:6} {'':6} {'':6} {'':6} {rate:6.2f} {said:>14} {'':9} "
        f"{wall:6.1f}s  {digest}"
    )


def _refused(counts: dict[str, int]) -> list[int]:
    return [count for what, count in counts.items() if what.endswith(("gone", "blind", "closing"))]
