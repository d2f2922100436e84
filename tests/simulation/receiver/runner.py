"""Runs one scenario of the receiver with one seed, and tells what came of it."""

import argparse
import statistics
import time
from typing import Final

from tests.simulation.findings import Finding
from tests.simulation.receiver.audit import audit
from tests.simulation.receiver.scenarios import SCENARIOS
from tests.simulation.receiver.town import ReceiverTown

__all__: Final = ("SCENARIOS", "run")


def run(chosen: argparse.Namespace) -> list[Finding]:
    """Return all breaches of a run; print a row of the table."""
    began = time.perf_counter()
    town = ReceiverTown(SCENARIOS[chosen.scenario], chosen.seed, chosen.hours)
    try:
        town.run()
        found = audit(town)
        print(row(town, time.perf_counter() - began), flush=True)
    finally:
        town.remove()
    return found


def row(town: ReceiverTown, wall: float) -> str:
    """Return one row of the table."""
    took = sorted(post.answered - post.sent for post in town.posts if post.ok) or [0.0]
    p99 = took[int(len(took) * 0.99)]
    rate = len(town.posts) / town.seconds
    refused = f"{sum(post.response.status >= 400 for post in town.posts)} refused"
    return (
        f"{town.plan.name:17} {town.seed:4} {len(took):6} {statistics.fmean(took):6.1f} {p99:6.1f} {took[-1]:6.1f} "
        f"{rate:6.2f} {refused:>14} {town.driver.steps:9} {wall:6.1f}s  {town.digest()}"
    )
