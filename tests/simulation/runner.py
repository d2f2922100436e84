"""Runs scenarios, and tells what came of them."""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from statistics import fmean

from tests.simulation import breaks
from tests.simulation.audit import DAY, audit, delays, p99
from tests.simulation.clock import START
from tests.simulation.evidence import Evidence
from tests.simulation.findings import Finding
from tests.simulation.plan import Plan
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.town import Town

HEAD = "scenario       seed    SMS   mean    p99    max  req/s   ends on time    steps     wall  digest"


def run(chosen: argparse.Namespace) -> int:
    """Return 0 when no rule was broken, and 1 otherwise; print the table and the stories."""
    print(HEAD, flush=True)
    broken = breaks.BREAKS[chosen.broken]() if chosen.broken else nullcontext()
    failed = False
    with broken:
        for plan in plans(chosen.scenario):
            for seed in range(chosen.seed, chosen.seed + chosen.seeds):
                began = time.perf_counter()
                town = Town(plan, seed, chosen.hours)
                town.run()
                found = [*audit(town), *held(town, chosen.hours)]
                print(line(town, time.perf_counter() - began), flush=True)
                failed |= bool(found)
                tell(plan, seed, chosen.hours, found, chosen.stories)
    return int(failed)


def plans(names: str) -> list[Plan]:
    """Return the scenarios of these names."""
    return list(SCENARIOS.values()) if names == "all" else [SCENARIOS[name] for name in names.split(",")]


def line(town: Town, wall: float) -> str:
    """Return one row of the table."""
    evidence = Evidence(town)
    found = sorted(delays(evidence, START, evidence.over)) or [0.0]
    due = [case for case in evidence.cases if case.ends + 660 < evidence.over]
    on_time = sum(evidence.end_of(case) <= case.ends + 660 for case in due)
    rates = Counter(each.account for each in town.providers.log.all)
    rate = max(rates.values(), default=0) / town.seconds
    return (
        f"{town.plan.name:14} {town.seed:4} {len(found):6} {fmean(found):6.1f} {p99(found):6.1f} {found[-1]:6.1f} "
        f"{rate:6.2f} {on_time:7}/{len(due):<6} {town.driver.steps:8} {wall:7.1f}s  {town.digest()}"
    )


def held(town: Town, hours: float) -> Iterator[Finding]:
    """Run again what had a step that held its loop: a machine has hiccups, a program does it again at the same step."""
    if not town.driver.held:
        return
    again = Town(town.plan, town.seed, hours)
    again.run()
    steps = {each.step for each in again.driver.held}
    for each in town.driver.held:
        if each.step in steps:
            yield Finding("held", 0.0, f"step {each.step}", f"{each.seconds * 1000:.0f} ms in {each.what}")


def tell(plan: Plan, seed: int, hours: float, found: list[Finding], stories: int) -> None:
    """Print the first breaches of each rule, and how to see them again."""
    counts = Counter(each.rule for each in found)
    for rule, count in counts.items():
        print(f"\n{plan.name}, seed {seed}: rule '{rule}' broken {count} times")
        for finding in [each for each in found if each.rule == rule][:stories]:
            print(finding)
    if found:
        print(f"\nagain: python -m tests.simulation --scenario {plan.name} --seed {seed} --hours {hours}\n", flush=True)


__all__ = ["DAY", "run"]
