"""A fixed set of runs, each in a process of its own; `make simulate` runs more of them, and longer."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulation.breaks import BREAKS

ROOT = Path(__file__).parents[2]
FIXED = {
    "business": 0.5,
    "failing_rents": 0.5,
    "bad_day": 0.4,
    "rents": 0.3,
    "replicas": 0.5,
    "kafka_away": 0.5,
    "wrong_clocks": 0.5,
    "requests": 0.5,
    "poison": 0.3,
    "mixed": 0.6,
}
"""Hours of each scenario."""


def simulate(scenario: str, hours: float, *more: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", "--here", "--scenario", scenario, "--hours", str(hours), *more]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("scenario", FIXED)
def test_every_rule_holds_in_this_scenario(scenario: str) -> None:
    run = simulate(scenario, FIXED[scenario])

    assert run.returncode == 0, run.stdout + run.stderr


def test_one_seed_determines_a_run_whichever_process_runs_it() -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda seed: simulate("mixed", 0.15, "--seed", seed), ("7", "7", "8")))

    digests = [re.findall(r"^mixed .* ([0-9a-f]{16})$", run.stdout, re.MULTILINE) for run in runs]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 1
    assert digests[0] != digests[2]


@pytest.mark.parametrize("name", BREAKS)
def test_a_program_that_is_broken_so_is_found(name: str) -> None:
    broken = BREAKS[name]

    run = simulate(broken.scenario, broken.hours, "--break", name, "--stories", "0")

    found = set(re.findall(r"^rule '(\w+)' broken", run.stdout, re.MULTILINE))
    assert run.returncode == 1, run.stdout + run.stderr
    assert found & broken.rules, run.stdout
