"""The program as it was at an earlier commit, from the repository's history."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMIT = "09bd494e5610"
"""Of 0.1.0 as long as that has no tag; docs/upgrading.md names it, too."""


def older_tree(directory: Path) -> Path:
    """Put the tree of `COMMIT` into a directory; skip the test in a checkout without history."""
    archive = ["git", "-C", str(ROOT), "archive", "--format=tar", COMMIT]
    done = subprocess.run(archive, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this checkout has no history with {COMMIT}, the version to upgrade from: git fetch --unshallow")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as tree:
        tree.extractall(directory, filter="data")
    return directory


def file_of_app(tree: Path) -> Path:
    """Return the package `app` that a process with this tree on its path imports."""
    command = [sys.executable, "-c", "import app; print(app.__file__)"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True, cwd="/")
    return Path(done.stdout.strip())
