"""The results of a latency run: their tables, and their JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Cells


@dataclass(frozen=True)
class Load:
    """Arrivals at a share of the server's capacity, and their latencies from the scheduled time."""

    share: float
    rate: float
    """Arrivals per second."""
    count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    journaled: int
    """SMS that went to the journal, since Kafka took longer than 250 ms."""


def load(share: float, rate: float, latencies: Sequence[float], journaled: int) -> Load:
    """Sum up latencies in seconds."""
    ordered = sorted(each * 1000 for each in latencies)
    p50, p99, p999 = (percentile(ordered, part) for part in (0.5, 0.99, 0.999))
    return Load(share, rate, len(ordered), p50, p99, p999, ordered[-1], journaled)


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the least value that `part` of all do not exceed."""
    whole, rest = divmod(part * len(ordered), 1)
    return ordered[max(0, int(whole) - (rest == 0))]


def latency_table(kept: Mapping[str, Any]) -> Cells:
    """Return the cells of the table, its head first."""
    head = ["Kafka", "load", "arrivals/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "by journal"]
    return [head, *(_cells(each, Load(**load)) for each in kept["scenarios"] for load in each["loads"])]


def _cells(scenario: Mapping[str, Any], load: Load) -> list[str]:
    waits = (load.p50_ms, load.p99_ms, load.p999_ms, load.max_ms)
    share = f"{load.share:.0%} of {scenario['capacity']:,.0f}/s"
    return [
        scenario["name"],
        share,
        f"{load.rate:,.0f}",
        *(f"{wait:.1f}" for wait in waits),
        f"{load.journaled / load.count:.1%}",
    ]


def memory(kept: Mapping[str, Any]) -> str:
    """Return a sentence about the server's memory."""
    found = kept["memory"]
    return (
        f"Memory of the process: {found['before_mib']:.1f} MiB when warm, {found['after_mib']:.1f} MiB "
        f"{found['accepted']:,} callbacks later."
    )
