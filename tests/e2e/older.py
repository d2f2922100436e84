"""The program as it was at 0.1.0, from the repository's history."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
HEADING: Final = "## [0.1.0]"
FIND: Final = ["git", "log", "--reverse", "--format=%H", f"-S{HEADING}", "--", "CHANGELOG.md"]
"""The commits that brought or took the heading of 0.1.0: the first of them is that version (docs/upgrading.md)."""


def older_tree(directory: Path) -> Path:
    """Put the tree of 0.1.0 into a directory; skip the test in a checkout without history."""
    found = subprocess.run(FIND, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not found or _is_shallow():
        pytest.skip("this checkout has no history with 0.1.0, the version to upgrade from: git fetch --unshallow")
    archive = ["git", "-C", str(ROOT), "archive", "--format=tar", found[0]]
    with tarfile.open(fileobj=BytesIO(subprocess.run(archive, capture_output=True, check=True).stdout)) as tree:
        tree.extractall(directory, filter="data")
    return directory


def file_of_app(tree: Path) -> Path:
    """Return the package `app` that a process with this tree on its path imports."""
    command = [sys.executable, "-c", "import app; print(app.__file__)"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True, cwd="/")
    return Path(done.stdout.strip())


def _is_shallow() -> bool:
    """Tell whether the history is cut off: its oldest commit then seems to have brought everything."""
    command = ["git", "rev-parse", "--is-shallow-repository"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == "true"
