"""The results of a run of polls: their tables, from their JSON file."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.figures import Cells, spread


def polls_table(kept: Mapping[str, Any]) -> Cells:
    """Return the cells of the table of polls next to the floor, its head first."""
    head = ["poll", "", "bare aiohttp, CPU µs: median (min–max)", "ours, CPU µs", "÷ bare"]
    return [head, *(_beside(name, **pair) for name, pair in kept["polls"].items())]


def _beside(name: str, bare: Sequence[float], ours: Sequence[float]) -> list[str]:
    return [name, "", _spread(bare), _spread(ours), f"{spread(ours).median / spread(bare).median:.2f}"]


def looks_table(kept: Mapping[str, Any]) -> Cells:
    """Return the cells of the table of scheduled polls, its head first."""
    head = ["at a pace", "", "CPU µs: median (min–max)"]
    return [head, *([name, "", _spread(cpu_us)] for name, cpu_us in kept["looks"].items())]


def news_table(kept: Mapping[str, Any]) -> Cells:
    """Return the cells of the table of polls that each bring an SMS, on one shard, its head first."""
    head = ["SMS a second", "", "commits/s", "states a commit", "CPU µs an SMS"]
    return [head, *(_news(rounds) for rounds in kept["news"])]


def _news(rounds: Sequence[Mapping[str, float]]) -> list[str]:
    """Each column is the median of its own rounds."""
    middle = {name: spread([each[name] for each in rounds]).median for name in rounds[0]}
    cpu_us = _spread([each["cpu_us"] for each in rounds])
    return [f"{middle['sms']:.0f}", "", f"{middle['commits']:.1f}", f"{middle['states']:.1f}", cpu_us]


def commits_table(kept: Mapping[str, Any]) -> Cells:
    """Return the cells of the table of commits one after the other, its head first."""
    head = ["states a commit", "", "commits/s", "states/s", "CPU µs a commit", "CPU µs a state"]
    return [head, *(_commit(int(size), rounds) for size, rounds in kept["commits"].items())]


def _commit(size: int, rounds: Sequence[Mapping[str, float]]) -> list[str]:
    commits, cpu_us = (spread([each[name] for each in rounds]) for name in ("commits", "cpu_us"))
    whole = f"{cpu_us.median:,.0f} ({cpu_us.low:,.0f}–{cpu_us.high:,.0f})"
    return [
        f"{size}",
        "",
        f"{commits.median:.0f}",
        f"{commits.median * size:,.0f}",
        whole,
        f"{cpu_us.median / size:.0f}",
    ]


def _spread(values: Sequence[float]) -> str:
    found = spread(values)
    return f"{found.median:.1f} ({found.low:.1f}–{found.high:.1f})"
