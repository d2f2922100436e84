"""Runs one scenario with one seed, and tells what came of it."""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext

from tests.simulation.audit import audit, delays, p99
from tests.simulation.breaks import BREAKS as OF_POLLERS
from tests.simulation.clock import START
from tests.simulation.evidence import Evidence
from tests.simulation.findings import Finding
from tests.simulation.inbox import runner as inbox
from tests.simulation.loop import HELD
from tests.simulation.receiver import runner as receiver
from tests.simulation.receiver.breaks import BREAKS as OF_RECEIVER
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.town import Town

HEAD = "scenario          seed    SMS   mean    p99    max  req/s   ends on time     steps    wall  digest"
END = 11 * 60.0  # seconds
RUNS = {name: each.run for each in (receiver, inbox) for name in each.SCENARIOS}
BREAKS = {**OF_POLLERS, **OF_RECEIVER}
YARDSTICK = 0.0065  # seconds of CPU
REPEATS = 2


def names(chosen: str) -> list[str]:
    """Return the scenarios that are meant."""
    return [*SCENARIOS, *RUNS] if chosen == "all" else chosen.split(",")


def run(chosen: argparse.Namespace) -> int:
    """Return 0 when no rule was broken, and 1 otherwise; print a row of the table, and the stories."""
    with BREAKS[chosen.broken].breaks() if chosen.broken else nullcontext():
        found = RUNS.get(chosen.scenario, _run_pollers)(chosen)
    tell(found, chosen.stories)
    if found:
        again = f"--scenario {chosen.scenario} --seed {chosen.seed} --hours {chosen.hours}"
        print(f"\nagain: python -m tests.simulation {again}\n", flush=True)
    return int(bool(found))


def _run_pollers(chosen: argparse.Namespace) -> list[Finding]:
    began = time.perf_counter()
    town = Town(SCENARIOS[chosen.scenario], chosen.seed, chosen.hours)
    town.run()
    found = audit(town)
    print(row(town, time.perf_counter() - began), flush=True)
    return [*found, *held(town, chosen.hours)]


def row(town: Town, wall: float) -> str:
    """Return one row of the table."""
    evidence = Evidence(town)
    found = sorted(delays(evidence, START, evidence.over)) or [0.0]
    due = [case for case in evidence.cases if case.ends + END < evidence.over]
    on_time = f"{sum(evidence.end_of(case) <= case.ends + END for case in due)}/{len(due)}"
    rate = max(Counter(each.account for each in town.providers.log.all).values(), default=0) / town.seconds
    mean = statistics.fmean(found)
    return (
        f"{town.plan.name:17} {town.seed:4} {len(found):6} {mean:6.1f} {p99(found):6.1f} {found[-1]:6.1f} "
        f"{rate:6.2f} {on_time:>14} {town.driver.steps:9} {wall:6.1f}s  {town.digest()}"
    )


def held(town: Town, hours: float) -> Iterator[Finding]:
    """Run again what had a step that held its loop: a machine has hiccups, a program does it each time at that step."""
    slow = {each.step: each for each in town.driver.held if each.seconds > 2 * HELD}
    for _ in range(REPEATS):
        if not slow:
            return
        again = Town(town.plan, town.seed, hours)
        again.driver.watched = slow
        again.run()
        limit = 2 * HELD * slowness()  # a machine that does other things beside counts some of them here
        steps = {each.step for each in again.driver.held if each.seconds > limit}
        slow = {step: each for step, each in slow.items() if step in steps and each.seconds > limit}
    for step, each in slow.items():
        yield Finding("held", 0.0, f"step {step}", f"{each.seconds * 1000:.0f} ms in {each.what}")


def slowness() -> float:
    """Return how much slower this machine is now than the one for which the limit was set, at least 1."""
    return max(1.0, statistics.median(_yardstick() for _ in range(15)) / YARDSTICK)


def _yardstick() -> float:
    began, total = time.thread_time(), 0
    for number in range(100_000):
        total += number * number % 7
    return time.thread_time() - began


def tell(found: list[Finding], stories: int) -> None:
    """Print the first breaches of each rule."""
    for rule, count in Counter(each.rule for each in found).items():
        print(f"\nrule '{rule}' broken {count} times")
        for finding in [each for each in found if each.rule == rule][:stories]:
            print(finding)
