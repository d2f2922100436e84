"""What differs between the files of an installation and those that are there, shown and written."""

import difflib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from app.init.answers import InitError
from app.init.files import CADDYFILE, VARIABLES, File
from app.init.seal import is_edited, is_ours

STOCK_CADDYFILE: Final = [":80 {", "root * /usr/share/caddy", "file_server", "}"]
"""Its lines but for comments, as Debian's and Caddy's own packages bring it."""
NOT_OURS: Final = "is not of `smsbus init` and stays as it is: move it away"
EDITED: Final = (
    "was changed since `smsbus init` wrote it, and stays as it is: move what you added elsewhere, and remove it"
)
OTHER_SITES: Final = ", or use --own-proxy, and let your Caddy serve it beside its other sites"
MASKED: Final = "(a secret, not shown)"
ASSIGNMENT: Final = re.compile(r"[- ](\w+=).*")


class Change(NamedTuple):
    """A file that is new, or differs."""

    file: File
    before: str | None
    """None: it is new."""


def changes(directory: Path, files: Iterable[File]) -> list[Change]:
    """Return the files that are not below the directory as they should be; what is a person's only where it is missing.

    Raises `InitError`.
    """
    ours = (file for file in files if not (file.is_persons and os.path.lexists(directory / file.path)))
    found = (Change(file, text_of(directory / file.path, "use sudo")) for file in ours)
    return [each for each in found if each.before != each.file.text or not _has_mode(directory, each.file)]


def foreign(directory: Path, differing: Iterable[Change]) -> Iterator[str]:
    """Yield a line for each file that somebody else has written or changed: it must not be replaced."""
    for each in differing:
        if each.before is None or each.file.is_secret or _is_stock(each):
            continue
        if not is_ours(each.before) or is_edited(each.before):
            why = EDITED if is_ours(each.before) else NOT_OURS
            yield f"{directory / each.file.path} {why}{OTHER_SITES if each.file.path.endswith('Caddyfile') else ''}"


def _is_stock(change: Change) -> bool:
    """Return whether it is the Caddyfile that came with Caddy."""
    lines = (line.strip() for line in (change.before or "").splitlines())
    rules = [line for line in lines if line and not line.startswith("#")]
    return change.file.path == CADDYFILE and rules == STOCK_CADDYFILE


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
        diff = list(difflib.unified_diff(*lines, lineterm=""))[2:]
        yield from (_masked(line, file.text) if file.path == VARIABLES else line for line in diff)


def _masked(line: str, ours: str) -> str:
    """Return a line of a diff of variables, without the value of one that somebody added: it may be a secret."""
    found = ASSIGNMENT.fullmatch(line)
    return line if found is None or found[1] in ours else f"{line[0]}{found[1]}{MASKED}"


def write(directory: Path, change: Change) -> Path:
    """Write a file whole or not at all, with its mode; return its path."""
    file = change.file
    path = directory / file.path
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o700 if file.is_secret and parent == path.parent else 0o755)  # whatever the umask is
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as to:
        os.fchmod(descriptor, file.mode)
        to.write(file.text)
        to.flush()
        os.fsync(descriptor)
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
