"""When each part of `make test-all` last passed.

`python -m tests.runs PART -- COMMAND…` runs the command, and writes the part's row in docs/proof/runs.md if it passes.
"""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "proof" / "runs.md"


def with_run(page: str, part: str, cells: Sequence[str]) -> str:
    """Return the page whose table has this row for the part, and no other."""
    kept = re.sub(rf"^\| `make {part}` \|.*\n", "", page, flags=re.MULTILINE)
    return f"{kept}| `make {part}` | {' | '.join(cells)} |\n"


def commit() -> str:
    """Return what is tested, with a plus for changes without a commit; what the parts write is none."""
    name = _git("rev-parse", "--short=12", "HEAD").strip() or "unknown"
    return f"`{name}`{'+' if _git('status', '--porcelain', '--', '.', ':!docs/proof') else ''}"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True).stdout


def main(part: str, command: Sequence[str]) -> int:
    """Run the command and note that it passed; return its exit code."""
    began, tested = time.monotonic(), commit()
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        minutes = f"{(time.monotonic() - began) / 60:.0f}"
        row = [f"{datetime.now(UTC):%Y-%m-%d}", tested, f"{sys.version_info.major}.{sys.version_info.minor}", minutes]
        PAGE.write_text(with_run(PAGE.read_text("utf-8"), part, row), "utf-8")
    return code


if __name__ == "__main__":
    _, name, dashes, *rest = sys.argv
    assert dashes == "--"
    sys.exit(main(name, rest))
