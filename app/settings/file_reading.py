"""The files that settings come from, smsbus.toml and those of secrets: each read whole, and when nobody writes it."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from app.settings.names import SettingPath, SettingsError, set_variable, variable_of

PAUSE: Final = 0.5  # seconds between two readings: an editor that truncates and writes takes milliseconds
READINGS: Final = 10

Pause = Callable[[float], Awaitable[None]]


class File(NamedTuple):
    """A file as it was read."""

    text: str
    problem: str | None  # the error's name: it cannot be read
    changed_ns: int


class Files(NamedTuple):
    """All of them, by path."""

    config: str | None  # which of them is smsbus.toml
    each: dict[str, File]

    @classmethod
    def read(cls, config: Path | None, secrets: Iterable[str]) -> Self:
        """Read these files; those that cannot be read are in it as well."""
        paths = [*secrets] if config is None else [str(config), *secrets]
        return cls(None if config is None else str(config), {path: _file(path) for path in paths})

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """Return what `as_line` was made of."""
        config, each = json.loads(line)
        return cls(config, {path: File(*file) for path, file in each.items()})

    def as_line(self) -> bytes:
        """Return them as one line, secrets included."""
        return json.dumps(self).encode() + b"\n"


NO_FILES: Final = Files(None, {})


async def settled(read: Callable[[], Files], pause: Pause = asyncio.sleep) -> Files:
    """Return what two readings in a row have found, contents and times of change.

    Raises `SettingsError` with the names of files that differ each time, and what `read` raises.
    """
    files = await asyncio.to_thread(read)
    for _ in range(READINGS):
        await pause(PAUSE)
        before, files = files, await asyncio.to_thread(read)
        if files == before:
            return files
    written = [path for path, file in files.each.items() if before.each.get(path) != file]
    raise SettingsError([f"{path} is still being written: send SIGHUP again once it is whole" for path in written])


def secrets_of(files: Files, variables: Mapping[str, SettingPath], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return as a tree of settings what the files hold that variables like `SMSBUS_ADMIN__TOKEN_FILE` name.

    `variables`: each with its secret's place. A file's line end is left out. Raises `SettingsError` for a file that
    cannot be read, and where the variable itself is set as well.
    """
    tree: dict[str, Any] = {}
    lines = []
    for name, secret in sorted(variables.items()):
        file = files.each[environ[name]]
        _plant(tree, secret, file.text.strip())
        if file.problem is not None:
            lines.append(f"{name} names a file that cannot be read: {file.problem}")
        if set_variable(secret, environ) == variable_of(secret):
            lines.append(f"{variable_of(secret)} and {name} are both set: keep one")
    if lines:
        raise SettingsError(lines)
    return tree


def _plant(tree: dict[str, Any], place: SettingPath, value: str) -> None:
    for part in place[:-1]:
        tree = tree.setdefault(part, {})
    tree[place[-1]] = value


def _file(path: str) -> File:
    try:
        with Path(path).open("rb") as file:
            text = file.read().decode("utf-8")
            return File(text, None, os.fstat(file.fileno()).st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        return File("", type(error).__name__, 0)
