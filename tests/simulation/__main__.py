"""`python -m tests.simulation --seeds 10 --hours 6 --scenario all`: runs them, prints a table, and what was found.

Each run is a process of its own with a hash seed of 0: sets of texts have one order then, so that one seed determines a
run whichever ran before it, and the memory of one is not the next one's.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when every run kept all rules, 1 when one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", default="all", help="a name, several with commas, or all")
    parser.add_argument("--hours", type=float, default=1.0, help="of virtual time")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--stories", type=int, default=2, help="how many breaches of each rule are told")
    parser.add_argument("--break", dest="broken", help="break the program so (tests/simulation/breaks.py)")
    parser.add_argument("--here", action="store_true", help="one run, in this process")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="how many runs at a time")
    chosen = parser.parse_args(arguments)
    from tests.simulation import runner

    if chosen.here:
        return runner.run(chosen)
    print(runner.HEAD, flush=True)
    wanted = [(name, seed) for name in runner.names(chosen.scenario) for seed in _seeds(chosen)]
    worst = 0
    with ThreadPoolExecutor(max(1, chosen.jobs)) as pool:
        for ended in pool.map(lambda each: _run(chosen, *each), wanted):
            print(ended.stdout, end="", flush=True)
            worst = max(worst, abs(ended.returncode))
    return int(worst > 0)


def _seeds(chosen: argparse.Namespace) -> range:
    return range(chosen.seed, chosen.seed + chosen.seeds)


def _run(chosen: argparse.Namespace, name: str, seed: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", "--here", "--scenario", name, "--seed", str(seed)]
    command += ["--hours", str(chosen.hours), "--stories", str(chosen.stories)]
    command += ["--break", chosen.broken] if chosen.broken else []
    environ = os.environ | {"PYTHONHASHSEED": "0"}
    return subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


if __name__ == "__main__":
    sys.exit(main())
