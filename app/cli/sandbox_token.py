"""The file with the token that controls a running sandbox; only its user may read it."""

import os
from pathlib import Path

from app.settings.load import data_dir_of_environment


def default_file(port: int) -> Path:
    """Return the default file for the token of the sandbox on this port."""
    return data_dir_of_environment() / f"sandbox-{port}.token"


def keep(token: str, path: Path) -> None:
    """Write the token to a file that only this user can ever read. Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")


def read(path: Path) -> str:
    """Return the token; empty if there is none."""
    return path.read_text("utf-8", "replace").strip() if path.exists() else ""
