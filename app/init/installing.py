"""Installs what `init` has written: onto this machine, or below another root. What does not differ is left alone."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.init.answers import Answers, InitError
from app.init.files import (
    CADDYFILE,
    KAFKA,
    MARK,
    SERVICE,
    SETTINGS,
    SOCKET,
    SYSUSERS,
    UNITS,
    VARIABLES,
    File,
    folder_of_secrets,
)
from app.init.writing import Change, changes, write

ROOT: Final = Path("/")
STOCK_CADDYFILE: Final = "The Caddyfile is an easy way to configure your Caddy web server."
FOREIGN: Final = (
    "is not of `smsbus init` and stays as it is: move it away, or for a Caddyfile with other sites use --own-proxy"
)
HIDDEN: Final = ("/home/", "/root/", "/run/user/")  # from a service with ProtectHome=
OF_CONTAINER: Final = 10001  # the user of deploy/Dockerfile
COMMAND_SECONDS: Final = 900.0  # a first start fetches Kafka


class Machine:
    """What is installed onto: this machine, or a root directory where nothing is run and nobody owns anything."""

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        self.root = root
        self.is_this = root == ROOT
        self._say = say

    def run(self, *command: str) -> None:
        """Run a command. Raises `InitError` when it fails."""
        if not self.is_this:
            self._say(f"not run below {self.root}: {' '.join(command)}")
            return
        self._say(f"$ {' '.join(command)}")
        try:
            subprocess.run(command, check=True, timeout=COMMAND_SECONDS)  # noqa: S603 - ours
        except (OSError, subprocess.SubprocessError) as error:
            message = f"`{' '.join(command)}` failed ({error}); run `smsbus init --apply` again when that is solved"
            raise InitError(message) from None

    def give(self, path: Path, user: str | int, group: str | int) -> None:
        """Make a user and a group the owners of a file or directory."""
        if self.is_this:
            shutil.chown(path, user, group)


def install(answers: Answers, directory: Path, files: Sequence[File], machine: Machine) -> bool:
    """Install the files of a directory, and start or reload what they are of; return whether anything differed.

    Raises `InitError`; what was installed by then stays, and a second call goes on.
    """
    if machine.is_this and os.geteuid() != 0:
        message = "only root may install: `sudo smsbus init --apply` with the same --dir"
        raise InitError(message)
    if answers.form == "compose":
        return _install_compose(directory, files, machine)
    differing = changes(machine.root, files)
    if differing:
        _refuse(answers, differing, machine)
        _install_systemd(answers, directory, differing, machine)
    return bool(differing)


def _install_compose(directory: Path, files: Sequence[File], machine: Machine) -> bool:
    """Start the containers where the files are; their user reads the secrets."""
    for file in files:
        if file.is_secret:
            machine.give(directory / file.path, OF_CONTAINER, OF_CONTAINER)
    machine.run("docker", "compose", "--project-directory", str(directory), "up", "--detach")
    return True


def _refuse(answers: Answers, differing: Sequence[Change], machine: Machine) -> None:
    """Raise `InitError` where a file of somebody else is in the way, or what we need is not here."""
    foreign = [
        each.file.path
        for each in differing
        if each.before is not None and not each.file.is_secret and MARK not in each.before
        if not (each.file.path == CADDYFILE and STOCK_CADDYFILE in each.before)
    ]
    if foreign:
        raise InitError("\n".join(f"{machine.root / path} {FOREIGN}" for path in foreign))
    if hidden := _hidden(Path(answers.program)):
        message = f"{hidden} is hidden from services: install smsbus into /opt/smsbus with the system's Python"
        raise InitError(message)
    if not machine.is_this:
        return
    lacking = [each for each in ("systemctl", "systemd-sysusers", "setpriv") if shutil.which(each) is None]
    if answers.proxy == "caddy" and shutil.which("caddy") is None:
        lacking.append("caddy (`apt-get install caddy`; --own-proxy if you have another proxy)")
    if not os.access(answers.program, os.X_OK):
        lacking.append(f"{answers.program} (docs/guides/installation.md, or --program)")
    if lacking:
        raise InitError("\n".join(f"not on this machine: {each}" for each in lacking))


def _hidden(program: Path) -> Path | None:
    """Return the program or its Python where a service may not see it."""
    python = program.with_name("python").resolve()
    return next((each for each in (program, python) if str(each).startswith(HIDDEN)), None)


def _install_systemd(answers: Answers, directory: Path, differing: Sequence[Change], machine: Machine) -> None:
    paths = {each.file.path for each in differing}
    is_first = any(each.before is None and each.file.path == f"{UNITS}/{SERVICE}" for each in differing)
    if CADDYFILE in paths:  # before anything is changed
        machine.run("caddy", "validate", "--adapter", "caddyfile", "--config", str(directory / CADDYFILE))
    for each in sorted(differing, key=lambda each: each.file.path != SYSUSERS):
        written = write(machine.root, each)
        if each.file.path == SYSUSERS:
            machine.run("systemd-sysusers", f"/{SYSUSERS}")
        if each.file.path == SETTINGS:
            machine.give(written, "root", "smsbus")
        if each.file.is_secret:
            machine.give(written, "smsbus", "smsbus")
            machine.give(written.parent, "smsbus", "smsbus")
    for command in _commands(answers, paths, is_first=is_first):
        machine.run(*command)


def _commands(answers: Answers, paths: set[str], *, is_first: bool) -> list[tuple[str, ...]]:
    """Return what makes the changed files effective."""
    units = [*([KAFKA] if answers.has_own_kafka else []), SOCKET, SERVICE]
    settings = {path for path in paths if path.startswith(f"{UNITS}/") or path in {SETTINGS, VARIABLES}}
    commands: list[tuple[str, ...]] = []
    if any(path.startswith(f"{UNITS}/") for path in paths):
        commands += [("systemctl", "daemon-reload"), ("systemctl", "enable", "--now", *units)]
    if not is_first and f"{UNITS}/{KAFKA}" in paths:
        commands.append(("systemctl", "restart", KAFKA))
    if not is_first and settings:
        commands.append(("systemctl", "restart", SERVICE))
    elif not is_first and any(path.startswith(folder_of_secrets(answers)) for path in paths):
        commands.append(("systemctl", "reload", SERVICE))
    if CADDYFILE in paths:
        commands.append(("systemctl", "reload-or-restart", "caddy.service"))
    return commands
