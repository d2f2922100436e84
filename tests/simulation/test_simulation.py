"""A fixed set of runs, each in a process of its own; `make simulate` runs more of them, and longer.

`make test` runs each scenario for some minutes of virtual time, and the breaks that are found at once.
"""

import io
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from itertools import product
from multiprocessing import forkserver, get_context

import pytest

from tests.simulation.__main__ import main
from tests.simulation.runner import BREAKS

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
    "last_moments": 0.3,
    "poison": 0.3,
    "mixed": 0.5,
    "receiver_quiet": 0.2,
    "receiver_kafka": 0.7,
    "receiver_brokers": 0.5,
    "receiver_leaked": 0.5,
    "receiver_share": 1.2,
    "receiver_full": 1.0,
    "receiver_tokens": 1.0,
    "receiver_restarts": 0.8,
    "receiver_orphans": 1.0,
    "receiver_repeats": 0.8,
    "receiver_numbers": 0.3,
    "receiver_clocks": 0.7,
    "receiver_disk": 1.0,
    "receiver_crowd": 0.5,
    "receiver_mixed": 0.7,
}
"""Hours of each scenario."""
SOME = 0.1
"""Hours that show whether anything holds; what takes time to happen has it in `FIXED`."""
LATE = {
    "slows_down",
    "publishes_later_and_later",
    "pages_beside_the_budget",
    "shares_nothing",
    "remembers_everybody",
    "never_refills",
    "keeps_old_heads",
    "fails_now_and_then",
    "holds_the_loop",
    "retires_at_once",
    "reads_the_newest_first",
    "charges_nothing",
    "asks_again",
    "keeps_demand",
    "says_it_again",
    "counts_into_ids",
    "forgets_rows",
    "never_drops",
    "hears_no_retry_after",
    "adopts_nothing",
    "never_calms_down",
    "ends_during_polls",
    "hides_limits",
    "applies_again",
}
"""Breaks that take a processor more than a second and a half to be found."""
MIXED = ("mixed", "receiver_mixed")

Run = subprocess.CompletedProcess[str]


def simulate(scenario: str, hours: float, *more: str) -> Run:
    """Run one, in the process that this is called in."""
    arguments = ["--here", "--scenario", scenario, "--hours", str(hours), *more]
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
        code = main(arguments)
    return Run(arguments, code, said.getvalue())


def processes() -> ProcessPoolExecutor:
    """Return as many processes as there are cores, each for one run: forks of one that has imported everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONHASHSEED", "0")
        forkserver.set_forkserver_preload(["tests.simulation.runner"])
        forkserver.ensure_running()
    return ProcessPoolExecutor(os.cpu_count(), get_context("forkserver"), max_tasks_per_child=1)


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Run]]]:
    """All that the chosen tests look at, on as many cores as there are; a test waits for its own."""
    chosen = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    parameters = [item.callspec.params for item in chosen]
    names = {str(each["name"]) for each in parameters if "name" in each}
    scenarios = [(str(each["scenario"]), float(each["hours"])) for each in parameters if "scenario" in each]
    with processes() as pool:
        begun = {f"{name} {hours}": pool.submit(simulate, name, hours) for name, hours in scenarios}
        for name, seed in product([each for each in MIXED if each in names], ("7", "7 again", "8")):
            begun[f"{name} {seed}"] = pool.submit(simulate, name, 0.15, "--seed", seed.split()[0])
        for name, broken in BREAKS.items():
            if name in names:
                more = ("--break", name, "--stories", "0")
                begun[f"break {name}"] = pool.submit(simulate, broken.scenario, broken.hours, *more)
        yield begun
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    ("scenario", "hours"),
    [
        *(pytest.param(name, SOME, id=f"{name}, some minutes") for name in FIXED),
        *(pytest.param(name, hours, id=name, marks=pytest.mark.long) for name, hours in FIXED.items()),
    ],
)
def test_every_rule_holds_in_this_scenario(runs: dict[str, Future[Run]], scenario: str, hours: float) -> None:
    run = runs[f"{scenario} {hours}"].result()

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("name", MIXED)
def test_one_seed_determines_a_run_whichever_process_runs_it(runs: dict[str, Future[Run]], name: str) -> None:
    first, again, other = (
        re.findall(rf"^{name} .* ([0-9a-f]{{16}})$", runs[f"{name} {seed}"].result().stdout, re.MULTILINE)
        for seed in ("7", "7 again", "8")
    )

    assert len(first) == 1
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long) if name in LATE else name for name in BREAKS]
)
def test_a_program_that_is_broken_so_is_found(runs: dict[str, Future[Run]], name: str) -> None:
    run = runs[f"break {name}"].result()

    found = set(re.findall(r"^rule '(\w+)' broken", run.stdout, re.MULTILINE))
    assert run.returncode == 1, run.stdout
    assert found & BREAKS[name].rules, run.stdout
