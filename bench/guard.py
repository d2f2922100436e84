"""Checks within a minute whether a callback needs much more CPU than before; by ratios, if the result is clear.

`make guard` runs it: smsbus and the floor take turns. It fails if in every round their ratio is far above the one
that bench/results/cpu.json keeps, while the floor agrees with itself. A noisy machine gets no verdict.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final, NamedTuple

from app import process
from bench.callbacks import MANY
from bench.contenders import AGAIN, FLOOR, OURS, contenders
from bench.cpu import run
from bench.figures import Row, rows_of
from bench.machine import available, share, together
from bench.readme_tables import read

CONNECTIONS: Final = 128
ROUNDS: Final = 5
SECONDS: Final = 1.5
SLACK: Final = 1.5  # times the committed ratio: another machine, another Kafka, two cores instead of four
NOISE: Final = 0.10  # by which the two measurements of the floor may differ


class Verdict(NamedTuple):
    """Whether the check passes, and why."""

    passes: bool
    words: str


def verdict(floor: Sequence[float], again: Sequence[float], ours: Sequence[float], committed: float) -> Verdict:
    """Judge the CPU of requests, round by round; `committed` is the ratio that is known."""
    noise = abs(median(again) / median(floor) - 1)
    ratios = [our * 2 / (first + second) for first, second, our in zip(floor, again, ours, strict=True)]
    most = SLACK * committed
    found = (
        f"smsbus takes {median(ratios):.2f} × the CPU of a bare aiohttp handler ({min(ratios):.2f}–{max(ratios):.2f}; "
        f"known: {committed:.2f}, at most {most:.2f}); its two measurements differ by {noise:.0%}"
    )
    if noise > NOISE:
        return Verdict(passes=True, words=f"too noisy for a verdict: {found}")
    if min(ratios) > most:
        return Verdict(passes=False, words=f"much more expensive than before: {found}")
    return Verdict(passes=True, words=f"ok: {found}")


def committed(kept: dict[str, Any]) -> float:
    """Return the ratio that is known."""
    rows = {row.name: row for row in rows_of(kept)}
    return rows[OURS].cpu(str(CONNECTIONS)).median / rows[FLOOR].cpu(str(CONNECTIONS)).median


def judge(rows: Sequence[Row], known: float) -> Verdict:
    """Judge a run. Without valid responses there is no verdict, without a server it fails."""
    missing = [f"{row.name} did not run: {row.not_run}" for row in rows if row.not_run]
    if missing:
        return Verdict(passes=False, words="; ".join(missing))
    void = [f"{row.name}: {row.void}" for row in rows if row.void]
    if void:
        return Verdict(passes=True, words=f"too noisy for a verdict: {'; '.join(void)}")
    floor, ours, again = ([each.cpu_us for each in row.rounds[str(CONNECTIONS)]] for row in rows)
    return verdict(floor, again, ours, known)


def main() -> int:
    by_name = {each.name: each for each in contenders()}
    chosen = [replace(by_name[name], recipients=(MANY,)) for name in (FLOOR, OURS, AGAIN)]
    cores = (share if len(available()) >= 3 else together)(available())
    rows = process.run(run(chosen, ROUNDS, SECONDS, cores, (CONNECTIONS,)))
    found = judge(rows, committed(read("cpu")))
    print(found.words)
    return 0 if found.passes else 1


if __name__ == "__main__":
    sys.exit(main())
