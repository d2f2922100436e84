"""`python -m tests.simulation --seeds 10 --hours 6 --scenario all`: runs them and prints a table."""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when every run kept all rules."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--hours", type=float, default=1.0, help="of virtual time")
    parser.add_argument("--scenario", default="all", help="a name, several with commas, or all")
    parser.add_argument("--stories", type=int, default=3, help="how many breaches of each rule are told")
    parser.add_argument("--break", dest="broken", default=None, help="a break from tests.simulation.breaks")
    chosen = parser.parse_args(arguments)
    from tests.simulation.runner import run  # noqa: PLC0415 - only in the process that has the right hash seed

    return run(chosen)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets of texts must have one order, too: one seed determines a run
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    code = 2
    try:
        code = main()
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # replicas that were killed must not be finalised: that would run them
