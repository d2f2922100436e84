"""What differs between the files of an installation and those that are there, shown and written."""

import difflib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from app.init.answers import InitError
from app.init.files import CADDYFILE, MARK, File

STOCK_CADDYFILE: Final = "The Caddyfile is an easy way to configure your Caddy web server."
MASKED: Final = "(a secret, not shown)"


class Change(NamedTuple):
    """A file that is new, or differs."""

    file: File
    before: str | None
    """None: it is new."""


def changes(directory: Path, files: Iterable[File]) -> list[Change]:
    """Return the files that are not below the directory as they should be; what is a person's only where it is missing.

    Raises `InitError`.
    """
    ours = (file for file in files if not (file.is_persons and (directory / file.path).exists()))
    found = (Change(file, text_of(directory / file.path, "use sudo")) for file in ours)
    return [each for each in found if each.before != each.file.text or not _has_mode(directory, each.file)]


def foreign(differing: Iterable[Change]) -> list[str]:
    """Return the paths of those that somebody else has written."""
    return [
        each.file.path
        for each in differing
        if each.before is not None and not each.file.is_secret and MARK not in each.before
        if not (each.file.path == CADDYFILE and STOCK_CADDYFILE in each.before)
    ]


def as_edited(directory: Path, files: Iterable[File]) -> list[File]:
    """Return the files, those of a person as they are below the directory. Raises `InitError`."""
    return [
        file._replace(text=text_of(directory / file.path, "use sudo") or file.text) if file.is_persons else file
        for file in files
    ]


def shown(change: Change) -> Iterator[str]:
    """Yield the lines of a diff; of a secret only that it is new or differs."""
    file, is_new = change.file, change.before is None
    if file.is_secret:
        yield f"{'new' if is_new else 'changed'}: {file.path} {file.mode:04o} {MASKED}"
    elif is_new:
        yield f"new: {file.path} {file.mode:04o}"
        yield from (f"+{line}" for line in file.text.splitlines())
    else:
        yield f"changed: {file.path} {file.mode:04o}"
        lines = (change.before or "").splitlines(), file.text.splitlines()
        yield from list(difflib.unified_diff(*lines, lineterm=""))[2:]


def write(directory: Path, change: Change) -> Path:
    """Write a file whole or not at all, with its mode; return its path."""
    file = change.file
    path = directory / file.path
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir(mode=0o700 if file.is_secret and parent == path.parent else 0o755)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as to:
        os.fchmod(descriptor, file.mode)
        to.write(file.text)
    draft.replace(path)
    return path


def text_of(path: Path, hint: str) -> str | None:
    """Return what a file has; None: there is none. Raises `InitError` with the hint if it cannot be read."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"{path} cannot be read ({reason}): {hint}"
        raise InitError(message) from None


def _has_mode(directory: Path, file: File) -> bool:
    path = directory / file.path
    return path.exists() and path.stat().st_mode & 0o777 == file.mode
