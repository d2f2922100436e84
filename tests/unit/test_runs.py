"""The page of the last runs: one row a part of `make test-all`, written by the part."""

import re
from pathlib import Path

from tests import runs

MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text()
PARTS = re.findall(r"^(test-\w+):.*\n\t.*-m tests\.runs \1 -- ", MAKEFILE, re.MULTILINE)
ROW = r"^\| `make ([\w-]+)` \| \d{4}-\d\d-\d\d \| `[0-9a-f]{12}`\+? \| 3\.\d+ \| \d+ \|$"


def test_the_page_has_rows_of_parts_and_nothing_else_below_its_table():
    _, _, rows = runs.PAGE.read_text().partition("|--:|\n")

    assert len(PARTS) >= 3
    assert [*re.findall(ROW, rows, re.MULTILINE)] == [re.split("`make |`", row)[1] for row in rows.splitlines()]
    assert set(re.findall(ROW, rows, re.MULTILINE)) <= set(PARTS)


def test_all_parts_are_run_by_test_all_and_help_says_their_minutes():
    (all_of_them,) = re.findall(r"^test-all: (.*)$", MAKEFILE, re.MULTILINE)

    assert all_of_them.split() == ["test", "test-installation", *PARTS, "faults"]
    for part in ("test", "test-installation", *PARTS, "faults"):
        assert re.search(rf'@echo "(make| {{4}}) {part} .*; \d+ minutes"$', MAKEFILE, re.MULTILINE), part


def test_a_part_that_passes_replaces_its_row():
    page = "| part |\n|--:|\n| `make test-fuzz` | old |\n| `make test-long` | kept |\n"

    changed = runs.with_run(page, "test-fuzz", ["new", "`1`"])

    assert changed == "| part |\n|--:|\n| `make test-long` | kept |\n| `make test-fuzz` | new | `1` |\n"


def test_only_what_passes_is_noted(tmp_path, monkeypatch):
    page = tmp_path / "runs.md"
    page.write_text("")
    monkeypatch.setattr(runs, "PAGE", page)
    monkeypatch.setattr(runs, "commit", lambda: "`0123456789ab`")

    codes = [runs.main("test-x", ["false"]), len(page.read_text()), runs.main("test-x", ["true"])]

    assert codes == [1, 0, 0]
    assert re.fullmatch(ROW + r"\n", page.read_text(), re.MULTILINE)
