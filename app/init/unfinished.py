"""Which changed files are not effective yet: noted before they are changed, until all commands have passed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from app.init.files import File
from app.init.writing import Change, text_of, write

FILE: Final = "unfinished"


def unfinished(directory: Path) -> set[str]:
    """Return the paths of files that a run has changed, and whose commands have not all passed. Raises `InitError`."""
    return set((text_of(directory / FILE, "use sudo") or "").splitlines())


def note(directory: Path, paths: Iterable[str]) -> None:
    """Add paths to the note. Raises `InitError`."""
    before = unfinished(directory)
    if added := {*paths} - before:
        text = "".join(f"{path}\n" for path in sorted(before | added))
        write(directory, Change(File(FILE, text), None))


def forget(directory: Path) -> None:
    """Remove the note: everything is effective."""
    (directory / FILE).unlink(missing_ok=True)
