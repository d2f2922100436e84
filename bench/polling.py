"""How long an SMS waits for its poll, over hours of operation: the real pollers in virtual time.

`python -m bench.polling` prints the table of polling.md; the same numbers every time. What runs is the program itself,
in `tests.simulation`; the providers are the sandbox's, the Kafka is in memory.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import fmean

from tests.simulation import happenings as does
from tests.simulation.audit import delays, p99
from tests.simulation.clock import START
from tests.simulation.evidence import Evidence
from tests.simulation.plan import Begin, Plan
from tests.simulation.town import Town

SEEDS = (1, 2, 3)
SETTLED = 1800.0  # seconds until the number of open orders is stable


@dataclass(frozen=True)
class Row:
    """One line of the table. Delays are counted between two times of the run, in seconds."""

    what: str
    plan: Plan
    hours: float
    since: float = SETTLED
    until: float | None = None


@dataclass(frozen=True)
class Figures:
    """The result of one run."""

    sms: int
    mean: float
    p99: float
    longest: float
    rate: float  # requests a second of the busiest account
    most: int  # requests in ten seconds, at most
    ends: str


def restarted(after: float) -> Begin:
    """Kill and restart every replica at this time."""

    async def begin(town: Town) -> None:
        await asyncio.sleep(after)
        for replica in town.replicas:
            replica.kill()
            replica.start()

    return begin


FIRST_ONLY = does.customers(per_minute=20, most_sms=1, asks_next=False)
ROWS: Sequence[Row] = (
    Row("500 open activations, with the list", Plan("listed", (FIRST_ONLY,)), 2),
    Row("500 open activations, without it", Plan("unlisted", (FIRST_ONLY,), lists=False), 2),
    Row(
        "the same, in the ten minutes after a restart",
        Plan("restarted", (FIRST_ONLY, restarted(3600.0)), lists=False),
        1.5,
        3600.0,
        4200.0,
    ),
    Row(
        "10 live activations beside 3 rents that fail for ever",
        Plan("broken", (does.standing(activations=10), does.broken_rents(number=3))),
        4,
    ),
    Row("50 open, 30 % of the answers fail", Plan("bad", (does.standing(activations=50), does.failing(share=0.3))), 4),
    Row("10 watches on one replica", Plan("one", (does.standing(activations=10),)), 4),
    Row("10 watches on twelve replicas", Plan("twelve", (does.standing(activations=10),), replicas=12), 4),
    Row("40 rents with 200 SMS each", Plan("rents", (does.rents(number=40, sms=200),)), 2),
)


def measured(number: int, seed: int) -> Figures:
    """Run a line of the table once."""
    row = ROWS[number]
    town = Town(row.plan, seed, row.hours)
    town.run()
    evidence = Evidence(town)
    until = town.seconds if row.until is None else row.until
    found = sorted(delays(evidence, START + row.since, START + min(until, town.seconds - 600))) or [0.0]
    sent = [each for each in town.providers.log.all if each.account == "grizzlysms"]
    due = [case for case in evidence.cases if case.ends + 660 < evidence.over]
    late = sum(evidence.end_of(case) > case.ends + 660 for case in due)
    return Figures(
        len(found), fmean(found), p99(found), found[-1], len(sent) / town.seconds, _most([each.sent for each in sent]),
        f"{len(due) - late}/{len(due)}",
    )  # fmt: skip


def _most(times: Sequence[float]) -> int:
    """Return the largest number of requests within ten seconds."""
    tens: Counter[int] = Counter(int(at // 10) for at in times)
    return max(tens.values(), default=0)


def _spread(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.1f} ({ordered[0]:.1f}–{ordered[-1]:.1f})"


def line(row: Row, runs: Sequence[Figures]) -> str:
    """Return one line of the table: median (min–max) of the seeds."""
    columns: Sequence[Callable[[Figures], float]] = (lambda run: run.mean, lambda run: run.p99, lambda run: run.longest)
    cells = [_spread([column(run) for run in runs]) for column in columns]
    rate, most = _spread([run.rate for run in runs]), max(run.most for run in runs)
    return f"| {row.what} | {sum(run.sms for run in runs)} | {' | '.join(cells)} | {rate} | {most} | {runs[0].ends} |"


def main() -> None:
    print("| | SMS | mean delay s | p99 s | longest s | requests/s | most in 10 s | ends on time |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for number, row in enumerate(ROWS):
            print(line(row, list(pool.map(measured, [number] * len(SEEDS), SEEDS))), flush=True)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, "-m", "bench.polling"], os.environ | {"PYTHONHASHSEED": "0"})
    main()
