"""Secrets that the first start makes and later ones read: files in `data_dir`, readable by their user alone."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Kept(NamedTuple):
    """A secret, and whether it was made just now."""

    text: str
    is_new: bool


def kept(path: Path, make: Callable[[], str]) -> Kept:
    """Return what the file has, made if there is none; processes that start at once share one. Raises OSError."""
    is_new = not path.exists() and _made(path, make())
    return Kept(path.read_text("utf-8", "replace").strip(), is_new)


def _made(path: Path, secret: str) -> bool:
    """Write the file atomically; return whether no other process was first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
