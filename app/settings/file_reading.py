"""The files with settings, smsbus.toml and those of secrets: each read completely, while nobody writes it."""

import asyncio
import json
import os
import stat
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple, Self

from app.settings.names import SettingPath, SettingsError, set_variable, variable_of
from bus.settings import shown_path

MAX_BYTES: Final = 1 << 20  # of a file; a thousand accounts are a fifth of it
PAUSE: Final = 0.5  # seconds between two readings: an editor that truncates and writes takes milliseconds
READINGS: Final = 10
READ_SECONDS: Final = 10.0  # milliseconds, a second on a busy machine; on a network file system that is away, for ever

Pause = Callable[[float], Awaitable[None]]


class File(NamedTuple):
    """A file as it was read."""

    text: str
    problem: str | None  # why it cannot be read
    changed_ns: int


class Files(NamedTuple):
    """All of them, by path."""

    config: str | None  # which of them is smsbus.toml
    each: dict[str, File]

    @classmethod
    def read(cls, config: Path | None, secrets: Iterable[str], *, only_regular: bool = False) -> Self:
        """Read these files; those that cannot be read are in it as well.

        `only_regular`: of anything else, as a pipe that may have no writer, nothing is read.
        """
        paths = [*secrets] if config is None else [str(config), *secrets]
        return cls(
            None if config is None else str(config), {path: _file(path, only_regular=only_regular) for path in paths}
        )

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """Parse a line from `as_line`."""
        config, each = json.loads(line)
        return cls(config, {path: File(*file) for path, file in each.items()})

    def as_line(self) -> bytes:
        """Return them as one line, secrets included."""
        return json.dumps(self).encode() + b"\n"


NO_FILES: Final = Files(None, {})


class _DaemonThreads(Executor):
    """A thread for each call, that no end of the process waits for."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Call it in a thread of its own."""
        future: Future[Any] = Future()

        future.set_running_or_notify_cancel()

        def call() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - it is whose who waits
                future.set_exception(error)

        Thread(target=call, name="settings", daemon=True).start()
        return future


async def settled(read: Callable[[], Files], pause: Pause = asyncio.sleep, *, seconds: float = READ_SECONDS) -> Files:
    """Return what two readings in a row have found, contents and times of change; each takes at most `seconds`.

    Raises `SettingsError` with the names of files that differ each time, and what `read` raises.
    """
    files = await _read_within(seconds, read)
    for _ in range(READINGS):
        await pause(PAUSE)
        before, files = files, await _read_within(seconds, read)
        if files == before:
            return files
    written = [path for path, file in files.each.items() if before.each.get(path) != file]
    raise SettingsError([f"{path} is still being written: send SIGHUP again once it is whole" for path in written])


async def _read_within(seconds: float, read: Callable[[], Files]) -> Files:
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().run_in_executor(_DaemonThreads(), read)
    except TimeoutError:
        message = f"the files of the settings could not be read within {seconds:g} s: does their file system answer?"
        raise SettingsError([message]) from None


def secrets_of(files: Files, variables: Mapping[str, SettingPath], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the contents of the files that variables like `SMSBUS_ADMIN__TOKEN_FILE` name, as a tree of settings.

    `variables`: each with its secret's place. A file's line end is left out. Raises `SettingsError` for a file that
    cannot be read, and where the variable itself is set as well.
    """
    tree: dict[str, Any] = {}
    lines = []
    for name, secret in sorted(variables.items()):
        file = files.each[environ[name]]
        _plant(tree, secret, file.text.strip())
        if not environ[name]:
            lines.append(f"{name} is empty: it must name a file, or be left out")
        elif file.problem is not None:
            lines.append(f"{name} names {shown_path(environ[name])}, which cannot be read: {file.problem}")
        if set_variable(secret, environ) == variable_of(secret):
            lines.append(f"{variable_of(secret)} and {name} are both set: keep one")
    if lines:
        raise SettingsError(lines)
    return tree


def _plant(tree: dict[str, Any], place: SettingPath, value: str) -> None:
    for part in place[:-1]:
        tree = tree.setdefault(part, {})
    tree[place[-1]] = value


def _file(path: str, *, only_regular: bool) -> File:
    try:
        with open(path, "rb", opener=_at_once if only_regular else None) as file:
            status = os.fstat(file.fileno())
            if only_regular and not stat.S_ISREG(status.st_mode):
                return File("", "it is no regular file", 0)
            content = file.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                return File("", "it is over 1 MiB", 0)
            return File(content.decode("utf-8-sig"), None, status.st_mtime_ns)
    except UnicodeDecodeError:
        return File("", "it is not UTF-8", 0)
    except OSError as error:
        return File("", error.strerror or type(error).__name__, 0)


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for a pipe's writer."""
    return os.open(path, flags | os.O_NONBLOCK)
