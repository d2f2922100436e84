"""Build what a release consists of, into `dist/`: `python -m deploy.release [--dry-run]`. See docs/releasing.md.

Publishes nothing. A dry run builds although something is not ready for a release, and says what.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DISTRIBUTIONS = (ROOT, ROOT / "testing")
SUMS = "SHA256SUMS"
OF_DRY_RUN = "of-a-dry-run"  # beside the files that one built: the next run takes their place
STEPS = """
{count} files are in {dist}; {sums} has their checksums. What remains, by hand:
  git tag -s v{version} && git push origin v{version}
  docker build -f deploy/Dockerfile -t smsbus:{version} .
  helm package deploy/chart --version {version} --app-version {version} --destination {dist}
  (cd {dist} && sha256sum *.whl *.tar.gz *.tgz > {sums}), and attach all of it to the release of the tag
"""


def versions() -> dict[str, str]:
    """Return the version of each distribution, by its name."""
    projects = [tomllib.loads((each / "pyproject.toml").read_text())["project"] for each in DISTRIBUTIONS]
    return {project["name"]: project["version"] for project in projects}


def not_ready(version: str, changelog: str, changed: str) -> Iterator[str]:
    """Yield a sentence for each thing that is missing. `changed`: what `git status --porcelain` prints."""
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        yield f"CHANGELOG.md has no heading `## [{version}] - DATE`: move what is under Unreleased below one"
    if others := {name: other for name, other in versions().items() if other != version}:
        yield f"the versions differ: smsbus is {version}, and {others}"
    if changed:
        yield "there are changes that are not committed: a release is built of a commit"


def build(dist: Path) -> list[Path]:
    """Build wheel and sdist of both distributions; the same commit gives the same bytes."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct").strip() or "0"}
    for each in DISTRIBUTIONS:
        command = [sys.executable, "-m", "hatchling", "build", "--directory", str(dist)]
        subprocess.run(command, cwd=each, env=environ, check=True, stdout=subprocess.DEVNULL)
    return sorted([*dist.glob("*.whl"), *dist.glob("*.tar.gz")])


def sums_of(files: list[Path]) -> str:
    """Return what `sha256sum` would print."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def remove_dry_run(dist: Path) -> None:
    """Remove what a dry run has left, and nothing else."""
    if (dist / OF_DRY_RUN).exists():
        for line in (dist / SUMS).read_text().splitlines():
            (dist / line.split("  ")[1]).unlink(missing_ok=True)
        (dist / SUMS).unlink()
        (dist / OF_DRY_RUN).unlink()


def main(*arguments: str, dist: Path = ROOT / "dist") -> int:
    """Build; return the exit code."""
    version, is_dry = versions()["smsbus"], "--dry-run" in arguments
    missing = list(not_ready(version, (ROOT / "CHANGELOG.md").read_text(), _git("status", "--porcelain")))
    for each in missing:
        print(f"not ready: {each}", file=sys.stderr)
    if missing and not is_dry:
        return 1
    remove_dry_run(dist)
    if dist.exists() and any(dist.iterdir()):
        print(
            f"{dist} is not empty: remove what is in it, or it would be taken for a part of this release",
            file=sys.stderr,
        )
        return 1
    files = build(dist)
    (dist / SUMS).write_text(sums_of(files))
    if is_dry:
        (dist / OF_DRY_RUN).touch()
    print(sums_of(files) + STEPS.format(count=len(files), dist=dist.name, sums=SUMS, version=version), end="")
    return 0


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
