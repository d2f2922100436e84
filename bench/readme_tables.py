"""bench/README.md shows the last results: its sections are generated from bench/results, and a test compares them.

`python -m bench.readme_tables` writes them.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.figures import markdown, rows_of, table
from bench.latency_figures import latency_table, memory
from bench.machine import ROOT
from bench.polls_figures import commits_table, looks_table, news_table, polls_table
from bench.targets import goals

README: Final = ROOT / "bench" / "README.md"
RESULTS: Final = ROOT / "bench" / "results"
Kept = Mapping[str, Any]


def cpu_section(kept: Kept) -> str:
    rows = rows_of(kept)
    return f"{where(kept['run'])}\n\n{markdown(table(rows))}"


def goals_section(kept: Kept) -> str:
    return markdown(goals(rows_of(kept)))


def latency_section(kept: Kept) -> str:
    return f"{where(kept['run'])}\n\n{markdown(latency_table(kept))}\n\n{memory(kept)}"


def polls_section(kept: Kept) -> str:
    return f"{where(kept['run'])}\n\n{markdown(polls_table(kept))}"


def looks_section(kept: Kept) -> str:
    return markdown(looks_table(kept))


def commits_section(kept: Kept) -> str:
    return f"{markdown(news_table(kept))}\n\n{markdown(commits_table(kept))}"


SECTIONS: Final[Mapping[str, tuple[str, Callable[[Kept], str]]]] = {
    "cpu": ("cpu", cpu_section),
    "goals": ("cpu", goals_section),
    "latency": ("latency", latency_section),
    "polls": ("polls", polls_section),
    "looks": ("polls", looks_section),
    "commits": ("polls", commits_section),
}


def where(run: Mapping[str, Any]) -> str:
    """Return a sentence with date, machine and versions of the run."""
    machine = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    pinned = "" if machine["pinned"] else ", nothing pinned"
    commit = run["commit"][:12] + ("-dirty" if run["commit"].endswith("-dirty") else "")
    return (
        f"{run['when'][:10]}, commit `{commit}`, {machine['cores']} cores{pinned} "
        f"({machine['processor']}, Linux {machine['kernel']}); {versions}."
    )


def rendered(page: str) -> str:
    """Return the page with all sections as the results have them."""
    for name, (file, section) in SECTIONS.items():
        page = with_section(page, name, section(read(file)))
    return page


def with_section(page: str, name: str, section: str) -> str:
    """Return the page with this section between the marks of that name. Raises ValueError where they are missing."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, after = page.index(begin) + len(begin), page.index(end)
    return f"{page[:before]}\n{section}\n{page[after:]}"


def read(name: str, directory: Path = RESULTS) -> dict[str, Any]:
    """Return the results of a run."""
    found: dict[str, Any] = json.loads((directory / f"{name}.json").read_text("utf-8"))
    return found


def keep(name: str, kept: Kept) -> None:
    """Replace what an earlier run left."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    README.write_text(rendered(README.read_text("utf-8")), "utf-8")
