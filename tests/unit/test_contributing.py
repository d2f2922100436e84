"""CONTRIBUTING.md works as written: its files, its make targets, and its example of a test that fails."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
SIMULATION = {"scenarios.py", "audit.py", "breaks.py"}  # named after `tests/simulation/` in the same sentence


def test_the_files_that_it_names_exist() -> None:
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w.-]+(?:/|\.py|\.md|\.json))`", PAGE)) | {".ci/run"}
    missing = {name for name in named if not (ROOT / name).exists()}

    assert len(named) >= 15
    assert missing <= SIMULATION
    assert all((ROOT / "tests" / "simulation" / name).is_file() for name in missing)


def test_make_has_every_target_that_it_names() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:^\$ |`)make ([\w-]+)", PAGE, re.MULTILINE)) <= targets


def test_the_line_to_break_and_the_test_that_finds_it_are_there() -> None:
    (line,) = re.findall(r"^```python\n(.*)\n```$", PAGE, re.MULTILINE)
    (restored,) = re.findall(r"^\$ git restore (.*)$", PAGE, re.MULTILINE)
    failed = re.findall(r"^FAILED ([\w/.]+)::(\w+)\[", PAGE, re.MULTILINE)

    assert (ROOT / restored).read_text().count(line) == 1
    assert failed
    assert all(f"def {test}(" in (ROOT / file).read_text() for file, test in failed)
