"""A fixed set of runs, each in a process of its own; `make simulate` runs more of them, and longer."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulation.breaks import BREAKS

ROOT = Path(__file__).parents[2]
FIXED = {
    "business": 0.4,
    "unlisted": 0.3,
    "failing_rents": 0.5,
    "bad_day": 0.4,
    "throttled": 0.3,
    "rents": 0.2,
    "replicas": 0.4,
    "restarts": 0.4,
    "kafka_away": 0.5,
    "wrong_clocks": 0.3,
    "requests": 0.4,
    "poison": 0.3,
    "mixed": 0.5,
}
"""Hours of each scenario."""

Run = subprocess.CompletedProcess[str]


def simulate(scenario: str, hours: float, *more: str) -> Run:
    command = [sys.executable, "-m", "tests.simulation", "--here", "--scenario", scenario, "--hours", str(hours), *more]
    environ = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Run]]]:
    """All of them, on as many cores as there are; a test waits for its own."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = {name: pool.submit(simulate, name, hours) for name, hours in FIXED.items()}
        for seed in ("7", "7 again", "8"):
            begun[f"mixed {seed}"] = pool.submit(simulate, "mixed", 0.15, "--seed", seed.split()[0])
        for name, broken in BREAKS.items():
            more = ("--break", name, "--stories", "0")
            begun[f"break {name}"] = pool.submit(simulate, broken.scenario, broken.hours, *more)
        yield begun
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("scenario", FIXED)
def test_every_rule_holds_in_this_scenario(runs: dict[str, Future[Run]], scenario: str) -> None:
    run = runs[scenario].result()

    assert run.returncode == 0, run.stdout + run.stderr


def test_one_seed_determines_a_run_whichever_process_runs_it(runs: dict[str, Future[Run]]) -> None:
    first, again, other = (
        re.findall(r"^mixed .* ([0-9a-f]{16})$", runs[f"mixed {seed}"].result().stdout, re.MULTILINE)
        for seed in ("7", "7 again", "8")
    )

    assert len(first) == 1
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", BREAKS)
def test_a_program_that_is_broken_so_is_found(runs: dict[str, Future[Run]], name: str) -> None:
    run = runs[f"break {name}"].result()

    found = set(re.findall(r"^rule '(\w+)' broken", run.stdout, re.MULTILINE))
    assert run.returncode == 1, run.stdout + run.stderr
    assert found & BREAKS[name].rules, run.stdout
